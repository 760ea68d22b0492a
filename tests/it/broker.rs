//! RabbitMQ is only a hint: whatever happens to it, running jobs end well and waiting ones are done afterwards by
//! themselves, or the system says what a person has to do and goes on once that is done.

mod held;
mod told;

use serde_json::{Value, json};
use shared::amqp::topology::{
    CLAIMS_QUEUE, EVENTS_EXCHANGE, EVENTS_REJECTED_QUEUE, HEARTBEATS_QUEUE, JOBS_EXCHANGE,
    NOTIFICATIONS_EXCHANGE, RESULTS_QUEUE, SUBMIT_EXCHANGE, SUBMIT_QUEUE, SUBMIT_REJECTED_QUEUE,
};
use shared::job::JobId;
use tests::{Builder, Cluster, LIMIT, eventually};

const QUEUE: &str = "taskmanager.jobs.noop";
const CONNECTED: &str = "taskmanager_broker_connected";
/// What a log, `doctor` and `/readyz` say is to be done where a permission is missing.
const SET_UP: &str = "`taskmanager broker setup` gives it what it needs";

/// One slot, so that jobs wait; what is lost is missed soon.
fn cluster(name: &str) -> Builder {
    Cluster::named(name)
        .plugins("NOOP=1")
        .coordinator_env("TASKMANAGER_RESEND_AFTER_SECONDS", "2")
}

fn job(title: &str, milliseconds: u32) -> Value {
    json!({"plugin": "NOOP", "title": title, "parameters": {"items": 2, "item_ms": milliseconds}})
}

/// The same where messages can't get through for a while, which every program may tell.
fn shaken(name: &str) -> Builder {
    let told = [
        "to RabbitMQ at",
        "without an answer",
        "no answer",
        "a result is not recorded yet",
        "messages of taskmanager",
        "messages were given back",
    ];
    told.into_iter().fold(cluster(name), Builder::expecting)
}

/// A job that runs and three that wait in the queue, the worker stopped where it is.
fn one_runs_and_three_wait(cluster: &mut Cluster) -> Vec<JobId> {
    let api = cluster.api();
    let running = api.submit(&job("runs", 3_000));
    cluster.wait_until(running, "runs", |job| job.state == "PROCESSING");
    let waiting = (0..3).map(|number| api.submit(&job(&format!("waits {number}"), 0)));
    let jobs: Vec<JobId> = std::iter::once(running).chain(waiting).collect();
    let amqp = cluster.amqp();
    // A worker without a free slot has given back what it held before it is stopped.
    eventually(LIMIT, "three messages in the queue", || match amqp.depth(QUEUE) {
        3 => Ok(()),
        other => Err(other.to_string()),
    });
    cluster.workers[0].freeze();
    jobs
}

/// Each job is done by one attempt, and new ones are taken.
fn all_end_well(cluster: &Cluster, jobs: &[JobId]) {
    for id in jobs {
        assert_eq!(cluster.wait_until_done(*id).outcomes(), ["done"]);
    }
    let id = cluster.submit(&job("afterwards", 0));
    cluster.wait_until_done(id);
}

/// Waits until `/readyz` names this among its findings. The coordinator stays in service: it shows pages and takes jobs in.
fn wait_until_found(cluster: &Cluster, text: &str) {
    let api = cluster.api();
    eventually(LIMIT, &format!("/readyz finds \"{text}\""), || {
        let answer = api.get("/readyz")?;
        let said: Value = serde_json::from_str(&answer.body).map_err(|error| error.to_string())?;
        let mut findings = said["findings"].as_array().into_iter().flatten();
        if findings.any(|check| check["message"].as_str().is_some_and(|said| said.contains(text))) {
            assert_eq!(answer.status, 200, "{}", answer.body);
            Ok(())
        } else {
            Err(answer.body)
        }
    });
}

/// Waits until the coordinator is connected.
fn wait_until_connected(cluster: &Cluster) {
    let api = cluster.api();
    eventually(LIMIT, "a connection", || match api.metric(CONNECTED, &[])? {
        1.0 => Ok(()),
        other => Err(other.to_string()),
    });
}

