//! Following jobs to their end.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::program::{run, taskmanager};
use crate::stand_in::{Response, StandIn};

const ID: &str = "0198c0de-0000-7000-8000-000000000001";
const OTHER: &str = "0198c0de-0000-7000-8000-000000000002";

fn job(id: &str, state: &str, items_done: u32) -> Value {
    json!({"id": id, "plugin": "OCR", "title": "Kochbuch", "state": state, "priority": 5,
           "percent": items_done * 25, "items_done": items_done, "items_failed": 0, "items_total": 4,
           "detail": "", "error": null, "started_at": "2026-07-01T06:14:33Z", "finished_at": null})
}

fn done() -> Value {
    let mut done = job(ID, "DONE", 4);
    done["finished_at"] = json!("2026-07-01T06:14:41.500Z");
    done
}

fn failed(state: &str, error: &str) -> Value {
    let mut failed = job(ID, state, 3);
    failed["error"] = json!(error);
    failed
}

/// A stand-in that tells one document after the other, and the last one for ever.
fn telling(documents: Vec<Value>) -> StandIn {
    StandIn::start(move |number, _| Response::json(200, &documents[number.min(documents.len() - 1)]))
}

#[test]
fn without_a_terminal_every_change_is_a_line() {
    let server = telling(vec![
        job(ID, "QUEUED", 0),
        job(ID, "QUEUED", 0),
        job(ID, "PROCESSING", 0),
        job(ID, "PROCESSING", 2),
        done(),
    ]);
    let run = run(&server.url(), &["wait", ID]);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(
        (run.code, run.stderr.as_str(), lines.len()),
        (Some(0), "", 4),
        "{}",
        run.stdout
    );
    assert_eq!(lines[0], "QUEUED: 0 of 4 pages");
    assert_eq!(lines[1], "0 of 4 pages");
    assert!(
        lines[2].starts_with("2 of 4 pages, ") && lines[2].ends_with(" s left"),
        "{}",
        lines[2]
    );
    assert_eq!(lines[3], "DONE: 4 of 4 pages in 8.5 s");
}

#[test]
fn json_is_one_document_a_change() {
    let server = telling(vec![
        job(ID, "PROCESSING", 0),
        job(ID, "PROCESSING", 0),
        job(ID, "PROCESSING", 1),
        done(),
    ]);
    let run = run(&server.url(), &["wait", "--json", ID]);
    let documents: Vec<Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let told: Vec<(&Value, &Value)> = documents
        .iter()
        .map(|document| (&document["state"], &document["items_done"]))
        .collect();
    let (processing, ended) = (json!("PROCESSING"), json!("DONE"));
    assert_eq!(
        told,
        [
            (&processing, &json!(0)),
            (&processing, &json!(1)),
            (&ended, &json!(4))
        ]
    );
    assert!(documents[1]["items_per_minute"].as_f64().unwrap() > 0.0);
    assert_eq!(run.code, Some(0));
}

#[test]
fn a_job_that_ends_badly_ends_the_command_with_one_and_its_reason_in_one_line() {
    let reason = "1 of 4 pages failed: 00000002.jpg is no image\nmore about it";
    let run_failed = run(&telling(vec![failed("ERROR", reason)]).url(), &["wait", ID]);
    assert_eq!(run_failed.code, Some(1));
    assert_eq!(
        run_failed.stderr,
        format!(
            "taskmanager: OCR job \"Kochbuch\" ({ID}) ended in ERROR: 1 of 4 pages failed: 00000002.jpg is no image\n"
        )
    );
    let run_cancelled = run(&telling(vec![failed("CANCELLED", "")]).url(), &["wait", ID]);
    assert_eq!(run_cancelled.code, Some(1));
    assert_eq!(
        run_cancelled.stderr,
        format!("taskmanager: OCR job \"Kochbuch\" ({ID}) was cancelled\n")
    );
}

