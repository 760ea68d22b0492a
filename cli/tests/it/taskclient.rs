//! `taskclient` against a stand-in for the coordinator: Goobi's contract with its scripts.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::program::Run;
use crate::stand_in::{Response, StandIn, nobody};

const ID: &str = "0198c0de-0000-7000-8000-000000000001";
/// A whole call but for the service's address.
const CALL: [&str; 12] = [
    "-i",
    "6519",
    "-gid",
    "27",
    "-T",
    "kochbuch_1884",
    "-t",
    "JP2",
    "-s",
    "/data/27/master",
    "-d",
    "/data/27",
];

fn accepted() -> Response {
    Response::json(200, &json!({"STATUS": "OK", "ID": 4711, "JOBID": ID}))
}

fn taskclient(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_taskclient"));
    command
        .env_clear()
        .env("TASKCLIENT_PATIENCE_SECONDS", "0")
        .args(arguments)
        .stdin(Stdio::null());
    command
}

fn finish(mut command: Command) -> Run {
    let output = command.output().unwrap();
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn run(arguments: &[&str]) -> Run {
    finish(taskclient(arguments))
}

/// The whole call to `server`, with `more`.
fn call<'a>(address: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["-itm", address], &CALL[..], more].concat()
}

fn service(server: &StandIn) -> String {
    format!("{}/itm/service", server.url())
}

#[test]
fn an_accepted_job_ends_with_zero_and_says_nothing_on_standard_error() {
    let server = StandIn::start(|_, _| accepted());
    run(&call(&service(&server), &["-tv_r", "http://vault/", "-p", "10"]))
        .gives(&format!("job 4711 ({ID}) is accepted\n"));
    let [request] = server.requests().try_into().unwrap();
    assert_eq!(request.line, "POST /itm/service");
    assert_eq!(request.header("content-type"), Some("application/json"));
    let expected = json!({"postOCR": "6519", "goobiId": "27", "goobiTitle": "kochbuch_1884", "jobtype": "JP2",
        "sourceDir": "/data/27/master", "targetDir": "/data/27", "tv_r": "http://vault/", "priority": 10});
    assert_eq!(request.json(), expected);
}

#[test]
fn with_e_an_accepted_job_ends_with_what_keeps_goobis_step_open() {
    let server = StandIn::start(|_, _| accepted());
    for flag in ["-e", "--returnError"] {
        let run = run(&call(&service(&server), &[flag]));
        assert_eq!((run.code, run.stderr.as_str()), (Some(99), ""));
        assert_eq!(
            run.stdout,
            format!("job 4711 ({ID}) is accepted; the step stays open\n")
        );
    }
}

#[test]
fn a_job_that_is_being_done_already_counts_as_accepted() {
    let known = json!({"STATUS": "ERROR", "ERRORMESSAGE": "Job already in DB, not adding it!", "JOBID": ID});
    let server = StandIn::start(move |_, _| Response::json(200, &known));
    run(&call(&service(&server), &[])).gives(&format!("job {ID} is being done already\n"));
    let kept_open = run(&call(&service(&server), &["-e"]));
    assert_eq!((kept_open.code, kept_open.stderr.as_str()), (Some(99), ""));
}

#[test]
fn a_refused_job_ends_with_one_and_all_that_is_wrong() {
    let why = "field \"source\": /etc is outside; template \"x\" is unknown";
    let refused = json!({"STATUS": "ERROR", "ERRORMESSAGE": why});
    let server = StandIn::start(move |_, _| Response::json(422, &refused));
    for more in [&[][..], &["-e"]] {
        run(&call(&service(&server), more)).fails(1, &["taskclient: the job is not accepted: ", why]);
    }
}

#[test]
fn wrong_options_end_with_two_and_nothing_is_sent() {
    let server = StandIn::start(|_, _| accepted());
    let address = service(&server);
    run(&call(&address, &["-q", "-p", "11"])).fails(2, &["option \"-q\" is unknown", "from 0 to 10"]);
    run(&CALL).fails(2, &["no service is named", "-itm http://HOST:8080/itm/service"]);
    run(&[]).fails(2, &["no service is named"]);
    let mut no_text = taskclient(&call(&address, &["-f"]));
    no_text.arg(OsStr::from_bytes(b"fraktur\xff"));
    finish(no_text).fails(2, &["not UTF-8"]);
    let mut impatient = taskclient(&call(&address, &[]));
    impatient.env("TASKCLIENT_PATIENCE_SECONDS", "soon");
    finish(impatient).fails(2, &["TASKCLIENT_PATIENCE_SECONDS", "soon"]);
    assert_eq!(server.lines(), [""; 0]);
}

#[test]
fn what_is_no_task_manager_is_told_as_such() {
    let page = || Response {
        status: 200,
        content_type: "text/html",
        body: "<html>Welcome</html>".to_owned(),
    };
    let server = StandIn::start(move |_, _| page());
    run(&call(&service(&server), &["-e"])).fails(1, &["as no task manager does", &service(&server)]);
    let nobody = format!("http://{}/itm/service", nobody());
    run(&call(&nobody, &["-e"])).fails(1, &["can't reach the task manager at", &nobody]);
    for wrong in ["localhost", "ftp://localhost/itm/service", "http://"] {
        run(&call(wrong, &[])).fails(1, &["is no address", wrong]);
    }
}

#[test]
fn a_service_that_restarts_is_asked_again_for_the_same_job() {
    let server = StandIn::start(|number, _| match number {
        0 => Response::json(
            503,
            &json!({"STATUS": "ERROR", "ERRORMESSAGE": "the database can't be reached"}),
        ),
        _ => accepted(),
    });
    // Without process or step: a key says that it is the same.
    let mut patient = taskclient(&["-itm", &service(&server), "-t", "JP2", "-T", "x"]);
    patient.env_remove("TASKCLIENT_PATIENCE_SECONDS");
    finish(patient).gives(&format!("job 4711 ({ID}) is accepted\n"));
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].body, requests[1].body);
    let key = requests[0].json()["idempotency_key"].as_str().unwrap().to_owned();
    // Another call is another job.
    assert_eq!(
        run(&["-itm", &service(&server), "-t", "JP2", "-T", "x"]).code,
        Some(0)
    );
    assert_ne!(server.requests()[2].json()["idempotency_key"], key);
}

#[test]
fn an_accepted_job_counts_although_nobody_listens() {
    let server = StandIn::start(|_, _| accepted());
    let mut command = taskclient(&call(&service(&server), &["-e"]));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    command.stdout(writer);
    let run = finish(command);
    assert_eq!((run.code, run.stderr.as_str()), (Some(99), ""));
}

#[test]
fn a_token_comes_from_a_file_and_a_file_that_is_not_there_is_named() {
    let server = StandIn::start(|_, _| accepted());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "tm_0123\nwhose it is\n").unwrap();
    let with = |file: &std::path::Path| {
        let mut command = taskclient(&call(&service(&server), &[]));
        command.env("TASKMANAGER_TOKEN_FILE", file);
        finish(command)
    };
    with(&file).gives(&format!("job 4711 ({ID}) is accepted\n"));
    assert_eq!(
        server.requests()[0].header("authorization"),
        Some("Bearer tm_0123")
    );
    let away = folder.path().join("away");
    with(&away).fails(2, &["the token can't be read from", "away"]);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn its_help_names_every_option() {
    let help = run(&["--help"]);
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!("taskclient", help.stdout) });
}
