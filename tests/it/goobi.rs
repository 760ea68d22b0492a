//! Tickets from Goobi's message broker: each is one job, and Goobi is told once how it has ended.

use serde_json::{Value, json};
use shared::amqp::topology::SUBMIT_REJECTED_QUEUE;
use shared::failpoint::Failpoint;
use tests::{Builder, Cluster, Job, LIMIT, eventually};

/// What must stand nowhere in the clear.
const SECRET: &str = "eyJhbGciOiJIUzI1NiJ9.tm-s3cret";

/// A coordinator that takes Goobi's tickets, and a template with which NOOP fails.
fn cluster(name: &str) -> Builder {
    Cluster::named(name)
        .plugins("NOOP=1")
        .templates("[NOOP.three]\nitems = 3\n[NOOP.failing]\nfail = \"permanent\"\n")
        .goobi()
}

fn ticket(step: u32, script: &Value) -> String {
    json!({"processId": 27, "stepId": step, "stepName": "OCR", "jwt": SECRET, "restJwt": SECRET,
        "scriptNames": ["OCR"], "scripts": [script], "numberOfObjects": 0})
    .to_string()
}

fn noop(title: &str, template: &str) -> Value {
    json!([
        "/usr/local/bin/taskclient",
        "-t",
        "NOOP",
        "-T",
        title,
        "-n",
        template,
        "-tv_r",
        "vault"
    ])
}

/// The job with this title, once it has ended.
fn ended(cluster: &Cluster, title: &str) -> Job {
    let id = eventually(LIMIT, &format!("a job {title} that has ended"), || {
        let rows = cluster.sql("SELECT id FROM job_history WHERE title = $1", &[&title]);
        rows.first()
            .map(|row| shared::job::JobId(row.get(0)))
            .ok_or_else(|| "there is none".to_owned())
    });
    cluster.api().job(id).unwrap()
}

/// What was told is in the queue, and nothing else.
fn told(cluster: &Cluster, step: u32, log_type: &str, words: &str, status: &str, objects: u32) {
    let journal = cluster.told_goobi();
    assert_eq!(
        (
            &journal["command"],
            &journal["processId"],
            &journal["stepId"],
            &journal["logType"],
            &journal["jwt"]
        ),
        (
            &json!("addToProcessJournal"),
            &json!(27),
            &json!(step),
            &json!(log_type),
            &json!(SECRET)
        )
    );
    let content = journal["content"].as_str().unwrap();
    assert!(content.contains(words), "{words} is not in {content}");
    let end = json!({"command": "changeStep", "processId": 27, "stepId": step, "stepName": "OCR", "jwt": SECRET,
        "newStatus": status, "numberOfObjects": objects});
    assert_eq!(cluster.told_goobi(), end);
}

fn stands_nowhere_in_the_clear(cluster: &Cluster) {
    for table in [
        "jobs",
        "job_details",
        "job_history",
        "deliveries",
        "attempts",
        "idempotency_keys",
        "audit_log",
    ] {
        let found = cluster.sql(&format!("SELECT t::text FROM {table} t"), &[]);
        for row in found {
            let text: String = row.get(0);
            assert!(!text.contains("tm-s3cret"), "{table}: {text}");
        }
    }
    assert!(!cluster.coordinator.log().contains("tm-s3cret"));
}

