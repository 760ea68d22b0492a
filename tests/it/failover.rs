//! PostgreSQL fails over to a standby: what is promised with a synchronous one, and what is left with another.
//!
//! Programs know both servers by one address, as operators write it, and find the one that takes writes by themselves.
//! Whoever promotes a standby has to make sure that the old primary is gone: here it is dead, read-only or hung.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::job::JobId;
use shared::message::decode;
use shared::message::submit::SubmitReply;
use tests::{Api, Builder, Cluster, LIMIT, eventually};

/// What a worker says whose attempt is no longer the job's.
const FENCED: &str = "is fenced: the job is another's now";

/// A system whose PostgreSQL has a standby; what programs may tell while there is none that takes writes.
fn cluster(name: &str) -> Builder {
    let told = [
        "PostgreSQL",
        "deadpool.postgres",
        "messages were given back",
        "messages of taskmanager",
        "without an answer",
        "no answer yet",
        "not recorded yet",
        "another server has taken over as the database",
    ];
    let builder = Cluster::named(name).plugins("NOOP=1").standby();
    told.into_iter().fold(builder, Builder::expecting)
}

/// A job that takes seconds and writes files that tell who wrote them.
fn long_job(cluster: &Cluster) -> Value {
    for folder in ["witness", "out"] {
        fs::create_dir_all(cluster.data().join(folder)).unwrap();
    }
    json!({"plugin": "NOOP", "title": "long", "source": cluster.data().join("witness"),
        "target": cluster.data().join("out"),
        "parameters": {"items": 8, "item_ms": 1_000, "write": true, "witness": "long"}})
}

fn is_in_its_middle(cluster: &Cluster, id: JobId) {
    cluster.wait_until(id, "is in its middle", |job| {
        assert!(job.items_done < 8, "the job was too fast to be hit in its middle");
        job.state == "PROCESSING" && job.items_done > 0
    });
}

/// Submits one job after the other, each until it is accepted, until it is told to end.
fn keep_submitting(api: &Api, accepted: &Mutex<Vec<JobId>>, end: &AtomicBool) {
    for number in 0.. {
        let title = format!("job {number}");
        let job =
            json!({"plugin": "NOOP", "title": title, "idempotency_key": title, "parameters": {"items": 0}});
        loop {
            if end.load(Ordering::Relaxed) {
                return;
            }
            let answer = api.post_job(job.to_string().as_bytes());
            let Ok(answer) = answer.map(|answer| decode(answer.body.as_bytes())) else {
                continue;
            };
            if let Ok(SubmitReply::Accepted { job_id } | SubmitReply::Duplicate { job_id }) = answer {
                accepted.lock().unwrap().push(job_id);
                break;
            }
        }
    }
}

/// Waits until ten more jobs are accepted.
fn ten_more(accepted: &Mutex<Vec<JobId>>) {
    let before = accepted.lock().unwrap().len();
    eventually(LIMIT, "ten more accepted jobs", || {
        match accepted.lock().unwrap().len() {
            now if now >= before + 10 => Ok(()),
            now => Err(format!("{before} before, {now} now")),
        }
    });
}

fn takes_new_jobs(cluster: &Cluster) {
    let afterwards = cluster.submit(&json!({"plugin": "NOOP", "title": "afterwards"}));
    cluster.wait_until_done(afterwards);
}

#[test]
fn with_a_synchronous_standby_nothing_accepted_is_lost_and_a_running_job_goes_on() {
    let mut cluster = cluster("failover-synchronous").plugins("NOOP=4").start();
    cluster.postgres().set_synchronous(true).unwrap();
    let api = cluster.api();
    let running = api.submit(&long_job(&cluster));
    is_in_its_middle(&cluster, running);

    let (accepted, end) = (Mutex::default(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| keep_submitting(&api, &accepted, &end));
        ten_more(&accepted);
        // From now on the primary has what the standby never gets: it must not be told as accepted.
        cluster.standby().stop_following().unwrap();
        eventually(LIMIT, "a commit that waits for the standby", || {
            let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
            match cluster.count(waiting) {
                0 => Err("none".to_owned()),
                _ => Ok(()),
            }
        });
        cluster.postgres().kill9().unwrap();
        cluster.standby().promote().unwrap();
        ten_more(&accepted);
        end.store(true, Ordering::Relaxed);
    });

    let accepted = accepted.into_inner().unwrap();
    for id in &accepted {
        let job = cluster.wait_until_done(*id);
        let done = job
            .outcomes()
            .iter()
            .filter(|outcome| **outcome == "done")
            .count();
        assert_eq!(done, 1, "{:?}", job.outcomes());
    }
    assert_eq!(cluster.wait_until_done(running).outcomes(), ["done"]);
    takes_new_jobs(&cluster);
    assert_eq!(
        cluster.count("SELECT count(*) - count(DISTINCT title) FROM job_history"),
        0,
        "a job stands there twice"
    );
}

/// What stands in the target folder and who wrote it, against what was granted.
fn outputs_are_whole_and_by(cluster: &Cluster, id: JobId, attempt: &str) {
    let job = cluster.wait_until_done(id);
    let granted: BTreeMap<&str, &str> = job
        .outputs
        .iter()
        .map(|file| (file.path.as_str(), file.sha256.as_str()))
        .collect();
    assert_eq!(granted.len(), 8);
    for (path, sum) in granted {
        let content = fs::read(cluster.data().join("out").join(path)).unwrap();
        assert_eq!(
            tests::volume::hexadecimal(&Sha256::digest(&content)),
            sum,
            "{path}"
        );
        let content = String::from_utf8(content).unwrap();
        assert!(
            content.contains(attempt),
            "{path} was not written by {attempt}: {content}"
        );
    }
}

