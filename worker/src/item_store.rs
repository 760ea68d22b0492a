//! The finished items of an unfinished job, in the hidden folder `.taskmanager-<job id>` of its target: of a folder as
//! below, or of a place on object storage (`objects`).
//!
//! ```text
//!  <target>/.taskmanager-<job id>/ocr/x_alto/0001.xml   laid out as the target will be
//!                                 .new/<claim id>-<n>   being written
//!                                 .other/<sha256>       where another attempt's file has taken the place
//! ```
//!
//! Invariants: a file outside `.new` is complete, on disk, and never altered or replaced; so an attempt that was
//! cut off and goes on can't spoil the files of the one that follows it. Nothing here is visible to readers of
//! the target folder: that is `publish`'s part, which moves files by renaming, since both lie on one storage.

mod copy;
mod disk;
mod error;
mod path;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use cap_std::fs::Dir;
use shared::job::{ClaimId, JobId};
use shared::message::manifest::FileEntry;
use shared::message::reply::DoneItem;

use crate::objects::Objects;
use crate::store_index::StoreEntry;

pub(crate) use copy::{CopyError, copy, digest, hex};
pub(crate) use disk::{Disk, make_folders, shown, sync_folder};
pub use error::Error;
pub(crate) use error::storage_failure;
pub(crate) use path::split;

/// One attempt's hand on its job's item store. Clones share it.
#[derive(Debug, Clone)]
pub struct ItemStore {
    place: Place,
}

/// What a store lies on.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// A folder of a file system.
    Disk(Arc<Disk>),
    /// Object storage.
    Objects(Arc<Objects>),
}

impl ItemStore {
    /// The store of this job in its target folder, which lies beneath no root, so that the store stands in no index.
    /// Nothing is made on the disk before the first [`Self::put`].
    pub fn open(target: Dir, job_id: JobId, claim_id: ClaimId) -> Self {
        Self {
            place: Place::Disk(Arc::new(Disk::new(target, job_id, None, claim_id))),
        }
    }

    /// The same in a target folder beneath a root: it stands in the root's index as long as it is there.
    pub fn indexed(target: Dir, entry: StoreEntry, claim_id: ClaimId) -> Self {
        Self {
            place: Place::Disk(Arc::new(Disk::new(target, entry.store(), Some(entry), claim_id))),
        }
    }

    /// The same on object storage.
    pub(crate) fn on_objects(objects: Objects) -> Self {
        Self {
            place: Place::Objects(Arc::new(objects)),
        }
    }

    /// What it lies on.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Copies a finished file into the store; when this returns, it is on disk.
    ///
    /// `path` is the file's place in the target folder, relative, its parts separated by `/`. `from` may lie on
    /// another file system. Putting the same file again changes nothing.
    ///
    /// # Errors
    /// [`Error`]: the path is not relative or hidden, or the storage refuses (full, no permission, gone).
    pub async fn put(&self, path: &str, from: &Path) -> Result<FileEntry, Error> {
        match &self.place {
            Place::Disk(disk) => {
                let (disk, path, from) = (Arc::clone(disk), path.to_owned(), from.to_owned());
                blocking(move || disk.put(&path, &from)).await
            }
            Place::Objects(objects) => objects.put(path, from).await,
        }
    }

    /// The same for who is where blocking is allowed, in a folder.
    #[cfg(test)]
    pub(crate) fn put_blocking(&self, path: &str, from: &Path) -> Result<FileEntry, Error> {
        match &self.place {
            Place::Disk(disk) => disk.put(path, from),
            Place::Objects(_) => unreachable!("tests of folders only"),
        }
    }

    /// Whether every file of the item is in the store, complete and unaltered.
    ///
    /// # Errors
    /// [`Error`] when the storage can't be read; that a file is missing or differs is no error.
    pub async fn verify(&self, item: &DoneItem) -> Result<bool, Error> {
        for file in &item.files {
            let is_there = match &self.place {
                Place::Disk(disk) => {
                    let (disk, file) = (Arc::clone(disk), file.clone());
                    blocking(move || disk.locate(&file)).await?.is_some()
                }
                Place::Objects(objects) => objects.has(file).await?,
            };
            if !is_there {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The same as [`Self::remove`] for who is where blocking is allowed, in a folder.
    #[cfg(test)]
    pub(crate) fn remove_blocking(&self) -> Result<(), Error> {
        match &self.place {
            Place::Disk(disk) => disk.remove(),
            Place::Objects(_) => unreachable!("tests of folders only"),
        }
    }

    /// Copies a file out of the store to `to`, a path in the scratch folder.
    ///
    /// # Errors
    /// [`Error`]: the file is not in the store as described, or reading or writing fails.
    pub async fn fetch(&self, file: &FileEntry, to: &Path) -> Result<(), Error> {
        match &self.place {
            Place::Disk(disk) => {
                let (disk, file, to) = (Arc::clone(disk), file.clone(), to.to_owned());
                blocking(move || disk.fetch(&file, &to)).await
            }
            Place::Objects(objects) => objects.fetch(file, to).await,
        }
    }

    /// Removes the store with all that is in it, also what other attempts left half-written.
    ///
    /// # Errors
    /// [`Error`] when the storage refuses; that there is no store is no error.
    pub async fn remove(&self) -> Result<(), Error> {
        match &self.place {
            Place::Disk(disk) => {
                let disk = Arc::clone(disk);
                blocking(move || disk.remove()).await
            }
            Place::Objects(objects) => objects.remove().await,
        }
    }
}

/// Runs work on files where blocking is allowed.
pub(crate) async fn blocking<T, F>(work: F) -> T
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(failed) => match failed.try_into_panic() {
            // A panic goes on where the work was asked for; the attempt's boundary catches it.
            Ok(panic) => std::panic::resume_unwind(panic),
            // Blocking work is cancelled only by the end of the runtime, which drops this future too.
            Err(_) => std::future::pending().await,
        },
    }
}
