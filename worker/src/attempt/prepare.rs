//! The first step of an attempt: its folders are opened, and there is room to work in. Where there is none, it waits.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use shared::job::Stage;
use shared::location::Location;
use shared::message::reply::Grant;
use shared::message::transfer::Transfer;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::Workshop;
use super::slot::{self, Broken};
use crate::context::{Context, fetched_into};
use crate::free_space::{FreeSpace, Full};
use crate::item_store::{ItemStore, blocking, storage_failure};
use crate::objects::{self, Buckets, Objects};
use crate::plugin::AttemptError;
use crate::roots::{self, Roots};
use crate::running::{Attempt, StopReason};
use crate::store_index::StoreEntry;

/// Pause before a full file system is looked at again.
const PAUSE: Duration = Duration::from_secs(2);

/// The folders of an attempt.
struct Folders {
    source: Option<Source>,
    store: Option<ItemStore>,
    scratch: TempDir,
}

/// Where its input is.
enum Source {
    Folder(Dir),
    /// On object storage: it is fetched first.
    Objects(objects::Folder),
}

/// Where its outputs go.
enum Target {
    Folder(Dir, StoreEntry),
    Objects(Objects),
}

/// Why an attempt has no folders.
enum Unready {
    /// There is no room: this may pass by itself, and nothing is lost by waiting.
    Full(String),
    /// Anything else.
    Failed(AttemptError),
}

impl Workshop {
    /// Opens an attempt's folders as soon as there is room. Whoever stops, holds or drains it need not wait for that.
    pub(super) async fn prepare(
        &self,
        grant: &Grant,
        attempt: &Attempt,
    ) -> Result<(Context, TempDir), AttemptError> {
        let mut told = false;
        let granted = grant.manifest.is_some();
        let folders = loop {
            let (roots, buckets) = (Arc::clone(&self.roots), self.buckets.clone());
            let (space, stop, grant) = (self.space.clone(), attempt.stop.clone(), grant.clone());
            let opened =
                tokio::task::spawn_blocking(move || open(&roots, &buckets, &space, &stop, &grant)).await;
            let full = match opened {
                Ok(Ok(folders)) => break folders,
                Ok(Err(Unready::Full(full))) => full,
                // What was granted is only completed: it waits for its target, here or on the next worker.
                Ok(Err(Unready::Failed(error))) if granted => format!("waits to go on publishing: {error}"),
                Err(panic) if granted => format!("waits to go on publishing: {panic}"),
                Ok(Err(Unready::Failed(error))) => return Err(error),
                Err(panic) => return Err(AttemptError::retryable(format!("preparing failed: {panic}"))),
            };
            attempt.progress.detail(full.clone());
            if !told {
                told = true;
                attempt.progress.stage(Stage::WaitingForUpload);
                tracing::warn!(job.id = %attempt.job_id, "job {} {full}", attempt.job_id);
                attempt.progress.log(full);
            }
            tokio::select! {
                biased;
                () = attempt.stop.cancelled() => return Err(broken_off(attempt)),
                () = attempt.pause.cancelled() => return Err(AttemptError::Yielded),
                () = tokio::time::sleep(PAUSE) => {}
            }
        };
        if told {
            attempt.progress.stage(Stage::Started);
            attempt.progress.detail("");
            attempt.progress.log("there is room now");
        }
        if grant.ask_for_transfer && folders.source.is_some() {
            slot::wait(attempt, Transfer::Source)
                .await
                .map_err(|broken| match broken {
                    Broken::Stopped => broken_off(attempt),
                    Broken::Paused => AttemptError::Yielded,
                })?;
            attempt.progress.stage(Stage::Upload);
        }
        let source = match folders.source {
            None => None,
            Some(Source::Folder(folder)) => Some(folder),
            Some(Source::Objects(objects)) => {
                Some(self.fetch(&objects, folders.scratch.path(), attempt).await?)
            }
        };
        let context = Context {
            grant: grant.clone(),
            stop: attempt.stop.clone(),
            pause: attempt.pause.clone(),
            progress: attempt.progress.clone(),
            scratch: folders.scratch.path().to_owned(),
            source,
            store: folders.store,
        };
        Ok((context, folders.scratch))
    }

