//! A worker dies between its last item and the end of its job: each time the granted manifest is completed, and nothing
//! is done anew that was granted.

use tests::{LIMIT, eventually};

use super::*;

/// What a worker says of a dead one's result that it has delivered.
const DELIVERED: &str = "a result of an earlier process was delivered";

/// The files below `noop` in the target folder, and whether the item store is there.
fn visible(cluster: &Cluster, name: &str) -> (usize, bool) {
    let target = cluster.data().join(name);
    let files = fs::read_dir(target.join("noop")).map_or(0, Iterator::count);
    let mut entries = fs::read_dir(target)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let store = entries.any(|name| name.to_string_lossy().starts_with(".taskmanager-"));
    (files, store)
}

/// Waits until the worker that was started last has told which item stores it has found, and has removed those that
/// nobody needs: it would come to a point about removal with one of them.
fn wait_until_tidy(cluster: &Cluster) {
    let untidy = "SELECT (SELECT count(*) FROM stores_to_remove WHERE removed_at IS NULL)
        + (SELECT count(*) FROM (SELECT stores_listed_at FROM workers ORDER BY heartbeat_at DESC LIMIT 1) AS last
           WHERE stores_listed_at IS NULL)";
    eventually(LIMIT, "no item store that nobody needs", || {
        match cluster.count(untidy) {
            0 => Ok(()),
            more => Err(more.to_string()),
        }
    });
}

fn granted(cluster: &Cluster, id: JobId) -> bool {
    let statement = "SELECT publish_granted FROM jobs WHERE id = $1";
    cluster.sql(statement, &[&id.0])[0].get(0)
}

#[test]
fn a_job_whose_worker_dies_before_it_asks_to_publish_is_published_by_the_next_attempt() {
    let point = Failpoint::OutputsBeforeAsking;
    let mut cluster = start(where_a_worker_dies("death-before-asking"));
    set_lease(&cluster, SHORT_LEASE);
    cluster.arm(point);
    let id = submit(&cluster, "outputs");
    cluster.worker_dies_at(0, point);
    assert!(!granted(&cluster, id));
    assert_eq!(visible(&cluster, "outputs"), (0, true));
    set_lease(&cluster, LONG_LEASE);
    cluster.workers[0].start_again();
    ended_once(&cluster, id, "outputs", &["lost", "done"]);
    assert_eq!(witnessed(&cluster, id).attempts, [1, 2]);
}

#[test]
fn what_was_granted_is_completed_wherever_its_worker_dies() {
    let mut cluster = start(where_a_worker_dies("death-publishing"));
    for (point, then) in [
        (Failpoint::AskingBeforeAnswer, (0, true)),
        (Failpoint::GrantBeforeRename, (0, true)),
        (Failpoint::BetweenRenames, (1, true)),
        (Failpoint::RenameBeforeRemoval, (3, true)),
        (Failpoint::RemovalBeforeEntry, (3, false)),
        (Failpoint::RemovalBeforeSpool, (3, false)),
    ] {
        let name = point.as_str();
        set_lease(&cluster, SHORT_LEASE);
        wait_until_tidy(&cluster);
        cluster.arm(point);
        let id = submit(&cluster, name);
        cluster.worker_dies_at(0, point);
        assert_eq!(visible(&cluster, name), then, "{name}");
        eventually(LIMIT, "the grant that was asked for", || {
            granted(&cluster, id)
                .then_some(())
                .ok_or_else(|| "none".to_owned())
        });
        set_lease(&cluster, LONG_LEASE);
        cluster.workers[0].start_again();
        ended_once(&cluster, id, name, &["lost", "done"]);
        // The second attempt did no item and published the first one's files.
        assert_eq!(witnessed(&cluster, id).attempts, [1], "{name}");
        assert_eq!(written_by(&cluster, name), [1, 1, 1], "{name}");
    }
}

