//! What people do with jobs: the row, the audit log, the worker, and what is left in the target folder.

mod plugins;
mod restarts;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use shared::job::JobId;
use tests::{Cluster, LIMIT, eventually};

/// Runs until the file named by a parameter exists.
const TEMPLATES: &str = r#"
[SHELL.wait]
command = ["sh", "-c", "until [ -e \"$1\" ]; do sleep 0.05; done; sleep 0", "sh", "{parameters.until}"]
"#;

/// A job of `items` items; with a folder it writes a file for each.
fn noop(title: &str, items: u32, item_ms: u32, target: Option<&Path>) -> Value {
    let mut job = json!({"plugin": "NOOP", "title": title,
                         "parameters": {"items": items, "item_ms": item_ms, "write": target.is_some()}});
    if let Some(target) = target {
        job["target"] = json!(target);
    }
    job
}

fn act(cluster: &Cluster, id: JobId, action: &Value) -> (u16, Value) {
    cluster.api().act(&format!("/api/v1/jobs/{id}/actions"), action)
}

fn act_on_plugin(cluster: &Cluster, plugin: &str, action: &Value) {
    let (status, answer) = cluster
        .api()
        .act(&format!("/api/v1/plugins/{plugin}/actions"), action);
    assert_eq!(status, 200, "{answer}");
}

/// The lines of the audit log about a job: action and outcome.
fn audit(cluster: &Cluster, id: JobId) -> Vec<String> {
    cluster
        .sql(
            "SELECT actor || ' ' || action || ' ' || outcome FROM audit_log WHERE job_id = $1 ORDER BY id",
            &[&id.0],
        )
        .iter()
        .map(|row| row.get(0))
        .collect()
}

fn plugin_state(cluster: &Cluster, plugin: &str) -> String {
    cluster.sql("SELECT state FROM plugins WHERE name = $1", &[&plugin])[0].get(0)
}

/// Files that a job has published.
fn published(target: &Path) -> usize {
    fs::read_dir(target.join("noop")).map_or(0, Iterator::count)
}

#[test]
fn a_waiting_job_that_is_cancelled_never_runs() {
    let cluster = Cluster::named("cancel-waiting")
        .plugins("SHELL=1")
        .templates(TEMPLATES)
        .start();
    let gate = cluster.folder().join("gate");
    let wait = |title: &str| json!({"plugin": "SHELL", "template": "wait", "title": title, "parameters": {"until": gate}});
    let first = cluster.submit(&wait("first"));
    let second = cluster.submit(&wait("second"));
    cluster.wait_until(first, "runs", |job| job.state == "PROCESSING");
    let (status, answer) = act(&cluster, second, &json!({"action": "cancel"}));
    assert_eq!((status, &answer["outcome"]), (200, &json!("done")));
    let job = cluster.api().job(second).unwrap();
    assert_eq!((job.state.as_str(), job.attempts.len()), ("CANCELLED", 0));
    fs::write(&gate, "").unwrap();
    cluster.wait_until_done(first);
    assert_eq!(cluster.api().job(second).unwrap().state, "CANCELLED");
    let (status, answer) = act(&cluster, second, &json!({"action": "cancel"}));
    assert_eq!((status, &answer["detail"]), (409, &json!("it has ended")));
    assert_eq!(
        audit(&cluster, second),
        ["local cancel done", "local cancel refused"]
    );
}

#[test]
fn a_running_job_that_is_cancelled_ends_with_all_its_processes_and_publishes_nothing() {
    let cluster = Cluster::named("cancel-running")
        .plugins("SHELL=1,NOOP=1")
        .templates(TEMPLATES)
        .start();
    let never = cluster.folder().join("never");
    let shell = cluster.submit(
        &json!({"plugin": "SHELL", "template": "wait", "title": "endless", "parameters": {"until": never}}),
    );
    let target = cluster.data().join("out");
    let writes = cluster.submit(&noop("writes", 1_000, 20, Some(&target)));
    cluster.wait_until(shell, "runs", |job| job.state == "PROCESSING");
    cluster.wait_until(writes, "has written", |job| job.items_done > 0);
    for id in [shell, writes] {
        assert_eq!(act(&cluster, id, &json!({"action": "cancel"})).0, 200);
        let ended = cluster.wait_for_end(id);
        assert_eq!(
            (ended.state.as_str(), ended.outcomes()),
            ("CANCELLED", vec!["cancelled"])
        );
    }
    cluster.wait_until_no_tool_runs();
    assert_eq!(published(&target), 0);
    let left: Vec<_> = fs::read_dir(&target).unwrap().collect();
    assert!(left.is_empty(), "the item store is left: {left:?}");
}

#[test]
fn held_jobs_wait_a_running_one_gives_way_and_released_ones_go_on() {
    let cluster = Cluster::named("hold").plugins("NOOP=1").start();
    let runs = cluster.submit(&noop("runs", 200, 20, None));
    let waits = cluster.submit(&noop("waits", 1, 0, None));
    cluster.wait_until(runs, "has done items", |job| job.items_done > 0);
    for id in [waits, runs] {
        assert_eq!(act(&cluster, id, &json!({"action": "hold"})).0, 200);
    }
    for id in [waits, runs] {
        cluster.wait_until(id, "is paused", |job| job.state == "PAUSED");
    }
    // The worker is free, and yet takes neither of them.
    cluster.wait_until_done(cluster.submit(&noop("another", 1, 0, None)));
    for id in [waits, runs] {
        assert_eq!(cluster.api().job(id).unwrap().state, "PAUSED");
        assert_eq!(act(&cluster, id, &json!({"action": "release"})).0, 200);
        cluster.wait_until_done(id);
    }
    assert_eq!(audit(&cluster, runs), ["local hold done", "local release done"]);
}

