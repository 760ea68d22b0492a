//! Making a job's outputs visible: every file of the granted manifest is moved from the item store to its place.
//!
//! Invariants: nobody ever sees half a file, since each appears by being renamed (on object storage all of them appear at
//! once: `objects`); and the work may be ended at any point and begun again, here or on another worker, with the same
//! outcome.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

use shared::failpoint::{self, Failpoint};
use shared::job::Stage;
use shared::message::manifest::{FileEntry, Manifest};

use crate::item_store::{
    Disk, ItemStore, Place, blocking, make_folders, shown, storage_failure, sync_folder,
};
use crate::plugin::AttemptError;
use crate::progress::Progress;

#[cfg(test)]
mod tests;

/// Brings the target folder to what the manifest says. Files that are there already are left alone.
///
/// # Errors
/// Permanent when a file is neither in the store nor published, or lies where it can't be moved to its place;
/// retryable when the storage refuses (full, no permission, unreachable).
pub async fn complete(
    store: &ItemStore,
    manifest: &Manifest,
    progress: &Progress,
) -> Result<(), AttemptError> {
    progress.stage(Stage::Download);
    match store.place() {
        Place::Disk(disk) => complete_folder(disk, manifest, progress).await,
        Place::Objects(objects) => objects.publish(manifest, progress).await,
    }
}

async fn complete_folder(
    disk: &Arc<Disk>,
    manifest: &Manifest,
    progress: &Progress,
) -> Result<(), AttemptError> {
    let total = manifest.files.len();
    for (index, file) in manifest.files.iter().enumerate() {
        progress.detail(format!("publishing file {} of {total}", index + 1));
        let (disk, file) = (Arc::clone(disk), file.clone());
        blocking(move || publish(&disk, &file)).await?;
        if index + 1 < total {
            failpoint::reach(Failpoint::BetweenRenames);
        }
    }
    let folders: BTreeSet<String> = manifest
        .files
        .iter()
        .map(|file| folder_of(file).to_owned())
        .collect();
    let disk = Arc::clone(disk);
    blocking(move || sync(&disk, &folders)).await
}

fn publish(disk: &Disk, file: &FileEntry) -> Result<(), AttemptError> {
    // Twice: an earlier attempt of the same job, cut off and going on, may move the file between two looks.
    for _ in 0..2 {
        if disk.is_published(file)? {
            return Ok(());
        }
        let Some((store, place)) = disk.locate(file)? else {
            continue;
        };
        let name = Path::new(&file.path)
            .file_name()
            .expect("paths are checked when a file is looked up");
        let moved = make_folders(disk.target(), folder_of(file))
            .and_then(|folder| store.rename(&place, &folder, Path::new(name)));
        match moved {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(refused(disk, file, &error)),
        }
    }
    Err(AttemptError::permanent(format!(
        "{} can't be published: it is no longer in the item store, nor in its place with the recorded content; \
         submit the job again",
        shown(disk.target(), &file.path)
    )))
}

fn refused(disk: &Disk, file: &FileEntry, error: &io::Error) -> AttemptError {
    let place = shown(disk.target(), &file.path);
    match error.kind() {
        io::ErrorKind::CrossesDevices => AttemptError::permanent(format!(
            "can't publish {place}: its folder lies on another storage than the target folder; \
             mount the target as one file system"
        )),
        io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory => AttemptError::permanent(format!(
            "can't publish {place}: something else has its name or its folder's ({error}); move that away"
        )),
        _ => storage_failure(&format!("can't publish {place}"), error),
    }
}

/// The folders' names outlast a power cut only after this.
fn sync(disk: &Disk, folders: &BTreeSet<String>) -> Result<(), AttemptError> {
    for folder in folders {
        let opened = if folder.is_empty() {
            disk.target().try_clone()
        } else {
            disk.target().open_dir(folder)
        };
        opened.and_then(|dir| sync_folder(&dir)).map_err(|error| {
            let what = format!("can't make sure that {} is on disk", shown(disk.target(), folder));
            storage_failure(&what, &error)
        })?;
    }
    Ok(())
}

fn folder_of(file: &FileEntry) -> &str {
    file.path.rsplit_once('/').map_or("", |(folder, _)| folder)
}
