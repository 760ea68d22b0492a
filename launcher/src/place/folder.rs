//! Where places lie, and that nobody else can meddle with them.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::Error;
use crate::account::is_root;

/// The root of the workspace that this launcher was built in.
pub fn workspace() -> &'static Path {
    let this_crate = Path::new(env!("CARGO_MANIFEST_DIR"));
    this_crate.parent().unwrap_or(this_crate)
}

/// The folder that holds all places of this workspace; it is made where there is none.
pub(super) fn base() -> Result<PathBuf, Error> {
    let base = if is_root() {
        // World-writable ground: the name is predictable, so the owner is checked below.
        Path::new("/var/tmp").join(format!("taskmanager-{:016x}", fingerprint(workspace())))
    } else {
        workspace().join("target/stack")
    };
    make(&base)?;
    check(&base)?;
    Ok(base)
}

/// Makes the folder and its parents; everybody may enter, since the servers' users must reach their own folders.
pub(super) fn make(path: &Path) -> Result<(), Error> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(path)
        .map_err(Error::file("create", path))
}

/// Removes everything from the folder but what has one of these names.
pub(super) fn clear(folder: &Path, but: &[&str]) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(Error::file("read", folder))? {
        let entry = entry.map_err(Error::file("read", folder))?;
        let path = entry.path();
        if but.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        let is_folder = entry.file_type().map_err(Error::file("read", &path))?.is_dir();
        let removed = if is_folder {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        removed.map_err(Error::file("remove", &path))?;
    }
    Ok(())
}

fn check(base: &Path) -> Result<(), Error> {
    let metadata = fs::symlink_metadata(base).map_err(Error::file("read", base))?;
    let unsafe_because = |reason| {
        Err(Error::Unsafe {
            path: base.to_owned(),
            reason,
        })
    };
    if !metadata.is_dir() {
        return unsafe_because("is not a folder");
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return unsafe_because("belongs to another user");
    }
    if metadata.mode() & 0o022 != 0 {
        return unsafe_because("can be written by others");
    }
    Ok(())
}

/// FNV-1a of the path, so that each work tree has places of its own, whatever version of Rust builds it.
fn fingerprint(path: &Path) -> u64 {
    path.as_os_str()
        .as_encoded_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        })
}
