//! When something is not as it should be.

use std::io::Read;
use std::process::Stdio;
use std::sync::mpsc;

use serde_json::json;

use crate::program::{run, taskmanager};
use crate::stand_in::{Response, StandIn, nobody};

const ID: &str = "0198c0de-0000-7000-8000-000000000001";

#[test]
fn an_unreachable_coordinator_is_told_in_one_line_with_what_to_do() {
    let url = format!("http://{}", nobody());
    for arguments in [
        &["list"][..],
        &["show", ID],
        &["wait", ID],
        &["plugins"],
        &["submit", "-t", "A", "-T", "x"],
    ] {
        run(&url, arguments).fails(2, &[&url, "connection refused", "cargo xtask up", "--server"]);
    }
}

#[test]
fn wrong_usage_ends_with_two() {
    for arguments in [
        &["wait"][..],
        &["wait", "7"],
        &["list", "--limit", "0"],
        &["submit"],
        &["--server", "x", "list"],
    ] {
        let run = run("http://127.0.0.1:1", arguments);
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (Some(2), ""),
            "{arguments:?}: {}",
            run.stderr
        );
    }
}

#[test]
fn another_program_at_the_address_is_recognised() {
    let server = StandIn::start(|_, _| Response {
        status: 200,
        content_type: "text/html",
        body: "<html>Welcome to nginx!</html>".to_owned(),
    });
    run(&server.url(), &["list"]).fails(2, &["in a way that no coordinator does", "check --server"]);
}

#[test]
fn a_proxy_in_the_environment_does_not_stand_before_this_machine() {
    let server = StandIn::start(|_, _| Response::json(200, &json!({"jobs": [], "next": null})));
    let output = taskmanager(&server.url(), &["list"])
        .env("http_proxy", "http://127.0.0.1:1")
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "No unfinished jobs.\n");
}

#[test]
fn a_reader_that_has_gone_ends_the_program_quietly() {
    let (gone, wait_until_gone) = mpsc::channel::<()>();
    let server = StandIn::start(move |_, _| {
        wait_until_gone.recv().unwrap();
        Response::json(200, &json!({"jobs": [], "next": null}))
    });
    let mut child = taskmanager(&server.url(), &["list"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    gone.send(()).unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(141), ""));
}
