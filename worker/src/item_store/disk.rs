//! The item store's work on the disk. All of it blocks; `ItemStore` calls it where that is allowed.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cap_std::fs::{Dir, OpenOptions};
use rustix::fs::{Mode, OFlags, RenameFlags, fsync, openat, renameat_with};
use rustix::io::Errno;
use shared::failpoint::{self, Failpoint};
use shared::job::{ClaimId, JobId};
use shared::message::manifest::FileEntry;

use super::copy::{CopyError, copy, digest};
use super::{Error, path};
use crate::store_index::{StoreEntry, store_name};

/// Where files lie while they are written.
const NEW: &str = ".new";
/// Where files lie whose place has been taken, by their checksums.
const OTHER: &str = ".other";
/// How often a folder that somebody else is still writing to is tried to be removed.
const REMOVALS_MAX: u32 = 5;

#[derive(Debug)]
pub(crate) struct Disk {
    target: Dir,
    name: String,
    /// Its place in the index of its root.
    entry: Option<StoreEntry>,
    claim_id: ClaimId,
    /// The store's folder, once it is there. It is kept open, so that an attempt that goes on after its job has
    /// ended writes into a removed folder (and fails) instead of making it anew.
    folder: Mutex<Open>,
    written: AtomicU64,
}

#[derive(Debug, Default)]
struct Open {
    dir: Option<Arc<Dir>>,
    /// It certainly stands in the index.
    indexed: bool,
}

impl Disk {
    pub(crate) fn new(target: Dir, job_id: JobId, entry: Option<StoreEntry>, claim_id: ClaimId) -> Self {
        Self {
            target,
            name: store_name(job_id),
            entry,
            claim_id,
            folder: Mutex::default(),
            written: AtomicU64::new(0),
        }
    }

    /// The target folder, where results are published.
    pub(crate) fn target(&self) -> &Dir {
        &self.target
    }

    pub(super) fn put(&self, path: &str, from: &Path) -> Result<FileEntry, Error> {
        let (parent, name) = path::split(path)?;
        let mut original = File::open(from).map_err(|source| io_error("read", &from.display(), source))?;
        let folder = self.folder(true)?.expect("it was made where it was missing");
        let fail = |action| {
            let place = shown(&folder, path);
            move |source| io_error(action, &place, source)
        };
        let new = make_folders(&folder, NEW).map_err(fail("write to"))?;
        let written = self.written.fetch_add(1, Ordering::Relaxed);
        let unfinished = Unfinished {
            folder: &new,
            name: format!("{}-{written}", self.claim_id),
        };
        let mut file = new
            .open_with(&unfinished.name, OpenOptions::new().write(true).create_new(true))
            .map_err(fail("write to"))?;
        let (size, sha256) = copy(&mut original, &mut file).map_err(|error| match error {
            CopyError::Read(source) => io_error("read", &from.display(), source),
            CopyError::Write(source) => fail("write to")(source),
        })?;
        file.sync_all().map_err(fail("write to"))?;
        drop(file);
        failpoint::reach(Failpoint::ItemBeforeRename);
        let entry = FileEntry {
            path: path.to_owned(),
            size,
            sha256,
        };
        let place = make_folders(&folder, parent).map_err(fail("make the folder of"))?;
        if rename_to_free(&new, &unfinished.name, &place, name).map_err(fail("write to"))? {
            sync_folder(&place).map_err(fail("write to"))?;
        } else if !same(&place, Path::new(name), &entry).map_err(fail("read"))? {
            let other = make_folders(&folder, OTHER).map_err(fail("write to"))?;
            // What has this name has this content.
            new.rename(&unfinished.name, &other, &entry.sha256)
                .map_err(fail("write to"))?;
            sync_folder(&other).map_err(fail("write to"))?;
        }
        failpoint::reach(Failpoint::ItemBeforeReport);
        Ok(entry)
    }

    /// The store's folder and the place in it where exactly this file lies; `None` when it doesn't.
    pub(crate) fn locate(&self, file: &FileEntry) -> Result<Option<(Arc<Dir>, PathBuf)>, Error> {
        path::split(&file.path)?;
        let Some(folder) = self.folder(false)? else {
            return Ok(None);
        };
        for place in places(file) {
            if same(&folder, &place, file)
                .map_err(|source| io_error("read", &shown(&folder, &place), source))?
            {
                return Ok(Some((folder, place)));
            }
        }
        Ok(None)
    }

    /// Whether exactly this file is in the target folder, published.
    pub(crate) fn is_published(&self, file: &FileEntry) -> Result<bool, Error> {
        path::split(&file.path)?;
        same(&self.target, Path::new(&file.path), file)
            .map_err(|source| io_error("read", &shown(&self.target, &file.path), source))
    }

    pub(super) fn fetch(&self, file: &FileEntry, to: &Path) -> Result<(), Error> {
        path::split(&file.path)?;
        let missing = || Error::Missing(file.path.clone());
        let folder = self.folder(false)?.ok_or_else(missing)?;
        for place in places(file) {
            let read = |source| io_error("read", &shown(&folder, &place), source);
            let write = |source| io_error("write to", &to.display(), source);
            let Some(mut original) = open_sized(&folder, &place, file.size).map_err(read)? else {
                continue;
            };
            let mut copied = File::create(to).map_err(write)?;
            let (_, sha256) = copy(&mut original, &mut copied).map_err(|error| match error {
                CopyError::Read(source) => read(source),
                CopyError::Write(source) => write(source),
            })?;
            if sha256 == file.sha256 {
                return Ok(());
            }
        }
        Err(missing())
    }

