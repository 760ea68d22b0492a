//! A coordinator dies while it sends jobs to the workers' queues.

use std::time::Duration;

use serde_json::json;
use tests::{LIMIT, eventually};

use super::*;

/// The queue of all jobs here.
const QUEUE: &str = "taskmanager.jobs.noop";
/// Longer than any grace period here.
const END_LIMIT: Duration = Duration::from_secs(40);
/// Claims and what was said to them.
const CLAIMS: &str = "taskmanager_claims_total";

fn depth_becomes(cluster: &Cluster, expected: u32) {
    eventually(
        LIMIT,
        &format!("{expected} messages in {QUEUE}"),
        || match cluster.amqp().find_depth(QUEUE) {
            Some(depth) if depth == expected => Ok(()),
            other => Err(format!("{other:?}")),
        },
    );
}

#[test]
fn a_job_that_was_reserved_by_a_coordinator_that_died_is_published_by_the_next() {
    let mut cluster = start(where_a_coordinator_dies("death-reserved"));
    cluster.arm(Failpoint::DispatchBeforePublish);
    let id = submit(&cluster, "reserved");
    cluster.coordinator_dies_at(Failpoint::DispatchBeforePublish);
    assert_eq!(
        cluster.count("SELECT count(*) FROM jobs WHERE relay_until > tm_now() AND published_dispatch = 0"),
        1
    );
    assert_eq!(cluster.amqp().depth(QUEUE), 0);
    cluster.coordinator.start_again();
    ended_once(&cluster, id, "reserved", &["done"]);
}

#[test]
fn a_job_that_was_published_and_not_marked_is_sent_twice_and_runs_once() {
    let mut cluster = start(where_a_coordinator_dies("death-published"));
    // Without a worker both messages are seen in the queue.
    cluster.workers[0].terminate(END_LIMIT);
    cluster.arm(Failpoint::DispatchBeforeMark);
    let id = submit(&cluster, "published");
    cluster.coordinator_dies_at(Failpoint::DispatchBeforeMark);
    assert_eq!(
        cluster.count("SELECT count(*) FROM jobs WHERE published_dispatch < dispatch"),
        1
    );
    depth_becomes(&cluster, 1);
    cluster.coordinator.start_again();
    depth_becomes(&cluster, 2);
    // While one worker runs the job, another one takes the second message.
    cluster.hold(Failpoint::ItemBeforeReport);
    cluster.workers[0].start_again();
    cluster.add_worker();
    cluster.wait_until_held(Failpoint::ItemBeforeReport);
    eventually(LIMIT, "the second message is refused", || {
        let refused = cluster.api().metric(CLAIMS, &["answer=\"not_queued\""])?;
        let all = cluster.api().metric(CLAIMS, &[])?;
        if refused >= 1.0 && all >= 2.0 {
            Ok(())
        } else {
            Err(format!("{refused} of {all} claims refused"))
        }
    });
    cluster.let_go(Failpoint::ItemBeforeReport);
    ended_once(&cluster, id, "published", &["done"]);
    assert_eq!(witnessed(&cluster, id).attempts, [1]);
    depth_becomes(&cluster, 0);
}

#[test]
fn jobs_of_a_lost_queue_are_sent_again_although_the_coordinator_dies_before_it_makes_the_queue() {
    let mut cluster = start(where_a_coordinator_dies("death-lost-queue").expecting("are sent again"));
    cluster.workers[0].terminate(END_LIMIT);
    let id = submit(&cluster, "lost");
    depth_becomes(&cluster, 1);
    cluster.arm(Failpoint::ResendBeforeQueue);
    cluster.amqp().delete_queue(QUEUE);
    cluster.coordinator_dies_at(Failpoint::ResendBeforeQueue);
    cluster.coordinator.start_again();
    depth_becomes(&cluster, 1);
    cluster.workers[0].start_again();
    ended_once(&cluster, id, "lost", &["done"]);
}

#[test]
fn a_new_plugins_queue_is_made_although_the_coordinator_dies_when_it_has_recorded_the_plugin() {
    let mut cluster =
        start(where_a_coordinator_dies("death-announced").templates("[SHELL.hello]\ncommand = [\"true\"]\n"));
    cluster.arm(Failpoint::AnnounceBeforeQueue);
    cluster.add_worker_for("SHELL=1");
    cluster.coordinator_dies_at(Failpoint::AnnounceBeforeQueue);
    assert_eq!(
        cluster.count("SELECT count(*) FROM plugins WHERE name = 'SHELL'"),
        1
    );
    cluster.coordinator.start_again();
    let id = cluster
        .api()
        .submit(&json!({"plugin": "SHELL", "template": "hello", "title": "new"}));
    cluster.wait_until_done(id);
}

#[test]
fn a_job_whose_time_came_runs_although_the_coordinator_died_that_saw_it() {
    let mut cluster = start(where_a_coordinator_dies("death-woken"));
    cluster.arm(Failpoint::WakeBeforeTold);
    let mut order = order(&cluster, "later");
    let soon =
        "SELECT to_char((tm_now() + interval '2 s') AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";
    let soon: String = cluster.sql(soon, &[])[0].get(0);
    order["start_at"] = json!(soon);
    let id = cluster.submit(&order);
    cluster.coordinator_dies_at(Failpoint::WakeBeforeTold);
    assert_eq!(
        cluster.count("SELECT count(*) FROM jobs WHERE state = 'QUEUED'"),
        1
    );
    cluster.coordinator.start_again();
    ended_once(&cluster, id, "later", &["done"]);
}
