//! A coordinator dies while it carries out what a person wants, or ends a dead worker's lease.

use serde_json::json;

use super::*;

/// A job that lasts until somebody ends it.
fn submit_long(cluster: &Cluster, name: &str) -> JobId {
    let mut order = order(cluster, name);
    order["parameters"] = json!({"items": 100_000, "item_ms": 20, "write": true});
    let id = cluster.submit(&order);
    cluster.wait_until(id, "has done something", |job| job.items_done > 0);
    id
}

fn audited(cluster: &Cluster, action: &str) -> i64 {
    let statement = "SELECT count(*) FROM audit_log WHERE action = $1 AND outcome = 'done'";
    cluster.sql(statement, &[&action])[0].get(0)
}

/// Asks for something; the coordinator dies at the point, and the caller gets no answer.
fn ask_in_vain(cluster: &mut Cluster, point: Failpoint, path: &str, body: &str) {
    cluster.arm(point);
    let answer = cluster.api().post(path, body.as_bytes());
    assert!(answer.is_err(), "{answer:?}");
    cluster.coordinator_dies_at(point);
}

#[test]
fn a_job_is_cancelled_or_not_wherever_the_coordinator_dies_that_was_asked() {
    let mut cluster = start(where_a_coordinator_dies("death-cancel"));
    let cancel = json!({"action": "cancel"}).to_string();
    let id = submit_long(&cluster, "cancelled");
    let path = format!("/api/v1/jobs/{id}/actions");

    ask_in_vain(&mut cluster, Failpoint::ControlBeforeCommit, &path, &cancel);
    assert_eq!(audited(&cluster, "cancel"), 0);
    assert_eq!(
        cluster.count("SELECT count(*) FROM jobs WHERE cancel_requested"),
        0
    );
    cluster.coordinator.start_again();

    ask_in_vain(&mut cluster, Failpoint::ControlBeforePush, &path, &cancel);
    assert_eq!(audited(&cluster, "cancel"), 1);
    cluster.coordinator.start_again();
    // Nobody asks again: the answer to a heartbeat tells the worker.
    let job = cluster.wait_for_end(id);
    assert_eq!(
        (job.state.as_str(), job.outcomes()),
        ("CANCELLED", vec!["cancelled"])
    );
    assert_eq!(audited(&cluster, "cancel"), 1);
    let left: Vec<_> = fs::read_dir(cluster.data().join("cancelled")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(cluster.miscounted().is_empty(), "{:?}", cluster.miscounted());
}

#[test]
fn a_stopped_plugins_jobs_yield_although_the_coordinator_died_before_it_told_their_workers() {
    let mut cluster = start(where_a_coordinator_dies("death-stop"));
    let id = submit_long(&cluster, "stopped");
    let path = "/api/v1/plugins/NOOP/actions";
    let stop = json!({"action": "stop"}).to_string();
    ask_in_vain(&mut cluster, Failpoint::ControlBeforePush, path, &stop);
    cluster.coordinator.start_again();
    cluster.wait_until(id, "has yielded", |job| job.outcomes() == ["interrupted"]);
    act_on_plugin(&cluster, &json!({"action": "start"}));
    cluster.wait_until(id, "goes on", |job| job.outcomes() == ["interrupted", "running"]);
    let (status, answer) = cluster.api().act(
        &format!("/api/v1/jobs/{id}/actions"),
        &json!({"action": "cancel"}),
    );
    assert_eq!(status, 200, "{answer}");
    cluster.wait_for_end(id);
}

#[test]
fn a_dead_workers_lease_ends_once_wherever_the_coordinator_dies_that_ends_it() {
    let mut cluster = start(where_a_coordinator_dies("death-expiry").expecting("have lost their worker"));
    for (point, lost) in [
        (Failpoint::ExpiryBeforeCommit, 0),
        (Failpoint::ExpiryBeforeTold, 1),
    ] {
        let name = point.as_str();
        set_lease(&cluster, SHORT_LEASE);
        cluster.arm(Failpoint::ItemBeforeReport);
        cluster.arm(point);
        let id = submit(&cluster, name);
        cluster.worker_dies_at(0, Failpoint::ItemBeforeReport);
        cluster.coordinator_dies_at(point);
        let statement = "SELECT count(*) FROM attempts WHERE job_id = $1 AND outcome = 'lost'";
        let found: i64 = cluster.sql(statement, &[&id.0])[0].get(0);
        assert_eq!(found, lost, "{name}");
        cluster.coordinator.start_again();
        set_lease(&cluster, LONG_LEASE);
        cluster.workers[0].start_again();
        ended_once(&cluster, id, name, &["lost", "done"]);
        assert_eq!(witnessed(&cluster, id).attempts, [1, 2], "{name}");
    }
}