/// Waits until `/readyz` finds nothing; what was refused stays a finding for half a minute.
fn wait_until_nothing_is_found(cluster: &Cluster) {
    let api = cluster.api();
    eventually(LIMIT, "/readyz finds nothing", || {
        let said = api.json("/readyz")?;
        if said["findings"] == json!([]) {
            Ok(())
        } else {
            Err(said.to_string())
        }
    });
}

/// What `taskmanager doctor` finds wrong.
fn findings(cluster: &Cluster) -> String {
    cluster.findings().join("\n")
}

#[test]
fn jobs_whose_queue_was_purged_are_sent_again() {
    let mut cluster = cluster("purged").expecting("are sent again").start();
    let jobs = one_runs_and_three_wait(&mut cluster);
    let amqp = cluster.amqp();
    amqp.purge_queue(QUEUE);
    assert_eq!(amqp.depth(QUEUE), 0);
    cluster.workers[0].thaw();
    all_end_well(&cluster, &jobs);
}

#[test]
fn after_all_queues_and_exchanges_were_deleted_all_is_made_anew() {
    let mut cluster = shaken("deleted").expecting("are sent again").start();
    let jobs = one_runs_and_three_wait(&mut cluster);
    let amqp = cluster.amqp();
    for exchange in [
        SUBMIT_EXCHANGE,
        JOBS_EXCHANGE,
        EVENTS_EXCHANGE,
        NOTIFICATIONS_EXCHANGE,
    ] {
        amqp.delete_exchange(exchange);
    }
    for queue in [
        SUBMIT_QUEUE,
        SUBMIT_REJECTED_QUEUE,
        EVENTS_REJECTED_QUEUE,
        CLAIMS_QUEUE,
        HEARTBEATS_QUEUE,
        RESULTS_QUEUE,
        QUEUE,
    ] {
        amqp.delete_queue(queue);
    }
    cluster.workers[0].thaw();
    for id in &jobs {
        assert_eq!(cluster.wait_until_done(*id).outcomes(), ["done"]);
    }
    wait_until_nothing_is_found(&cluster);
    all_end_well(&cluster, &[]);
}

#[test]
fn a_wiped_node_is_set_up_by_one_command_and_everything_goes_on() {
    let mut cluster = shaken("wiped")
        .expecting("refuses this coordinator's user")
        .expecting("refuses this worker's user")
        .users(&["tools=NOOP"])
        .expecting("are sent again")
        .start();
    let jobs = one_runs_and_three_wait(&mut cluster);
    cluster.rabbitmq().wipe().unwrap();
    cluster.rabbitmq().restart().unwrap();
    cluster.workers[0].thaw();
    wait_until_found(&cluster, "`taskmanager broker setup` does");
    assert!(findings(&cluster).contains("`taskmanager broker setup` does"));
    assert!(cluster.coordinator.log().contains(SET_UP));
    assert_eq!(cluster.api().metric(CONNECTED, &[]).unwrap().to_string(), "0");
    cluster.set_broker_up(&[]);
    cluster.make_virtual_host();
    for id in &jobs {
        assert_eq!(cluster.wait_until_done(*id).outcomes(), ["done"]);
    }
    wait_until_connected(&cluster);
    all_end_well(&cluster, &[]);
}

#[test]
fn a_memory_alarm_only_delays() {
    let mut cluster = shaken("alarm")
        .lease_seconds(30)
        .private_rabbitmq()
        .expecting("RabbitMQ takes no messages")
        .start();
    let mut jobs = one_runs_and_three_wait(&mut cluster);
    cluster.rabbitmq().raise_memory_alarm().unwrap();
    wait_until_found(&cluster, "memory or disk alarm");
    assert!(findings(&cluster).contains("rabbitmq-diagnostics alarms"));
    let api = cluster.api();
    assert_eq!(
        api.metric("taskmanager_broker_blocked", &[]).unwrap().to_string(),
        "1"
    );
    // Over HTTP jobs are still accepted.
    jobs.push(api.submit(&job("during the alarm", 0)));
    // Nobody can report now, so that the worker, which in fact stands still, is not held to be dead.
    eventually(LIMIT, "the end of the lease", || {
        let over =
            cluster.count("SELECT count(*) FROM leases WHERE lease_end < tm_now() - interval '3 seconds'");
        if over == 1 { Ok(()) } else { Err(over.to_string()) }
    });
    cluster.workers[0].thaw();
    cluster.rabbitmq().end_memory_alarm().unwrap();
    for id in &jobs {
        assert_eq!(cluster.wait_until_done(*id).outcomes(), ["done"]);
    }
    wait_until_nothing_is_found(&cluster);
    assert_eq!(
        api.metric("taskmanager_broker_blocked", &[]).unwrap().to_string(),
        "0"
    );
    all_end_well(&cluster, &[]);
}

