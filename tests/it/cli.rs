//! The command line program against the real system.

use std::process::Command;

use serde_json::{Value, json};
use shared::job::JobId;
use tests::{Cluster, Volume};

/// What a run left behind.
#[derive(Debug)]
struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn run(mut command: Command) -> Run {
    let output = command.output().unwrap();
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Run {
    #[track_caller]
    fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    #[track_caller]
    fn json(self) -> Value {
        serde_json::from_str(&self.ok()).unwrap()
    }
}

fn submit_ocr(cluster: &Cluster, volume: &Volume) -> Run {
    let (source, target) = (volume.source.to_str().unwrap(), volume.target.to_str().unwrap());
    run(cluster.taskmanager(&[
        "submit",
        "--plugin",
        "OCR",
        "--title",
        &volume.title,
        "--source",
        source,
        "--target",
        target,
        "--language",
        "eng",
        "--priority",
        "7",
        "--process-id",
        "27",
        "--wait",
    ]))
}

#[test]
fn a_job_is_submitted_followed_and_shown_from_the_command_line() {
    let cluster = Cluster::named("cli")
        .plugins("OCR=1,NOOP=1")
        .one_page_at_a_time()
        .start();
    let volume = cluster.volume(27, "from the shell");
    let submitted = submit_ocr(&cluster, &volume);
    let (said, progress) = (submitted.stdout.clone(), submitted.stderr.clone());
    let id: JobId = submitted.ok().lines().next().unwrap().parse().unwrap();
    assert!(
        format!("{said}{progress}").contains("of 4 pages"),
        "no progress: {said} {progress}"
    );
    assert_eq!(cluster.api().job(id).unwrap().state, "DONE");

    let id = id.to_string();
    let shown = run(cluster.taskmanager(&["show", &id, "--log"])).ok();
    for text in ["DONE", "from the shell", "00000004.jpg", "tesseract"] {
        assert!(shown.contains(text), "\"{text}\" is not in\n{shown}");
    }
    assert_eq!(
        run(cluster.taskmanager(&["show", &id, "--json"])).json()["priority"],
        7
    );
    let listed = run(cluster.taskmanager(&["list", "--tab", "done"])).ok();
    assert!(listed.contains("from the shell"), "{listed}");
    assert_eq!(
        run(cluster.taskmanager(&["list", "--json"])).json()["jobs"],
        json!([])
    );
    let plugins = run(cluster.taskmanager(&["plugins"])).ok();
    assert!(plugins.contains("OCR") && plugins.contains("NOOP"), "{plugins}");
    let waited = run(cluster.taskmanager(&["wait", &id, "--json"])).ok();
    let last: Value = serde_json::from_str(waited.lines().last().unwrap()).unwrap();
    assert_eq!(last["state"], "DONE", "{waited}");
}

#[test]
fn a_failed_job_and_a_refused_one_end_with_exit_code_1_and_the_reason() {
    let cluster = Cluster::named("cli-failure").plugins("NOOP=1").start();
    let failing = [
        "submit",
        "-t",
        "NOOP",
        "-T",
        "x",
        "--param",
        "fail=permanent",
        "--wait",
    ];
    let failed = run(cluster.taskmanager(&failing));
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.stderr.contains("parameter \"fail\" says so"), "{failed:?}");

    let refused = run(cluster.taskmanager(&["submit", "-t", "MAGIC", "-T", "x"]));
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("plugin MAGIC is unknown"), "{refused:?}");
}

#[test]
fn the_doctor_finds_nothing_wrong_with_a_whole_system_and_says_what_to_do_about_a_stopped_broker() {
    let mut cluster = Cluster::named("doctor")
        .private_postgres()
        .private_rabbitmq()
        .expecting("to RabbitMQ at")
        .expecting("answer")
        .start();
    // Right after the start some queues may still be being made.
    let healthy = tests::eventually(tests::LIMIT, "a healthy system", || {
        let run = run(cluster.taskmanager(&["doctor"]));
        if run.code == Some(0) {
            Ok(run)
        } else {
            Err(format!("{run:?}"))
        }
    });
    assert!(!healthy.stdout.contains('✗'), "{healthy:?}");
    for text in [
        "database",
        "broker",
        "tesseract",
        "language deu",
        "pdfunite",
        "plugin OCR",
    ] {
        assert!(
            healthy.stdout.contains(text),
            "\"{text}\" was not looked at:\n{}",
            healthy.stdout
        );
    }

    cluster.rabbitmq().stop().unwrap();
    tests::eventually(tests::LIMIT, "the coordinator has noticed", || {
        let said = cluster.api().json("/readyz")?;
        if said["findings"].to_string().contains("RabbitMQ is not connected") {
            Ok(())
        } else {
            Err(said.to_string())
        }
    });
    let ill = run(cluster.taskmanager(&["doctor"]));
    assert_eq!(ill.code, Some(1), "{ill:?}");
    let finding = ill
        .stdout
        .lines()
        .find(|line| line.contains('✗') && line.contains("broker"));
    let finding = finding.unwrap_or_else(|| panic!("nothing is said about the broker: {ill:?}"));
    assert!(
        finding.contains("RabbitMQ"),
        "it does not say what to do: {finding}"
    );
    assert_eq!(
        cluster.api().get("/healthz").unwrap().status,
        200,
        "the process itself is well"
    );
}

#[test]
fn without_a_coordinator_the_command_line_says_how_to_start_one() {
    let mut cluster = Cluster::named("cli-alone").plugins("NOOP=1").start();
    cluster.workers[0].terminate(tests::LIMIT);
    cluster.coordinator.terminate(tests::LIMIT);
    for arguments in [&["list"][..], &["doctor"], &["submit", "-t", "NOOP", "-T", "x"]] {
        let alone = run(cluster.taskmanager(arguments));
        assert!(matches!(alone.code, Some(1 | 2)), "{alone:?}");
        let said = format!("{}{}", alone.stdout, alone.stderr);
        assert!(
            said.contains(cluster.api().base()) && said.contains("start it"),
            "{alone:?}"
        );
    }
}
