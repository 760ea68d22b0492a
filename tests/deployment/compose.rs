//! The compose file, as Compose itself reads it, and whether its parts fit together.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Output};
use std::sync::OnceLock;

use launcher::workspace;
use serde_json::Value;
use tests::python_tool;

use crate::chart::list;

/// Runs the Compose that a Python package carries; its own starter would hide the exit code.
const COMPOSE: &str = "import compose, os, pathlib, sys; \
    program = str(pathlib.Path(compose.__file__).parent / 'docker-compose'); \
    os.execv(program, [program, *sys.argv[1:]])";

/// The project's own programs.
const OURS: [&str; 3] = ["coordinator", "worker", "tools"];

pub(crate) fn compose(settings: &str, arguments: &[&str]) -> Output {
    Command::new(python_tool("python"))
        .args(["-c", COMPOSE, "--project-directory", "."])
        .args(["--env-file", settings, "--profile", "*", "config"])
        .args(arguments)
        .current_dir(workspace())
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .output()
        .unwrap()
}

/// The compose file with all profiles and the example's settings.
pub(crate) fn configured() -> &'static Value {
    static CONFIGURED: OnceLock<Value> = OnceLock::new();
    CONFIGURED.get_or_init(|| {
        let output = compose(".env.example", &["--format", "json"]);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        serde_json::from_slice(&output.stdout).unwrap()
    })
}

fn services() -> &'static serde_json::Map<String, Value> {
    configured()["services"].as_object().unwrap()
}

/// Seconds of a duration such as `1m10s`.
fn seconds(text: &str) -> u64 {
    let (minutes, rest) = text.split_once('m').unwrap_or(("0", text));
    let rest = rest.trim_end_matches('s');
    minutes.parse::<u64>().unwrap() * 60 + rest.parse::<u64>().unwrap_or(0)
}

#[test]
fn without_the_folder_of_the_data_the_compose_file_says_what_is_missing() {
    let output = compose("/dev/null", &["--quiet"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(
        said.contains("TASKMANAGER_DATA") && said.contains("say in .env where the data is"),
        "{said}"
    );
}

#[test]
fn every_setting_of_the_compose_file_stands_in_the_example_and_no_other() {
    let output = compose(".env.example", &["--variables"]);
    let table = String::from_utf8(output.stdout).unwrap();
    let mut used: BTreeSet<&str> = table
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    // Handed on where they are set.
    let text = fs::read_to_string(workspace().join("docker-compose.yml")).unwrap();
    let handed_on = text.lines().filter_map(|line| line.trim().strip_suffix(':'));
    used.extend(handed_on.filter(|name| name.starts_with("TASKMANAGER_")));
    let example = fs::read_to_string(workspace().join(".env.example")).unwrap();
    let explained: BTreeSet<&str> = example
        .lines()
        .filter_map(|line| line.trim_start_matches('#').split_once('='))
        .map(|(name, _)| name)
        .filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        .collect();
    assert_eq!(explained, used);
}

#[test]
fn our_programs_run_with_no_rights_and_write_to_mounts_only() {
    for name in OURS {
        let service = &services()[name];
        assert!(!service["user"].as_str().unwrap().starts_with('0'), "{name}");
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(list(&service["cap_drop"]), ["ALL"], "{name}");
        assert_eq!(
            list(&service["security_opt"]),
            ["no-new-privileges:true"],
            "{name}"
        );
    }
    for (name, service) in services() {
        assert_eq!(service["privileged"], Value::Null, "{name}");
        assert_ne!(service["network_mode"], "host", "{name}");
    }
}

#[test]
fn nobody_comes_in_without_a_login_and_only_pages_are_reached_from_this_machine_alone() {
    let mut published = BTreeSet::new();
    for (name, service) in services() {
        assert_eq!(
            service["environment"]["TASKMANAGER_WITHOUT_LOGIN"],
            Value::Null,
            "{name}"
        );
        for port in list(&service["ports"]) {
            assert_eq!(port["host_ip"], "127.0.0.1", "{name}");
            published.insert(name.as_str());
        }
    }
    assert_eq!(published, BTreeSet::from(["coordinator", "grafana"]));
}

#[test]
fn only_coordinators_reach_the_database() {
    let reach: Vec<&str> = services()
        .iter()
        .filter(|(_, service)| service["networks"].get("database").is_some())
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(reach, ["coordinator", "postgres"]);
    assert_eq!(configured()["networks"]["database"]["internal"], true);
}

#[test]
fn services_start_when_what_they_need_is_well() {
    let needs = |service: &str, other: &str| {
        assert_eq!(
            services()[service]["depends_on"][other]["condition"],
            "service_healthy",
            "{service} and {other}"
        );
        // Our images say for themselves whether they are well.
        assert!(
            services()[other]["healthcheck"].is_object() || OURS.contains(&other),
            "{other}"
        );
    };
    needs("coordinator", "postgres");
    needs("coordinator", "rabbitmq");
    needs("worker", "coordinator");
    needs("tools", "coordinator");
    needs("grafana", "prometheus");
}

#[test]
fn compose_waits_longer_than_a_program_takes_to_end() {
    for name in OURS {
        let service = &services()[name];
        let takes = &service["environment"]["TASKMANAGER_GRACE_SECONDS"];
        let takes: u64 = takes.as_str().unwrap().parse().unwrap();
        assert!(
            seconds(service["stop_grace_period"].as_str().unwrap()) >= takes + 10,
            "{name}"
        );
    }
}

#[test]
fn every_file_that_is_mounted_is_there() {
    for (name, service) in services() {
        for volume in list(&service["volumes"]) {
            let source = volume["source"].as_str().unwrap();
            if source.starts_with(workspace().join("deploy").to_str().unwrap()) {
                assert!(fs::exists(source).unwrap(), "{name}: {source}");
            }
        }
    }
}

#[test]
fn each_service_says_what_it_is_for() {
    let text = fs::read_to_string(workspace().join("docker-compose.yml")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for name in services().keys() {
        let at = lines
            .iter()
            .position(|line| *line == format!("  {name}:"))
            .unwrap();
        assert!(lines[at - 1].starts_with("  # "), "{name}");
    }
}
