use serde_json::json;
use shared::job::decide::ErrorClass;
use worker::plugin::{AttemptError, Plugin};
use worker::plugins::shell::Shell;

use crate::fixture::{Job, failure, log, processes_in, settings};

fn shell() -> Shell {
    Shell::new(1, settings().wrapper)
}

#[tokio::test]
async fn a_command_runs_with_the_jobs_folders_and_its_output_is_the_log() {
    let job = Job::new("SHELL", json!({"name": "copy of a.txt"})).with_template(
        json!({"command": ["cp", "-v", "--", "{source}/a.txt", "{target}/{parameters.name}"]}),
    );
    std::fs::write(job.source("a.txt"), "content").unwrap();
    let attempt = job.attempt(Vec::new());
    let finished = shell().run(&attempt).await.unwrap();
    assert_eq!(
        std::fs::read_to_string(job.target("copy of a.txt")).unwrap(),
        "content"
    );
    assert!(finished.files.is_empty(), "it writes to the target itself");
    assert!(log(&attempt)[0].contains("copy of a.txt"), "{:?}", log(&attempt));
}

#[tokio::test]
async fn a_source_on_object_storage_is_for_the_command_the_folder_that_it_was_fetched_into() {
    let job = Job::new("SHELL", json!({})).with_template(json!({"command": ["cat", "{source}/a.txt"]}));
    let mut attempt = job.attempt(Vec::new());
    attempt.grant.source = Some("s3://scans/27".to_owned());
    std::fs::create_dir(attempt.scratch.join("input")).unwrap();
    std::fs::write(attempt.scratch.join("input/a.txt"), "fetched").unwrap();
    shell().run(&attempt).await.unwrap();
    assert_eq!(log(&attempt), ["fetched"]);
}

#[tokio::test]
async fn another_exit_code_is_a_retryable_failure_with_the_last_line_of_the_error_output() {
    let job = Job::new("SHELL", json!({})).with_template(json!({"command": ["ls", "{source}/missing"]}));
    let Err(AttemptError::Failed {
        class,
        message,
        exit_code,
    }) = shell().run(&job.attempt(Vec::new())).await
    else {
        panic!("it can't succeed")
    };
    assert_eq!((class, exit_code), (ErrorClass::Retryable, Some(2)));
    assert!(
        message.starts_with("ls ended with exit code 2: ") && message.contains("missing"),
        "{message}"
    );
}

#[tokio::test]
async fn nothing_a_submitter_sends_becomes_the_command_or_passes_through_a_shell() {
    let parameters = json!({"command": ["touch", "/tmp/x"], "text": "$(touch x); touch y | touch z"});
    let job = Job::new("SHELL", parameters).with_template(json!({"command": ["echo", "{parameters.text}"]}));
    let attempt = job.attempt(Vec::new());
    shell().run(&attempt).await.unwrap();
    assert_eq!(log(&attempt), ["$(touch x); touch y | touch z"]);
    assert_eq!(std::fs::read_dir(&attempt.scratch).unwrap().count(), 0);
    let without = Job::new("SHELL", json!({"command": ["true"]}));
    let (class, message) = failure(shell().run(&without.attempt(Vec::new())).await.unwrap_err());
    assert_eq!(class, ErrorClass::Permanent);
    assert!(message.contains("needs a template"), "{message}");
}

#[tokio::test]
async fn a_wrong_template_is_a_permanent_failure_that_names_it() {
    for (template, said) in [
        (
            json!({"command": ["echo", "{nonsense}"]}),
            "unknown placeholder {nonsense}",
        ),
        (json!({"comand": ["echo"]}), "command must be an array"),
        (
            json!({"command": ["echo"], "timeout_seconds": "soon"}),
            "timeout_seconds is \"soon\"",
        ),
    ] {
        let job = Job::new("SHELL", json!({})).with_template(template);
        let (class, message) = failure(shell().run(&job.attempt(Vec::new())).await.unwrap_err());
        assert_eq!(class, ErrorClass::Permanent);
        assert!(
            message.starts_with("template \"test-template\" of SHELL: ") && message.contains(said),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_ended_with_its_children() {
    let job = Job::new("SHELL", json!({}))
        .with_template(json!({"command": ["sh", "-c", "sleep 600 & sleep 600"], "timeout_seconds": 1}));
    let attempt = job.attempt(Vec::new());
    let (class, message) = failure(shell().run(&attempt).await.unwrap_err());
    assert_eq!(class, ErrorClass::Retryable);
    assert!(message.contains("longer than 1 s"), "{message}");
    assert!(processes_in(&attempt.scratch).is_empty());
}

#[tokio::test]
async fn a_missing_program_is_named() {
    let job = Job::new("SHELL", json!({})).with_template(json!({"command": ["no-such-program"]}));
    let (_, message) = failure(shell().run(&job.attempt(Vec::new())).await.unwrap_err());
    assert!(message.contains("no-such-program is not installed"), "{message}");
}

#[tokio::test]
async fn the_process_tree_ends_with_the_job() {
    let job = Job::new("SHELL", json!({}))
        .with_template(json!({"command": ["sh", "-c", "setsid sleep 600 & echo started; wait"]}));
    let attempt = job.attempt(Vec::new());
    let shell = shell();
    let (outcome, ()) = tokio::join!(shell.run(&attempt), async {
        while log(&attempt).is_empty() {
            tokio::task::yield_now().await;
        }
        assert!(!processes_in(&attempt.scratch).is_empty());
        attempt.stop.cancel();
    });
    assert_eq!(outcome, Err(AttemptError::Stopped));
    assert!(processes_in(&attempt.scratch).is_empty());
}
