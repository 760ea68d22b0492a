//! The index of item stores at each root, so that none is ever forgotten: `<root>/.taskmanager.stores/<store>`, a small
//! file that says in which folder beneath the root the store lies.
//!
//! Invariants: an entry is on disk before its store's folder is made, and goes after the store has gone; whoever makes a
//! store looks for the entry again afterwards, and whoever removes an entry looks for the store again, so that of two who
//! do both at once one sees the other. An entry is whole, or is not there. What stands in an entry is not trusted: it leads to nothing outside the root, and
//! what is no entry is left alone.

mod entry;
mod list;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;

use cap_std::fs::{Dir, MetadataExt};
use rustix::io::Errno;
use shared::job::JobId;

use crate::item_store::{make_folders, sync_folder};
pub(crate) use entry::Entry;
pub(crate) use list::{Lister, store_of};

/// The folder of the index in its root. Item stores are called otherwise, and outputs are never hidden.
pub(crate) const FOLDER: &str = ".taskmanager.stores";

/// The name of a store's folder.
pub(crate) fn store_name(store: JobId) -> String {
    format!(".taskmanager-{store}")
}

/// One store's place in the index of its root.
#[derive(Debug)]
pub struct StoreEntry {
    root: Dir,
    /// The target folder, relative to the root, its parts separated by `/`; empty for the root itself.
    folder: String,
    store: JobId,
}

/// Whether a store is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sight {
    /// It is.
    There,
    /// It is not.
    Gone,
    /// Nobody can tell: the file system that it lay on is not mounted at this folder.
    NotMounted(String),
}

impl StoreEntry {
    /// The place of the store of this name in a folder beneath the root.
    pub fn new(root: Dir, folder: String, store: JobId) -> Self {
        Self { root, folder, store }
    }

    /// The job that the store is named after.
    pub fn store(&self) -> JobId {
        self.store
    }

    /// Writes the entry, where it does not say so already. A root that allows no index has none.
    pub(crate) fn write(&self) -> io::Result<()> {
        match self.write_where_allowed() {
            Err(error) if allows_no_index(&error) => {
                tracing::warn!(
                    job.id = %self.store,
                    "the item store in {:?} stands in no index, as {FOLDER} can't be written in its root ({error}): \
                     if its job is forgotten, nobody finds it",
                    self.folder
                );
                Ok(())
            }
            other => other,
        }
    }

    fn write_where_allowed(&self) -> io::Result<()> {
        let wanted = Entry {
            folder: self.folder.clone(),
            file_system: entry::file_system(&self.folder, |folder| device(&self.root, folder))?,
        };
        let index = make_folders(&self.root, FOLDER)?;
        let name = self.store.to_string();
        // What can't be read is half of what somebody was about to write who has died.
        if entry::read(&index, &name).is_ok_and(|found| found == wanted) {
            return Ok(());
        }
        entry::write(&index, &name, &wanted)?;
        sync_folder(&index)
    }

    /// Removes the entry, if it is about this folder. That there is none is no error.
    pub(crate) fn remove(&self) -> io::Result<()> {
        let index = match self.root.open_dir(FOLDER) {
            Ok(index) => index,
            Err(error) if is_missing(&error) || allows_no_index(&error) => return Ok(()),
            Err(error) => return Err(error),
        };
        let name = self.store.to_string();
        match entry::read(&index, &name) {
            Ok(found) if found.folder == self.folder => {}
            // Another store of that name, elsewhere; or no entry at all.
            Ok(_) => return Ok(()),
            Err(error) if is_missing(&error) || error.kind() == io::ErrorKind::InvalidData => return Ok(()),
            Err(error) => return Err(error),
        }
        match index.remove_file(&name) {
            Err(error) if !is_missing(&error) => Err(error),
            _ => sync_folder(&index),
        }
    }

    /// Removes what a release before this one has begun to write for this folder and no more. That is for whoever knows
    /// that this is the store's folder, that its storage is there, and that the store is not.
    pub(crate) fn remove_begun(&self) -> io::Result<()> {
        let name = self.store.to_string();
        let removed = self.root.open_dir(FOLDER).and_then(|index| {
            if !entry::is_begun(&index, &name, &self.folder)? {
                return Ok(());
            }
            index.remove_file(&name)?;
            sync_folder(&index)
        });
        match removed {
            Err(error)
                if is_missing(&error)
                    || allows_no_index(&error)
                    || error.kind() == io::ErrorKind::InvalidData =>
            {
                Ok(())
            }
            other => other,
        }
    }

    /// Removes the entry of a store that is not there; one that is there, or that nobody can tell about, keeps it.
    pub(crate) fn forget(&self) -> io::Result<()> {
        if self.look()? == Sight::Gone {
            self.remove()?;
            // Somebody may just have made it.
            if self.look()? != Sight::Gone {
                self.write()?;
            }
        }
        Ok(())
    }

    /// Whether the store is there.
    pub(crate) fn look(&self) -> io::Result<Sight> {
        if let Some(file_system) = self.not_mounted()? {
            return Ok(Sight::NotMounted(file_system));
        }
        let place = Path::new(&self.folder).join(store_name(self.store));
        match self.root.symlink_metadata(place) {
            Ok(_) => Ok(Sight::There),
            Err(error) if is_missing(&error) => Ok(Sight::Gone),
            Err(error) => Err(error),
        }
    }

    /// The folder at which the store's file system was mounted when the entry was written, if it is not now.
    pub(crate) fn not_mounted(&self) -> io::Result<Option<String>> {
        let found = match self.root.open_dir(FOLDER) {
            Ok(index) => entry::read(&index, &self.store.to_string()),
            Err(error) => Err(error),
        };
        match found {
            Ok(Entry {
                folder,
                file_system: Some(mounted),
            }) if folder == self.folder => {
                let is_mounted = entry::is_mounted(&mounted, |folder| device(&self.root, folder))?;
                Ok((!is_mounted).then_some(mounted))
            }
            Ok(_) => Ok(None),
            // Stores of older releases have no entry.
            Err(error)
                if is_missing(&error)
                    || allows_no_index(&error)
                    || error.kind() == io::ErrorKind::InvalidData =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// The device that a folder beneath the root lies on.
fn device(root: &Dir, folder: &str) -> io::Result<u64> {
    let folder = if folder.is_empty() { "." } else { folder };
    root.metadata(folder).map(|metadata| metadata.dev())
}

fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// The root may not be written to, or something of somebody else's is in the index's place.
fn allows_no_index(error: &io::Error) -> bool {
    let refused = [
        Errno::ACCESS,
        Errno::PERM,
        Errno::ROFS,
        Errno::NOTDIR,
        Errno::ISDIR,
    ];
    match error.raw_os_error() {
        Some(number) => refused.iter().any(|errno| errno.raw_os_error() == number),
        // A link out of the root: the refusal is cap-std's own.
        None => error.kind() == io::ErrorKind::PermissionDenied,
    }
}
