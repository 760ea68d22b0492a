//! Whether secrets are their process's alone: the files that hold them, and settings that are secrets themselves.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::message::worker::Check;

/// Permissions of those who are neither the file's owner nor of its group.
const OTHERS: u32 = 0o007;

/// Looks at files that hold secrets; waits for their file system, however long that takes. `open` are the options whose
/// secret was given itself. A hint, no fault: on a machine with one person nothing is lost.
pub fn check(files: &[PathBuf], open: &[&str]) -> Check {
    let exposed = files.iter().filter(|file| {
        let metadata = std::fs::metadata(file);
        metadata.is_ok_and(|found| found.permissions().mode() & OTHERS != 0)
    });
    let exposed: Vec<String> = exposed.map(|file| file.display().to_string()).collect();
    let mut hints = Vec::new();
    if !exposed.is_empty() {
        hints.push(format!(
            "everybody on this machine can open {}: `chmod o=` them",
            exposed.join(", ")
        ));
    }
    if !open.is_empty() {
        let files: Vec<String> = open.iter().map(|option| format!("{option}-file")).collect();
        hints.push(format!(
            "whoever lists processes and their variables, or reads the settings, sees what {} was given: use {}",
            open.join(" and "),
            files.join(" and ")
        ));
    }
    let message = if hints.is_empty() {
        "they come from files, and none is open to everybody".to_owned()
    } else {
        format!("hint: {}", hints.join("; "))
    };
    Check::passed("secrets", message)
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions};

    use super::*;

    #[test]
    fn a_secret_that_everybody_can_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("amqp-url");
        std::fs::write(&file, "amqp://jobs:secret@broker").unwrap();
        let look = |mode, open: &[&str]| {
            set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            check(&[file.clone(), folder.path().join("gone")], open).message
        };
        assert!(
            look(0o644, &[]).contains("amqp-url: `chmod"),
            "{}",
            look(0o644, &[])
        );
        assert!(look(0o640, &[]).starts_with("they come from files"));
        let open = look(0o640, &["--amqp-url"]);
        assert!(
            open.starts_with("hint: whoever lists") && open.ends_with("use --amqp-url-file"),
            "{open}"
        );
    }
}
