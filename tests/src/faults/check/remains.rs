//! What is used at the end, and what is left behind it.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::super::observe::Used;
use super::super::site::Site;
use super::Check;

/// Longer than any program's grace period.
const END_LIMIT: Duration = Duration::from_secs(45);
/// How long a server may take to notice that a connection is closed.
const NOTICE_LIMIT: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(300);
/// Open files that may have come since the quiet start: the pool's connections, and clients that keep theirs.
const FILES_MORE: usize = 48;
/// Memory that may have come: buffers grow with what they have held. A leak of minutes under load is more.
const MEMORY_MORE_KIB: u64 = 96 * 1024;

/// A program that lived through the whole run uses about what it used at its beginning.
pub(super) fn flat(before: &[Used], after: &[Used]) -> Check {
    let mut check = Check::new("open files and memory of those that lived through it are flat");
    for (before, after) in before.iter().zip(after) {
        if before.starts != after.starts {
            continue;
        }
        check.look(
            after.file_descriptors <= before.file_descriptors + FILES_MORE,
            || format!("{before:?}, later {after:?}"),
        );
        check.look(after.memory_kib <= before.memory_kib + MEMORY_MORE_KIB, || {
            format!("{before:?}, later {after:?}")
        });
    }
    check
}

/// SIGTERM ends every program by itself and well.
pub(super) fn ended_well(site: &mut Site) -> Check {
    let mut check = Check::new("every program ends well after SIGTERM");
    for program in site.programs() {
        let name = program.name().to_owned();
        let ended = program.end_after_sigterm(END_LIMIT);
        check.look(
            ended.as_ref().is_ok_and(std::process::ExitStatus::success),
            || format!("{name}: {ended:?}"),
        );
    }
    check
}

/// No tool, wrapper or child of them is left.
pub(super) fn no_process(site: &Site) -> Check {
    let mut check = Check::new("no process is left behind");
    check.looked_at = 1;
    check.findings = site.tool_processes();
    check
}

/// Neither server has a connection left of programs or submitters.
pub(super) fn no_connection(site: &Site) -> Result<Check> {
    let mut check = Check::new("no connection is left behind");
    let end = Instant::now() + NOTICE_LIMIT;
    check.looked_at = 2;
    loop {
        check.findings = connections(site)?;
        if check.passed() || Instant::now() >= end {
            return Ok(check);
        }
        thread::sleep(PAUSE);
    }
}

fn connections(site: &Site) -> Result<Vec<String>> {
    let mut left: Vec<String> = site
        .sql(
            "SELECT format('PostgreSQL: %s %s', application_name, query) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
            &[],
        )?
        .iter()
        .map(|row| row.get(0))
        .collect();
    let answer = site.rabbitmq.management("/api/connections")?;
    let open: Vec<serde_json::Value> =
        serde_json::from_str(&answer.body).context("RabbitMQ's list of connections can't be read")?;
    left.extend(
        open.iter()
            .map(|connection| format!("RabbitMQ: {}", connection["name"])),
    );
    Ok(left)
}
