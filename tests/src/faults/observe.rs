//! What programs use: of the machine, as the kernel tells it, and of the servers, as these do.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::Value;

use super::site::Site;

/// What one program uses.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Used {
    pub(super) program: String,
    /// How often it was started; what it used is compared as long as that is the same.
    pub(super) starts: usize,
    pub(super) file_descriptors: usize,
    pub(super) threads: u64,
    pub(super) memory_kib: u64,
}

/// What each of them uses now.
pub(super) fn programs(site: &mut Site) -> Vec<Used> {
    site.programs()
        .map(|program| {
            let proc = format!("/proc/{}", program.pid());
            let status = fs::read_to_string(format!("{proc}/status")).unwrap_or_default();
            Used {
                program: program.name().to_owned(),
                starts: program.starts(),
                file_descriptors: fs::read_dir(format!("{proc}/fd")).map_or(0, Iterator::count),
                threads: field(&status, "Threads:"),
                memory_kib: field(&status, "VmRSS:"),
            }
        })
        .collect()
}

fn field(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// How many connections the servers have, by the names that clients give them.
pub(super) type Connections = BTreeMap<String, usize>;

/// The servers' connections now. RabbitMQ's list may be some seconds old.
pub(super) fn connections(site: &Site) -> Result<Connections> {
    let mut found = Connections::new();
    let sessions = "SELECT application_name FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    for session in site.sql(sessions, &[])? {
        let name: &str = session.get(0);
        *found.entry(format!("PostgreSQL: {name}")).or_default() += 1;
    }
    let answer = site.rabbitmq.management("/api/connections")?;
    let open: Vec<Value> =
        serde_json::from_str(&answer.body).context("RabbitMQ's list of connections can't be read")?;
    for connection in open {
        let name = connection["user_provided_name"].as_str().unwrap_or("(no name)");
        *found.entry(format!("RabbitMQ: {name}")).or_default() += 1;
    }
    Ok(found)
}