    /// Removes the store with all that is in it.
    pub(crate) fn remove(&self) -> Result<(), Error> {
        let mut open = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
        *open = Open::default();
        let fail = |source| io_error("remove", &shown(&self.target, &self.name), source);
        for removal in 1.. {
            let was_there = match self.target.remove_dir_all(&self.name) {
                Ok(()) => true,
                Err(error) if error.kind() == io::ErrorKind::NotFound => false,
                // An attempt that was cut off has put something in meanwhile.
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty && removal < REMOVALS_MAX => {
                    continue;
                }
                Err(error) => return Err(fail(error)),
            };
            sync_folder(&self.target).map_err(fail)?;
            failpoint::reach(Failpoint::RemovalBeforeEntry);
            let Some(entry) = &self.entry else { break };
            entry.remove().map_err(fail)?;
            // A target that is quite empty may be a mount point whose storage is not there.
            if was_there || self.target.entries().map_err(fail)?.next().is_some() {
                entry.remove_begun().map_err(fail)?;
            }
            // Such an attempt may have made it anew while the entry was there, and counts on that.
            match self.target.symlink_metadata(&self.name) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                Ok(_) if removal < REMOVALS_MAX => {}
                Ok(_) => {
                    entry.write().map_err(fail)?;
                    return Err(fail(io::ErrorKind::DirectoryNotEmpty.into()));
                }
                Err(error) => return Err(fail(error)),
            }
        }
        Ok(())
    }

    /// The open folder of the store; with `make` it is made where it is missing, and stands in the index.
    fn folder(&self, make: bool) -> Result<Option<Arc<Dir>>, Error> {
        let mut open = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
        let fail = |source| io_error("open the item store", &shown(&self.target, &self.name), source);
        if make && !open.indexed {
            self.enter().map_err(fail)?;
            failpoint::reach(Failpoint::EntryBeforeStore);
        }
        if open.dir.is_none() {
            let found = match self.target.open_dir(&self.name) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && make => {
                    make_folders(&self.target, &self.name).map(Some)
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                other => other.map(Some),
            };
            open.dir = found.map_err(fail)?.map(Arc::new);
        }
        if make && !open.indexed {
            // Whoever removes the store removes its entry then, and looks for the store once more.
            self.enter().map_err(fail)?;
            open.indexed = true;
        }
        Ok(open.dir.clone())
    }

    fn enter(&self) -> io::Result<()> {
        self.entry.as_ref().map_or(Ok(()), StoreEntry::write)
    }
}

/// A file in `.new`: what is left of it when it goes out of scope is removed.
struct Unfinished<'a> {
    folder: &'a Dir,
    name: String,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        // Usually it has been moved away. A file that stays is removed with the store.
        if let Err(error) = self.folder.remove_file(&self.name)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::debug!(%error, "a half-written file stays in {} until the job ends", shown(self.folder, ""));
        }
    }
}

/// Where in the store a file can lie.
fn places(file: &FileEntry) -> [PathBuf; 2] {
    [PathBuf::from(&file.path), Path::new(OTHER).join(&file.sha256)]
}

/// Whether exactly this content is at `place`.
fn same(folder: &Dir, place: &Path, file: &FileEntry) -> io::Result<bool> {
    match open_sized(folder, place, file.size)? {
        Some(mut found) => Ok(digest(&mut found)? == (file.size, file.sha256.clone())),
        None => Ok(false),
    }
}

/// Opens a regular file of this size, if there is one.
fn open_sized(folder: &Dir, place: &Path, size: u64) -> io::Result<Option<cap_std::fs::File>> {
    // First a look that can't hang on a pipe of that name.
    let opened = folder.metadata(place).and_then(|metadata| {
        if metadata.is_file() && metadata.len() == size {
            folder.open(place).map(Some)
        } else {
            Ok(None)
        }
    });
    match opened {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        other => other,
    }
}

/// Moves a file to a place that is free; false when it is not.
fn rename_to_free(from: &Dir, name: &str, to: &Dir, new_name: &str) -> io::Result<bool> {
    match renameat_with(from, name, to, new_name, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        // File systems without this kind of renaming (NFS): look first. Between the look and the renaming an
        // attempt that was cut off could only put its version of the same file.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => match to.symlink_metadata(new_name) {
            Ok(_) => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                from.rename(name, to, new_name).map(|()| true)
            }
            Err(error) => Err(error),
        },
        Err(errno) => Err(errno.into()),
    }
}

/// Opens a folder beneath `dir` (`""` is `dir` itself), making what is missing so that it outlasts a power cut.
pub(crate) fn make_folders(dir: &Dir, relative: &str) -> io::Result<Dir> {
    let mut folder = dir.try_clone()?;
    for part in relative.split('/').filter(|part| !part.is_empty()) {
        match folder.create_dir(part) {
            Ok(()) => sync_folder(&folder)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        folder = folder.open_dir(part)?;
    }
    Ok(folder)
}

/// Makes the names in a folder outlast a power cut.
pub(crate) fn sync_folder(dir: &Dir) -> io::Result<()> {
    // The handle that cap-std holds may be one that can only be used to find names.
    let readable = openat(
        dir,
        ".",
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    match fsync(readable) {
        // Some network file systems know no such thing for folders; they write names at once.
        Ok(()) | Err(Errno::INVAL | Errno::NOTSUP) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// The absolute path of something in an open folder, for messages.
pub(crate) fn shown(dir: &Dir, relative: impl AsRef<Path>) -> String {
    let link = format!("/proc/self/fd/{}", dir.as_raw_fd());
    let base = std::fs::read_link(link).unwrap_or_else(|_| PathBuf::from("the target folder"));
    base.join(relative).display().to_string()
}

fn io_error(action: &'static str, place: &impl ToString, source: io::Error) -> Error {
    Error::Io {
        action,
        place: place.to_string(),
        source,
    }
}
