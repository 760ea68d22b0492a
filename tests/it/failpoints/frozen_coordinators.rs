//! One of two coordinators is frozen exactly between two effects, for longer than a lease, while the other one acts, and
//! then goes on where it was.

use std::time::Duration;

use tests::{LIMIT, eventually};

use super::*;

/// Seconds; RabbitMQ gives a program up after twice this.
const HEARTBEAT: u16 = 3;
/// Longer than any grace period here.
const END_LIMIT: Duration = Duration::from_secs(40);

/// A coordinator that was frozen has lost its connections and its transaction, and says so; so do workers.
fn system(name: &str) -> Cluster {
    let cluster = start(
        where_a_coordinator_dies(name)
            .heartbeat_seconds(HEARTBEAT)
            .expecting("have lost their worker")
            .expecting("to RabbitMQ at")
            .expecting("PostgreSQL")
            .expecting("deadpool.postgres")
            .expecting("messages were given back"),
    );
    set_lease(&cluster, SHORT_LEASE);
    cluster
}

/// The first coordinator is held at this point: it is frozen there, and a second one takes its place. Gives the length of
/// what the first one has logged.
fn freeze_and_take_over(cluster: &mut Cluster, point: Failpoint) -> usize {
    cluster.wait_until_held(point);
    cluster.coordinator.freeze();
    let logged = cluster.coordinator.log().len();
    cluster.add_coordinator();
    logged
}

/// The first coordinator goes on where it was.
fn thaw(cluster: &mut Cluster, point: Failpoint) {
    cluster.let_go(point);
    cluster.other_coordinator.as_mut().unwrap().thaw();
}

/// The job has ended once, and nothing is left of it in any queue; the first coordinator serves alone, and has taken
/// nobody for dead since it had `logged` this much.
fn ended_and_the_first_one_serves(
    mut cluster: Cluster,
    logged: usize,
    id: JobId,
    name: &str,
    outcomes: &[&str],
) {
    ended_once(&cluster, id, name, outcomes);
    cluster.swap_coordinators();
    let status = cluster.other_coordinator.as_mut().unwrap().terminate(END_LIMIT);
    assert!(status.success(), "{status}");
    let next = submit(&cluster, "afterwards");
    ended_once(&cluster, next, "afterwards", &["done"]);
    eventually(LIMIT, "an empty queue", || {
        match cluster.amqp().depth("taskmanager.jobs.noop") {
            0 => Ok(()),
            left => Err(left.to_string()),
        }
    });
    ended_once(&cluster, id, name, outcomes);
    let log = cluster.coordinator.log();
    assert!(!log[logged..].contains("have lost their worker"), "{log}");
}

/// Waits until the first coordinator has met what has become of its connections.
fn first_says(cluster: &Cluster, text: &str) {
    eventually(LIMIT, text, || {
        let log = cluster.other_coordinator.as_ref().unwrap().log();
        log.contains(text).then_some(()).ok_or(log)
    });
}

#[test]
fn a_grant_that_a_frozen_coordinator_did_not_tell_is_lost_and_the_job_runs_once_under_the_other_one() {
    let (point, asking) = (Failpoint::ClaimBeforeReply, Failpoint::ClaimBeforeAnswer);
    let mut cluster = system("frozen-claim");
    // The worker does not ask a second time before the lease of the grant that it does not know of has ended.
    cluster.hold(asking);
    cluster.hold(point);
    let id = submit(&cluster, "claim");
    let logged = freeze_and_take_over(&mut cluster, point);
    cluster.wait_until_held(asking);
    cluster.wait_until(id, "has lost its attempt", |job| job.outcomes() == ["lost"]);
    set_lease(&cluster, LONG_LEASE);
    cluster.hold(Failpoint::ItemBeforeReport);
    cluster.let_go(asking);
    cluster.wait_until_held(Failpoint::ItemBeforeReport);
    assert_eq!(
        cluster.api().job(id).unwrap().outcomes(),
        ["lost", "running"],
        "the other one has granted it anew"
    );
    thaw(&mut cluster, point);
    first_says(&cluster, "to RabbitMQ at");
    cluster.let_go(Failpoint::ItemBeforeReport);
    ended_once(&cluster, id, "claim", &["lost", "done"]);
    assert_eq!(witnessed(&cluster, id).attempts, [2]);
    ended_and_the_first_one_serves(cluster, logged, id, "claim", &["lost", "done"]);
}

#[test]
fn a_job_that_a_frozen_coordinator_had_reserved_is_published_by_the_other_one_and_runs_once() {
    let point = Failpoint::DispatchBeforePublish;
    let mut cluster = system("frozen-dispatch");
    cluster.hold(point);
    let id = submit(&cluster, "dispatch");
    let logged = freeze_and_take_over(&mut cluster, point);
    ended_once(&cluster, id, "dispatch", &["done"]);
    thaw(&mut cluster, point);
    first_says(&cluster, "to RabbitMQ at");
    assert_eq!(witnessed(&cluster, id).attempts, [1]);
    ended_and_the_first_one_serves(cluster, logged, id, "dispatch", &["done"]);
}

#[test]
fn a_result_that_a_frozen_coordinator_had_recorded_is_answered_by_the_other_one_and_counts_once() {
    let point = Failpoint::ResultBeforeReply;
    let mut cluster = system("frozen-result");
    cluster.hold(point);
    let id = submit(&cluster, "result");
    let logged = freeze_and_take_over(&mut cluster, point);
    // Nobody but the other one can have told the worker.
    let recorded = format!("attempt 1 of job {id} ended and is recorded");
    eventually(LIMIT, "the worker is answered", || {
        let log = cluster.workers[0].log();
        log.contains(&recorded).then_some(()).ok_or(log)
    });
    ended_once(&cluster, id, "result", &["done"]);
    thaw(&mut cluster, point);
    first_says(&cluster, "to RabbitMQ at");
    assert_eq!(witnessed(&cluster, id).attempts, [1]);
    ended_and_the_first_one_serves(cluster, logged, id, "result", &["done"]);
}

#[test]
fn a_lease_that_a_frozen_coordinator_was_ending_is_ended_by_the_other_one_and_the_attempt_counts_once() {
    let point = Failpoint::ExpiryBeforeCommit;
    let mut cluster = system("frozen-expiry");
    cluster.hold(point);
    cluster.arm(Failpoint::ItemBeforeReport);
    let id = submit(&cluster, "expiry");
    cluster.worker_dies_at(0, Failpoint::ItemBeforeReport);
    let logged = freeze_and_take_over(&mut cluster, point);
    // It has to wait until PostgreSQL gives the frozen one's transaction up.
    cluster.wait_until(id, "has lost its attempt", |job| job.outcomes() == ["lost"]);
    set_lease(&cluster, LONG_LEASE);
    cluster.hold(Failpoint::OutputsBeforeAsking);
    cluster.workers[0].start_again();
    cluster.wait_until_held(Failpoint::OutputsBeforeAsking);
    thaw(&mut cluster, point);
    first_says(&cluster, "PostgreSQL");
    cluster.let_go(Failpoint::OutputsBeforeAsking);
    ended_once(&cluster, id, "expiry", &["lost", "done"]);
    assert_eq!(witnessed(&cluster, id).attempts, [1, 2]);
    ended_and_the_first_one_serves(cluster, logged, id, "expiry", &["lost", "done"]);
}