#[test]
fn of_several_jobs_one_bad_end_decides_after_all_have_ended() {
    let server = StandIn::start(|number, request| {
        let state = if number < 2 { "PROCESSING" } else { "DONE" };
        let document = if request.line.ends_with(OTHER) {
            job(OTHER, state, 1)
        } else {
            failed("ERROR", "no space left")
        };
        Response::json(200, &document)
    });
    let run = run(&server.url(), &["wait", ID, OTHER, ID]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("no space left"), "{}", run.stderr);
    assert!(
        run.stdout.ends_with("Kochbuch: DONE: 1 of 4 pages\n"),
        "{}",
        run.stdout
    );
    let asked = |id: &str| server.lines().iter().filter(|line| line.ends_with(id)).count();
    assert_eq!(
        (asked(ID), asked(OTHER)),
        (1, 2),
        "an ended job, or one named twice, is asked for once"
    );
}

#[test]
fn with_a_timeout_it_gives_up_and_says_how_far_the_job_is() {
    let server = telling(vec![job(ID, "PROCESSING", 2)]);
    let run = run(&server.url(), &["wait", ID, "--timeout", "1"]);
    assert_eq!(run.code, Some(2));
    assert_eq!(
        run.stderr,
        format!("taskmanager: gave up after 1.0 s: job {ID} is PROCESSING (2 of 4 pages)\n")
    );
}

#[test]
fn an_unknown_job_is_no_reason_to_wait() {
    let server = StandIn::start(|_, _| Response::problem(404, "there is no such job"));
    run(&server.url(), &["wait", ID]).fails(2, &["there is no such job"]);
}

fn spawn(url: &str, arguments: &[&str]) -> (Child, BufReader<std::process::ChildStderr>) {
    let mut child = taskmanager(url, arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    (child, stderr)
}

fn line(reader: &mut impl BufRead) -> String {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    line
}

#[test]
fn a_restart_of_the_coordinator_is_waited_out_and_told_once() {
    let first = telling(vec![job(ID, "PROCESSING", 1)]);
    let (address, url) = (first.address(), first.url());
    let (mut child, mut stderr) = spawn(&url, &["wait", ID]);
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(line(&mut stdout), "1 of 4 pages\n");
    drop(first);
    // Which words stand in brackets depends on the moment: refused, or closed while it was being opened.
    let told = line(&mut stderr);
    assert!(
        told.starts_with(&format!(
            "taskmanager: the coordinator at {url} does not answer ("
        )),
        "{told}"
    );
    assert!(told.ends_with("): trying until it does\n"), "{told}");
    // It is back, its database not yet; then all is well.
    let second = StandIn::start_at(address, |number, _| {
        if number == 0 {
            Response::problem(503, "no database")
        } else {
            Response::json(200, &done())
        }
    });
    assert_eq!(line(&mut stdout), "DONE: 4 of 4 pages in 8.5 s\n");
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert_eq!(
        rest,
        format!("taskmanager: the coordinator at {url} answers again\n")
    );
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(second.lines().len() >= 2);
}

#[test]
fn an_absence_that_outlasts_the_timeout_ends_the_waiting() {
    let server = telling(vec![job(ID, "PROCESSING", 1)]);
    let (mut child, mut stderr) = spawn(&server.url(), &["wait", ID, "--timeout", "2"]);
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(line(&mut stdout), "1 of 4 pages\n");
    drop(server);
    assert!(line(&mut stderr).contains("does not answer"));
    assert!(line(&mut stderr).contains("gave up after 2.0 s"));
    assert_eq!(child.wait().unwrap().code(), Some(2));
}

#[test]
fn an_interrupt_ends_it_at_once() {
    let server = telling(vec![job(ID, "PROCESSING", 1)]);
    let (mut child, _stderr) = spawn(&server.url(), &["wait", ID]);
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(line(&mut stdout), "1 of 4 pages\n");
    let id = child.id().to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    let status = child.wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(2));
}
