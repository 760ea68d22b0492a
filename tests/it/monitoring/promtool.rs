//! What Prometheus' own tool says of settings, rules and metrics.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use launcher::workspace;
use tests::tool;

use super::{files, rules, values_of};

fn promtool(arguments: &[&str]) -> Command {
    let mut command = Command::new(tool("promtool", "prometheus"));
    command
        .args(arguments)
        .current_dir(workspace().join("deploy/prometheus"));
    command
}

fn said(command: &mut Command) -> Result<String, String> {
    let output = command.output().unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    if output.status.success() {
        Ok(said)
    } else {
        Err(said)
    }
}

/// What it finds wrong with metrics as a program exports them.
pub(super) fn faults_of_metrics(text: &str) -> Option<String> {
    let mut child = promtool(&["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    (!output.status.success() || !said.trim().is_empty()).then_some(said)
}

#[test]
fn settings_and_rules_are_what_prometheus_takes() {
    for arguments in [
        ["check", "config", "--lint=all", "--lint-fatal", "prometheus.yml"].as_slice(),
        &[
            "check",
            "rules",
            "--lint=all",
            "--lint-fatal",
            "recording.yml",
            "alerts.yml",
        ],
    ] {
        if let Err(faults) = said(&mut promtool(arguments)) {
            panic!("{faults}");
        }
    }
}

#[test]
fn every_alert_fires_when_it_should_and_ends_afterwards() {
    let tests = files("deploy/prometheus/tests", "yml");
    let mut command = promtool(&["test", "rules"]);
    let paths: Vec<&PathBuf> = tests.iter().map(|source| &source.file).collect();
    if let Err(faults) = said(command.args(paths)) {
        panic!("{faults}");
    }
    let all: String = tests.iter().map(|source| source.text.as_str()).collect();
    let alerts = rules("alerts.yml").text;
    for alert in values_of(&alerts, "alert") {
        assert!(
            fires_and_ends(&all, alert),
            "no test lets {alert} fire and end afterwards"
        );
    }
}

/// Whether a test expects the alert at one moment, and at a later one does not.
fn fires_and_ends(tests: &str, alert: &str) -> bool {
    let begin = format!("- name: '{alert}: ");
    let own = tests.split(&begin).skip(1).map(|part| {
        // Up to the next test.
        part.split("- name: ").next().unwrap_or_default()
    });
    let named = format!("alertname: {alert}");
    own.into_iter().any(|test| {
        let fires = test.find(&format!("{named}\n")).zip(test.find("exp_labels"));
        fires.is_some_and(|(at, _)| test[at..].contains(&format!("{named}, exp_alerts: [] }}")))
    })
}

#[test]
fn a_metric_without_a_word_about_it_is_noticed() {
    assert!(faults_of_metrics("# HELP a_total Some.\n# TYPE a_total counter\na_total 1\n").is_none());
    assert!(faults_of_metrics("# TYPE a_total counter\na_total 1\n").is_some());
}
