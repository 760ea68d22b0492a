//! What listeners hear of jobs, whichever way these came and ended.

use serde_json::{Value, json};
use shared::amqp::topology::NOTIFICATIONS_EXCHANGE;
use shared::job::JobId;
use tests::{Amqp, Cluster};

/// The next event: of which job, and what has become of it.
fn heard(listener: &Amqp, queue: &str) -> (Value, String) {
    let event: Value = serde_json::from_slice(&listener.next(queue)).unwrap();
    let state = event["data"]["state"].as_str().unwrap().to_owned();
    assert_eq!(event["type"], format!("taskmanager.job.{}", state.to_lowercase()));
    assert_eq!(event["subject"], event["data"]["job_id"]);
    (event["subject"].clone(), state)
}

/// What is said of one job while nothing else happens.
fn hears(listener: &Amqp, queue: &str, id: JobId, states: &[&str]) {
    for state in states {
        assert_eq!(heard(listener, queue), (json!(id), (*state).to_owned()));
    }
}

#[test]
fn listeners_hear_of_every_job_that_is_accepted_started_and_ended() {
    let cluster = Cluster::named("notifications").plugins("NOOP=1").start();
    let api = cluster.api();
    let mut listener = cluster.amqp();
    let queue = listener.listen(NOTIFICATIONS_EXCHANGE, "job.noop.*");
    let short = json!({"plugin": "NOOP", "title": "short", "parameters": {"items": 1, "item_ms": 1}});

    let over_http = api.submit(&short);
    hears(&listener, &queue, over_http, &["QUEUED", "STARTED", "DONE"]);
    let by_message = listener.submit(&short);
    hears(&listener, &queue, by_message, &["QUEUED", "STARTED", "DONE"]);

    let mut later = short.clone();
    later["start_at"] = json!("2100-01-01T00:00:00Z");
    let later = api.submit(&later);
    hears(&listener, &queue, later, &["SCHEDULED"]);
    let (status, answer) = api.act(
        &format!("/api/v1/jobs/{later}/actions"),
        &json!({"action": "cancel"}),
    );
    assert_eq!(status, 200, "{answer}");
    hears(&listener, &queue, later, &["CANCELLED"]);

    let mut fails = short.clone();
    fails["parameters"]["fail"] = json!("permanent");
    let failed = api.submit(&fails);
    hears(&listener, &queue, failed, &["QUEUED", "STARTED", "ERROR"]);
    let retry = json!({"action": "retry"});
    let (status, answer) = api.act(&format!("/api/v1/jobs/{failed}/actions"), &retry);
    assert_eq!(status, 200, "{answer}");
    let (again, state) = heard(&listener, &queue);
    assert_eq!(state, "QUEUED");
    assert_eq!(again, answer["new_job"], "{answer}");
    let again: JobId = serde_json::from_value(again).unwrap();
    hears(&listener, &queue, again, &["STARTED", "ERROR"]);
}
