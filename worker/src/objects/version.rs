//! Publishing on object storage: all outputs of a job become a version, and then one small object says that it counts.
//!
//! Invariants: a version has one manifest, so whoever completes it writes what is there; the pointer is only ever replaced by
//! who has read it, on the condition that nobody has meanwhile; and it keeps the names of those that it replaced, so that an
//! attempt that was frozen on its way finds that its job was published, and does not take the place of a later one.

use std::sync::atomic::Ordering;

use futures_util::{StreamExt, stream};
use object_store::{Error as StoreError, ObjectStoreExt, PutMode, PutOptions};
use serde::{Deserialize, Serialize};
use shared::failpoint::{self, Failpoint};
use shared::job::JobId;
use shared::message::manifest::{FileEntry, Manifest};

use super::{CARELESS, Failure, Objects};
use crate::item_store::split;
use crate::plugin::AttemptError;
use crate::progress::Progress;

/// The pointer's name in its target.
pub(super) const POINTER: &str = "current.json";
/// Most bytes of a pointer: those of a hundred thousand files.
const POINTER_BYTES_MAX: u64 = 32 << 20;
/// Most jobs whose versions a pointer remembers.
const REPLACED_MAX: usize = 1_000;
/// The format of pointers, which is written into each.
const FORMAT: u32 = 1;
/// How often the pointer may change between reading and replacing it until the attempt pauses.
const CHANGES_MAX: u32 = 20;
/// Files that are copied at once: the service does the work, each request mostly waits.
const COPIES_AT_ONCE: usize = 8;

/// What the pointer says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pointer {
    format: u32,
    /// The job whose outputs these are.
    pub(super) job: JobId,
    /// Where they lie, relative to the target.
    pub(super) folder: String,
    /// The files, relative to that folder.
    pub(super) files: Vec<FileEntry>,
    /// The jobs whose versions counted before, the latest first.
    #[serde(default)]
    pub(super) replaced: Vec<JobId>,
}

/// What all formats have.
#[derive(Debug, Deserialize)]
struct Format {
    format: u32,
}

/// What keeps outputs from being published, or a pointer from being followed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error(transparent)]
    Storage(#[from] Failure),
    #[error(
        "{0} can't be published: it is no longer in the item store, nor in its place; submit the job again"
    )]
    Nowhere(String),
    #[error("{0} was not written by this program: move it away")]
    Foreign(String),
    #[error("{0} was written by a later release of this program: update the worker")]
    Later(String),
    #[error(
        "{0} changes each time before it can be replaced: look who writes there, and whether the service keeps conditions"
    )]
    Busy(String),
    #[error("{0}: {CARELESS}")]
    Careless(String),
}

impl From<Refusal> for AttemptError {
    /// What was granted waits until people have done something about it; only outputs that are nowhere come no more.
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Storage(failure) => failure.into(),
            Refusal::Nowhere(_) => Self::permanent(refusal.to_string()),
            Refusal::Foreign(_) | Refusal::Later(_) | Refusal::Busy(_) | Refusal::Careless(_) => {
                Self::retryable(refusal.to_string())
            }
        }
    }
}

impl Objects {
    /// Brings the target to what the manifest says. What is there already is left alone.
    ///
    /// # Errors
    /// Permanent when a file is neither in the store nor in its version; retryable when the service refuses or is away, and
    /// when the pointer is somebody else's: what was granted waits until that is moved away.
    pub(crate) async fn publish(&self, manifest: &Manifest, progress: &Progress) -> Result<(), AttemptError> {
        self.unless_stopped(self.publish_slowly(manifest, progress), AttemptError::Stopped)
            .await
    }

    async fn publish_slowly(&self, manifest: &Manifest, progress: &Progress) -> Result<(), AttemptError> {
        if self.target.root.careless.load(Ordering::Relaxed) {
            return Err(Refusal::Careless(self.target.shown("")).into());
        }
        let total = manifest.files.len();
        let requests: Vec<_> = manifest.files.iter().map(|file| self.complete(file)).collect();
        let mut copied = stream::iter(requests).buffered(COPIES_AT_ONCE).enumerate();
        while let Some((index, file)) = copied.next().await {
            file?;
            progress.detail(format!("publishing file {} of {total}", index + 1));
            if index + 1 < total {
                failpoint::reach(Failpoint::BetweenRenames);
            }
        }
        failpoint::reach(Failpoint::VersionBeforePointer);
        Ok(self.point(&manifest.files).await?)
    }

