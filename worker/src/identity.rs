//! Who this worker process is: a name for people, an id that no other process ever has.

use std::path::Path;

use uuid::Uuid;

/// A worker process.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Name, boot id and process uuid.
    pub id: String,
    /// The name that operators see.
    pub name: String,
    /// The host.
    pub host: String,
}

impl Identity {
    /// This process's identity, under `name` or else its host's name.
    pub fn of_this_process(name: Option<&str>) -> Self {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let name = name.map_or_else(|| host.clone(), str::to_owned);
        let boot = read_line("/proc/sys/kernel/random/boot_id").unwrap_or_else(|| "unknown-boot".to_owned());
        Self {
            id: format!("{name}/{}/{}", boot.get(..8).unwrap_or(&boot), Uuid::new_v4()),
            name,
            host,
        }
    }
}

/// Memory in use by this process, bytes; 0 where the system does not tell.
pub fn rss_bytes() -> u64 {
    let pages = read_line("/proc/self/statm")
        .and_then(|line| line.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()));
    pages.unwrap_or(0) * rustix::param::page_size() as u64
}

fn read_line(file: impl AsRef<Path>) -> Option<String> {
    std::fs::read_to_string(file)
        .ok()
        .map(|text| text.trim().to_owned())
}
