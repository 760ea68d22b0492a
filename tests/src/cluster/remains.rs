//! Processes that attempts have started and that are still there.

use std::fs;
use std::path::Path;

/// The running processes whose working folder lies beneath `folder`, as `<id> <command line>`. Tools work in their
/// attempt's scratch folder, and so does the wrapper around each of them.
pub(super) fn processes_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir("/proc").expect("there is /proc").flatten();
    let mut found = Vec::new();
    for entry in entries {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        // A process that ends between two looks is none that is left.
        let Ok(cwd) = fs::read_link(entry.path().join("cwd")) else {
            continue;
        };
        // The link of a removed folder has " (deleted)" behind it.
        if cwd.starts_with(folder) {
            let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            found.push(format!(
                "{pid} {}",
                String::from_utf8_lossy(&command).replace('\0', " ")
            ));
        }
    }
    found
}