#[test]
fn a_ticket_is_a_job_and_goobi_is_told_how_it_has_ended() {
    let cluster = cluster("goobi").start();
    cluster.give_ticket("ID:1", ticket(6519, &noop("book", "three")));
    let job = ended(&cluster, "book");
    assert_eq!(job.state, "DONE", "{:?}", job.error);
    told(&cluster, 6519, "info", "NOOP finished: 3 of 3 pages", "done", 3);
    let document = cluster.api().json(&format!("/api/v1/jobs/{}", job.id)).unwrap();
    for (field, value) in [
        ("process_id", "27"),
        ("step_id", "6519"),
        ("step_name", "OCR"),
        ("submitted_by", "goobi"),
    ] {
        assert_eq!(document[field], value, "{field}");
    }
    assert_eq!(document["extra"]["tv_r"], "vault");

    cluster.give_ticket("ID:2", ticket(6520, &noop("bad book", "failing")));
    assert_eq!(ended(&cluster, "bad book").state, "ERROR");
    told(&cluster, 6520, "error", "NOOP failed: ", "error", 0);
    let all = "SELECT count(*) FROM deliveries WHERE state = 'delivered' AND tries = 1 AND token IS NULL";
    eventually(LIMIT, "four deliveries", || match cluster.count(all) {
        4 => Ok(()),
        other => Err(other.to_string()),
    });
    assert_eq!((cluster.unread_by_goobi(), cluster.waiting_tickets()), (0, 0));
    stands_nowhere_in_the_clear(&cluster);
    let doctor = cluster.api().json("/api/v1/doctor").unwrap();
    let check = doctor["checks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|check| check["name"] == "goobi's tickets");
    assert_eq!(check.unwrap()["ok"], true, "{doctor}");
}

#[test]
fn a_bad_ticket_is_put_away_goobi_is_told_and_the_next_one_is_done() {
    let cluster = cluster("goobi-bad")
        .expecting("is put into taskmanager.submit.rejected")
        .start();
    let amqp = cluster.amqp();
    let of_a_step = [
        (json!(["/bin/sh", "-c", "rm"]), "does not call taskclient"),
        (json!(["taskclient", "-t", "MAGIC"]), "plugin MAGIC is unknown"),
        (
            json!(["taskclient", "-t", "NOOP", "-q"]),
            "option \"-q\" is unknown",
        ),
        (
            json!(["taskclient", "-t", "NOOP", "-s", "/etc"]),
            "field \"source\"",
        ),
        (
            json!(["taskclient", "-t", "NOOP", "-callback_url", "http://evil/"]),
            "option -callback_url",
        ),
        (json!(["taskclient", "-t", "NOOP", "-T", "a\u{0}b"]), "NUL"),
    ];
    for (step, (script, words)) in (1..).zip(of_a_step) {
        cluster.give_ticket("", ticket(step, &script));
        let rejected = amqp.rejected(SUBMIT_REJECTED_QUEUE);
        assert!(
            rejected.reason.contains(words),
            "{words} is not in {}",
            rejected.reason
        );
        let kept = String::from_utf8(rejected.body).unwrap();
        assert!(kept.contains("scripts") && !kept.contains("tm-s3cret"), "{kept}");
        told(&cluster, step, "error", words, "error", 0);
    }
    // Of these nobody knows whose they are.
    let of_nobody: [(Vec<u8>, &str); 6] = [
        (b"".to_vec(), "not valid JSON"),
        (b"\xff\x00\xfe".to_vec(), "not valid JSON"),
        (format!("{{\"jwt\": \"{SECRET}\"").into_bytes(), "not valid JSON"),
        (b"[".repeat(100_000), "not valid JSON"),
        (
            ticket(0, &noop("x", "three")).into_bytes(),
            "\"processId\" and \"stepId\" must be whole numbers",
        ),
        (vec![b'x'; 3_000_000], "larger than"),
    ];
    for (body, words) in of_nobody {
        cluster.give_ticket("", body);
        let rejected = amqp.rejected(SUBMIT_REJECTED_QUEUE);
        assert!(
            rejected.reason.contains(words),
            "{words} is not in {}",
            rejected.reason
        );
        let kept = String::from_utf8_lossy(&rejected.body);
        assert!(
            rejected.body.len() <= 64 * 1024 && !kept.contains("tm-s3cret"),
            "{kept}"
        );
    }
    cluster.give_ticket("", ticket(9, &noop("good", "three")));
    assert_eq!(ended(&cluster, "good").state, "DONE");
    told(&cluster, 9, "info", "finished", "done", 3);
    assert_eq!(
        (cluster.unread_by_goobi(), amqp.depth(SUBMIT_REJECTED_QUEUE)),
        (0, 0)
    );
    stands_nowhere_in_the_clear(&cluster);
}

#[test]
fn a_ticket_is_one_job_although_the_coordinator_dies_before_it_acknowledges() {
    let mut cluster = cluster("goobi-death")
        .failpoints()
        .expecting("without an answer")
        .expecting("no answer to a claim")
        .expecting("has no answer yet")
        .expecting("will be sent again")
        .start();
    cluster.arm(Failpoint::TicketBeforeAck);
    cluster.give_ticket("ID:goobi:1", ticket(6519, &noop("once", "three")));
    cluster.coordinator_dies_at(Failpoint::TicketBeforeAck);
    let recorded = "SELECT count(*) FROM (SELECT id FROM jobs UNION SELECT id FROM job_history) AS job";
    assert_eq!(cluster.count(recorded), 1);
    cluster.coordinator.start_again();
    // It comes again, also when its job has ended meanwhile, and is recognised.
    eventually(LIMIT, "the ticket's second coming", || {
        match cluster.api().metric("taskmanager_jobs_duplicate_total", &[])? {
            found if (found - 1.0).abs() < f64::EPSILON => Ok(()),
            other => Err(other.to_string()),
        }
    });
    assert_eq!(ended(&cluster, "once").state, "DONE");
    told(&cluster, 6519, "info", "finished", "done", 3);
    assert_eq!(cluster.count(recorded), 1);
    assert_eq!((cluster.unread_by_goobi(), cluster.waiting_tickets()), (0, 0));
}

#[test]
fn goobis_broker_may_go_away_and_come_back() {
    let mut cluster = cluster("goobi-away")
        .expecting("to RabbitMQ at")
        .expecting("without an answer")
        .expecting("no answer yet")
        .expecting("tickets of Goobi at")
        .start();
    cluster.give_ticket("ID:1", ticket(1, &noop("before", "three")));
    ended(&cluster, "before");
    told(&cluster, 1, "info", "finished", "done", 3);
    // In order: killed, it would forget that what it has just handed to this test was taken.
    cluster.rabbitmq().stop().unwrap();
    eventually(LIMIT, "the doctor's word", || {
        let doctor = cluster.api().json("/api/v1/doctor")?;
        let checks = doctor["checks"].as_array().ok_or("no checks")?;
        let check = checks.iter().find(|check| check["name"] == "goobi's tickets");
        match check.map(|check| &check["ok"]) {
            Some(Value::Bool(false)) => Ok(()),
            _ => Err(doctor.to_string()),
        }
    });
    cluster.rabbitmq().restart().unwrap();
    cluster.give_ticket("ID:2", ticket(2, &noop("after", "three")));
    assert_eq!(ended(&cluster, "after").state, "DONE");
    told(&cluster, 2, "info", "finished", "done", 3);
}
