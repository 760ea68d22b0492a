//! A worker whose RabbitMQ user may not serve a plugin leaves that plugin's messages to others.

use serde_json::json;
use tests::{Cluster, LIMIT, eventually};

#[test]
fn a_worker_that_may_not_serve_a_plugin_leaves_its_messages_alone_until_it_may() {
    let mut cluster = Cluster::named("standing")
        .plugins("NOOP=2")
        .expecting("do not let this worker's RabbitMQ user serve NOOP")
        .expecting("the coordinator refuses this worker")
        .expecting("put into taskmanager.events.rejected")
        .start();
    let restart = |cluster: &mut Cluster, users| {
        cluster.coordinator.terminate(LIMIT);
        cluster.coordinator.set_env("TASKMANAGER_WORKER_USERS", users);
        cluster.coordinator.start_again();
    };
    restart(&mut cluster, Some("somebody-else=NOOP"));
    let id = cluster.submit(&json!({"plugin": "NOOP", "title": "waits", "parameters": {"items": 1}}));
    let ready = |cluster: &Cluster| launcher::http::get(cluster.workers[0].port(), "/readyz").unwrap();
    eventually(LIMIT, "the worker says that it may not", || {
        match ready(&cluster) {
            answer if answer.status == 503 && answer.body.contains("serve NOOP") => Ok(()),
            answer => Err(answer.body),
        }
    });
    // The message has gone back, and is not taken again and again.
    let waiting = || {
        cluster.count("SELECT count(*) FROM jobs WHERE state = 'QUEUED' AND published_dispatch = dispatch")
    };
    let amqp = cluster.amqp();
    eventually(LIMIT, "the message in its queue again", || {
        match amqp.depth("taskmanager.jobs.noop") {
            1 => Ok(()),
            other => Err(other.to_string()),
        }
    });
    assert_eq!(waiting(), 1);
    let claims = cluster
        .api()
        .metric("taskmanager_claims_total", &["user_not_allowed"])
        .unwrap();
    assert!((1.0..=4.0).contains(&claims), "{claims} claims");
    restart(&mut cluster, None);
    cluster.wait_until_done(id);
    assert_eq!(ready(&cluster).status, 200);
}
