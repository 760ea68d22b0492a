//! What programs use of the machine, as the kernel tells it.

use std::fs;

use serde::Serialize;

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
