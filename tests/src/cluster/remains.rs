//! Processes that attempts have started and that are still there.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};

/// The running processes whose working folder lies beneath `folder`, as `<id> <command line>`. Tools work in their
/// attempt's scratch folder, and so does the wrapper around each of them.
pub(crate) fn processes_in(folder: &Path) -> Vec<String> {
    let shown = |pid: &Pid| {
        let command = fs::read(proc(*pid).join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        format!("{} {command}", pid.as_raw_pid())
    };
    ids_in(folder).iter().map(shown).collect()
}

/// Kills them; for a test that has failed because of them, or before they could end.
pub(super) fn kill_processes_in(folder: &Path) {
    for pid in ids_in(folder) {
        // One that is gone already is what is wanted.
        let _gone = kill_process(pid, Signal::KILL);
    }
}

fn ids_in(folder: &Path) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").expect("there is /proc").flatten();
    entries
        .filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
        // A process that ends between two looks is none that is left. The link of a removed folder has " (deleted)"
        // behind it, which leaves its beginning as it was.
        .filter(|pid| fs::read_link(proc(*pid).join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder)))
        .collect()
}

fn proc(pid: Pid) -> PathBuf {
    Path::new("/proc").join(pid.as_raw_pid().to_string())
}
