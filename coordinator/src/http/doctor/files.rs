//! What the doctor says of the coordinator's own files and rights.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use shared::exposure;
use shared::message::worker::Check;

use super::{failed, passed};
use crate::deployment::{Deployment, TEMPLATES, fingerprint};

/// Longest time that looking at files may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// The permission to write, of those who are neither the file's owner nor of its group.
const OTHERS_WRITE: u32 = 0o002;

/// The checks. The files' system may hang, the answer may not.
pub(super) async fn look(deployment: &Deployment) -> Vec<Check> {
    let told = deployment.clone();
    let look = tokio::task::spawn_blocking(move || {
        let mut checks = vec![
            exposure::secrets(&told.secret_files, &told.open_secrets),
            exposure::privileges(),
        ];
        if let Some(file) = &told.templates {
            checks.push(templates(file, told.settings.get(TEMPLATES)));
        }
        checks
    });
    match tokio::time::timeout(PATIENCE, look).await {
        Ok(Ok(checks)) => checks,
        Ok(Err(_)) | Err(_) => vec![failed(
            "files",
            "the coordinator's own files can't be looked at: is their file system there?".to_owned(),
        )],
    }
}

/// Commands come from this file, so that nobody may write to it who may not run commands.
fn templates(file: &Path, at_start: Option<&String>) -> Check {
    let name = "templates";
    let found = std::fs::read(file).and_then(|bytes| Ok((bytes, std::fs::metadata(file)?)));
    let (bytes, metadata) = match found {
        Ok(found) => found,
        Err(error) => {
            return failed(
                name,
                format!(
                    "{} can't be read ({error}): the coordinator would not start again",
                    file.display()
                ),
            );
        }
    };
    let message = if metadata.permissions().mode() & OTHERS_WRITE != 0 {
        format!(
            "hint: everybody on this machine can write to {}, and so run commands on the workers: `chmod o-w` it",
            file.display()
        )
    } else if at_start != Some(&fingerprint(&bytes)) {
        format!(
            "hint: {} was changed after the coordinator's start, and counts from the next one on",
            file.display()
        )
    } else {
        "as at the start".to_owned()
    };
    passed(name, message)
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions, write};

    use super::*;

    #[test]
    fn templates_that_others_may_write_or_that_were_changed_or_are_gone_are_told() {
        let folder = std::env::temp_dir().join(format!("templates-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        let file = folder.join("templates.toml");
        write(&file, "[OCR.a]\n").unwrap();
        let at_start = fingerprint(b"[OCR.a]\n");
        let look = |mode| {
            set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            templates(&file, Some(&at_start))
        };
        assert_eq!(look(0o644).message, "as at the start");
        assert!(look(0o646).message.contains("chmod o-w"));
        write(&file, "[OCR.b]\n").unwrap();
        let changed = look(0o644);
        assert!(
            changed.ok && changed.message.contains("was changed after"),
            "{changed:?}"
        );
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(!templates(&file, Some(&at_start)).ok);
    }
}