#[test]
fn a_frozen_broker_is_noticed_and_waited_for() {
    let mut cluster = shaken("frozen")
        .private_rabbitmq()
        .expecting("are sent again")
        .start();
    let jobs = one_runs_and_three_wait(&mut cluster);
    cluster.rabbitmq().freeze().unwrap();
    cluster.workers[0].thaw();
    // A broker that is silent for two heartbeats is given up, and so is connecting to it.
    wait_until_found(&cluster, "RabbitMQ is not connected");
    assert!(findings(&cluster).contains("is it running"));
    assert_eq!(cluster.api().metric(CONNECTED, &[]).unwrap().to_string(), "0");
    cluster.rabbitmq().thaw().unwrap();
    for id in &jobs {
        assert_eq!(cluster.wait_until_done(*id).outcomes(), ["done"]);
    }
    wait_until_nothing_is_found(&cluster);
    all_end_well(&cluster, &[]);
}

/// Thousands of waiting jobs, put where their submission would have put them.
fn crowd(cluster: &Cluster, jobs: i64) {
    cluster.sql(
        "WITH new AS (
             INSERT INTO jobs (id, plugin, title, state, priority)
             SELECT gen_random_uuid(), 'NOOP', 'of a crowd', 'QUEUED', 1 FROM generate_series(1, $1::bigint)
             RETURNING id)
         INSERT INTO job_details (job_id, parameters, extra, submitted_by) SELECT id, '{}', '{}', 'test' FROM new",
        &[&jobs],
    );
}

#[test]
fn a_broker_that_hangs_or_is_gone_keeps_nobody_from_cancelling_thousands_of_jobs() {
    let mut cluster = shaken("crowd")
        .private_rabbitmq()
        .expecting("are sent again")
        .start();
    let jobs = one_runs_and_three_wait(&mut cluster);
    let all = json!({"jobs": {"plugin": "NOOP", "title": "of a crowd"}, "what": {"action": "cancel"}});
    for gone in [false, true] {
        crowd(&cluster, 5_000);
        if gone {
            cluster.rabbitmq().kill9().unwrap();
        } else {
            cluster.rabbitmq().freeze().unwrap();
        }
        let (status, answer) = cluster.api().act("/api/v1/jobs/actions", &all);
        assert_eq!((status, &answer["done"]), (200, &json!(5_000)), "{answer}");
        if !gone {
            cluster.rabbitmq().thaw().unwrap();
        }
    }
    cluster.rabbitmq().restart().unwrap();
    cluster.workers[0].thaw();
    all_end_well(&cluster, &jobs);
}

#[test]
fn a_broker_that_mixes_priorities_in_quorum_queues_is_refused_at_the_start() {
    let mut cluster = cluster("queue-type")
        .expecting("does not keep the order of priorities")
        .expecting("ended unexpectedly; the process ends too")
        .start();
    cluster.coordinator.terminate(LIMIT);
    cluster
        .coordinator
        .set_env("TASKMANAGER_QUEUE_TYPE", Some("quorum"));
    cluster.coordinator.start_without_waiting();
    let ended = cluster.coordinator.wait_for_end(LIMIT);
    assert!(!ended.success(), "{ended}");
    assert!(cluster.coordinator.log().contains("set --queue-type classic"));
    cluster.coordinator.set_env("TASKMANAGER_QUEUE_TYPE", None);
    cluster.coordinator.start_again();
    all_end_well(&cluster, &[]);
}