    fn folder(&self) -> String {
        format!("versions/{}", self.job)
    }

    /// Copies a file into the version, where it is not there.
    async fn complete(&self, file: &FileEntry) -> Result<(), Refusal> {
        // A manifest is written by workers; a path that no output may have is in no store.
        split(&file.path).map_err(|_| Refusal::Nowhere(self.target.shown(&file.path)))?;
        let place = format!("{}/{}", self.folder(), file.path);
        // Twice: an earlier attempt of the same job, cut off and going on, may end between two looks and take the store away.
        for _ in 0..2 {
            if self.target.size(&place).await? == Some(file.size) {
                return Ok(());
            }
            let (from, to) = (self.target.key(&self.place(file))?, self.target.key(&place)?);
            match self.target.store().copy(&from, &to).await {
                Ok(()) => return Ok(()),
                Err(StoreError::NotFound { .. }) => {}
                Err(error) => return Err(Failure::new("write to", self.target.shown(&place), error).into()),
            }
        }
        Err(Refusal::Nowhere(self.target.shown(&place)))
    }

    /// The job whose item store this one goes on in: no attempt of that one must count any more.
    fn adopted(&self) -> Vec<JobId> {
        if self.store == self.job {
            Vec::new()
        } else {
            vec![self.store]
        }
    }

    /// Makes this job's version the current one, unless it has been that.
    async fn point(&self, files: &[FileEntry]) -> Result<(), Refusal> {
        let key = self.target.key(POINTER)?;
        for _ in 0..CHANGES_MAX {
            let (mode, replaced) = match self.target.pointer().await? {
                None => (PutMode::Create, self.adopted()),
                Some((pointer, _)) if pointer.job == self.job || pointer.replaced.contains(&self.job) => {
                    return Ok(());
                }
                Some((pointer, version)) => {
                    let mut replaced = self.adopted();
                    replaced.retain(|store| *store != pointer.job && !pointer.replaced.contains(store));
                    replaced.insert(0, pointer.job);
                    replaced.extend(pointer.replaced);
                    replaced.truncate(REPLACED_MAX);
                    (PutMode::Update(version), replaced)
                }
            };
            let pointer = Pointer {
                format: FORMAT,
                job: self.job,
                folder: self.folder(),
                files: files.to_vec(),
                replaced,
            };
            let text = serde_json::to_vec_pretty(&pointer).expect("a pointer has no keys but texts");
            let put = self
                .target
                .store()
                .put_opts(&key, text.into(), PutOptions::from(mode))
                .await;
            match put {
                Ok(_) => return Ok(()),
                // Somebody else has published meanwhile, or this very job has: that is looked at.
                Err(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }) => {}
                Err(error) => {
                    return Err(Failure::new("write to", self.target.shown(POINTER), error).into());
                }
            }
        }
        Err(Refusal::Busy(self.target.shown(POINTER)))
    }
}

impl super::Folder {
    /// The pointer in here, and the version of the object that it stands in; `None` where there is none.
    pub(super) async fn pointer(&self) -> Result<Option<(Pointer, object_store::UpdateVersion)>, Refusal> {
        let Some((text, version)) = self.read(POINTER, POINTER_BYTES_MAX).await? else {
            return Ok(None);
        };
        // Neither somebody's file of that name nor what a later release has written is destroyed.
        match serde_json::from_slice::<Pointer>(&text) {
            Ok(pointer) if pointer.format == FORMAT => Ok(Some((pointer, version))),
            Ok(_) => Err(Refusal::Later(self.shown(POINTER))),
            Err(_) => match serde_json::from_slice::<Format>(&text) {
                Ok(later) if later.format > FORMAT => Err(Refusal::Later(self.shown(POINTER))),
                _ => Err(Refusal::Foreign(self.shown(POINTER))),
            },
        }
    }
}
