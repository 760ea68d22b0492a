//! Runs the system under random faults and says what it found; `cargo xtask faults` builds what it needs.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a report is what this program is for"
)]

use std::process::ExitCode;

use clap::Parser;
use shared::mutant::Mutant;
use tests::faults::{Options, run};

/// Jobs a minute, unless told otherwise.
const JOBS_A_MINUTE: f64 = 100.0;

/// What is to be run.
#[derive(Debug, Parser)]
#[command(name = "faults")]
struct Arguments {
    /// Decides the faults and the jobs.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long faults happen.
    #[arg(long, default_value_t = 3.0)]
    minutes: f64,
    /// Jobs that are submitted; a hundred a minute unless given.
    #[arg(long)]
    jobs: Option<u32>,
    /// The deliberate mistake that the programs make.
    #[arg(long)]
    mutant: Option<Mutant>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of jobs"
    )]
    let usual = (arguments.minutes * JOBS_A_MINUTE) as u32;
    let ran = run(Options {
        seed: arguments.seed,
        minutes: arguments.minutes,
        jobs: arguments.jobs.unwrap_or(usual),
        mutant: arguments.mutant,
    });
    let kept = ran.and_then(|report| Ok((report.keep()?, report)));
    match kept {
        Ok((file, report)) => {
            println!("{report}\n");
            println!("figures: {}", file.display());
            println!("{}", report.verdict());
            if report.passed() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("the run could not be carried out: {error:#}");
            ExitCode::FAILURE
        }
    }
}
