//! Coming in with a token, and looking after users and tokens.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use serde_json::json;

use crate::program::{run, taskmanager};
use crate::stand_in::{Response, StandIn};

#[test]
fn a_token_from_the_environment_or_a_file_goes_along_with_each_request_and_nowhere_else() {
    let server = StandIn::start(|_, _| Response::json(200, &json!({"jobs": [], "next": null})));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, "tm_from_file\n").unwrap();
    for (name, value, header) in [
        ("TASKMANAGER_TOKEN", "tm_direct", Some("Bearer tm_direct")),
        (
            "TASKMANAGER_TOKEN_FILE",
            file.to_str().unwrap(),
            Some("Bearer tm_from_file"),
        ),
        ("TASKMANAGER_NOTHING", "", None),
    ] {
        let before = server.requests().len();
        let output = taskmanager(&server.url(), &["list"])
            .env(name, value)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(server.requests()[before].header("authorization"), header);
        assert!(!format!("{output:?}").contains("tm_"));
    }
    let nowhere = taskmanager("http://127.0.0.1:1", &["list"])
        .env("TASKMANAGER_TOKEN", "tm_secret")
        .output()
        .unwrap();
    assert!(!nowhere.status.success() && !format!("{nowhere:?}").contains("tm_secret"));
}

#[test]
fn without_a_token_the_answer_says_what_to_do() {
    let server = StandIn::start(|_, _| Response::problem(401, "log in, or send a token"));
    run(&server.url(), &["list"]).fails(2, &["TASKMANAGER_TOKEN_FILE"]);
}

#[test]
fn a_user_is_added_with_a_password_that_is_no_argument() {
    let server = StandIn::start(|_, _| Response::json(200, &json!({"outcome": "done"})));
    let arguments = ["user", "add", "anna", "--role", "operator", "--plugin", "ocr,jp2"];
    let mut command = taskmanager(&server.url(), &arguments);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"vier alte Seiten\n")
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "anna: added\n");
    assert_eq!(
        server.requests()[0].json(),
        json!({"action": "add_user", "name": "anna", "role": "operator", "plugins": ["OCR", "JP2"],
               "password": "vier alte Seiten"})
    );
    run(&server.url(), &["user", "set-password", "anna"]).fails(2, &["no password"]);
}

#[test]
fn a_new_token_is_all_that_is_printed() {
    let server = StandIn::start(|_, _| Response::json(200, &json!({"outcome": "done", "token": "tm_0123"})));
    run(&server.url(), &["token", "add", "Goobi", "--role", "submitter"]).gives("tm_0123\n");
    assert_eq!(
        server.requests()[0].json(),
        json!({"action": "add_token", "title": "Goobi", "role": "submitter", "days": 365})
    );
}
