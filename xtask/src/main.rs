//! The project's commands; `cargo xtask help` lists them.
//!
//! Each command prepares what it needs by itself: packages, private servers, builds.
//! Whatever it starts ends with it, on Ctrl-C too; after a crash, at the latest when the next one starts.

mod cargo;
mod commands;
mod demo_volume;
mod dockerfile;
mod existing;
mod interrupt;
mod requirements;
mod say;
mod servers;
mod stack;
mod tools;

use std::process::ExitCode;

use anyhow::{Result, bail};

use commands::Outcome;
use commands::bench::Measured;

const HELP: &str = "\
cargo xtask demo [--once]       turn scanned pages into text: install what is missing, start everything, publish one
                                job, show its progress; runs until Ctrl-C, with --once until the job has ended
cargo xtask up                  the same without a job
cargo xtask test [ARGUMENTS]    run the whole test suite, or what the arguments for `cargo test` choose
cargo xtask bench [JOBS]        measure how many jobs a second the whole path takes (release build, durable database)
cargo xtask bench history [JOBS]
                                measure how long lists and searches take with a million ended jobs
cargo xtask faults [--seed N] [--minutes M] [--jobs J] [--mutant NAME]
                                hurt everything at random under load and look for what is lost, doubled, stuck or left
                                over; a seed is always the same schedule. With --mutant a mistake is built in, which
                                has to be found. Figures go to target/faults
cargo xtask check               formatting, clippy, documentation, licences and sources of all dependencies
cargo xtask images              run the stages of the Dockerfile as plain commands in folders, and their programs there, as
                                root and without a container engine; prints sizes
cargo xtask servers [NAME]      start only PostgreSQL and RabbitMQ, print their addresses as shell lines, wait for
                                Ctrl-C; for `cargo test -p …`. The data is kept under NAME
cargo xtask help                this list

DATABASE_URL and AMQP_URL name existing servers to use instead of private ones (demo, up, test).
CHROME names the browser for the tests; otherwise Debian's chromium is installed.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Failed(code)) => ExitCode::from(code),
        Err(error) if matches!(error.downcast_ref(), Some(launcher::Error::Interrupted)) => {
            say::progress("interrupted");
            ExitCode::from(interrupt::EXIT_CODE)
        }
        Err(error) => {
            say::failure(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<Outcome> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["help" | "--help" | "-h"] => {
            say::result(HELP);
            Ok(Outcome::Done)
        }
        ["demo"] => commands::demo::run(commands::demo::Ending::OnCtrlC),
        ["demo", "--once"] => commands::demo::run(commands::demo::Ending::WithTheJob),
        ["up"] => commands::up::run(),
        ["test", arguments @ ..] => commands::test::run(arguments),
        ["bench"] => commands::bench::run(Measured::Throughput, "5000"),
        ["bench", jobs] if jobs.parse::<u32>().is_ok() => commands::bench::run(Measured::Throughput, jobs),
        ["bench", "history"] => commands::bench::run(Measured::History, "1000000"),
        ["bench", "history", jobs] if jobs.parse::<u32>().is_ok() => {
            commands::bench::run(Measured::History, jobs)
        }
        ["faults", arguments @ ..] => commands::faults::run(arguments),
        ["check"] => commands::check::run(),
        ["images"] => commands::images::run(),
        ["servers"] => commands::servers::run("servers"),
        ["servers", name] if is_a_name(name) => commands::servers::run(name),
        _ => bail!(
            "there is no command `{}`; `cargo xtask help` lists all",
            words.join(" ")
        ),
    }
}

/// Whether a place may be called so: it becomes a folder's name.
fn is_a_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        && !text.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_can_not_be_named_out_of_its_folder() {
        assert!(is_a_name("worker-2"));
        for name in ["", "..", "a/b", "/tmp", "--once"] {
            assert!(!is_a_name(name), "{name}");
        }
    }

    #[test]
    fn an_unknown_command_is_refused_with_the_way_to_the_list() {
        for line in [
            vec!["dmeo"],
            vec!["demo", "--twice"],
            vec!["servers", "../x"],
            vec!["up", "now"],
        ] {
            let words: Vec<String> = line.iter().map(|word| (*word).to_owned()).collect();
            let error = run(&words).unwrap_err().to_string();
            assert!(error.contains("cargo xtask help"), "{error}");
        }
    }
}
