//! The servers' disks are full: whoever submits waits or is told so, a person is told what to do, and everything goes on
//! by itself once there is room.

use std::sync::Mutex;

use launcher::SmallDisk;
use serde_json::{Value, json};
use shared::job::JobId;
use tests::{Builder, Cluster, LIMIT, eventually};

/// Whether there can be a small disk; else it is said why nothing is shown.
#[expect(clippy::print_stderr, reason = "why nothing was shown")]
fn may_mount() -> bool {
    let may = SmallDisk::may_be_made();
    if !may {
        eprintln!(
            "skipped: this process may not mount anything, so that there is no disk that it could fill"
        );
    }
    may
}

/// A system in which writing and sending fails for a while, which every program may tell.
fn cluster(name: &str) -> Builder {
    let told = [
        "PostgreSQL",
        "deadpool.postgres",
        "RabbitMQ takes no messages",
        "to RabbitMQ at",
        "messages of taskmanager",
        "messages were given back",
        "without an answer",
        "no answer",
        "not recorded yet",
        "are sent again",
    ];
    let builder = Cluster::named(name).plugins("NOOP=1");
    told.into_iter().fold(builder, Builder::expecting)
}

fn job(title: &str, milliseconds: u32) -> Value {
    json!({"plugin": "NOOP", "title": title, "idempotency_key": title,
        "parameters": {"items": 4, "item_ms": milliseconds}})
}

/// The same with so much in it that it needs room of its own.
fn large_job(title: &str) -> Value {
    let mut job = job(title, 0);
    let noise: String = (0..3_000).map(|_| uuid::Uuid::new_v4().to_string()).collect();
    job["noise"] = noise.into();
    job
}

/// What `/readyz` says where nothing has to be mended.
const NO_FINDING: &str = "\"findings\":[]";

/// Waits until `/readyz` says this. The coordinator stays in service: it shows pages.
fn wait_until_ready_and_told(cluster: &Cluster, text: &str) {
    let api = cluster.api();
    eventually(LIMIT, &format!("/readyz says \"{text}\""), || {
        let answer = api.get("/readyz")?;
        if answer.status == 200 && answer.body.contains(text) {
            Ok(())
        } else {
            Err(format!("{}: {}", answer.status, answer.body))
        }
    });
}

fn metric(cluster: &Cluster, name: &str) -> String {
    cluster.api().metric(name, &[]).unwrap().to_string()
}

/// Each job is done, and once.
fn all_done_once(cluster: &Cluster, jobs: &[JobId]) {
    for id in jobs {
        let job = cluster.wait_until_done(*id);
        let done = job
            .outcomes()
            .iter()
            .filter(|outcome| **outcome == "done")
            .count();
        assert_eq!(done, 1, "{:?}", job.outcomes());
    }
    assert_eq!(
        cluster.count("SELECT count(*) - count(DISTINCT title) FROM job_history"),
        0,
        "a job stands there twice"
    );
}