    /// Fetches what lies on object storage into the scratch folder. Whoever stops, holds or drains it need not wait for
    /// that; it is work, and what takes longer than its plugin allows has failed.
    async fn fetch(
        &self,
        from: &objects::Folder,
        scratch: &Path,
        attempt: &Attempt,
    ) -> Result<Dir, AttemptError> {
        attempt.progress.stage(Stage::Upload);
        let folder = fetched_into(scratch);
        let shown = folder.display().to_string();
        let made = move || {
            std::fs::create_dir(&folder)?;
            Dir::open_ambient_dir(&folder, ambient_authority())
        };
        let to = blocking(made)
            .await
            .map_err(|error| storage_failure(&format!("can't make {shown}"), &error))?;
        tokio::select! {
            biased;
            () = attempt.stop.cancelled() => Err(AttemptError::Stopped),
            () = attempt.pause.cancelled() => Err(AttemptError::Yielded),
            fetched = from.stage(&to, &self.space, &attempt.progress) => fetched.map(|()| to),
        }
    }
}

/// Why an attempt ends that was told to stop while it waited.
fn broken_off(attempt: &Attempt) -> AttemptError {
    match attempt.stop_reason() {
        // Waiting is no failure: it goes back to its queue, and waits again.
        Some(StopReason::OverBudget) => AttemptError::Yielded,
        _ => AttemptError::Stopped,
    }
}

fn open(
    roots: &Roots,
    buckets: &Buckets,
    space: &FreeSpace,
    stop: &CancellationToken,
    grant: &Grant,
) -> Result<Folders, Unready> {
    // What was granted needs its source no more.
    let source = grant.source.as_deref().filter(|_| grant.manifest.is_none());
    let source = source.map(|source| {
        if Location::is_on_objects(source) {
            Ok(Source::Objects(buckets.open(source).map_err(AttemptError::from)?))
        } else {
            Ok::<_, Unready>(Source::Folder(roots.open(source).map_err(unready)?))
        }
    });
    let source = source.transpose()?;
    let target = grant.target.as_deref().map(|target| {
        let store = grant.store.unwrap_or(grant.job_id);
        if Location::is_on_objects(target) {
            let target = buckets.open(target).map_err(AttemptError::from)?;
            let objects = Objects::new(target, store, grant.job_id).stopped_by(stop.clone());
            return Ok(Target::Objects(objects));
        }
        let folder = roots.create(target).map_err(unready)?;
        let entry = roots.entry(target, store).map_err(unready)?;
        Ok::<_, Unready>(Target::Folder(folder, entry))
    });
    let target = target.transpose()?;
    // What was granted is in the item store already: it is only moved, and needs no room to speak of.
    if grant.manifest.is_none() {
        space.check(match &target {
            Some(Target::Folder(folder, _)) => Some(folder),
            Some(Target::Objects(_)) | None => None,
        })?;
    }
    let scratch = tempfile::Builder::new()
        .prefix(&format!("{}-", grant.claim_id))
        .tempdir_in(&space.scratch)
        .map_err(|error| {
            let what = format!(
                "no scratch folder can be made in {} on the worker",
                space.scratch.display()
            );
            if error.kind() == std::io::ErrorKind::StorageFull {
                Unready::Full(format!("waits for free space: {what}; make room there"))
            } else {
                Unready::Failed(storage_failure(&what, &error))
            }
        })?;
    let store = target.map(|target| match target {
        Target::Folder(folder, entry) => ItemStore::indexed(folder, entry, grant.claim_id),
        Target::Objects(objects) => ItemStore::on_objects(objects),
    });
    Ok(Folders {
        source,
        store,
        scratch,
    })
}

impl From<AttemptError> for Unready {
    fn from(error: AttemptError) -> Self {
        Self::Failed(error)
    }
}

impl From<Full> for Unready {
    fn from(full: Full) -> Self {
        Self::Full(full.to_string())
    }
}

fn unready(error: roots::Error) -> Unready {
    match &error {
        roots::Error::Io { folder, source } if source.kind() == std::io::ErrorKind::StorageFull => {
            Unready::Full(format!(
                "waits for free space: {folder} can't be made; make room there"
            ))
        }
        _ => Unready::Failed(error.into()),
    }
}
