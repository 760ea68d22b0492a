//! What is used at the end, and what is left behind it.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::super::observe::{self, Connections, Used};
use super::super::schedule::{COORDINATORS, WORKERS};
use super::super::site::Site;
use super::Check;

/// Longer than any program's grace period.
const END_LIMIT: Duration = Duration::from_secs(45);
/// How long a server may take to notice that a connection is closed.
const NOTICE_LIMIT: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(300);
/// Most connections of a coordinator to PostgreSQL, and the one that listens.
const POOL_MAX: usize = 16 + 1;
/// Open files that may have come to a coordinator since the quiet start: its pool's connections, and clients that keep
/// theirs. Ten runs of 300 jobs had ten at most.
const FILES_MORE: usize = 20;
/// The same of a worker; those runs had four.
const WORKERS_FILES_MORE: usize = 10;
/// Memory that may have come: buffers grow with what they have held; those runs had 20 MiB. A leak of minutes under load
/// is more.
const MEMORY_MORE_KIB: u64 = 48 * 1024;

/// A program that lived through the whole run uses about what it used at its beginning.
pub(super) fn flat(before: &[Used], after: &[Used]) -> Check {
    let mut check = Check::new("open files and memory of those that lived through it are flat");
    for (before, after) in before.iter().zip(after) {
        if before.starts != after.starts {
            continue;
        }
        let more = if before.program.starts_with("worker") {
            WORKERS_FILES_MORE
        } else {
            FILES_MORE
        };
        check.look(after.file_descriptors <= before.file_descriptors + more, || {
            format!("{before:?}, later {after:?}")
        });
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

/// No tool, wrapper or child of them has outlived its attempt, though the worker lives.
pub(super) fn no_process(site: &Site) -> Check {
    let mut check = Check::new("no process outlives its attempt");
    check.looked_at = 1;
    let end = Instant::now() + NOTICE_LIMIT;
    loop {
        check.findings = site.tool_processes();
        if check.passed() || Instant::now() >= end {
            return check;
        }
        thread::sleep(PAUSE);
    }
}

/// While all programs run and nothing is to be done, each has its two connections to RabbitMQ, and coordinators have no
/// more to PostgreSQL than their pools may have.
pub(super) fn as_many_connections(site: &Site) -> Result<Check> {
    let mut check = Check::new("every program has its connections, and no others are open");
    let each = COORDINATORS + WORKERS;
    check.looked_at = 2 * each;
    compare(site, check, |now| {
        let differs = |(name, count): &(&String, &usize)| match name.as_str() {
            "RabbitMQ: taskmanager consume" | "RabbitMQ: taskmanager publish" => **count != each,
            "PostgreSQL: taskmanager" => **count > COORDINATORS * POOL_MAX,
            _ => true,
        };
        let findings = now.iter().filter(differs);
        findings.map(|(name, count)| format!("{name}: {count}")).collect()
    })
}

/// Neither server has a connection left when all programs and submitters have ended.
pub(super) fn no_connection(site: &Site) -> Result<Check> {
    let mut check = Check::new("no connection is left behind");
    check.looked_at = 2;
    compare(site, check, |now| {
        now.iter()
            .map(|(name, count)| format!("{name}: {count}"))
            .collect()
    })
}

/// Looks until nothing contradicts, or the servers have had the time that they may take to notice.
fn compare(site: &Site, mut check: Check, findings: impl Fn(&Connections) -> Vec<String>) -> Result<Check> {
    let end = Instant::now() + NOTICE_LIMIT;
    loop {
        check.findings = findings(&observe::connections(site)?);
        if check.passed() || Instant::now() >= end {
            return Ok(check);
        }
        thread::sleep(PAUSE);
    }
}
