//! What can't be understood is put where a person sees it, with a reason, and stops nothing else.
//! What comes twice is done once.

use lapin::types::{AMQPValue, FieldTable};
use serde_json::{Value, json};
use shared::amqp::topology::{
    EVENTS_EXCHANGE, EVENTS_REJECTED_QUEUE, SUBMIT_EXCHANGE, SUBMIT_QUEUE, SUBMIT_REJECTED_QUEUE,
};
use shared::message::submit::SubmitReply;
use tests::foreign_bytes::MARK;
use tests::{Amqp, Cluster, LIMIT, Message, eventually};

/// The largest part of a rejected message that is kept.
const KEPT_BYTES: usize = 64 * 1024;

fn noop(title: &str) -> Value {
    json!({"plugin": "NOOP", "title": title})
}

/// A good job still goes all the way.
fn works(cluster: &Cluster, amqp: &mut Amqp) {
    let id = amqp.submit(&noop("a good job"));
    cluster.wait_until_done(id);
}

/// Messages that can't be accepted, each with words of the reason that a person understands.
fn bad_submissions(cluster: &Cluster) -> Vec<(Message, &'static str)> {
    let data = cluster.data().to_str().unwrap().to_owned();
    let raw = |body: &[u8]| Message::new(body);
    let ocr = |source: &str| {
        Message::from(&json!({"plugin": "OCR", "title": "x", "source": source, "target": data}))
    };
    let noop_with = |field: &str, value: Value| {
        let mut job = noop("x");
        job[field] = value;
        Message::from(&job)
    };
    let with_template = |parameters: Value| {
        Message::from(&json!({
            "plugin": "SHELL", "title": "x", "template": "resized_jpeg", "parameters": parameters,
        }))
    };
    vec![
        (raw(b""), "not valid JSON"),
        (raw(b"{jobtype: OCR}"), "not valid JSON"),
        (raw(&b"[".repeat(100_000)), "not valid JSON"),
        (raw(b"[1, 2]"), "must be a JSON object"),
        (
            Message::from(&json!({"plugin": "MAGIC", "title": "x"})),
            "workers have announced NOOP, OCR, SHELL",
        ),
        (
            Message::from(&json!({"title": "x"})),
            "field \"plugin\" (or \"jobtype\") is missing",
        ),
        (
            Message::from(&json!({"plugin": "NOOP"})),
            "field \"title\" (or \"goobiTitle\") is missing",
        ),
        (
            Message::from(&json!({"plugin": "OCR", "title": "x", "target": data})),
            "field \"source\" is missing",
        ),
        (ocr("/etc"), "outside the folders that jobs may use"),
        (ocr(&format!("{data}/../../../etc")), "must not contain \"..\""),
        (ocr("images"), "neither an absolute path"),
        (noop_with("priority", json!(11)), "field \"priority\""),
        (
            noop_with("priority", json!("high")),
            "use a whole number from 0 to 10",
        ),
        (noop_with("title", json!(["x"])), "must be a text"),
        (
            noop_with("template", json!("best")),
            "template \"best\" is unknown",
        ),
        (
            noop_with("parameters", json!({"items": "many"})),
            "parameter \"items\": must be a whole number",
        ),
        (
            with_template(json!({"size": "big; rm -rf /"})),
            "parameter \"size\": must be width and height",
        ),
        (with_template(json!({})), "\"size\" is a required property"),
        (noop_with("version", json!(99)), "this server understands 1"),
        (noop_with("title", json!("a\0b")), "NUL character"),
        (raw(b"{\"plugin\":\"NOOP\",\"title\":\"a\0b\"}"), "not valid JSON"),
        (
            raw(b"{\"plugin\":\"NOOP\",\"title\":\"B\xfccher\"}"),
            "not UTF-8: byte 0xfc at position",
        ),
        (raw(&nonsense(2_000_000)), "at most 262144 are accepted"),
        (
            Message::from(&noop("x")).with(|properties| properties.with_content_encoding("gzip".into())),
            "content encoding \"gzip\" is not understood",
        ),
    ]
}

/// Bytes without any order, the same each time.
fn nonsense(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let byte = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(byte).take(length).collect()
}

#[test]
fn every_bad_submission_is_put_away_with_a_reason_and_the_next_one_is_done() {
    let cluster = Cluster::named("bad-submissions")
        .plugins("OCR=1,NOOP=1,SHELL=1")
        .expecting("put into taskmanager.submit.rejected")
        .start();
    let mut amqp = cluster.amqp();
    for (message, phrase) in bad_submissions(&cluster) {
        match amqp.ask(message.clone()) {
            SubmitReply::Rejected { reason } => {
                assert!(reason.contains(phrase), "not \"{phrase}\": {reason}");
            }
            other => panic!("not rejected for \"{phrase}\": {other:?}"),
        }
        let rejected = amqp.rejected(SUBMIT_REJECTED_QUEUE);
        assert!(
            rejected.reason.contains(phrase),
            "not \"{phrase}\": {}",
            rejected.reason
        );
        let kept = message.body.len().min(KEPT_BYTES);
        assert!(
            rejected.body == message.body[..kept],
            "another body was put away for \"{phrase}\""
        );
    }
    works(&cluster, &mut amqp);
    let recorded = cluster.count("SELECT (SELECT count(*) FROM jobs) + (SELECT count(*) FROM job_history)");
    assert_eq!(recorded, 1, "something bad has become a job");
}

