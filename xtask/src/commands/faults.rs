//! `cargo xtask faults`: the whole system under random faults; see `tests/src/faults.rs`.

use anyhow::Result;
use launcher::{Place, run_in_foreground};

use super::Outcome;
use crate::existing::Existing;
use crate::requirements::{Purpose, provide};
use crate::{cargo, interrupt};

/// Builds the programs, with deliberate mistakes built in where one is asked for, and runs them with the arguments. The
/// servers are the run's own in any case: it hurts them.
pub(crate) fn run(arguments: &[&str]) -> Result<Outcome> {
    let place = Place::fresh("faults")?;
    interrupt::watch(&place)?;
    provide(&place, &Existing::default(), Purpose::Faults)?;
    let mut build = vec![
        "build",
        "-p",
        "coordinator",
        "-p",
        "worker",
        "-p",
        "tests",
        "--bins",
    ];
    if arguments.iter().any(|argument| argument.starts_with("--mutant")) {
        build.extend(["--features", "coordinator/mutants,worker/mutants"]);
    }
    cargo::build(&place, &build)?;
    let mut faults = std::process::Command::new(cargo::programs("debug").join("faults"));
    faults
        .args(arguments)
        .env("TASKMANAGER_BIN_DIR", cargo::programs("debug"));
    Ok(run_in_foreground(&place, &faults)?.into())
}
