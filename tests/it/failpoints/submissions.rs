//! A coordinator dies while it takes submissions.

use std::thread;

use shared::message::submit::SubmitReply;
use tests::{LIMIT, Message, eventually};

use super::*;

/// The answers of a coordinator that knows the job already.
const DUPLICATES: &str = "taskmanager_jobs_duplicate_total";

#[test]
fn a_message_is_one_job_wherever_the_coordinator_dies_that_takes_it() {
    for (point, recorded_then, answered_then) in [
        (Failpoint::SubmitBeforeCommit, 0, false),
        (Failpoint::SubmitBeforeAnswer, 1, false),
        (Failpoint::SubmitBeforeAck, 1, true),
    ] {
        let name = point.as_str();
        // Of its own: what one death has repeated must not come to the next one's point.
        let mut cluster = start(where_a_coordinator_dies(&format!("death-message-{name}")));
        let mut order = order(&cluster, name);
        // Its message id alone says that it is the same.
        order.as_object_mut().unwrap().remove("idempotency_key");
        let message = Message::from(&order).with(|properties| properties.with_message_id(name.into()));
        cluster.arm(point);
        let mut submitter = cluster.amqp();
        let answer = thread::spawn(move || submitter.ask(message));
        cluster.coordinator_dies_at(point);
        assert_eq!(recorded(&cluster, name), recorded_then, "{name}");
        cluster.coordinator.start_again();
        // It waits as long as that takes, and does nothing else.
        let id = match answer.join().unwrap() {
            SubmitReply::Accepted { job_id } if recorded_then == 0 || answered_then => job_id,
            SubmitReply::Duplicate { job_id } if recorded_then == 1 && !answered_then => job_id,
            other => panic!("{name}: {other:?}"),
        };
        // It came again, and was recognised.
        let recognised = f64::from(i32::try_from(recorded_then).unwrap());
        eventually(LIMIT, "the message's second coming", || {
            match cluster.api().metric(DUPLICATES, &[])? {
                found if (found - recognised).abs() < f64::EPSILON => Ok(()),
                other => Err(other.to_string()),
            }
        });
        ended_once(&cluster, id, name, &["done"]);
    }
}

#[test]
fn a_repeated_call_is_one_job_wherever_the_coordinator_died_that_took_the_first() {
    let mut cluster = start(where_a_coordinator_dies("death-submit-call"));
    for (point, recorded_then, status) in [
        (Failpoint::SubmitBeforeCommit, 0, 201),
        (Failpoint::SubmitBeforeAnswer, 1, 200),
    ] {
        let name = point.as_str();
        let order = order(&cluster, name).to_string();
        cluster.arm(point);
        let first = cluster.api().post_job(order.as_bytes());
        assert!(first.is_err(), "{name} was answered: {first:?}");
        cluster.coordinator_dies_at(point);
        assert_eq!(recorded(&cluster, name), recorded_then, "{name}");
        cluster.coordinator.start_again();
        let again = cluster.api().post_job(order.as_bytes()).unwrap();
        assert_eq!(again.status, status, "{name}: {}", again.body);
        let reply = shared::message::decode(again.body.as_bytes()).unwrap();
        let (SubmitReply::Accepted { job_id } | SubmitReply::Duplicate { job_id }) = reply else {
            panic!("{name}: {reply:?}");
        };
        ended_once(&cluster, job_id, name, &["done"]);
    }
}

#[test]
fn a_message_that_is_refused_is_put_away_at_least_once_and_stops_nothing() {
    const QUEUE: &str = "taskmanager.submit.rejected";
    let mut cluster = start(where_a_coordinator_dies("death-put-away").expecting("put into"));
    cluster.arm(Failpoint::PutAwayBeforeAck);
    let mut submitter = cluster.amqp();
    let answer = thread::spawn(move || submitter.ask(Message::new("no JSON")));
    cluster.coordinator_dies_at(Failpoint::PutAwayBeforeAck);
    let amqp = cluster.amqp();
    assert_eq!(amqp.depth(QUEUE), 1);
    cluster.coordinator.start_again();
    let SubmitReply::Rejected { reason } = answer.join().unwrap() else {
        panic!("it was not refused");
    };
    for _ in 0..2 {
        let kept = amqp.rejected(QUEUE);
        assert_eq!((kept.reason, kept.body), (reason.clone(), b"no JSON".to_vec()));
    }
    let id = submit(&cluster, "next");
    ended_once(&cluster, id, "next", &["done"]);
    assert_eq!(amqp.depth(QUEUE), 0);
}
