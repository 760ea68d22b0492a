//! `cargo xtask up`: the whole stack without a job, for playing with the dashboard, the API and the command line.

use anyhow::Result;
use launcher::Place;

use super::Outcome;
use crate::stack::Stack;
use crate::{cargo, interrupt, say};

/// Starts everything, says where it is, and waits for Ctrl-C.
pub(crate) fn run() -> Result<Outcome> {
    let place = Place::open("up")?;
    interrupt::watch(&place)?;
    let root = cargo::target().join("demo");
    let mut stack = Stack::start(&place, &root)?;
    say::result(&format!("Root: {}", root.display()));
    say::result(&format!("Dashboard: {}", stack.url()));
    say::progress("running until Ctrl-C");
    let result = stack.run_until_interrupted(&place);
    let stopped = stack.stop();
    result.and(stopped)?;
    Ok(Outcome::Done)
}
