//! `cargo xtask bench`: figures of the whole path, and of lists and searches in a long history, from release builds on
//! private servers; see `tests/bench`.

use anyhow::Result;
use launcher::{Place, run_in_foreground};

use super::Outcome;
use crate::existing::Existing;
use crate::requirements::{Purpose, provide};
use crate::servers::{Database, Servers};
use crate::{cargo, interrupt};

/// What is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Measured {
    /// The whole path of a job.
    Throughput,
    /// Lists and searches.
    History,
}

impl Measured {
    fn program(self) -> &'static str {
        match self {
            Self::Throughput => "bench-throughput",
            Self::History => "bench-history",
        }
    }
}

/// Builds, starts the servers, and measures with this many jobs.
pub(crate) fn run(measured: Measured, jobs: &str) -> Result<Outcome> {
    let place = Place::fresh("bench")?;
    interrupt::watch(&place)?;
    let existing = Existing::from_environment();
    provide(&place, &existing, Purpose::Stack)?;
    cargo::build(&place, &["build", "--release", "--workspace", "--bins"])?;
    let servers = Servers::start(&place, &existing, Database::Benchmarks)?;
    let mut bench = std::process::Command::new(cargo::programs("release").join(measured.program()));
    bench
        .arg(jobs)
        .envs(servers.variables())
        .env("TASKMANAGER_BIN_DIR", cargo::programs("release"));
    Ok(run_in_foreground(&place, &bench)?.into())
}
