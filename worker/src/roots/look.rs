//! Looking at a root, for `doctor`.

use std::io;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use rustix::fs::{Access, AtFlags, accessat};
use rustix::io::Errno;
use shared::error::Chain;
use shared::message::worker::Check;

use super::explain;
use crate::free_space::FreeSpace;

/// Looks at a root: is it there, may the worker write to it, is there room? Waits for its file system, however long that
/// takes.
pub(crate) fn look(root: &Path, space: &FreeSpace) -> Check {
    let name = format!("folder {}", root.display());
    match examine(root, space) {
        Ok(found) => Check::passed(name, found),
        Err(problem) => Check::failed(name, problem),
    }
}

fn examine(root: &Path, space: &FreeSpace) -> Result<String, String> {
    let opened = Dir::open_ambient_dir(root, ambient_authority());
    let dir = opened
        .map_err(|error| explain(&root.display().to_string(), root, error))
        .map_err(|error| format!("{}; mount it, or leave out its --root", Chain(&error)))?;
    match accessat(&dir, ".", Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS) {
        // Somebody has mounted it so.
        Err(Errno::ROFS) => {
            return Ok("hint: it can be read only: jobs whose target lies in it fail here".to_owned());
        }
        Err(errno) => {
            return Err(format!(
                "the worker can't write to it ({}); jobs whose target lies in it will fail: change its owner or permissions",
                io::Error::from(errno)
            ));
        }
        Ok(()) => {}
    }
    space
        .check_target(&dir)
        .map_err(|full| format!("jobs whose target lies in it wait: {}", full.lack()))?;
    let is_empty = dir.entries().is_ok_and(|mut entries| entries.next().is_none());
    Ok(if is_empty {
        "hint: it can be written to, but is quite empty: should a network drive be mounted there, or beneath it on the host?"
            .to_owned()
    } else {
        "can be written to".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_that_is_missing_full_or_perhaps_not_mounted_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let look = |root: &Path, target_min| {
            let space = FreeSpace {
                scratch: folder.path().into(),
                scratch_min: 0,
                target_min,
            };
            super::look(root, &space)
        };
        let gone = look(&folder.path().join("gone"), 0);
        assert!(
            !gone.ok && gone.message.contains("does not exist; mount it"),
            "{gone:?}"
        );
        let bare = look(folder.path(), 0);
        assert!(
            bare.ok && bare.message.contains("should a network drive be mounted there"),
            "{bare:?}"
        );
        std::fs::write(folder.path().join("page.jpg"), "x").unwrap();
        assert_eq!(look(folder.path(), 0).message, "can be written to");
        let full = look(folder.path(), u64::MAX);
        assert!(
            !full.ok && full.message.contains("lies in it wait:") && full.message.contains("make room"),
            "{full:?}"
        );
    }
}
