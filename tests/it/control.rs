//! What people do with jobs and plugins: the row, the audit log, the worker, and what is left in the target folder.

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
fn a_stopped_plugins_running_job_yields_with_its_items_and_goes_on_after_the_start() {
    let cluster = Cluster::named("stop")
        .plugins("NOOP=1,SHELL=1")
        .templates(TEMPLATES)
        .start();
    let target = cluster.data().join("out");
    let id = cluster.submit(&noop("long", 200, 20, Some(&target)));
    let waiting = cluster.submit(&noop("next", 1, 0, None));
    cluster.wait_until(id, "has done items", |job| job.items_done > 2);
    act_on_plugin(
        &cluster,
        "NOOP",
        &json!({"action": "stop", "reason": "new disks"}),
    );
    eventually(LIMIT, "NOOP stopped", || {
        match plugin_state(&cluster, "NOOP").as_str() {
            "stopped" => Ok(()),
            other => Err(other.to_owned()),
        }
    });
    let stopped = cluster.api().job(id).unwrap();
    assert_eq!(
        (stopped.state.as_str(), stopped.outcomes()),
        ("PAUSED", vec!["interrupted"])
    );
    let kept = stopped.items_in("done").len();
    assert!((3..200).contains(&kept), "{kept} items are done");
    // Another plugin's jobs go on meanwhile.
    let gate = cluster.folder().join("gate");
    fs::write(&gate, "").unwrap();
    cluster.wait_until_done(cluster.submit(
        &json!({"plugin": "SHELL", "template": "wait", "title": "other", "parameters": {"until": gate}}),
    ));
    assert_eq!(cluster.api().job(waiting).unwrap().state, "PAUSED");
    act_on_plugin(&cluster, "NOOP", &json!({"action": "start"}));
    let done = cluster.wait_until_done(id);
    assert_eq!(done.outcomes(), ["interrupted", "done"]);
    let first: Vec<_> = done.items.iter().filter(|item| item.attempt == 1).collect();
    assert_eq!(first.len(), kept, "items were done twice");
    assert_eq!(published(&target), 200);
    cluster.wait_until_done(waiting);
}

#[test]
fn a_job_without_items_is_interrupted_at_the_deadline_and_a_plugin_starts_again_at_its_time() {
    let cluster = Cluster::named("deadline")
        .plugins("SHELL=1")
        .templates(TEMPLATES)
        .start();
    let gate = cluster.folder().join("gate");
    let id = cluster.submit(
        &json!({"plugin": "SHELL", "template": "wait", "title": "long", "parameters": {"until": gate}}),
    );
    cluster.wait_until(id, "runs", |job| job.state == "PROCESSING");
    let soon = "SELECT to_char(tm_now() + interval '4 s', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')";
    let resume_at: String = cluster.sql(soon, &[])[0].get(0);
    act_on_plugin(
        &cluster,
        "SHELL",
        &json!({"action": "stop", "deadline_seconds": 1, "resume_at": resume_at}),
    );
    cluster.wait_until(id, "was interrupted", |job| job.outcomes() == ["interrupted"]);
    fs::write(&gate, "").unwrap();
    let done = cluster.wait_until_done(id);
    assert_eq!(done.outcomes(), ["interrupted", "done"]);
    assert_eq!(plugin_state(&cluster, "SHELL"), "running");
    let started = cluster.count(
        "SELECT count(*) FROM audit_log WHERE actor = 'coordinator' AND action = 'start' AND plugin = 'SHELL'",
    );
    assert_eq!(started, 1);
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
fn with_autostart_off_only_jobs_that_are_started_by_hand_run() {
    let cluster = Cluster::named("autostart").plugins("NOOP=2").start();
    let (status, _) = cluster.api().act(
        "/api/v1/plugins/actions",
        &json!({"action": "autostart", "on": false}),
    );
    assert_eq!(status, 200);
    let left = cluster.submit(&noop("left", 1, 0, None));
    let wanted = cluster.submit(&noop("wanted", 1, 0, None));
    assert_eq!(act(&cluster, wanted, &json!({"action": "start_now"})).0, 200);
    cluster.wait_until_done(wanted);
    let job = cluster.api().job(left).unwrap();
    assert_eq!((job.state.as_str(), job.attempts.len()), ("QUEUED", 0));
    cluster.api().act(
        "/api/v1/plugins/actions",
        &json!({"action": "autostart", "on": true}),
    );
    cluster.wait_until_done(left);
}

#[test]
fn a_plugin_runs_no_more_jobs_at_once_than_its_limit_and_started_by_hand_is_more() {
    let cluster = Cluster::named("limit")
        .plugins("SHELL=6")
        .templates(TEMPLATES)
        .start();
    act_on_plugin(
        &cluster,
        "SHELL",
        &json!({"action": "configure", "running_max": 2}),
    );
    let gate = cluster.folder().join("gate");
    let ids: Vec<JobId> = (0..5)
        .map(|n| {
            cluster.submit(
                &json!({"plugin": "SHELL", "template": "wait", "title": format!("job {n}"),
                                   "parameters": {"until": gate}}),
            )
        })
        .collect();
    let running = || cluster.count("SELECT count(*) FROM leases");
    eventually(LIMIT, "two jobs run", || match running() {
        2 => Ok(()),
        other => Err(other.to_string()),
    });
    assert_eq!(act(&cluster, ids[4], &json!({"action": "start_now"})).0, 200);
    cluster.wait_until(ids[4], "runs", |job| job.state == "PROCESSING");
    assert_eq!(running(), 3);
    assert_eq!(
        cluster.count("SELECT running::bigint FROM limit_keys WHERE key = 'plugin:SHELL'"),
        3
    );
    fs::write(&gate, "").unwrap();
    for id in ids {
        cluster.wait_until_done(id);
    }
    assert_eq!(
        cluster.count("SELECT running::bigint FROM limit_keys WHERE key = 'plugin:SHELL'"),
        0
    );
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
