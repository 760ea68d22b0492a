//! How a password gets in: from a file, typed unseen, or as the next line of standard input.
//!
//! Invariant: a password is never an argument, as everybody on the machine can read those, and is never shown.

use std::fs;
use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::Path;

use anyhow::Context as _;
use console::Term;

/// A password that somebody has already.
pub(crate) fn known(file: Option<&Path>) -> anyhow::Result<String> {
    file.map_or_else(|| asked("Password: "), first_line)
}

/// A password that is to be; whoever types it types it twice.
pub(crate) fn new(file: Option<&Path>) -> anyhow::Result<String> {
    if let Some(file) = file {
        return first_line(file);
    }
    let password = asked("New password: ")?;
    if is_typed() {
        anyhow::ensure!(
            asked("The same once more: ")? == password,
            "the two are not the same: nothing was changed"
        );
    }
    Ok(password)
}

/// The first line of a file that holds a secret.
pub(crate) fn first_line(file: &Path) -> anyhow::Result<String> {
    let text = fs::read_to_string(file).with_context(|| format!("{} can't be read", file.display()))?;
    let line = text.lines().next().unwrap_or_default();
    anyhow::ensure!(!line.is_empty(), "the first line of {} is empty", file.display());
    Ok(line.to_owned())
}

/// Whether a person sits there who sees the prompt.
fn is_typed() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn asked(prompt: &str) -> anyhow::Result<String> {
    let typed = if is_typed() {
        let terminal = Term::stderr();
        terminal
            .write_str(prompt)
            .and_then(|()| terminal.read_secure_line())
    } else {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map(|_| line)
    };
    let typed = typed.context("standard input can't be read")?;
    let password = typed.trim_end_matches(['\r', '\n']);
    anyhow::ensure!(
        !password.is_empty(),
        "no password: give it in a file, or as a line of standard input"
    );
    Ok(password.to_owned())
}
