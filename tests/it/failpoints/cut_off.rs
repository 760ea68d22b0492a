//! A worker's host is frozen exactly between two effects, and comes back.

use tests::{LIMIT, eventually};

use super::*;

/// Seconds; RabbitMQ gives a worker up after twice this.
const HEARTBEAT: u16 = 3;

/// A frozen host loses its connections, and with them a message that it may have taken, and says so when it is back.
fn where_a_host_is_frozen(name: &str) -> Builder {
    where_a_worker_dies(name)
        .heartbeat_seconds(HEARTBEAT)
        .expecting("to RabbitMQ at")
        .expecting("without an answer")
        .expecting("no answer to a claim")
        .expecting("has no answer yet")
        .expecting("will be sent again")
}

/// Freezes the first worker when it comes to this point with a job of this name.
fn freeze_at(cluster: &mut Cluster, point: Failpoint, name: &str) -> JobId {
    cluster.hold(point);
    let id = submit(cluster, name);
    cluster.wait_until_held(point);
    cluster.workers[0].freeze();
    id
}

/// The first worker's host comes back; what it was at goes on at once.
fn come_back(cluster: &mut Cluster, point: Failpoint) {
    cluster.let_go(point);
    cluster.workers[0].thaw();
}

fn wait_until_lost(cluster: &Cluster, id: JobId) {
    cluster.wait_until(id, "waits for another worker", |job| job.outcomes() == ["lost"]);
}

fn says(cluster: &Cluster, worker: usize, text: &str) {
    eventually(LIMIT, text, || {
        let log = cluster.workers[worker].log();
        log.contains(text).then_some(()).ok_or(log)
    });
}

#[test]
fn a_message_on_a_frozen_host_is_given_to_another_worker_after_the_brokers_heartbeat() {
    let mut cluster = start(where_a_host_is_frozen("frozen-holding"));
    let id = freeze_at(&mut cluster, Failpoint::MessageBeforeClaim, "held");
    cluster.add_worker();
    let job = ended_once(&cluster, id, "held", &["done"]);
    assert!(
        job.attempts[0].worker_id.starts_with("worker-1"),
        "{:?}",
        job.attempts
    );
    let refused = "claim refused: ";
    assert!(!cluster.workers[0].log().contains(refused));
    come_back(&mut cluster, Failpoint::MessageBeforeClaim);
    says(&cluster, 0, refused);
    ended_once(&cluster, id, "held", &["done"]);
    assert_eq!(witnessed(&cluster, id).attempts, [1]);
}

#[test]
fn a_worker_that_was_cut_off_goes_on_where_nobody_has_claimed_its_job() {
    let mut cluster = start(where_a_host_is_frozen("cut-off-revived"));
    for point in [Failpoint::ItemBeforeReport, Failpoint::OutputsBeforeAsking] {
        let name = point.as_str();
        set_lease(&cluster, SHORT_LEASE);
        let id = freeze_at(&mut cluster, point, name);
        wait_until_lost(&cluster, id);
        come_back(&mut cluster, point);
        ended_once(&cluster, id, name, &["done"]);
        let seen = witnessed(&cluster, id);
        assert_eq!(seen.attempts, [1], "{name}");
        assert_eq!(seen.begun.len(), ITEMS as usize, "{name}: an item was done twice");
    }
}

#[test]
fn a_worker_that_was_cut_off_publishes_nothing_where_another_one_has_its_job() {
    let mut cluster = start(where_a_host_is_frozen("cut-off-fenced").expecting("is fenced"));
    set_lease(&cluster, SHORT_LEASE);
    let id = freeze_at(&mut cluster, Failpoint::OutputsBeforeAsking, "fenced");
    wait_until_lost(&cluster, id);
    set_lease(&cluster, LONG_LEASE);
    cluster.hold(Failpoint::ItemBeforeReport);
    cluster.add_worker();
    cluster.wait_until_held(Failpoint::ItemBeforeReport);
    come_back(&mut cluster, Failpoint::OutputsBeforeAsking);
    says(&cluster, 0, "is fenced");
    assert!(!cluster.data().join("fenced/noop").exists(), "it has published");
    cluster.let_go(Failpoint::ItemBeforeReport);
    ended_once(&cluster, id, "fenced", &["lost", "done"]);
    assert_eq!(witnessed(&cluster, id).attempts, [1, 2]);
    assert_eq!(written_by(&cluster, "fenced"), [2, 2, 2]);
}

#[test]
fn a_worker_that_was_cut_off_while_it_published_changes_nothing_of_what_another_one_has_completed() {
    let mut cluster = start(
        where_a_host_is_frozen("cut-off-publishing")
            .expecting("is fenced")
            .expecting("did not count"),
    );
    for point in [Failpoint::GrantBeforeRename, Failpoint::BetweenRenames] {
        let name = point.as_str();
        set_lease(&cluster, SHORT_LEASE);
        let id = freeze_at(&mut cluster, point, name);
        wait_until_lost(&cluster, id);
        set_lease(&cluster, LONG_LEASE);
        let other = cluster.add_worker();
        ended_once(&cluster, id, name, &["lost", "done"]);
        come_back(&mut cluster, point);
        eventually(LIMIT, "the end of the first attempt", || {
            let log = cluster.workers[0].log();
            let job = id.to_string();
            let ended = |line: &&str| {
                line.contains(&job) && (line.contains("is fenced") || line.contains("did not count"))
            };
            log.lines().find(ended).map(drop).ok_or(log.clone())
        });
        ended_once(&cluster, id, name, &["lost", "done"]);
        assert_eq!(written_by(&cluster, name), [1, 1, 1], "{name}");
        assert_eq!(witnessed(&cluster, id).attempts, [1], "{name}");
        // The next job is the first worker's again.
        cluster.workers[other].terminate(LIMIT);
    }
}
