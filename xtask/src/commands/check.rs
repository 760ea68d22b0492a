//! `cargo xtask check`: everything about the code that needs no running.
//!
//! All checks run, also after one has failed; the last lines say which.

use std::process::Command;
use std::time::Instant;

use anyhow::Result;
use launcher::{Place, run_in_foreground, workspace};

use super::Outcome;
use crate::{cargo, interrupt, say, tools};

/// How long the advisory database may take to come.
const FETCH_SECONDS: &str = "90";

/// Runs all checks.
pub(crate) fn run() -> Result<Outcome> {
    let place = Place::fresh("check")?;
    interrupt::watch(&place)?;
    let mut failed = Vec::new();
    let mut check = |name: &'static str, command: &Command| -> Result<()> {
        let since = Instant::now();
        let passed = run_in_foreground(&place, command)?.success();
        say::verdict(name, if passed { "ok" } else { "FAILED" }, since);
        if !passed {
            failed.push(name);
        }
        Ok(())
    };

    check("formatting", &cargo::cargo(&["fmt", "--all", "--check"]))?;
    let clippy = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ];
    check("clippy", &cargo::cargo(&clippy))?;
    let switched_on = [
        "clippy",
        "-p",
        "shared",
        "--features",
        "failpoints,mutants",
        "--locked",
        "--",
        "-D",
        "warnings",
    ];
    check("clippy, what only tests switch on", &cargo::cargo(&switched_on))?;
    let mut doc = cargo::cargo(&[
        "doc",
        "--workspace",
        "--no-deps",
        "--document-private-items",
        "--locked",
    ]);
    check("documentation", doc.env("RUSTDOCFLAGS", "-D warnings"))?;

    let cargo_deny = tools::provide_cargo_deny(&place)?;
    let deny = |arguments: &[&str]| {
        let mut command = Command::new(&cargo_deny);
        // Called as cargo would call it.
        command.current_dir(workspace()).args(arguments);
        command
    };
    check(
        "bans, licences, sources",
        &deny(&["check", "bans", "licenses", "sources"]),
    )?;
    if advisories_reachable(&cargo_deny) {
        check("advisories", &deny(&["check", "--disable-fetch", "advisories"]))?;
    } else {
        say::progress("advisories: skipped (database not reachable)");
    }

    if failed.is_empty() {
        return Ok(Outcome::Done);
    }
    say::progress(&format!("failed: {}", failed.join("; ")));
    Ok(Outcome::Failed(1))
}

/// Fetches the advisory database; whether that worked. A network that swallows everything is not waited for.
fn advisories_reachable(cargo_deny: &std::path::Path) -> bool {
    Command::new("timeout")
        .arg(FETCH_SECONDS)
        .arg(cargo_deny)
        .args(["fetch", "db"])
        .current_dir(workspace())
        .output()
        .is_ok_and(|output| output.status.success())
}
