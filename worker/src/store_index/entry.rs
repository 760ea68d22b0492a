//! What stands in one file of the index, how it is read without trust, and written whole or not at all.
//!
//! Invariants: what is read is a regular file of bounded size and names a folder that is relative and has no `..`; whoever
//! opens that folder opens it beneath the root. An entry is written under another name and renamed into place.

use std::io::{self, Read, Write};
use std::path::{Component, Path};
use std::time::{Duration, SystemTime};

use cap_std::fs::Dir;
use rustix::fs::{Mode, OFlags, openat};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Most bytes of a file that is read.
const BYTES_MAX: u64 = 16 * 1024;
/// Most bytes of a folder's path: the system takes no longer ones.
const FOLDER_MAX: usize = 4096;

/// So begin the names of entries that are being written; a random number follows.
const UNFINISHED: &str = ".new-";
/// Nobody writes a few bytes for this long: whoever has begun has died.
const UNFINISHED_MAX: Duration = Duration::from_hours(24);

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// The target folder, relative to the root; empty for the root itself.
    pub(super) folder: String,
    /// The folder on the way at which another file system than the root's is mounted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) file_system: Option<String>,
}

impl Entry {
    /// About a store on object storage, which has no file systems.
    pub(crate) fn of(folder: String) -> Self {
        Self {
            folder,
            file_system: None,
        }
    }

    /// The target folder, relative to the root.
    pub(crate) fn folder(&self) -> &str {
        &self.folder
    }

    /// What is written.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("an entry has no keys but texts")
    }

    /// Reads what was written; what says nothing sensible is [`io::ErrorKind::InvalidData`].
    pub(crate) fn parse(text: &[u8]) -> io::Result<Self> {
        let invalid = || io::Error::from(io::ErrorKind::InvalidData);
        let entry: Self = serde_json::from_slice(text).map_err(|_| invalid())?;
        let sound = is_relative(&entry.folder) && entry.file_system.as_deref().is_none_or(is_relative);
        if sound { Ok(entry) } else { Err(invalid()) }
    }
}

/// Reads an entry.
pub(super) fn read(index: &Dir, name: &str) -> io::Result<Entry> {
    Entry::parse(&text(index, name)?)
}

/// Whether this file can be nothing but the beginning of an entry for `folder`: releases before this one wrote in place,
/// and a full disk or a power cut left no more of it, or zero bytes.
pub(super) fn is_begun(index: &Dir, name: &str, folder: &str) -> io::Result<bool> {
    let mut text = text(index, name)?;
    while text.last() == Some(&0) {
        text.pop();
    }
    let mut folder = Entry::of(folder.to_owned()).to_bytes();
    folder.pop();
    let is_whole = serde_json::from_slice::<Entry>(&text).is_ok();
    Ok(folder.starts_with(&text) || text.starts_with(&folder) && !is_whole)
}

/// The bytes of a file, as many as are read; [`io::ErrorKind::InvalidData`] where it is no regular file.
fn text(index: &Dir, name: &str) -> io::Result<Vec<u8>> {
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
    Ok(text)
}

/// Writes an entry, in place of one that says something else; when this returns, its content is on disk, and its name
/// once the folder is.
pub(super) fn write(index: &Dir, name: &str, entry: &Entry) -> io::Result<()> {
    let text = entry.to_bytes();
    let (unfinished, mut file) = begin(index)?;
    let written = file.write_all(&text).and_then(|()| file.sync_all());
    let placed = written.and_then(|()| index.rename(&unfinished, index, name));
    if placed.is_err() {
        // What can't be removed now goes as all that is old.
        let _removed = index.remove_file(&unfinished);
    }
    placed
}

/// A new file of its own under the name of an entry that is being written.
fn begin(index: &Dir) -> io::Result<(String, std::fs::File)> {
    let name = format!("{UNFINISHED}{}", Uuid::new_v4());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(index, &name, flags, Mode::from_raw_mode(0o666))?;
    Ok((name, file.into()))
}

/// Whether a file of this name is an entry that is being written, or was to be.
pub(super) fn is_unfinished(name: &str) -> bool {
    let number = name.strip_prefix(UNFINISHED);
    number.is_some_and(|number| number.parse::<Uuid>().is_ok())
}

/// What time it is for the storage, which gives files their times.
pub(super) fn now(index: &Dir) -> io::Result<SystemTime> {
    let (name, file) = begin(index)?;
    let now = file.metadata().and_then(|metadata| metadata.modified());
    index.remove_file(&name)?;
    now
}

/// Removes an entry that nobody goes on writing; `now` as [`now`] says.
pub(super) fn remove_if_old(index: &Dir, name: &str, now: SystemTime) -> io::Result<()> {
    let modified = index.symlink_metadata(name)?.modified()?.into_std();
    if now.duration_since(modified).is_ok_and(|age| age > UNFINISHED_MAX) {
        index.remove_file(name)?;
    }
    Ok(())
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
