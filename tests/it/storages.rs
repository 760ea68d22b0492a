//! Limits per storage: jobs wait with the reason and go on; transfers take turns, and a killed worker gives its turn back.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use shared::failpoint::Failpoint;
use shared::job::JobId;
use tests::{Cluster, Job, LIMIT, eventually};

/// Runs until the file named by a parameter exists.
const TEMPLATES: &str = r#"
[SHELL.wait]
command = ["sh", "-c", "until [ -e \"$1\" ]; do sleep 0.05; done", "sh", "{parameters.until}"]
"#;

/// Seconds.
const SHORT_LEASE: u32 = 10;

/// A job that writes three files, and reads a folder where it has one.
fn writes(source: Option<&Path>, target: &Path) -> Value {
    json!({"plugin": "NOOP", "title": "writes", "source": source, "target": target,
           "parameters": {"items": 3, "write": true}})
}

fn limit(cluster: &Cluster, limits: &[&str]) {
    let path = cluster.data().to_str().unwrap();
    let arguments = [&["storage", "set", path], limits].concat();
    let output = cluster.taskmanager(&arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn act(cluster: &Cluster, id: JobId, action: &str) {
    let (status, answer) = cluster
        .api()
        .act(&format!("/api/v1/jobs/{id}/actions"), &json!({"action": action}));
    assert_eq!(status, 200, "{answer}");
}

/// Waits until the running job says that it waits for its turn.
fn wait_until_it_waits(cluster: &Cluster, id: JobId, state: &str) {
    cluster.wait_until(id, "waits for its turn", |job| job.state == state);
    let said = format!("1 of 1 transfers of {} run", cluster.data().display());
    eventually(LIMIT, "it says for what", || {
        let row = cluster.sql("SELECT detail FROM leases WHERE job_id = $1", &[&id.0]);
        let detail = row.first().map_or_else(String::new, |row| row.get(0));
        detail.contains(&said).then_some(()).ok_or(detail)
    });
}

/// How many transfers run, as it is counted.
fn transfers(cluster: &Cluster) -> i64 {
    cluster.count(
        "SELECT coalesce(sum(running), 0)::bigint FROM limit_keys WHERE starts_with(key, 'transfers:')",
    )
}

fn worker_of(cluster: &Cluster, job: &Job) -> usize {
    let id = &job.attempts.last().unwrap().worker_id;
    (0..cluster.workers.len())
        .find(|index| id.starts_with(&format!("worker-{index}/")))
        .unwrap()
}

#[test]
fn jobs_wait_for_a_storage_that_as_many_use_as_may_say_so_and_go_on() {
    let mut cluster = Cluster::named("storage")
        .plugins("SHELL=2")
        .templates(TEMPLATES)
        .start();
    cluster.add_worker();
    let (data, gate) = (cluster.data().to_owned(), cluster.folder().join("gate"));
    fs::create_dir_all(data.join("in")).unwrap();
    limit(&cluster, &["--running-max", "1", "--title", "NAS 1"]);
    let job = |source: Option<&Path>| {
        json!({"plugin": "SHELL", "template": "wait", "title": "waits", "source": source,
               "parameters": {"until": gate}})
    };
    let first = cluster.submit(&job(Some(&data.join("in"))));
    cluster.wait_until(first, "runs", |job| job.state == "PROCESSING");
    let second = cluster.submit(&job(Some(&data.join("in"))));
    let reason = format!("Waits for storage {}: 1 of 1 job uses it", data.display());
    let says_why = |id: JobId| {
        eventually(LIMIT, "it says what it waits for", || {
            let said = cluster.api().json(&format!("/api/v1/jobs/{id}"))?;
            let waits = said["waits_for"] == *reason;
            waits.then_some(()).ok_or_else(|| said["waits_for"].to_string())
        });
    };
    // It was refused, and is not sent again and again.
    eventually(LIMIT, "its claim is refused", || {
        match cluster.count("SELECT count(*) FROM jobs WHERE waits_for IS NOT NULL") {
            1 => Ok(()),
            other => Err(other.to_string()),
        }
    });
    says_why(second);
    act(&cluster, second, "start_now");
    says_why(second);
    // What lies elsewhere does not wait for it.
    let elsewhere = cluster.submit(&job(None));
    cluster.wait_until(elsewhere, "runs", |job| job.state == "PROCESSING");
    let waiting = cluster.api().job(second).unwrap();
    assert_eq!((waiting.state.as_str(), waiting.attempts.len()), ("QUEUED", 0));
    let list = cluster.taskmanager(&["storage", "list"]).output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    assert!(list.contains("1 of 1") && list.contains("NAS 1"), "{list}");
    fs::write(&gate, "").unwrap();
    for id in [first, second, elsewhere] {
        assert_eq!(cluster.wait_until_done(id).outcomes(), ["done"]);
    }
    let counted = "SELECT running::bigint FROM limit_keys WHERE starts_with(key, 'storage:')";
    assert_eq!(cluster.count(counted), 0);
}

#[test]
fn transfers_of_a_storage_take_turns_and_a_killed_worker_gives_its_turn_back() {
    let mut cluster = Cluster::named("transfers")
        .plugins("NOOP=1")
        .lease_seconds(SHORT_LEASE)
        .failpoints()
        .expecting("have lost their worker")
        .start();
    cluster.add_worker();
    cluster.add_worker();
    let data = cluster.data().to_owned();
    fs::create_dir_all(data.join("in")).unwrap();
    limit(&cluster, &["--transfers-max", "1"]);
    // It moves its outputs and does not come to an end.
    cluster.hold(Failpoint::BetweenRenames);
    let moves = cluster.submit(&writes(None, &data.join("a")));
    cluster.wait_until_held(Failpoint::BetweenRenames);
    let reads = cluster.submit(&writes(Some(&data.join("in")), &data.join("b")));
    let publishes = cluster.submit(&writes(None, &data.join("c")));
    wait_until_it_waits(&cluster, reads, "WAITINGFORUPLOAD");
    wait_until_it_waits(&cluster, publishes, "DOWNLOAD");
    assert!(!data.join("c/noop").exists(), "it has begun without its turn");
    assert_eq!(transfers(&cluster), 1);
    let killed = worker_of(&cluster, &cluster.api().job(moves).unwrap());
    cluster.workers[killed].kill9();
    for (id, outcomes) in [
        (reads, vec!["done"]),
        (publishes, vec!["done"]),
        (moves, vec!["lost", "done"]),
    ] {
        assert_eq!(cluster.wait_until_done(id).outcomes(), outcomes);
    }
    for target in ["a", "b", "c"] {
        assert_eq!(fs::read_dir(data.join(target).join("noop")).unwrap().count(), 3);
    }
    assert_eq!(transfers(&cluster), 0);
    assert_eq!(cluster.miscounted(), Vec::<String>::new());
}

#[test]
fn whoever_waits_for_its_turn_can_be_held_and_cancelled_and_goes_on_when_it_has_come() {
    let mut cluster = Cluster::named("transfers-held")
        .plugins("NOOP=2")
        .failpoints()
        .start();
    cluster.add_worker();
    let data = cluster.data().to_owned();
    fs::create_dir_all(data.join("in")).unwrap();
    limit(&cluster, &["--transfers-max", "1"]);
    cluster.hold(Failpoint::BetweenRenames);
    let moves = cluster.submit(&writes(None, &data.join("a")));
    cluster.wait_until_held(Failpoint::BetweenRenames);
    let waits = cluster.submit(&writes(Some(&data.join("in")), &data.join("b")));
    let unwanted = cluster.submit(&writes(Some(&data.join("in")), &data.join("c")));
    wait_until_it_waits(&cluster, waits, "WAITINGFORUPLOAD");
    wait_until_it_waits(&cluster, unwanted, "WAITINGFORUPLOAD");
    act(&cluster, unwanted, "cancel");
    assert_eq!(cluster.wait_for_end(unwanted).outcomes(), ["cancelled"]);
    act(&cluster, waits, "hold");
    cluster.wait_until(waits, "has given way", |job| job.state == "PAUSED");
    act(&cluster, waits, "release");
    wait_until_it_waits(&cluster, waits, "WAITINGFORUPLOAD");
    cluster.let_go(Failpoint::BetweenRenames);
    assert_eq!(cluster.wait_until_done(moves).outcomes(), ["done"]);
    let done = cluster.wait_until_done(waits);
    assert_eq!(done.outcomes(), ["interrupted", "done"], "waiting is no failure");
    assert_eq!(transfers(&cluster), 0);
}

#[test]
fn a_transfer_slot_that_was_given_is_not_lost_with_the_coordinator_that_gave_it() {
    let mut cluster = Cluster::named("transfers-death")
        .plugins("NOOP=1")
        .failpoints()
        .start();
    let data = cluster.data().to_owned();
    fs::create_dir_all(data.join("in")).unwrap();
    limit(&cluster, &["--transfers-max", "1"]);
    cluster.arm(Failpoint::TransferBeforeReply);
    let id = cluster.submit(&writes(Some(&data.join("in")), &data.join("out")));
    cluster.coordinator_dies_at(Failpoint::TransferBeforeReply);
    assert_eq!(transfers(&cluster), 1, "it was given");
    cluster.coordinator.start_again();
    assert_eq!(cluster.wait_until_done(id).outcomes(), ["done"]);
    assert_eq!(transfers(&cluster), 0);
    assert_eq!(cluster.miscounted(), Vec::<String>::new());
}
