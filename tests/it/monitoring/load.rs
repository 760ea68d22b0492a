//! A load of which all figures are known.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tests::{Cluster, LIMIT, eventually};

/// Runs until the file named by a parameter exists.
const TEMPLATES: &str = r#"
[SHELL.wait]
command = ["sh", "-c", "until [ -e \"$1\" ]; do sleep 0.05; done", "sh", "{parameters.until}"]
"#;

/// Jobs of NOOP that are done, each with this many items.
pub(super) const DONE: u32 = 3;
pub(super) const ITEMS: u32 = 4;
/// Jobs of NOOP that failed.
pub(super) const FAILED: u32 = 2;
/// Jobs of NOOP that wait for its start.
pub(super) const PAUSED: u32 = 2;
/// Slots of SHELL, all of them in use, and of NOOP.
pub(super) const SHELL_SLOTS: u32 = 2;
pub(super) const NOOP_SLOTS: u32 = 4;
/// Jobs of SHELL that wait for a slot.
pub(super) const WAITING: u32 = 3;
/// Submissions that were refused.
pub(super) const REFUSED: u32 = 1;
/// Submissions that were known already.
pub(super) const DUPLICATE: u32 = 1;
/// Pages that NOOP's contract allows.
pub(super) const CONTRACT: u32 = 100;

/// A system of a coordinator and a worker, in which nothing has happened yet.
pub(super) fn quiet_system(name: &str) -> Cluster {
    Cluster::named(name)
        .plugins(&format!("NOOP={NOOP_SLOTS},SHELL={SHELL_SLOTS}"))
        .templates(TEMPLATES)
        .start()
}

/// The same with two coordinators.
pub(super) fn quiet_system_of_two(name: &str) -> Cluster {
    let mut cluster = quiet_system(name);
    cluster.add_coordinator();
    cluster
}

fn noop(title: &str, parameters: &Value) -> Value {
    json!({"plugin": "NOOP", "title": title, "parameters": parameters})
}

fn act_on_noop(cluster: &Cluster, action: &Value) {
    let (status, answer) = cluster.api().act("/api/v1/plugins/NOOP/actions", action);
    assert_eq!(status, 200, "{answer}");
}

/// Does what the constants say. What runs afterwards ends with [`end`].
pub(super) fn put_on(cluster: &Cluster) {
    let api = cluster.api();
    act_on_noop(cluster, &json!({"action": "quota", "pages_total": CONTRACT}));
    let done: Vec<_> = (0..DONE)
        .map(|_| api.submit(&noop("done", &json!({"items": ITEMS}))))
        .collect();
    let failed: Vec<_> = (0..FAILED)
        .map(|_| api.submit(&noop("failed", &json!({"fail": "permanent"}))))
        .collect();
    for id in done.into_iter().chain(failed) {
        cluster.wait_for_end(id);
    }
    act_on_noop(cluster, &json!({"action": "stop", "reason": "the test wants it"}));
    for number in 0..PAUSED {
        let mut job = noop("paused", &json!({}));
        job["idempotency_key"] = json!(format!("key {number}"));
        api.submit(&job);
    }
    let again = json!({"plugin": "NOOP", "title": "paused", "idempotency_key": "key 0"});
    let answer = api.post_job(again.to_string().as_bytes()).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer = api
        .post_job(b"{\"plugin\": \"NOBODY\", \"title\": \"x\"}")
        .unwrap();
    assert!(answer.status >= 400, "{}", answer.body);
    for _ in 0..SHELL_SLOTS + WAITING {
        api.submit(&json!({"plugin": "SHELL", "template": "wait", "title": "waits",
                           "parameters": {"until": gate(cluster)}}));
    }
    eventually(LIMIT, "all slots of SHELL are in use", || {
        let running = cluster.count("SELECT count(*) FROM jobs WHERE state = 'PROCESSING'");
        if running == i64::from(SHELL_SLOTS) {
            Ok(())
        } else {
            Err(format!("{running}"))
        }
    });
}

fn gate(cluster: &Cluster) -> PathBuf {
    cluster.data().join("gate")
}

/// Lets all jobs of SHELL end.
pub(super) fn end(cluster: &Cluster) {
    fs::write(gate(cluster), "").unwrap();
    eventually(LIMIT, "all jobs of SHELL have ended", || {
        match cluster.count("SELECT count(*) FROM jobs WHERE plugin = 'SHELL'") {
            0 => Ok(()),
            left => Err(format!("{left}")),
        }
    });
}
