//! A place: the data folder of one stack of servers, used by one launcher at a time.
//!
//! ```text
//! <base>/<name>/lock       held for as long as the place is open
//!               ledger     what was started here and may still run
//!               logs/      one file a process
//!               postgres/  rabbitmq/   each server's own, mode 700
//! ```
//!
//! The base is `target/stack` of the workspace.
//! For root it is a folder below `/var/tmp` instead: the servers then run as users of their own, which often may not
//! enter the workspace.
//!
//! Opening a place ends what a crashed launcher left running in it.

mod folder;
mod ledger;

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::{Error, disk};
pub use folder::workspace;
use ledger::Ledger;

/// How many places of one name are tried by [`Place::fresh`].
const SIBLINGS: u32 = 9;

/// The folder for temporary places, beside the named ones.
const TEMPORARY: &str = "temporary";

/// A locked data folder. Clones mean the same place; it is given up when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Place {
    inner: Arc<Inner>,
}

/// What of a place outlives its launcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    All,
    Logs,
    Nothing,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    ledger: Ledger,
    interrupt: Arc<AtomicBool>,
    keep: Keep,
    ended: Vec<String>,
    /// Declared last: the lock is given up after everything else.
    _lock: File,
}

impl Place {
    /// Opens the place of this name in this workspace; its data outlives the launcher.
    ///
    /// # Errors
    /// [`Error::InUse`] when another launcher has it open, [`Error::Unsafe`] when its base folder belongs to somebody
    /// else, [`Error::File`] when it can't be made.
    pub fn open(name: &str) -> Result<Self, Error> {
        let base = folder::base()?;
        sweep(&base)?;
        Self::lock(base.join(name), Keep::All)
    }

    /// Opens the place of this name with nothing in it, for a run whose data nobody needs afterwards; the logs stay to be
    /// read. Where others use it, it is `name-2`, `name-3`, …: two test runs in one work tree don't wait for each other.
    ///
    /// # Errors
    /// As for [`Place::open`]; [`Error::InUse`] when all of them are taken.
    pub fn fresh(name: &str) -> Result<Self, Error> {
        let base = folder::base()?;
        sweep(&base)?;
        let mut opened = Self::lock(base.join(name), Keep::Logs);
        for number in 2..=SIBLINGS {
            if !matches!(opened, Err(Error::InUse { .. })) {
                break;
            }
            opened = Self::lock(base.join(format!("{name}-{number}")), Keep::Logs);
        }
        let place = opened?;
        folder::clear(place.path(), &["lock", "ledger", "logs"])?;
        Ok(place)
    }

    /// Makes a place of its own that is removed, data and all, when it is dropped. For tests that hurt their server.
    ///
    /// # Errors
    /// As for [`Place::open`].
    pub fn temporary(name: &str) -> Result<Self, Error> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let base = folder::base()?;
        sweep(&base)?;
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{name}-{}-{number}", std::process::id());
        Self::lock(base.join(TEMPORARY).join(name), Keep::Nothing)
    }

    fn lock(path: PathBuf, keep: Keep) -> Result<Self, Error> {
        folder::make(&path.join("logs"))?;
        let lock = take_lock(&path)?;
        let (ledger, ended) = Ledger::take_over(&path)?;
        let inner = Inner {
            path,
            ledger,
            interrupt: Arc::default(),
            keep,
            ended,
            _lock: lock,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The data folder.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Where the output of the process of this name goes.
    pub fn log_path(&self, name: &str) -> PathBuf {
        self.path().join("logs").join(format!("{name}.log"))
    }

    /// What a crashed launcher had left running here and was ended when the place was opened: name and process id.
    pub fn ended_leftovers(&self) -> &[String] {
        &self.inner.ended
    }

    /// A flag that a signal handler may raise: whatever waits in this place then gives up with [`Error::Interrupted`].
    pub fn interrupt_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.inner.interrupt)
    }

    /// Whether the interrupt flag is raised.
    pub fn interrupted(&self) -> bool {
        self.inner.interrupt.load(Ordering::Relaxed)
    }

    /// Whether somebody will use the data again, so that a server should be stopped rather than killed.
    pub(crate) fn keeps_data(&self) -> bool {
        self.inner.keep == Keep::All
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.inner.ledger
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.keep == Keep::Nothing {
            // What can't be removed now is swept by the next launcher.
            let _ = disk::unmount_beneath(&self.path);
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Takes the place's lock and writes our process id into it, for the message that the next one sees.
fn take_lock(path: &Path) -> Result<File, Error> {
    let lock_path = path.join("lock");
    let mut lock = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&lock_path)
        .map_err(Error::file("open", &lock_path))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let read = lock.read_to_string(&mut holder);
            return Err(Error::InUse {
                path: path.to_owned(),
                holder: read.ok().and_then(|_| holder.trim().parse().ok()),
            });
        }
        Err(TryLockError::Error(source)) => {
            return Err(Error::File {
                action: "lock",
                path: lock_path,
                source,
            });
        }
    }
    lock.set_len(0)
        .and_then(|()| lock.rewind())
        .and_then(|()| write!(lock, "{}", std::process::id()))
        .map_err(Error::file("write", &lock_path))?;
    Ok(lock)
}

/// Ends and removes temporary places whose launcher is gone.
fn sweep(base: &Path) -> Result<(), Error> {
    let folder = base.join(TEMPORARY);
    let Ok(entries) = fs::read_dir(&folder) else {
        return Ok(());
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        // One whose launcher lives may just be being made, before it is locked.
        if maker(&path).is_some_and(|pid| Path::new("/proc").join(pid.to_string()).exists()) {
            continue;
        }
        match take_lock(&path) {
            Ok(_lock) => {
                Ledger::take_over(&path)?;
                disk::unmount_beneath(&path)?;
                fs::remove_dir_all(&path).map_err(Error::file("remove", &path))?;
            }
            Err(Error::InUse { .. }) => {}
            // Removed by its owner between our two looks.
            Err(Error::File { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The process that made a temporary place, from its folder's name `<name>-<process id>-<number>`.
fn maker(path: &Path) -> Option<u32> {
    path.file_name()?.to_str()?.rsplit('-').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests;
