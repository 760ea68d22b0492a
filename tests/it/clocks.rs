//! Hosts' clocks differ: only the database's decides.
//!
//! Coordinator and workers run under clocks that are wrong by more than a day, in opposite directions, and that jump to
//! the other side meanwhile.

use serde_json::json;
use shared::job::JobId;
use tests::{Builder, Cluster, LIMIT, eventually};

const DAY: i64 = 24 * 3_600;
/// Seconds; a lease that somebody reckons by a wrong clock is over at once, or never.
const LEASE: u32 = 10;

fn cluster(name: &str) -> Builder {
    Cluster::named(name)
        .plugins("NOOP=2")
        .lease_seconds(LEASE)
        .own_clocks()
        .coordinator_env("TASKMANAGER_RESEND_AFTER_SECONDS", "2")
}

/// What the coordinator's log says of the day is not the database's day: the test shows what it says.
fn coordinators_clock_is_wrong(cluster: &Cluster) {
    let log = cluster.coordinator.log();
    let said = log.lines().last().and_then(|line| line.split('T').next());
    let today: String = cluster.sql("SELECT (tm_now() AT TIME ZONE 'UTC')::date::text", &[])[0].get(0);
    assert_ne!(said, Some(today.as_str()), "its clock is right");
}

/// How long ago, seconds, by the database's clock.
fn age(cluster: &Cluster, column: &str, id: JobId) -> f64 {
    let statement =
        format!("SELECT extract(epoch FROM tm_now() - {column})::float8 FROM job_history WHERE id = $1");
    cluster.sql(&statement, &[&id.0])[0].get(0)
}

#[test]
fn leases_end_by_the_databases_clock_whatever_time_coordinator_and_workers_have() {
    let mut cluster = cluster("clocks-leases")
        .expecting("have lost their worker")
        .start();
    cluster.set_clocks(-2 * DAY, 2 * DAY);
    let api = cluster.api();
    // Longer than a lease, on a worker that lives.
    let long = api
        .submit(&json!({"plugin": "NOOP", "title": "long", "parameters": {"items": 1, "item_ms": 14_000}}));
    let killed = api.submit(&json!({"plugin": "NOOP", "title": "killed",
        "parameters": {"items": 20, "item_ms": 1_000}}));
    cluster.wait_until(long, "runs", |job| job.state == "PROCESSING");
    cluster.wait_until(killed, "has begun", |job| job.items_done > 0);
    coordinators_clock_is_wrong(&cluster);
    cluster.set_clocks(2 * DAY, -2 * DAY);
    let job = cluster.wait_until_done(long);
    assert_eq!(job.outcomes(), ["done"], "a living worker has lost its job");
    assert!(!cluster.api().job(killed).unwrap().has_ended());

    cluster.workers[0].kill9();
    cluster.add_worker();
    assert_eq!(cluster.wait_until_done(killed).outcomes(), ["lost", "done"]);
    for id in [long, killed] {
        let [accepted, ended] = ["submitted_at", "finished_at"].map(|column| age(&cluster, column, id));
        // Right to within the test's own length, where a clock of the programs would have been off by days.
        let test = LIMIT.as_secs_f64() * 4.0;
        assert!(
            0.0 <= ended && ended <= accepted && accepted < test,
            "{ended} s, {accepted} s"
        );
    }
}

#[test]
fn times_to_start_come_by_the_databases_clock_whatever_time_coordinator_and_workers_have() {
    let cluster = cluster("clocks-times").start();
    let api = cluster.api();
    let soon = || -> String {
        let statement = "SELECT to_json(tm_now() + interval '4 seconds') #>> '{}'";
        cluster.sql(statement, &[])[0].get(0)
    };
    for (coordinator, workers) in [(-2 * DAY, 2 * DAY), (2 * DAY, -2 * DAY)] {
        cluster.set_clocks(coordinator, workers);
        let start = soon();
        let later = api.submit(&json!({"plugin": "NOOP", "title": "later", "start_at": start}));
        let job = api.job(later).unwrap();
        assert_eq!(job.state, "SCHEDULED", "a clock that is ahead has started it");
        coordinators_clock_is_wrong(&cluster);
        cluster.wait_until_done(later);
        let statement = "SELECT started_at >= $2::text::timestamptz FROM attempts WHERE job_id = $1";
        let in_time: bool = cluster.sql(statement, &[&later.0, &start])[0].get(0);
        assert!(in_time, "it has started before {start}");

        // A stopped plugin starts again at its time, and a failure is tried again after its pause.
        let act = |action: serde_json::Value| {
            let (status, answer) = api.act("/api/v1/plugins/NOOP/actions", &action);
            assert_eq!(status, 200, "{answer}");
        };
        act(json!({"action": "stop", "reason": "a test", "deadline_seconds": 1, "resume_at": soon()}));
        let stopped = api.submit(&json!({"plugin": "NOOP", "title": "stopped"}));
        eventually(LIMIT, "a stopped plugin", || {
            match cluster.count("SELECT count(*) FROM plugins WHERE state <> 'running'") {
                1 => Ok(()),
                _ => Err("it runs".to_owned()),
            }
        });
        cluster.wait_until_done(stopped);
        cluster.sql("UPDATE plugins SET retries_max = 1, retry_first_seconds = 2", &[]);
        let fails =
            api.submit(&json!({"plugin": "NOOP", "title": "fails", "parameters": {"fail": "retryable"}}));
        assert_eq!(cluster.wait_for_end(fails).outcomes(), ["failed", "failed"]);
    }
}
