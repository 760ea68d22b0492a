//! Whether every variable that is set is one that its program knows: a misspelt one would be ignored without a word.

use std::collections::BTreeSet;

use clap::CommandFactory;

use crate::chart::{list, rendered};
use crate::compose::configured;

/// The variables of a program, by its own definition.
fn known(command: &clap::Command) -> BTreeSet<String> {
    let variables = command.get_arguments().filter_map(|argument| argument.get_env());
    variables.map(|name| name.to_str().unwrap().to_owned()).collect()
}

fn of_coordinator() -> BTreeSet<String> {
    known(&coordinator::config::Config::command())
}

fn of_worker() -> BTreeSet<String> {
    known(&worker::config::Config::command())
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