#[test]
fn submissions_whose_amqp_properties_are_no_utf_8_are_put_away_and_hold_up_nothing() {
    let cluster = Cluster::named("latin-1-properties")
        .plugins("NOOP=1")
        .expecting("put into taskmanager.submit.rejected")
        .start();
    let foreign = cluster.amqp_in_latin_1();
    let job = Message::from(&noop("not to be read"));
    let mut bad_headers = FieldTable::default();
    bad_headers.insert(MARK.into(), AMQPValue::Boolean(true));
    let bad = [
        job.clone()
            .with(|properties| properties.with_message_id(MARK.into())),
        job.clone()
            .with(|properties| properties.with_correlation_id(MARK.into())),
        job.with(|properties| properties.with_headers(bad_headers)),
    ];
    let mut amqp = cluster.amqp();
    for message in bad {
        foreign.publish(SUBMIT_EXCHANGE, "any.key", message.clone());
        works(&cluster, &mut amqp);
        let rejected = amqp.rejected(SUBMIT_REJECTED_QUEUE);
        assert!(rejected.reason.contains("must be UTF-8"), "{}", rejected.reason);
        assert_eq!(rejected.body, message.body);
    }
    // The routing key is the submitter's own affair: nothing depends on it.
    foreign.publish(
        SUBMIT_EXCHANGE,
        MARK,
        Message::from(&noop("a good job with a bad key")),
    );
    eventually(LIMIT, "the job with the bad key done", || {
        let done = cluster.count(
            "SELECT count(*) FROM job_history WHERE title = 'a good job with a bad key' AND state = 'DONE'",
        );
        (done == 1)
            .then_some(())
            .ok_or_else(|| format!("{done} such jobs"))
    });
}

#[test]
fn bad_messages_among_good_ones_take_nothing_with_them() {
    let mut cluster = Cluster::named("mixed-batch")
        .plugins("NOOP=4")
        .expecting("put into taskmanager.submit.rejected")
        .start();
    let mut amqp = cluster.amqp();
    // What nothing before the database finds wrong.
    cluster.sql(
        "ALTER TABLE jobs ADD CONSTRAINT of_this_test CHECK (title <> 'poison')",
        &[],
    );
    // Submitted while nobody reads, so that they are handled as one batch.
    cluster.coordinator.terminate(LIMIT);
    for number in 0..30 {
        let message = match number % 10 {
            3 => Message::new("nonsense"),
            7 => Message::from(&noop("poison")),
            _ => Message::from(&noop(&format!("good {number}"))),
        };
        amqp.publish(SUBMIT_EXCHANGE, "x", message);
    }
    cluster.coordinator.start_again();
    eventually(LIMIT, "24 good jobs done", || {
        let done = cluster.count("SELECT count(*) FROM job_history WHERE state = 'DONE'");
        if done == 24 {
            Ok(())
        } else {
            Err(format!("{done}"))
        }
    });
    let mut reasons: Vec<String> = (0..6)
        .map(|_| amqp.rejected(SUBMIT_REJECTED_QUEUE).reason)
        .collect();
    reasons.sort();
    for (index, reason) in reasons.iter().enumerate() {
        let phrase = if index < 3 {
            "the database refuses it"
        } else {
            "not valid JSON"
        };
        assert!(reason.contains(phrase), "{reasons:?}");
    }
    assert_eq!(amqp.depth(SUBMIT_REJECTED_QUEUE), 0);
    works(&cluster, &mut amqp);
}

#[test]
fn garbage_among_the_workers_messages_is_put_away_and_stops_nothing() {
    let cluster = Cluster::named("bad-events")
        .plugins("NOOP=1")
        .expecting("put into taskmanager.events.rejected")
        .start();
    let mut amqp = cluster.amqp();
    let user = amqp.user().to_owned();
    let announcement = |worker: &str| {
        let offer = json!({"name": "EVIL", "title_en": "", "title_de": "", "needs_source": false,
            "needs_target": false, "needs_template": false, "slots": 1});
        json!({"version": 1, "kind": "announce", "worker_id": worker, "name": "x", "host": "x",
            "release": "0", "plugins": [offer], "draining": false, "checks": []})
        .to_string()
        .into_bytes()
    };
    let cases: Vec<(&str, Vec<u8>, bool, &str)> = vec![
        ("heartbeat", b"nonsense".to_vec(), true, "not a readable message"),
        ("heartbeat", nonsense(2_000_000), true, "not a readable message"),
        ("claim", b"{}".to_vec(), true, "not a readable message"),
        ("publish", b"\xff\xfe".to_vec(), true, "not a readable message"),
        (
            "result",
            br#"{"version":1,"kind":"result"}"#.to_vec(),
            true,
            "not a readable message",
        ),
        (
            "result",
            br#"{"version":99,"kind":"probe"}"#.to_vec(),
            true,
            "protocol version 99",
        ),
        (
            "claim",
            br#"{"version":1,"kind":"probe"}"#.to_vec(),
            true,
            "routing key",
        ),
        ("announce", announcement("evil/1"), false, "user_id is missing"),
        (
            "announce",
            announcement("evil\0"),
            true,
            "the database refuses it",
        ),
        ("heartbeat", b"nonsense".to_vec(), false, "user_id is missing"),
    ];
    for (kind, body, with_user, phrase) in cases {
        let mut message = Message::new(body);
        if with_user {
            message = message.with(|properties| properties.with_user_id(user.as_str().into()));
        }
        amqp.publish(EVENTS_EXCHANGE, &format!("{user}.{kind}"), message);
        let rejected = amqp.rejected(EVENTS_REJECTED_QUEUE);
        assert!(
            rejected.reason.contains(phrase),
            "{kind}: not \"{phrase}\": {}",
            rejected.reason
        );
    }
    works(&cluster, &mut amqp);
    assert_eq!(
        cluster.count("SELECT count(*) FROM plugins WHERE name = 'EVIL'"),
        0
    );
}

