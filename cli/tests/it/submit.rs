//! Handing jobs over.

use std::io::Write;
use std::process::Stdio;

use serde_json::json;

use crate::program::{run, taskmanager};
use crate::stand_in::{Response, StandIn};

const ID: &str = "0198c0de-0000-7000-8000-000000000001";

fn accepting() -> StandIn {
    StandIn::start(|_, _| Response::json(201, &json!({"version": 1, "status": "accepted", "job_id": ID})))
}

#[test]
fn an_accepted_job_gives_its_id_and_nothing_else() {
    let server = accepting();
    run(
        &server.url(),
        &[
            "submit", "-t", "OCR", "-T", "Kochbuch", "-s", "/in", "-d", "/out", "--param", "dpi=300",
        ],
    )
    .gives(&format!("{ID}\n"));
    let [request] = server.requests().try_into().unwrap();
    assert_eq!(request.line, "POST /api/v1/jobs");
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(
        request.json(),
        json!({"version": 1, "plugin": "OCR", "title": "Kochbuch", "source": "/in", "target": "/out",
               "parameters": {"dpi": 300}})
    );
}

#[test]
fn a_job_that_is_known_gives_its_id_and_a_note() {
    let server = StandIn::start(|_, _| {
        Response::json(200, &json!({"version": 1, "status": "duplicate", "job_id": ID}))
    });
    let run = run(&server.url(), &["submit", "-t", "OCR", "-T", "x", "--key", "k1"]);
    assert_eq!((run.code, run.stdout), (Some(0), format!("{ID}\n")));
    assert_eq!(
        run.stderr,
        format!("taskmanager: already known: job {ID} was submitted before\n")
    );
    assert_eq!(server.requests()[0].json()["idempotency_key"], "k1");
}

#[test]
fn a_refused_job_ends_with_one_and_the_coordinators_reason() {
    let server =
        StandIn::start(|_, _| Response::problem(422, "no plugin is called \"OCX\"; there are NOOP, OCR"));
    run(&server.url(), &["submit", "-t", "OCX", "-T", "x"]).fails(
        1,
        &["the job was not accepted: no plugin is called \"OCX\"; there are NOOP, OCR"],
    );
}

#[test]
fn a_file_is_sent_as_it_is_with_the_key_beside_it() {
    let server = accepting();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("job.json");
    let body = "{ \"jobtype\":\"OCR\",  \"goobiId\": 27 }\n";
    std::fs::write(&file, body).unwrap();
    run(
        &server.url(),
        &["submit", "--file", file.to_str().unwrap(), "--key", "k 1"],
    )
    .gives(&format!("{ID}\n"));
    let [request] = server.requests().try_into().unwrap();
    assert_eq!(request.body, body.as_bytes());
    assert_eq!(request.header("idempotency-key"), Some("k 1"));
}

#[test]
fn standard_input_is_sent_as_it_is_and_json_is_the_coordinators_answer() {
    let server = accepting();
    let mut child = taskmanager(&server.url(), &["submit", "--file", "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"not even JSON \xff")
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(server.requests()[0].body, b"not even JSON \xff");
    let line = String::from_utf8(output.stdout).unwrap();
    assert_eq!(line.lines().count(), 1);
    let answer: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(answer, json!({"version": 1, "status": "accepted", "job_id": ID}));
}

#[test]
fn a_missing_file_is_named() {
    run("http://127.0.0.1:1", &["submit", "--file", "/nowhere/job.json"])
        .fails(2, &["can't read the job from /nowhere/job.json", "No such file"]);
}

#[test]
fn with_wait_the_id_comes_first_and_the_end_decides() {
    let server = StandIn::start(|_, request| match request.line.split(' ').next() {
        Some("POST") => Response::json(201, &json!({"version": 1, "status": "accepted", "job_id": ID})),
        _ => Response::json(
            200,
            &json!({"id": ID, "plugin": "OCR", "title": "x", "state": "DONE", "items_done": 1, "items_total": 1}),
        ),
    });
    run(&server.url(), &["submit", "-t", "OCR", "-T", "x", "--wait"])
        .gives(&format!("{ID}\nDONE: 1 of 1 page\n"));
    assert_eq!(
        server.lines(),
        ["POST /api/v1/jobs".to_owned(), format!("GET /api/v1/jobs/{ID}")]
    );
}

#[test]
fn an_answer_that_did_not_come_says_how_to_go_on_safely() {
    // A listener that takes connections and closes them without a word.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let closing = std::thread::spawn(move || {
        for _ in 0..2 {
            let mut stream = listener.accept().unwrap().0;
            let mut head = [0; 16];
            std::io::Read::read_exact(&mut stream, &mut head).unwrap();
        }
    });
    run(&url, &["submit", "-t", "OCR", "-T", "x"]).fails(2, &["may have been recorded", "taskmanager list"]);
    run(&url, &["submit", "-t", "OCR", "-T", "x", "--key", "k"])
        .fails(2, &["with the same --key it is the same job"]);
    closing.join().unwrap();
}