#[test]
fn what_was_granted_is_completed_although_its_source_is_gone_and_its_target_was_away() {
    let mut cluster = start(where_a_worker_dies("death-away").expecting("waits to go on publishing"));
    set_lease(&cluster, SHORT_LEASE);
    cluster.arm(Failpoint::BetweenRenames);
    let id = submit(&cluster, "away");
    cluster.worker_dies_at(0, Failpoint::BetweenRenames);
    set_lease(&cluster, LONG_LEASE);
    let (target, elsewhere) = (cluster.data().join("away"), cluster.data().join("elsewhere"));
    fs::rename(&target, &elsewhere).unwrap();
    // Something is in its place that is no folder: nobody can open it, and nobody may make it anew.
    fs::write(&target, "").unwrap();
    fs::rename(seen(&cluster), cluster.data().join("seen-before")).unwrap();
    cluster.workers[0].start_again();
    cluster.wait_until(id, "what it waits for", |job| job.state == "WAITINGFORUPLOAD");
    fs::remove_file(&target).unwrap();
    fs::rename(&elsewhere, &target).unwrap();
    assert_eq!(cluster.wait_until_done(id).outcomes(), ["lost", "done"]);
    assert_eq!(visible(&cluster, "away"), (3, false));
    assert_eq!(written_by(&cluster, "away"), [1, 1, 1]);
}

#[test]
fn a_result_on_a_dead_workers_disk_is_delivered_by_the_next_process_there() {
    let mut cluster = start(Cluster::named("death-spool"));
    for (point, ended) in [
        (Failpoint::SpoolBeforeSend, false),
        (Failpoint::ResultBeforeAnswer, true),
        (Failpoint::RecordBeforeUnspool, true),
    ] {
        let name = point.as_str();
        cluster.arm(point);
        let id = submit(&cluster, name);
        cluster.worker_dies_at(0, point);
        if ended {
            cluster.wait_until_done(id);
        } else {
            assert_eq!(cluster.api().job(id).unwrap().outcomes(), ["running"]);
        }
        cluster.workers[0].start_again();
        ended_once(&cluster, id, name, &["done"]);
        was_delivered(&cluster, 0, "Recorded");
        ended_once(&cluster, id, name, &["done"]);
    }
}

#[test]
fn a_result_survives_a_second_death_while_it_is_taken_over_and_a_third_when_it_is_recorded() {
    let mut cluster = start(Cluster::named("death-heritage"));
    cluster.arm(Failpoint::SpoolBeforeSend);
    let id = submit(&cluster, "heritage");
    cluster.worker_dies_at(0, Failpoint::SpoolBeforeSend);
    for point in [Failpoint::HeritageBeforeRemoval, Failpoint::RecordBeforeUnspool] {
        cluster.arm(point);
        cluster.workers[0].start_without_waiting();
        cluster.worker_dies_at(0, point);
    }
    cluster.workers[0].start_again();
    was_delivered(&cluster, 0, "Recorded");
    ended_once(&cluster, id, "heritage", &["done"]);
}

#[test]
fn a_result_whose_worker_comes_back_too_late_does_not_count() {
    let mut cluster = start(where_a_worker_dies("death-late"));
    set_lease(&cluster, SHORT_LEASE);
    cluster.arm(Failpoint::SpoolBeforeSend);
    let id = submit(&cluster, "late");
    cluster.worker_dies_at(0, Failpoint::SpoolBeforeSend);
    set_lease(&cluster, LONG_LEASE);
    cluster.add_worker();
    ended_once(&cluster, id, "late", &["lost", "done"]);
    assert_eq!(witnessed(&cluster, id).attempts, [1]);
    cluster.workers[0].start_again();
    was_delivered(&cluster, 0, "Superseded");
    ended_once(&cluster, id, "late", &["lost", "done"]);
}

fn was_delivered(cluster: &Cluster, worker: usize, answer: &str) {
    let line = format!("{DELIVERED}: {answer}");
    eventually(LIMIT, &line, || {
        let log = cluster.workers[worker].log();
        log.contains(&line).then_some(()).ok_or(log)
    });
}
