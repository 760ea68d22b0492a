//! An item store on object storage: each finished file is one object, named after its checksum.
//!
//! Invariants: an object of the store is whole, and has the content that its name says; putting it again, be it by an
//! attempt that was cut off and goes on, changes nothing.

use std::path::Path;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt};
use object_store::buffered::BufWriter;
use object_store::{Error as StoreError, ObjectStoreExt};
use sha2::{Digest, Sha256};
use shared::failpoint::{self, Failpoint};
use shared::job::JobId;
use shared::message::manifest::FileEntry;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

use super::{Failure, Folder};
use crate::item_store::{Error, blocking, digest, hex, split};
use crate::store_index::store_name;

/// Bytes that are sent at once; what is larger is sent in parts of this size.
const PART_BYTES: usize = 8 << 20;
/// Parts of one file that are sent at once.
const PARTS_AT_ONCE: usize = 2;
/// Most bytes of a file: services copy no larger ones by themselves, and publishing is copying.
const FILE_BYTES_MAX: u64 = 5 << 30;
/// How often a store that somebody else is still writing to is tried to be removed.
const REMOVALS_MAX: u32 = 5;

/// One attempt's hand on its job's item store, and on the versions in its target.
#[derive(Debug)]
pub(crate) struct Objects {
    pub(super) target: Folder,
    /// The job that the store is named after.
    pub(super) store: JobId,
    /// The job whose version is published.
    pub(super) job: JobId,
    /// Cancelled when its attempt must end: a service may take its time.
    stop: CancellationToken,
}

impl Objects {
    pub(crate) fn new(target: Folder, store: JobId, job: JobId) -> Self {
        Self {
            target,
            store,
            job,
            stop: CancellationToken::new(),
        }
    }

    /// The same for an attempt that may have to end.
    pub(crate) fn stopped_by(self, stop: CancellationToken) -> Self {
        Self { stop, ..self }
    }

