//! A coordinator dies while it answers a worker: each time the attempt that was under way is the only one.

use tests::{LIMIT, eventually};

use super::*;

/// Long enough that no heartbeat is waited for longer than a second or two. Seconds.
const LEASE: u32 = 6;

/// One death: where, where the worker waits until the point is armed, what the database has then, and the transaction
/// that the message's second coming causes.
struct Death {
    point: Failpoint,
    held: Option<Failpoint>,
    then: (&'static str, i64),
    again: &'static str,
}

const ATTEMPTS: &str = "SELECT count(*) FROM attempts WHERE job_id = $1";
const GRANTED: &str = "SELECT count(*) FROM jobs WHERE id = $1 AND publish_granted";
const ENDED: &str = "SELECT count(*) FROM job_history WHERE id = $1";

/// Each on a system of its own: what one death has repeated must not come to the next one's point.
fn survive(deaths: &[Death]) {
    for death in deaths {
        let name = death.point.as_str();
        let mut cluster = start(where_a_coordinator_dies(&format!("death-{name}")));
        set_lease(&cluster, LEASE);
        let id = if let Some(held) = death.held {
            cluster.hold(held);
            let id = submit(&cluster, name);
            cluster.wait_until_held(held);
            cluster.wait_until(id, "is known to run", |job| job.state == "PROCESSING");
            cluster.arm(death.point);
            cluster.let_go(held);
            id
        } else {
            cluster.arm(death.point);
            submit(&cluster, name)
        };
        cluster.coordinator_dies_at(death.point);
        let (statement, expected) = death.then;
        let found: i64 = cluster.sql(statement, &[&id.0])[0].get(0);
        assert_eq!(found, expected, "{name}: {statement}");
        cluster.coordinator.start_again();
        comes_again(&cluster, death.again);
        ended_once(&cluster, id, name, &["done"]);
        let seen = witnessed(&cluster, id);
        assert_eq!(seen.attempts, [1], "{name}");
        assert_eq!(seen.begun.len(), ITEMS as usize, "{name}: an item was done twice");
    }
}

/// Waits until this coordinator has carried out a transaction of this name.
fn comes_again(cluster: &Cluster, transaction: &str) {
    let name = format!("name=\"{transaction}\"");
    eventually(LIMIT, &format!("a second {transaction}"), || {
        let done = cluster
            .api()
            .metric("taskmanager_db_transactions_total", &[&name, "outcome=\"ok\""])?;
        if done >= 1.0 {
            Ok(())
        } else {
            Err(done.to_string())
        }
    });
}

#[test]
fn a_claim_is_granted_once_wherever_the_coordinator_dies() {
    let death = |point, granted| Death {
        point,
        held: None,
        then: (ATTEMPTS, granted),
        again: "claims.grant",
    };
    survive(&[
        death(Failpoint::ClaimBeforeCommit, 0),
        death(Failpoint::ClaimBeforeReply, 1),
        death(Failpoint::ClaimBeforeAck, 1),
    ]);
}

#[test]
fn publishing_is_granted_once_wherever_the_coordinator_dies() {
    let death = |point, granted| Death {
        point,
        held: Some(Failpoint::OutputsBeforeAsking),
        then: (GRANTED, granted),
        again: "publish.grant",
    };
    survive(&[
        death(Failpoint::PublishBeforeCommit, 0),
        death(Failpoint::PublishBeforeReply, 1),
        death(Failpoint::ClaimBeforeAck, 1),
    ]);
}

#[test]
fn a_result_is_applied_once_wherever_the_coordinator_dies() {
    let death = |point, ended| Death {
        point,
        held: None,
        then: (ENDED, ended),
        again: "results.record",
    };
    survive(&[
        death(Failpoint::ResultBeforeCommit, 0),
        death(Failpoint::ResultBeforeReply, 1),
        death(Failpoint::ResultBeforeAck, 1),
    ]);
}

#[test]
fn what_a_heartbeat_says_is_recorded_once_wherever_the_coordinator_dies() {
    // The first item lies in the store and is not reported: the next heartbeat has something to say.
    const BEFORE: Failpoint = Failpoint::ItemBeforeReport;
    const AFTER: Failpoint = Failpoint::OutputsBeforeAsking;
    for (point, nothing_recorded) in [
        (Failpoint::HeartbeatBeforeRenewal, true),
        (Failpoint::HeartbeatBeforeCommit, true),
        (Failpoint::HeartbeatBeforeReply, false),
        (Failpoint::HeartbeatBeforeAck, false),
    ] {
        let name = point.as_str();
        let mut cluster = start(where_a_coordinator_dies(&format!("death-{name}")));
        set_lease(&cluster, LEASE);
        cluster.hold(BEFORE);
        let id = submit(&cluster, name);
        cluster.wait_until_held(BEFORE);
        cluster.wait_until(id, "is known to run", |job| job.state == "PROCESSING");
        cluster.hold(AFTER);
        cluster.arm(point);
        cluster.let_go(BEFORE);
        cluster.coordinator_dies_at(point);
        if nothing_recorded {
            let statement = "SELECT count(*) FROM items WHERE job_id = $1";
            let found: i64 = cluster.sql(statement, &[&id.0])[0].get(0);
            assert_eq!(found, 0, "{name}");
        }
        cluster.wait_until_held(AFTER);
        cluster.coordinator.start_again();
        cluster.let_go(AFTER);
        ended_once(&cluster, id, name, &["done"]);
        assert_eq!(witnessed(&cluster, id).attempts, [1], "{name}");
    }
}

#[test]
fn a_new_stage_is_recorded_once_although_the_coordinator_dies_that_decides_about_it() {
    let (point, held) = (Failpoint::ReviseBeforeCommit, Failpoint::ItemBeforeReport);
    let mut cluster = start(where_a_coordinator_dies("death-stage"));
    cluster.hold(held);
    cluster.arm(point);
    let id = submit(&cluster, "stage");
    cluster.wait_until_held(held);
    cluster.coordinator_dies_at(point);
    assert_eq!(
        cluster.count("SELECT count(*) FROM jobs WHERE state = 'STARTED'"),
        1
    );
    cluster.coordinator.start_again();
    cluster.wait_until(id, "is known to run", |job| job.state == "PROCESSING");
    cluster.let_go(held);
    ended_once(&cluster, id, "stage", &["done"]);
    assert_eq!(witnessed(&cluster, id).attempts, [1]);
}
