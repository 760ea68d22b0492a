//! What jobs that are over have left in their target folders is removed, by whichever worker sees it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use shared::job::JobId;
use tests::{Cluster, LIMIT, eventually};

/// A job that writes a file for each of its items.
fn writes(target: &Path, items: u32, item_ms: u32, more: &Value) -> Value {
    let mut parameters = json!({"items": items, "item_ms": item_ms, "write": true});
    for (name, value) in more.as_object().into_iter().flatten() {
        parameters[name] = value.clone();
    }
    json!({"plugin": "NOOP", "title": "writes", "target": target, "parameters": parameters})
}

fn act(cluster: &Cluster, id: JobId, action: &Value) -> Value {
    let (status, answer) = cluster.api().act(&format!("/api/v1/jobs/{id}/actions"), action);
    assert_eq!(status, 200, "{answer}");
    answer
}

/// The names of the item stores in a folder.
fn stores(target: &Path) -> Vec<String> {
    let entries = fs::read_dir(target).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with(".taskmanager-"))
        .collect()
}

fn wait_until_no_store_is_left(cluster: &Cluster, target: &Path) {
    eventually(LIMIT, "the item store is gone", || match stores(target) {
        left if left.is_empty() => Ok(()),
        left => Err(format!("{left:?}")),
    });
    eventually(LIMIT, "its removal is recorded", || {
        match cluster.count("SELECT count(*) FROM stores_to_remove WHERE removed_at IS NULL") {
            0 => Ok(()),
            listed => Err(listed.to_string()),
        }
    });
    assert!(
        cluster.count("SELECT count(*) FROM stores_to_remove") > 0,
        "another way removed it"
    );
}

#[test]
fn a_job_that_is_cancelled_while_it_waits_leaves_nothing_in_its_target() {
    let cluster = Cluster::named("store-cancelled").plugins("NOOP=1").start();
    let target = cluster.data().join("out");
    let id = cluster.submit(&writes(&target, 500, 20, &json!({})));
    cluster.wait_until(id, "has done items", |job| job.items_done > 2);
    act(&cluster, id, &json!({"action": "hold"}));
    cluster.wait_until(id, "is paused", |job| job.state == "PAUSED");
    assert_eq!(stores(&target), [format!(".taskmanager-{id}")]);
    act(&cluster, id, &json!({"action": "cancel"}));
    assert_eq!(cluster.api().job(id).unwrap().state, "CANCELLED");
    wait_until_no_store_is_left(&cluster, &target);
}

#[test]
fn a_failed_jobs_store_stays_for_its_retry_and_goes_when_the_job_is_deleted() {
    let cluster = Cluster::named("store-failed").plugins("NOOP=1").start();
    let target = cluster.data().join("out");
    let fails = writes(&target, 3, 0, &json!({"fail": "permanent"}));
    let first = cluster.submit(&fails);
    assert_eq!(cluster.wait_for_end(first).state, "ERROR");
    let answer = act(&cluster, first, &json!({"action": "retry"}));
    let second: JobId = serde_json::from_value(answer["new_job"].clone()).unwrap();
    let retried = cluster.wait_for_end(second);
    let log = cluster.api().log(second).unwrap();
    assert_eq!(retried.state, "ERROR");
    assert!(
        log.iter()
            .any(|line| line.contains("kept from an earlier attempt")),
        "{log:?}"
    );
    act(&cluster, first, &json!({"action": "delete"}));
    // What is to be removed is listed by the very action that made it useless.
    let listed = "SELECT count(*) FROM stores_to_remove";
    assert_eq!(cluster.count(listed), 0, "its retry may be retried");
    assert_eq!(
        stores(&target),
        [format!(".taskmanager-{first}")],
        "the retry may be retried"
    );
    act(&cluster, second, &json!({"action": "delete"}));
    wait_until_no_store_is_left(&cluster, &target);
}

#[test]
fn without_a_worker_a_store_stays_listed_and_a_later_worker_removes_it() {
    let mut cluster = Cluster::named("store-later").plugins("NOOP=1").start();
    let target = cluster.data().join("out");
    let id = cluster.submit(&writes(&target, 3, 0, &json!({"fail": "permanent"})));
    assert_eq!(cluster.wait_for_end(id).state, "ERROR");
    cluster.workers[0].terminate(LIMIT);
    act(&cluster, id, &json!({"action": "delete"}));
    assert_eq!(stores(&target).len(), 1);
    let listed = cluster.api().metric("taskmanager_stores_to_remove", &[]).unwrap();
    assert!((listed - 1.0).abs() < f64::EPSILON, "{listed} are listed");
    let doctor = cluster.api().get("/api/v1/doctor").unwrap().body;
    assert!(doctor.contains("waiting for a worker: 1"), "{doctor}");
    cluster.add_worker();
    wait_until_no_store_is_left(&cluster, &target);
}

#[test]
fn what_an_attempt_that_was_cut_off_writes_after_the_end_is_removed_too() {
    let mut cluster = Cluster::named("store-cut-off")
        .plugins("NOOP=1")
        .lease_seconds(3)
        .expecting("have lost their worker")
        .expecting("is fenced: the job is another's now")
        .expecting("heartbeat without an answer")
        .expecting("did not count")
        .expecting("staying connected failed")
        .start();
    let target = cluster.data().join("out");
    let id = cluster.submit(&writes(&target, 500, 100, &json!({})));
    cluster.wait_until(id, "has done items", |job| job.items_done > 0);
    cluster.workers[0].freeze();
    cluster.wait_until(id, "has lost its worker", |job| job.outcomes() == ["lost"]);
    act(&cluster, id, &json!({"action": "cancel"}));
    cluster.add_worker();
    wait_until_no_store_is_left(&cluster, &target);
    // As if the attempt had made it anew before it hears that its job is lost: its own hand on the folder would fail.
    fs::create_dir(target.join(format!(".taskmanager-{id}"))).unwrap();
    cluster.workers[0].thaw();
    eventually(LIMIT, "the store is listed again", || {
        match cluster
            .count("SELECT count(*) FROM stores_to_remove WHERE removed_at IS NULL AND due_at > tm_now()")
        {
            1 => Ok(()),
            listed => Err(listed.to_string()),
        }
    });
    // The minute that the attempt has for ending need not be waited for here.
    cluster.sql("UPDATE stores_to_remove SET due_at = tm_now()", &[]);
    wait_until_no_store_is_left(&cluster, &target);
}