#[test]
fn a_submission_that_comes_twice_is_one_job() {
    let cluster = Cluster::named("duplicates").plugins("NOOP=2").start();
    let mut amqp = cluster.amqp();
    let named = |id: &str| {
        Message::from(&noop("same message")).with(|properties| properties.with_message_id(id.into()))
    };
    let first = amqp.ask(named("a"));
    let SubmitReply::Accepted { job_id } = first else {
        panic!("{first:?}")
    };
    assert_eq!(amqp.ask(named("a")), SubmitReply::Duplicate { job_id });
    cluster.wait_until_done(job_id);
    assert_eq!(
        amqp.ask(named("a")),
        SubmitReply::Duplicate { job_id },
        "also when the job has ended"
    );
    assert!(matches!(amqp.ask(named("b")), SubmitReply::Accepted { .. }));

    let step = |number: u32, milliseconds: u32| {
        json!({"plugin": "NOOP", "title": "same step", "process_id": 27, "step_id": number,
            "parameters": {"items": 1, "item_ms": milliseconds}})
    };
    let long = amqp.submit(&step(1, 600_000));
    assert_eq!(
        amqp.ask(&step(1, 600_000)),
        SubmitReply::Duplicate { job_id: long }
    );
    let quick = amqp.submit(&step(2, 0));
    cluster.wait_until_done(quick);
    assert_ne!(
        amqp.submit(&step(2, 0)),
        quick,
        "a step that is done may be done again"
    );
}

#[test]
fn two_equal_submissions_in_one_batch_are_one_job() {
    let mut cluster = Cluster::named("duplicate-batch").plugins("NOOP=2").start();
    let amqp = cluster.amqp();
    cluster.coordinator.terminate(LIMIT);
    let message = Message::from(&noop("twice")).with(|properties| properties.with_message_id("twice".into()));
    for _ in 0..3 {
        amqp.publish(SUBMIT_EXCHANGE, "x", message.clone());
    }
    cluster.coordinator.start_again();
    eventually(LIMIT, "the job is done", || {
        let done = cluster.count("SELECT count(*) FROM job_history");
        if done > 0 && amqp.depth(SUBMIT_QUEUE) == 0 {
            Ok(())
        } else {
            Err(format!("{done}"))
        }
    });
    let all = cluster.count("SELECT (SELECT count(*) FROM jobs) + (SELECT count(*) FROM job_history)");
    assert_eq!(all, 1);
}

#[test]
fn five_hundred_waiting_messages_are_recorded_in_a_few_transactions() {
    let mut cluster = Cluster::named("batch").plugins("NOOP=4").start();
    let amqp = cluster.amqp();
    cluster.coordinator.terminate(LIMIT);
    for number in 0..500 {
        amqp.publish(
            SUBMIT_EXCHANGE,
            "x",
            Message::from(&noop(&format!("job {number}"))),
        );
    }
    cluster.coordinator.start_again();
    eventually(LIMIT, "500 jobs recorded and done", || {
        let done = cluster.count("SELECT count(*) FROM job_history WHERE state = 'DONE'");
        if done == 500 {
            Ok(())
        } else {
            Err(format!("{done} done"))
        }
    });
    let titles = cluster.count("SELECT count(DISTINCT title) FROM job_history");
    assert_eq!(titles, 500, "some were recorded twice, others never");
    let api = cluster.api();
    let transactions = api
        .metric(
            "taskmanager_db_transactions_total",
            &["name=\"submit.record\"", "outcome=\"ok\""],
        )
        .unwrap();
    assert!(
        (1.0..=25.0).contains(&transactions),
        "{transactions} transactions for 500 jobs"
    );
    let submitted = api.metric("taskmanager_jobs_submitted_total", &[]).unwrap();
    assert!((submitted - 500.0).abs() < f64::EPSILON, "{submitted}");
}
