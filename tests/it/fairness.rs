//! Who starts when: plugins never wait for each other, and a higher priority goes first.

use std::fs;

use serde_json::{Value, json};
use tests::{Cluster, LIMIT, eventually};

/// `wait`: runs until the file named by a parameter exists. `say`: is done at once.
const TEMPLATES: &str = r#"
[SHELL.wait]
command = ["sh", "-c", "until [ -e \"$1\" ]; do sleep 0.05; done", "sh", "{parameters.until}"]
[SHELL.say]
command = ["echo", "hello {title}"]
"#;

fn shell(template: &str, title: &str, parameters: &Value) -> Value {
    json!({"plugin": "SHELL", "template": template, "title": title, "parameters": parameters})
}

#[test]
fn jobs_of_one_plugin_never_wait_for_anothers() {
    let cluster = Cluster::named("plugins")
        .plugins("OCR=1,SHELL=1,NOOP=2")
        .templates(TEMPLATES)
        .start();
    let api = cluster.api();
    let endless =
        json!({"plugin": "NOOP", "title": "endless", "parameters": {"items": 1, "item_ms": 3_600_000}});
    for _ in 0..20 {
        api.submit(&endless);
    }
    let running = |state: &str| {
        cluster.count(&format!(
            "SELECT count(*) FROM jobs WHERE plugin = 'NOOP' AND state = '{state}'"
        ))
    };
    eventually(LIMIT, "both slots of NOOP in use", || {
        match running("PROCESSING") {
            2 => Ok(()),
            other => Err(other.to_string()),
        }
    });

    let volume = cluster.volume(1, "in between");
    let ocr = cluster.submit(&volume.goobi_message());
    let said = api.submit(&shell("say", "me", &json!({})));
    cluster.wait_until_done(said);
    cluster.wait_until_done(ocr);
    assert_eq!((running("PROCESSING"), running("QUEUED")), (2, 18));
    assert!(api.log(said).unwrap().contains(&"hello me".to_owned()));
}

#[test]
fn jobs_start_in_the_order_of_their_priority() {
    let cluster = Cluster::named("priority")
        .plugins("SHELL=1")
        .templates(TEMPLATES)
        .start();
    let gate = cluster.folder().join("gate");
    let mut amqp = cluster.amqp();
    let first = amqp.submit(&shell("wait", "holds the only slot", &json!({"until": gate})));
    cluster.wait_until(first, "runs", |job| job.state == "PROCESSING");

    // Every priority, in an order that is none.
    let priorities: Vec<i64> = (0..22).map(|number| number * 7 % 11).collect();
    for (number, priority) in priorities.iter().enumerate() {
        let mut job = shell("say", &format!("{number:02}"), &json!({}));
        job["priority"] = json!(priority);
        amqp.submit(&job);
    }
    eventually(LIMIT, "all jobs lie in the queue", || {
        let ready = amqp.depth("taskmanager.jobs.shell");
        if ready == 22 {
            Ok(())
        } else {
            Err(ready.to_string())
        }
    });
    fs::write(gate, "").unwrap();
    eventually(LIMIT, "all jobs done", || {
        let done = cluster.count("SELECT count(*) FROM job_history WHERE state = 'DONE'");
        if done == 23 { Ok(()) } else { Err(done.to_string()) }
    });

    let rows = cluster.sql(
        "SELECT title FROM job_history WHERE title ~ '^[0-9]' ORDER BY started_at",
        &[],
    );
    let started: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let mut expected: Vec<usize> = (0..22).collect();
    expected.sort_by_key(|number| (-priorities[*number], *number));
    let expected: Vec<String> = expected
        .into_iter()
        .map(|number| format!("{number:02}"))
        .collect();
    assert_eq!(started, expected);
}

#[test]
fn two_workers_share_the_jobs_of_a_plugin() {
    let mut cluster = Cluster::named("two-workers").plugins("NOOP=1").start();
    cluster.add_worker();
    let api = cluster.api();
    let job = json!({"plugin": "NOOP", "title": "long", "parameters": {"items": 1, "item_ms": 3_600_000}});
    let ids = [api.submit(&job), api.submit(&job)];
    let workers = ids.map(|id| {
        let job = cluster.wait_until(id, "runs", |job| job.state == "PROCESSING");
        job.attempts[0].worker_id.clone()
    });
    assert_ne!(workers[0], workers[1], "one worker has both jobs");
}