/// The tokens of all attempts that really ran, in that order: `<attempt> <claim id>`.
fn witnessed(cluster: &Cluster) -> Vec<String> {
    let told = fs::read_to_string(cluster.data().join("witness/long")).unwrap_or_default();
    told.lines()
        .filter_map(|line| line.strip_prefix("attempt ")?.strip_suffix(" -"))
        .filter_map(|line| line.split_once(' '))
        .map(|(_job, token)| token.to_owned())
        .collect()
}

#[test]
fn after_lost_commits_a_number_is_given_twice_and_only_one_of_both_attempts_counts() {
    let mut cluster = cluster("failover-asynchronous")
        .lease_seconds(10)
        .coordinator_env("TASKMANAGER_RESEND_AFTER_SECONDS", "2")
        .expecting("are sent again")
        .expecting(FENCED)
        .start();
    let api = cluster.api();
    let act = |action: Value| {
        assert_eq!(api.act("/api/v1/plugins/NOOP/actions", &action).0, 200);
    };
    act(json!({"action": "stop", "reason": "a failover is prepared", "deadline_seconds": 1}));
    let twice = api.submit(&long_job(&cluster));
    cluster.postgres().wait_until_followed().unwrap();

    // What is committed from now on is lost: that the plugin runs, the job's first attempt, a job.
    cluster.standby().stop_following().unwrap();
    act(json!({"action": "start"}));
    is_in_its_middle(&cluster, twice);
    let lost = api.submit(&json!({"plugin": "NOOP", "title": "lost", "idempotency_key": "lost"}));
    cluster.workers[0].freeze();
    cluster.postgres().kill9().unwrap();
    cluster.standby().promote().unwrap();
    eventually(LIMIT, "the new primary's API", || api.job(twice).map(drop));
    assert_eq!(api.job(twice).unwrap().attempts.len(), 0, "no commit was lost");

    // The same number again, on another worker, before the first one is at work again.
    cluster.add_worker();
    act(json!({"action": "start"}));
    is_in_its_middle(&cluster, twice);
    let tokens = witnessed(&cluster);
    let [first, second] = tokens.as_slice() else {
        panic!("two attempts were expected: {tokens:?}")
    };
    assert!(first.starts_with("1 ") && second.starts_with("1 ") && first != second);
    cluster.workers[0].thaw();
    eventually(LIMIT, "the end of the first attempt", || {
        let log = cluster.workers[0].log();
        if log.contains(FENCED) {
            Ok(())
        } else {
            Err(format!("{:?}", log.lines().last()))
        }
    });

    let job = cluster.wait_until_done(twice);
    assert_eq!(job.outcomes(), ["done"]);
    assert_eq!(job.attempts[0].attempt, 1);
    outputs_are_whole_and_by(&cluster, twice, second);
    assert_eq!(witnessed(&cluster), tokens, "a third attempt has run");
    assert_eq!(
        cluster.count("SELECT sum(jobs)::bigint FROM statistics WHERE plugin = 'NOOP'"),
        1
    );

    // Only a synchronous standby would have kept it; whoever sends it again gets a new job.
    assert_eq!(api.get(&format!("/api/v1/jobs/{lost}")).unwrap().status, 404);
    let again = api.submit(&json!({"plugin": "NOOP", "title": "lost", "idempotency_key": "lost"}));
    cluster.wait_until_done(again);
    takes_new_jobs(&cluster);
}

#[test]
fn a_primary_that_takes_no_more_writes_is_left_for_the_one_that_does() {
    let mut cluster = cluster("failover-read-only").start();
    let running = cluster.submit(&long_job(&cluster));
    is_in_its_middle(&cluster, running);
    // Its sessions stay open, and refuse to write from their next transaction on.
    cluster.sql("ALTER SYSTEM SET default_transaction_read_only = on", &[]);
    cluster.sql("SELECT pg_reload_conf()", &[]);
    cluster.postgres().wait_until_followed().unwrap();
    cluster.standby().promote().unwrap();
    assert_eq!(cluster.wait_until_done(running).outcomes(), ["done"]);
    takes_new_jobs(&cluster);
    assert!(cluster.postgres().alive());
}

#[test]
fn a_primary_that_hangs_is_left_for_the_one_that_answers() {
    let mut cluster = cluster("failover-hung").start();
    let running = cluster.submit(&long_job(&cluster));
    is_in_its_middle(&cluster, running);
    cluster.postgres().wait_until_followed().unwrap();
    // The kernel still takes connections for it: only waiting tells that nobody answers.
    cluster.postgres().freeze().unwrap();
    cluster.standby().promote().unwrap();
    let api = cluster.api();
    eventually(LIMIT, "a job taken by the new primary", || {
        let job = json!({"plugin": "NOOP", "title": "hung", "idempotency_key": "hung"});
        let answer = api.post_job(job.to_string().as_bytes())?;
        if (200..300).contains(&answer.status) {
            Ok(())
        } else {
            Err(answer.body)
        }
    });
    assert_eq!(cluster.wait_until_done(running).outcomes(), ["done"]);
}
