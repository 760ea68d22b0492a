//! Everything that xtask writes to the terminal, in one place: calm, one line a step.
//!
//! Progress goes to standard error, so that what a command is asked for (`servers`: the export lines) can be piped.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a terminal program talks to its terminal"
)]

use std::time::Instant;

/// A line that the user asked for.
pub(crate) fn result(text: &str) {
    println!("{text}");
}

/// A line about what is going on.
pub(crate) fn progress(text: &str) {
    eprintln!("{text}");
}

/// Why it failed, in one line, with the causes behind it.
pub(crate) fn failure(error: &anyhow::Error) {
    eprintln!("xtask: {error:#}");
}

/// "PostgreSQL 15 ready in 0.4 s".
pub(crate) fn ready(what: &str, since: Instant) {
    progress(&format!("{what} ready in {:.1} s", since.elapsed().as_secs_f64()));
}

/// "clippy: ok (12.3 s)".
pub(crate) fn verdict(check: &str, verdict: &str, since: Instant) {
    progress(&format!(
        "{check}: {verdict} ({:.1} s)",
        since.elapsed().as_secs_f64()
    ));
}
