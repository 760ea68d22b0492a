//! Whether a process leaves more open than it has to: its secrets, and what it may do on its machine.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::message::worker::Check;

/// Permissions of those who are neither the file's owner nor of its group.
const OTHERS: u32 = 0o007;
/// Where Kubernetes puts the token of a pod.
const KUBERNETES_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// A secret that was given itself: as what, and the setting that names a file in its place.
pub type OpenSecret = (&'static str, &'static str);

/// Looks at secrets: the files that hold them, and those that were given themselves. Waits for the files' system, however
/// long that takes. A hint, no fault: on a machine with one person nothing is lost.
pub fn secrets(files: &[PathBuf], open: &[OpenSecret]) -> Check {
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
        let (given, files): (Vec<_>, Vec<_>) = open.iter().copied().unzip();
        hints.push(format!(
            "whoever lists processes and their variables, or reads the settings, sees what {} was given: use {}",
            given.join(" and "),
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

/// Looks at what this process may do on its machine, or in its cluster. A hint, no fault.
pub fn privileges() -> Check {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    privileges_of(is_root, Path::new(KUBERNETES_TOKEN).exists())
}

fn privileges_of(is_root: bool, has_token: bool) -> Check {
    let mut hints = Vec::new();
    if is_root {
        hints.push("it runs as root, which it never has to: give it a user of its own");
    }
    if has_token {
        hints.push(
            "it has a token of Kubernetes, which it does not need: automountServiceAccountToken: false",
        );
    }
    let message = if hints.is_empty() {
        "none that it does not need".to_owned()
    } else {
        format!("hint: {}", hints.join("; "))
    };
    Check::passed("privileges", message)
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
        let look = |mode, open: &[OpenSecret]| {
            set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            secrets(&[file.clone(), folder.path().join("gone")], open).message
        };
        assert!(
            look(0o644, &[]).contains("amqp-url: `chmod"),
            "{}",
            look(0o644, &[])
        );
        assert!(look(0o640, &[]).starts_with("they come from files"));
        let open = look(0o640, &[("--amqp-url", "--amqp-url-file")]);
        assert!(
            open.starts_with("hint: whoever lists") && open.ends_with("use --amqp-url-file"),
            "{open}"
        );
    }

    #[test]
    fn whoever_may_do_more_than_it_has_to_is_told_so() {
        assert_eq!(privileges_of(false, false).message, "none that it does not need");
        let all = privileges_of(true, true);
        assert!(
            all.ok && all.message.contains("runs as root") && all.message.contains("automount"),
            "{all:?}"
        );
    }
}