#[test]
fn a_full_disk_of_postgresql_is_told_and_everything_goes_on_once_there_is_room() {
    const FULL: &str = "taskmanager_database_full";
    if !may_mount() {
        return;
    }
    let mut cluster = cluster("database-disk")
        .private_postgres_on_small_disk(200)
        .start();
    let api = cluster.api();
    let running = api.submit(&job("runs", 5_000));
    cluster.wait_until(running, "runs", |job| job.state == "PROCESSING");
    let mut jobs = vec![running, api.submit(&job("waits", 0))];
    cluster.small_disk().fill(0).unwrap();

    // Whoever asks is told, and what was accepted before counts.
    eventually(LIMIT, "a refused job", || {
        let title = format!("large {}", jobs.len());
        let answer = api.post_job(large_job(&title).to_string().as_bytes())?;
        if answer.status == 503 && answer.body.contains("no room left on its disk") {
            return Ok(());
        }
        if let Ok(Value::Object(accepted)) = serde_json::from_str(&answer.body)
            && let Some(id) = accepted.get("job_id").and_then(Value::as_str)
        {
            jobs.push(id.parse().unwrap());
        }
        Err(format!("{}: {}", answer.status, answer.body))
    });
    wait_until_ready_and_told(&cluster, "no room left on its disk: free disk space");
    let runs = cluster.count("SELECT count(*) FROM leases JOIN jobs ON id = job_id WHERE title = 'runs'");
    assert_eq!(runs, 1, "its run goes on");
    let page = api.get("/").unwrap();
    assert!(
        page.status == 200 && page.body.contains(">runs<"),
        "{}",
        page.status
    );
    assert!(
        cluster
            .doctor()
            .contains("no room left on its disk: free disk space")
    );
    assert_eq!(metric(&cluster, FULL), "1");
    let log = cluster.coordinator.log();
    assert!(log.contains("PostgreSQL has no room left on its disk: free some there"));

    // Whoever sends a message waits.
    let mut amqp = cluster.amqp();
    let answered = Mutex::new(None);
    std::thread::scope(|scope| {
        scope.spawn(|| *answered.lock().unwrap() = Some(amqp.submit(&large_job("by message"))));
        eventually(LIMIT, "a message that waits", || {
            let log = cluster.coordinator.log();
            if log.contains("messages of taskmanager.submit wait") {
                Ok(())
            } else {
                Err(format!("{:?}", log.lines().last()))
            }
        });
        assert_eq!(*answered.lock().unwrap(), None, "answered before it is recorded");
        cluster.small_disk().make_room().unwrap();
    });
    jobs.extend(answered.into_inner().unwrap());
    // A server that could not even write its log has ended; its administrator starts it again.
    if !cluster.postgres().alive() {
        cluster.postgres().restart().unwrap();
    }

    all_done_once(&cluster, &jobs);
    assert_eq!(
        api.job(running).unwrap().outcomes(),
        ["done"],
        "the full disk cost a run"
    );
    let again = api.submit(&large_job("afterwards"));
    cluster.wait_until_done(again);
    wait_until_ready_and_told(&cluster, NO_FINDING);
    assert_eq!(metric(&cluster, FULL), "0");
}

#[test]
fn a_full_disk_of_rabbitmq_is_told_and_everything_goes_on_once_there_is_room() {
    const BLOCKED: &str = "taskmanager_broker_blocked";
    /// Less than the 50 MB at which a private node raises its alarm.
    const LEFT: u64 = 20_000_000;
    if !may_mount() {
        return;
    }
    let cluster = cluster("broker-disk").private_rabbitmq_on_small_disk(200).start();
    let api = cluster.api();
    let mut amqp = cluster.amqp();
    let running = api.submit(&job("runs", 2_000));
    cluster.wait_until(running, "runs", |job| job.state == "PROCESSING");
    let mut jobs = vec![running, api.submit(&job("waits", 0))];
    cluster.small_disk().fill(LEFT).unwrap();
    wait_until_ready_and_told(&cluster, "memory or disk alarm): free disk space on its host");
    assert!(cluster.doctor().contains("free disk space on its host"));
    assert_eq!(metric(&cluster, BLOCKED), "1");
    assert!(cluster.coordinator.log().contains("RabbitMQ takes no messages"));

    // Over HTTP jobs are still accepted; whoever sends a message waits.
    jobs.push(api.submit(&job("over HTTP", 0)));
    let answered = Mutex::new(None);
    std::thread::scope(|scope| {
        scope.spawn(|| *answered.lock().unwrap() = Some(amqp.submit(&job("by message", 0))));
        eventually(LIMIT, "a submitter that RabbitMQ holds up", || {
            let connections = cluster.management().get("connections");
            let mut all = connections.as_array().into_iter().flatten();
            // The project's programs give their connections names.
            let held_up = all.any(|one| one["state"] == "blocked" && one["user_provided_name"].is_null());
            if held_up {
                Ok(())
            } else {
                Err(connections.to_string())
            }
        });
        assert_eq!(*answered.lock().unwrap(), None, "the broker took it");
        cluster.small_disk().make_room().unwrap();
    });
    jobs.extend(answered.into_inner().unwrap());
    all_done_once(&cluster, &jobs);
    wait_until_ready_and_told(&cluster, NO_FINDING);
    assert_eq!(metric(&cluster, BLOCKED), "0");
}
