//! Deaths between any two effects: the real process dies, or is frozen, exactly there.
//!
//! `shared/src/failpoint.rs` says which places there are; `docs/reliability.md` says which row of failures each test is for.
//! The job of these tests writes files, and the plugin itself notes what really ran, so that "once" is no record's word.

mod attempts;
mod control;
mod cut_off;
mod dispatch;
mod frozen_coordinators;
mod publishing;
mod submissions;
mod too_late;
mod workers;

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use shared::failpoint::Failpoint;
use shared::job::JobId;
use tests::{Builder, Cluster, Job, Volume};

/// Items of each job here.
const ITEMS: u32 = 3;
/// Long enough for a worker that lives, short enough to wait for the end of a dead one's. Seconds.
const SHORT_LEASE: u32 = 2;
/// No lease ends by itself in a test. Seconds.
const LONG_LEASE: u32 = 60;

/// A system in which NOOP has a page contract and processes die where the test says so.
fn start(builder: Builder) -> Cluster {
    let cluster = builder.failpoints().plugins("NOOP=1").start();
    fs::create_dir(seen(&cluster)).unwrap();
    act_on_plugin(&cluster, &json!({"action": "quota", "pages_total": 1_000_000}));
    cluster
}

/// The same when a coordinator dies, which its workers complain of.
fn where_a_coordinator_dies(name: &str) -> Builder {
    Cluster::named(name)
        .expecting("without an answer")
        .expecting("no answer to a claim")
        .expecting("has no answer yet")
        .expecting("will be sent again")
}

/// The same when a worker dies.
fn where_a_worker_dies(name: &str) -> Builder {
    Cluster::named(name).expecting("have lost their worker")
}

/// The folder with the witness.
fn seen(cluster: &Cluster) -> PathBuf {
    cluster.data().join("seen")
}

/// A job that writes files below a folder of this name. Whoever submits it again is told the same job.
fn order(cluster: &Cluster, name: &str) -> Value {
    json!({
        "plugin": "NOOP", "title": name, "idempotency_key": name, "source": seen(cluster), "target": cluster.data().join(name),
        "parameters": {"items": ITEMS, "write": true, "witness": "witness"},
    })
}

fn submit(cluster: &Cluster, name: &str) -> JobId {
    cluster.submit(&order(cluster, name))
}

fn act_on_plugin(cluster: &Cluster, action: &Value) {
    let (status, answer) = cluster.api().act("/api/v1/plugins/NOOP/actions", action);
    assert_eq!(status, 200, "{answer}");
}

/// Sets the lease of attempts that begin from now on.
fn set_lease(cluster: &Cluster, seconds: u32) {
    act_on_plugin(cluster, &json!({"action": "configure", "lease_seconds": seconds}));
}

/// Jobs with this title, unfinished or ended.
fn recorded(cluster: &Cluster, title: &str) -> i64 {
    let rows = cluster.sql(
        "SELECT count(*) FROM (SELECT title FROM jobs UNION ALL SELECT title FROM job_history) AS job
         WHERE title = $1",
        &[&title],
    );
    rows[0].get(0)
}

/// What the plugin noted about a job: which attempts began, and which have begun and done each item.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    attempts: Vec<i32>,
    begun: Vec<(i32, String)>,
}

fn witnessed(cluster: &Cluster, id: JobId) -> Seen {
    let text = fs::read_to_string(seen(cluster).join("witness")).unwrap_or_default();
    let mut seen = Seen::default();
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [what, job, attempt, _claim, item] = words[..] else {
            panic!("the witness says {line}");
        };
        if job != id.to_string() {
            continue;
        }
        let attempt = attempt.parse().unwrap();
        match what {
            "attempt" => seen.attempts.push(attempt),
            "begun" => seen.begun.push((attempt, item.to_owned())),
            _ => {}
        }
    }
    seen
}

/// The files that a job has published, with the number of the attempt that wrote each.
fn written_by(cluster: &Cluster, name: &str) -> Vec<i32> {
    let mut files: Vec<PathBuf> = fs::read_dir(cluster.data().join(name).join("noop"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let attempt = |file: &PathBuf| {
        let text = fs::read_to_string(file).unwrap();
        let number = text.split_whitespace().nth(2).map(str::parse);
        number.expect("each file names its attempt").unwrap()
    };
    files.iter().map(attempt).collect()
}

/// The job is DONE and everything about it counted once; its attempts have ended like this, and its files are those that
/// it says.
fn ended_once(cluster: &Cluster, id: JobId, name: &str, outcomes: &[&str]) -> Job {
    let job = cluster.wait_until_done(id);
    assert_eq!(job.outcomes(), outcomes, "{name}");
    assert_eq!(recorded(cluster, name), 1, "{name} is one job");
    for (what, statement, expected) in [
        ("history", "SELECT count(*) FROM job_history WHERE id = $1", 1),
        (
            "items",
            "SELECT count(*) FROM items WHERE job_id = $1 AND state = 'done'",
            ITEMS.into(),
        ),
        (
            "booked pages",
            "SELECT coalesce(sum(pages), 0)::bigint FROM quota_ledger WHERE job_id = $1",
            ITEMS.into(),
        ),
        (
            "log lines that stand there twice",
            "SELECT count(*) FROM (SELECT FROM job_logs WHERE job_id = $1 GROUP BY attempt, line
             HAVING count(*) > 1) AS twice",
            0,
        ),
    ] {
        let found: i64 = cluster.sql(statement, &[&id.0])[0].get(0);
        assert_eq!(found, expected, "{name}: {what}");
    }
    let miscounted = cluster.miscounted();
    assert!(miscounted.is_empty(), "{name}: {miscounted:#?}");
    let place = Volume {
        process: 0,
        title: name.to_owned(),
        source: seen(cluster),
        target: cluster.data().join(name),
    };
    let files = place.files_in_target();
    assert_eq!(
        job.outputs.iter().collect::<Vec<_>>(),
        files.values().collect::<Vec<_>>(),
        "{name}: the target folder is not what was published"
    );
    assert_eq!(files.len(), ITEMS as usize, "{name}");
    assert!(!place.has_item_store(), "{name}: the item store is still there");
    let entry = cluster.data().join(".taskmanager.stores").join(id.to_string());
    assert!(
        !entry.exists(),
        "{name}: the item store still stands in the index"
    );
    job
}