#[test]
fn priority_and_place_decide_the_order_also_of_jobs_that_are_published_already() {
    let cluster = Cluster::named("order")
        .plugins("SHELL=1,NOOP=1")
        .templates(TEMPLATES)
        .start();
    let gate = cluster.folder().join("gate");
    let first = cluster.submit(
        &json!({"plugin": "SHELL", "template": "wait", "title": "first", "parameters": {"until": gate}}),
    );
    cluster.wait_until(first, "runs", |job| job.state == "PROCESSING");
    let submit = |title: &str| {
        cluster.submit(
            &json!({"plugin": "SHELL", "template": "wait", "title": title, "parameters": {"until": gate}}),
        )
    };
    let [a, b, c, d] = ["a", "b", "c", "d"].map(submit);
    let all_published = |what: &str| {
        eventually(LIMIT, what, || {
            match cluster
                .count("SELECT count(*) FROM jobs WHERE state = 'QUEUED' AND published_dispatch < dispatch")
                + cluster.count("SELECT count(*) FROM levels_to_reorder")
            {
                0 => Ok(()),
                other => Err(other.to_string()),
            }
        });
    };
    all_published("all published");
    assert_eq!(
        act(&cluster, d, &json!({"action": "set_priority", "priority": 9})).0,
        200
    );
    assert_eq!(act(&cluster, c, &json!({"action": "move", "to": "top"})).0, 200);
    assert_eq!(act(&cluster, b, &json!({"action": "move", "to": "up"})).0, 200);
    all_published("all published anew");
    fs::write(&gate, "").unwrap();
    for id in [a, b, c, d] {
        cluster.wait_until_done(id);
    }
    let order: Vec<String> = cluster
        .sql("SELECT title FROM job_history ORDER BY started_at", &[])
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(order, ["first", "d", "c", "b", "a"]);
}

#[test]
fn a_failure_that_may_pass_is_tried_again_later_and_a_retry_by_hand_keeps_what_is_done() {
    let cluster = Cluster::named("retry").plugins("NOOP=1").start();
    act_on_plugin(
        &cluster,
        "NOOP",
        &json!({"action": "configure", "retries_max": 1, "retry_first_seconds": 1}),
    );
    let target = cluster.data().join("out");
    let mut job = noop("fails", 3, 0, Some(&target));
    job["parameters"]["fail"] = json!("retryable");
    let id = cluster.submit(&job);
    let failed = cluster.wait_for_end(id);
    assert_eq!(
        (failed.state.as_str(), failed.outcomes()),
        ("ERROR", vec!["failed", "failed"])
    );
    assert_eq!(failed.items_in("done").len(), 3);
    // Whoever mends the cause: here, the parameter.
    cluster.sql(
        "UPDATE job_history SET parameters = parameters - 'fail' WHERE id = $1",
        &[&id.0],
    );
    let (status, answer) = act(&cluster, id, &json!({"action": "retry"}));
    assert_eq!((status, &answer["outcome"]), (200, &json!("retried")));
    let again: JobId = answer["new_job"].as_str().unwrap().parse().unwrap();
    let done = cluster.wait_until_done(again);
    assert!(
        done.items.iter().all(|item| item.attempt == 0),
        "items were done again: {:?}",
        done.items
    );
    assert_eq!(published(&target), 3);
    let links = cluster.count("SELECT count(*) FROM job_history WHERE retry_of IS NOT NULL");
    assert_eq!(links, 1);
    assert_eq!(act(&cluster, id, &json!({"action": "delete"})).0, 200);
    assert_eq!(act(&cluster, id, &json!({"action": "delete"})).0, 404);
    assert_eq!(
        cluster.count("SELECT count(*) FROM items"),
        3,
        "another job's items are gone"
    );
}

#[test]
fn the_command_line_acts_on_many_jobs_and_says_what_became_of_them() {
    let cluster = Cluster::named("cli-control").plugins("NOOP=1").start();
    let say = |arguments: &[&str]| {
        let output = cluster.taskmanager(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(
        say(&["plugin", "stop", "noop", "--reason", "a test"]),
        (
            Some(0),
            "NOOP: stopping; `taskmanager plugins` says when it has stopped\n".to_owned()
        )
    );
    for n in 0..5 {
        cluster.submit(&noop(&format!("job {n}"), 1, 0, None));
    }
    assert_eq!(
        say(&["priority", "9", "--plugin", "noop", "--title", "JOB 3"]),
        (Some(0), "1 job: given another priority\n".to_owned())
    );
    assert_eq!(
        say(&["cancel", "--plugin", "noop"]),
        (Some(0), "5 jobs: cancelled\n".to_owned())
    );
    let id: uuid::Uuid = cluster.sql("SELECT id FROM job_history LIMIT 1", &[])[0].get(0);
    assert_eq!(
        say(&["retry", &id.to_string()]),
        (
            Some(1),
            "0 jobs: submitted again\n1 job: not possible: a cancelled job is not retried: submit it again\n"
                .to_owned()
        )
    );
    assert_eq!(
        say(&["delete", "--state", "cancelled"]),
        (Some(0), "5 jobs: removed\n".to_owned())
    );
    assert_eq!(
        say(&["plugin", "start", "--all"]),
        (Some(0), "NOOP: running\n".to_owned())
    );
    assert_eq!(
        cluster.count("SELECT count(*) FROM audit_log"),
        1 + 1 + 5 + 1 + 5 + 1
    );
}
