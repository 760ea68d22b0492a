//! Whether files that hold secrets are their process's alone.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::message::worker::Check;

/// Permissions of those who are neither the file's owner nor of its group.
const OTHERS: u32 = 0o007;

/// Looks at files that hold secrets. A hint, no fault: on a machine with one person nothing is lost.
pub fn check(files: &[PathBuf]) -> Check {
    let open = files.iter().filter(|file| {
        let metadata = std::fs::metadata(file);
        metadata.is_ok_and(|found| found.permissions().mode() & OTHERS != 0)
    });
    let open: Vec<String> = open.map(|file| file.display().to_string()).collect();
    let message = if open.is_empty() {
        "no file with a secret is open to everybody".to_owned()
    } else {
        format!(
            "hint: everybody on this machine can open these files, which hold secrets: {}; `chmod o=` them",
            open.join(", ")
        )
    };
    Check {
        name: "secret files".to_owned(),
        ok: true,
        message,
    }
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
        let look = |mode| {
            set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            check(&[file.clone(), folder.path().join("gone")]).message
        };
        assert!(look(0o644).contains("amqp-url;"), "{}", look(0o644));
        assert!(look(0o640).starts_with("no file"));
    }
}