    /// Does something unless the attempt is told to stop meanwhile.
    pub(super) async fn unless_stopped<T, E>(
        &self,
        work: impl Future<Output = Result<T, E>>,
        stopped: E,
    ) -> Result<T, E> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(stopped),
            done = work => done,
        }
    }

    /// Where a file lies in the store, relative to the target.
    pub(super) fn place(&self, file: &FileEntry) -> String {
        format!("{}/{}", store_name(self.store), file.sha256)
    }

    pub(crate) async fn put(&self, path: &str, from: &Path) -> Result<FileEntry, Error> {
        self.unless_stopped(self.put_slowly(path, from), Error::Stopped)
            .await
    }

    async fn put_slowly(&self, path: &str, from: &Path) -> Result<FileEntry, Error> {
        split(path)?;
        let file = self.describe(path, from).await?;
        if file.size > FILE_BYTES_MAX {
            return Err(Error::TooLarge(path.to_owned()));
        }
        self.target.enter_if_missing(self.store).await?;
        failpoint::reach(Failpoint::EntryBeforeStore);
        self.send(&self.place(&file), from).await?;
        // Whoever removes the store removes its entry then, and looks for objects once more.
        self.target.enter_if_missing(self.store).await?;
        failpoint::reach(Failpoint::ItemBeforeReport);
        Ok(file)
    }

    async fn describe(&self, path: &str, from: &Path) -> Result<FileEntry, Error> {
        let (file, place) = (from.to_owned(), from.display().to_string());
        let described = blocking(move || digest(&mut std::fs::File::open(file)?)).await;
        let (size, sha256) = described.map_err(|source| Error::Io {
            action: "read",
            place,
            source,
        })?;
        Ok(FileEntry {
            path: path.to_owned(),
            size,
            sha256,
        })
    }

    async fn send(&self, place: &str, from: &Path) -> Result<(), Error> {
        let read = |source| Error::Io {
            action: "read",
            place: from.display().to_string(),
            source,
        };
        let fail =
            |error: std::io::Error| Failure::new("write to", self.target.shown(place), store_error(error));
        let mut file = tokio::fs::File::open(from).await.map_err(read)?;
        let key = self.target.key(place)?;
        // A part that is not finished by `shutdown` is no object.
        let store = Arc::clone(self.target.store());
        let mut object = BufWriter::with_capacity(store, key, PART_BYTES).with_max_concurrency(PARTS_AT_ONCE);
        let copied = tokio::io::copy(&mut file, &mut object).await;
        let sent = match copied {
            Ok(_) => object.shutdown().await,
            Err(error) => Err(error),
        };
        if let Err(error) = sent {
            if let Err(left) = object.abort().await {
                tracing::debug!("parts of {} may be left: {left}", self.target.shown(place));
            }
            return Err(fail(error).into());
        }
        Ok(())
    }

    /// Whether exactly this file is in the store.
    pub(crate) async fn has(&self, file: &FileEntry) -> Result<bool, Error> {
        split(&file.path)?;
        self.unless_stopped(self.read(file, &mut tokio::io::sink()), Error::Stopped)
            .await
    }

    pub(crate) async fn fetch(&self, file: &FileEntry, to: &Path) -> Result<(), Error> {
        split(&file.path)?;
        let write = |source| Error::Io {
            action: "write to",
            place: to.display().to_string(),
            source,
        };
        let mut copy = tokio::fs::File::create(to).await.map_err(write)?;
        let read = self.read(file, &mut copy);
        if self.unless_stopped(read, Error::Stopped).await? {
            copy.flush().await.map_err(write)
        } else {
            Err(Error::Missing(file.path.clone()))
        }
    }

    /// Reads a file of the store; false when it is not there as described.
    async fn read(&self, file: &FileEntry, to: &mut (impl AsyncWrite + Unpin + Send)) -> Result<bool, Error> {
        let place = self.place(file);
        let fail = |error| Failure::new("read", self.target.shown(&place), error);
        let found = match self.target.store().get(&self.target.key(&place)?).await {
            Ok(found) if found.meta.size == file.size => found,
            Ok(_) | Err(StoreError::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(fail(error).into()),
        };
        let (mut hash, mut bytes) = (Sha256::new(), found.into_stream());
        while let Some(part) = bytes.try_next().await.map_err(fail)? {
            hash.update(&part);
            to.write_all(&part).await.map_err(|source| Error::Io {
                action: "write",
                place: format!("a copy of {}", self.target.shown(&place)),
                source,
            })?;
        }
        Ok(hex(&hash.finalize()) == file.sha256)
    }

    pub(crate) async fn remove(&self) -> Result<(), Error> {
        let name = store_name(self.store);
        for _ in 0..REMOVALS_MAX {
            self.clear(&name).await?;
            failpoint::reach(Failpoint::RemovalBeforeEntry);
            self.target.leave(self.store).await?;
            // An attempt that was cut off may have put something while the entry was there, and counts on that.
            if !self.target.has(&name).await? {
                return Ok(());
            }
        }
        self.target.enter(self.store).await?;
        Err(Error::InUse(self.target.shown(&name)))
    }

    /// Takes the store out of the index, unless it is there.
    pub(crate) async fn forget(&self) -> Result<(), Error> {
        let name = store_name(self.store);
        if !self.target.has(&name).await? {
            self.target.leave(self.store).await?;
            if self.target.has(&name).await? {
                self.target.enter(self.store).await?;
            }
        }
        Ok(())
    }

    /// Removes all objects of the store.
    async fn clear(&self, name: &str) -> Result<(), Failure> {
        let fail = |error| Failure::new("remove", self.target.shown(name), error);
        let store = self.target.store();
        let found = store
            .list(Some(&self.target.key(name)?))
            .map_ok(|found| found.location);
        let mut removed = store.delete_stream(found.boxed());
        while let Some(removed) = removed.next().await {
            match removed {
                Ok(_) | Err(StoreError::NotFound { .. }) => {}
                Err(error) => return Err(fail(error)),
            }
        }
        Ok(())
    }
}

/// The store's error that an error of writing carries.
fn store_error(error: std::io::Error) -> StoreError {
    match error.downcast::<StoreError>() {
        Ok(error) => error,
        Err(error) => StoreError::Generic {
            store: "S3",
            source: Box::new(error),
        },
    }
}
