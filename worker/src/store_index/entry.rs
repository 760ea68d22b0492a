//! What stands in one file of the index, and how it is read without trust.
//!
//! Invariant: what is read is a regular file of bounded size and names a folder that is relative and has no `..`; whoever
//! opens that folder opens it beneath the root.

use std::io::{self, Read, Write};
use std::path::{Component, Path};

use cap_std::fs::Dir;
use rustix::fs::{Mode, OFlags, openat};
use serde::{Deserialize, Serialize};

/// Most bytes of a file that is read.
const BYTES_MAX: u64 = 16 * 1024;
/// Most bytes of a folder's path: the system takes no longer ones.
const FOLDER_MAX: usize = 4096;

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The target folder, relative to the root; empty for the root itself.
    pub(super) folder: String,
    /// The folder on the way at which another file system than the root's is mounted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) file_system: Option<String>,
}

/// Reads an entry; one that says nothing sensible is [`io::ErrorKind::InvalidData`].
pub(super) fn read(index: &Dir, name: &str) -> io::Result<Entry> {
    // Neither a link is followed nor a pipe waited for.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let invalid = || io::Error::from(io::ErrorKind::InvalidData);
    let file = match openat(index, name, flags, Mode::empty()) {
        Ok(file) => std::fs::File::from(file),
        Err(rustix::io::Errno::LOOP | rustix::io::Errno::NXIO) => return Err(invalid()),
        Err(errno) => return Err(errno.into()),
    };
    if !file.metadata()?.is_file() {
        return Err(invalid());
    }
    let mut text = Vec::new();
    file.take(BYTES_MAX).read_to_end(&mut text)?;
    let entry: Entry = serde_json::from_slice(&text).map_err(|_| invalid())?;
    let sound = is_relative(&entry.folder) && entry.file_system.as_deref().is_none_or(is_relative);
    if sound { Ok(entry) } else { Err(invalid()) }
}

/// Writes an entry, in place of one that says something else; when this returns, its content is on disk.
pub(super) fn write(index: &Dir, name: &str, entry: &Entry) -> io::Result<()> {
    let text = serde_json::to_vec(entry)?;
    let flags = OFlags::WRONLY
        | OFlags::CREATE
        | OFlags::TRUNC
        | OFlags::NOFOLLOW
        | OFlags::NONBLOCK
        | OFlags::CLOEXEC;
    let mut file = std::fs::File::from(openat(index, name, flags, Mode::from_raw_mode(0o666))?);
    file.write_all(&text)?;
    file.sync_all()
}

/// The deepest folder on the way to `folder` at which another file system is mounted than above it.
pub(super) fn file_system(
    folder: &str,
    device: impl Fn(&str) -> io::Result<u64>,
) -> io::Result<Option<String>> {
    let mut above = device("")?;
    let mut found = None;
    for (end, _) in folder.match_indices('/').chain([(folder.len(), "")]) {
        let part = &folder[..end];
        let here = device(part)?;
        if here != above {
            found = Some(part.to_owned());
        }
        above = here;
    }
    Ok(found)
}

/// Whether another file system is mounted at `folder` than above it.
pub(super) fn is_mounted(folder: &str, device: impl Fn(&str) -> io::Result<u64>) -> io::Result<bool> {
    let above = folder.rsplit_once('/').map_or("", |(above, _)| above);
    let device = |folder| match device(folder) {
        Ok(device) => Ok(Some(device)),
        Err(error) if super::is_missing(&error) => Ok(None),
        Err(error) => Err(error),
    };
    let here = device(folder)?;
    Ok(here.is_some() && here != device(above)?)
}

fn is_relative(folder: &str) -> bool {
    folder.len() <= FOLDER_MAX
        && !folder.contains('\0')
        && Path::new(folder)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}
