//! `cargo xtask test`: the whole suite, with `cargo test` underneath and private servers around it.

use std::thread;

use anyhow::Result;
use launcher::{Place, run_in_foreground};

use super::Outcome;
use crate::existing::Existing;
use crate::requirements::{Purpose, provide};
use crate::servers::{Database, Servers};
use crate::{cargo, interrupt, tools};

/// How many tests of a program run at once for each core: most of the time they wait for servers and timers.
const TESTS_PER_CORE: usize = 2;

/// Installs and builds what the tests run, starts the servers, and runs `cargo test --workspace` with the arguments.
/// Without any it is the whole suite, and shows in the end that the protocol's models find deliberate mistakes.
pub(crate) fn run(arguments: &[&str]) -> Result<Outcome> {
    let place = Place::fresh("test")?;
    interrupt::watch(&place)?;
    let existing = Existing::from_environment();
    provide(&place, &existing, Purpose::Tests)?;
    tools::provide_alto_tools(&place)?;
    tools::provide_axe(&place)?;
    tools::provide_openapi_tools(&place)?;
    tools::provide_moto(&place)?;
    tools::provide_deployment_tools(&place)?;
    // `cargo test` alone builds a package's programs for that package's own tests only. Where all tests are run, they are
    // built with the programs, so that both are made from the same libraries, which are built once.
    let failpoints = failpoints(&[]);
    let mut build = vec!["build", "--workspace", "--bins", "--features", &failpoints];
    if !names_packages(arguments) {
        build.push("--tests");
    }
    cargo::build(&place, &build)?;

    let servers = Servers::start(&place, &existing, Database::Maintenance)?;
    let mut test = cargo::cargo(&["test"]);
    if !names_packages(arguments) {
        test.arg("--workspace");
    }
    if arguments.is_empty() {
        // Whoever waits for the whole suite wants to know all that fails.
        test.arg("--no-fail-fast");
    }
    // The same programs once more, not others in their place.
    let failpoints = self::failpoints(arguments);
    if !failpoints.is_empty() {
        test.args(["--features", &failpoints]);
    }
    test.args(arguments)
        .envs(servers.variables())
        .env("TASKMANAGER_BIN_DIR", cargo::programs("debug"));
    let tests_at_once = TESTS_PER_CORE * thread::available_parallelism()?.get();
    test.env("RUST_TEST_THREADS", tests_at_once.to_string());
    let outcome: Outcome = run_in_foreground(&place, &test)?.into();
    if outcome != Outcome::Done || !arguments.is_empty() {
        return Ok(outcome);
    }
    // A build of its own: there the protocol has deliberate mistakes, and each of them has to be found.
    let mutants = cargo::cargo(&[
        "test",
        "-p",
        "model",
        "--features",
        "mutants",
        "--test",
        "mutants",
    ]);
    Ok(run_in_foreground(&place, &mutants)?.into())
}

/// The features with which tests can have programs die between two effects, of those packages that are chosen.
fn failpoints(arguments: &[&str]) -> String {
    let chosen = packages(arguments);
    let programs = ["coordinator", "worker"].into_iter();
    programs
        .filter(|program| chosen.is_empty() || chosen.contains(program))
        .map(|program| format!("{program}/failpoints"))
        .collect::<Vec<_>>()
        .join(",")
}

/// Whether the arguments choose packages by themselves; cargo lets `--workspace` win over that.
fn names_packages(arguments: &[&str]) -> bool {
    !packages(arguments).is_empty()
}

/// The packages that the arguments choose; without any it is all of them.
fn packages<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    let mut cargo_own = arguments.iter().take_while(|argument| **argument != "--");
    let mut packages = Vec::new();
    while let Some(argument) = cargo_own.next() {
        let rest = argument
            .strip_prefix("--package")
            .or_else(|| argument.strip_prefix("-p"));
        match rest.map(|rest| rest.trim_start_matches('=')) {
            Some("") => packages.extend(cargo_own.next()),
            Some(package) => packages.push(package),
            None => {}
        }
    }
    packages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_that_choose_packages_are_told_from_those_of_the_tests() {
        assert!(names_packages(&["-p", "worker"]));
        assert!(names_packages(&["-pworker"]));
        assert!(names_packages(&["--package=worker", "crash"]));
        assert!(!names_packages(&["crash"]));
        assert!(!names_packages(&["--", "-p"]));
    }

    #[test]
    fn programs_that_are_chosen_are_built_as_the_whole_suite_builds_them() {
        let both = "coordinator/failpoints,worker/failpoints";
        assert_eq!(failpoints(&["crash"]), both);
        assert_eq!(failpoints(&["-p", "worker", "-ptests"]), "worker/failpoints");
        assert_eq!(
            failpoints(&["--package", "worker", "--package=coordinator"]),
            both
        );
        assert_eq!(failpoints(&["-p", "tests"]), "");
    }
}
