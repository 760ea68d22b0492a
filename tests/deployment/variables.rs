//! Whether every variable that is set is one that its program knows: a misspelt one would be ignored without a word.

use std::collections::BTreeSet;
use std::process::Command;

use shared::configuration::options;
use tests::program;

use crate::chart::{list, rendered};
use crate::compose::configured;
use crate::succeed;

/// The variables of a program, by its own definition.
fn known(command: &clap::Command) -> BTreeSet<String> {
    let variables = command.get_arguments().filter_map(|argument| argument.get_env());
    variables.map(|name| name.to_str().unwrap().to_owned()).collect()
}

fn of_coordinator() -> BTreeSet<String> {
    known(&options::<coordinator::config::Config>())
}

fn of_worker() -> BTreeSet<String> {
    known(&options::<worker::config::Config>())
}

/// The variables that `taskmanager` itself says it takes.
fn of_command_line() -> BTreeSet<String> {
    let help = succeed(Command::new(program("taskmanager")).arg("--help"));
    let help = String::from_utf8(help.stdout).unwrap();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let known = ["TASKMANAGER_URL", "TASKMANAGER_TOKEN_FILE"];
    let found = known
        .iter()
        .filter(|name| help.contains(&format!("[env: {name}")));
    found.map(|name| (*name).to_owned()).collect()
}

#[test]
fn what_the_chart_calls_the_command_line_with_is_what_it_takes() {
    let pods = rendered().good["keda"].pods();
    let pod = pods.iter().find(|pod| pod.component() == "pod-costs").unwrap();
    let arguments: Vec<&str> = list(&pod.spec["containers"][0]["args"])
        .iter()
        .map(|argument| argument.as_str().unwrap())
        .collect();
    assert_eq!(arguments[..2], ["worker", "pod-costs"]);
    succeed(Command::new(program("taskmanager")).args(arguments).arg("--help"));
}

#[test]
fn every_variable_of_the_chart_is_one_that_its_program_knows() {
    // What the sets themselves add.
    let added = ["TZ", "OMP_THREAD_LIMIT"];
    for (name, set) in &rendered().good {
        for pod in set.pods() {
            let known = match pod.component() {
                "coordinator" => of_coordinator(),
                "worker" => of_worker(),
                "pod-costs" => of_command_line(),
                _ => BTreeSet::new(),
            };
            for container in pod.containers() {
                for variable in list(&container["env"]) {
                    let variable = variable["name"].as_str().unwrap();
                    assert!(
                        known.contains(variable) || added.contains(&variable),
                        "{name}: {variable}"
                    );
                }
            }
        }
    }
}

#[test]
fn every_variable_of_the_compose_file_is_one_that_its_program_knows() {
    let services = &configured()["services"];
    for (service, known) in [
        ("coordinator", of_coordinator()),
        ("worker", of_worker()),
        ("tools", of_worker()),
    ] {
        let variables = services[service]["environment"].as_object().unwrap();
        assert!(!variables.is_empty());
        for variable in variables.keys() {
            assert!(known.contains(variable), "{service}: {variable}");
        }
    }
}
