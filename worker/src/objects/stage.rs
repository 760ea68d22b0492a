//! Fetching a job's inputs from object storage into the attempt's scratch folder, where plugins find them as in any folder.
//!
//! Invariants: where there is a pointer, all files are of the version that it named when it was read, and have the checksums
//! that it says; nothing is written but in the scratch folder; what is this program's own is no input.

use std::collections::BTreeMap;

use cap_std::fs::{Dir, OpenOptions};
use futures_util::TryStreamExt;
use object_store::{Error as StoreError, ObjectStoreExt};
use sha2::{Digest, Sha256};
use shared::message::manifest::FileEntry;
use tokio::io::AsyncWriteExt;

use super::version::Refusal;
use super::{Failure, Folder};
use crate::free_space::FreeSpace;
use crate::item_store::{blocking, hex, make_folders, shown, split, storage_failure};
use crate::plugin::AttemptError;
use crate::progress::Progress;

/// Most files that a source may have.
const INPUTS_MAX: usize = 100_000;

/// Something to be fetched.
#[derive(Debug, PartialEq, Eq)]
struct Input {
    /// Where it lies, relative to the folder.
    place: String,
    /// Where it goes to, relative to the scratch folder's part for inputs.
    path: String,
    size: u64,
    sha256: Option<String>,
}

impl Folder {
    /// Copies all inputs into `to`, which is empty and lies in the scratch folder of `space`.
    ///
    /// # Errors
    /// Permanent when there are none, or one has a name that no file can have; retryable when the service or the scratch
    /// folder's file system refuses, or has no room for them.
    pub(crate) async fn stage(
        &self,
        to: &Dir,
        space: &FreeSpace,
        progress: &Progress,
    ) -> Result<(), AttemptError> {
        progress.detail(format!("looking what is in {}", self.shown("")));
        let inputs = self.inputs().await?;
        if inputs.is_empty() {
            return Err(AttemptError::permanent(format!(
                "there is nothing in {}: look whether its address is right",
                self.shown("")
            )));
        }
        let sizes = inputs.iter().map(|input| input.size);
        let bytes = sizes.fold(0, u64::saturating_add);
        space
            .check_scratch(bytes)
            .map_err(|full| AttemptError::retryable(full.to_string()))?;
        for (index, input) in inputs.iter().enumerate() {
            progress.detail(format!("fetching file {} of {}", index + 1, inputs.len()));
            self.fetch(input, to).await?;
        }
        progress.detail("");
        Ok(())
    }

    /// The files of the current version; where there is no pointer, all that lies here.
    async fn inputs(&self) -> Result<Vec<Input>, AttemptError> {
        match self.pointer().await {
            Ok(Some((pointer, _))) => {
                let input = |file: FileEntry| Input {
                    place: format!("{}/{}", pointer.folder, file.path),
                    path: file.path,
                    size: file.size,
                    sha256: Some(file.sha256),
                };
                Ok(pointer.files.into_iter().map(input).collect())
            }
            // A file like any other.
            Ok(None) | Err(Refusal::Foreign(_)) => self.all().await,
            Err(later @ Refusal::Later(_)) => Err(AttemptError::permanent(later.to_string())),
            Err(refusal) => Err(refusal.into()),
        }
    }

    async fn all(&self) -> Result<Vec<Input>, AttemptError> {
        let prefix = self.key("")?;
        let mut found = self.store().list(Some(&prefix));
        let fail = |error| Failure::new("list", self.shown(""), error);
        let mut inputs = BTreeMap::new();
        while let Some(object) = found.try_next().await.map_err(fail)? {
            // Never another's: services match prefixes by characters, the library by whole names.
            let Some(parts) = object.location.prefix_match(&prefix) else {
                continue;
            };
            let parts: Vec<_> = parts.map(|part| part.as_ref().to_owned()).collect();
            let is_hidden = parts.iter().any(|part| part.starts_with('.'));
            if !parts.is_empty() && !is_hidden {
                inputs.insert(parts, object.size);
            }
            if inputs.len() > INPUTS_MAX {
                return Err(AttemptError::permanent(format!(
                    "there are more than {INPUTS_MAX} files in {}: name the folder of one volume",
                    self.shown("")
                )));
            }
        }
        // What some programs make to have an empty folder: a name with a slash at its end, which the library drops.
        let mut above = inputs.keys().skip(1);
        let markers = inputs.iter().filter(|(parts, size)| {
            let next = above.next();
            **size == 0 && next.is_some_and(|next| next.starts_with(parts))
        });
        let markers: Vec<Vec<String>> = markers.map(|(parts, _)| parts.clone()).collect();
        inputs.retain(|parts, _| !markers.contains(parts));
        let input = |(parts, size): (Vec<String>, u64)| Input {
            place: parts.join("/"),
            path: parts.join("/"),
            size,
            sha256: None,
        };
        Ok(inputs.into_iter().map(input).collect())
    }

    async fn fetch(&self, input: &Input, to: &Dir) -> Result<(), AttemptError> {
        split(&input.path)?;
        let read = |error| Failure::new("read", self.shown(&input.place), error);
        let found = match self.store().get(&self.key(&input.place)?).await {
            Ok(found) => found,
            Err(error @ StoreError::NotFound { .. }) if input.sha256.is_some() => {
                let gone = Failure::new("read", self.shown(&input.place), error);
                return Err(AttemptError::retryable(format!(
                    "{gone}; its pointer names it: was a version removed that is the current one?"
                )));
            }
            // A folder's marker, or removed since it was listed.
            Err(StoreError::NotFound { .. }) if input.size == 0 => return Ok(()),
            Err(error) => return Err(read(error).into()),
        };
        let shown = shown(to, &input.path);
        let write = |error| storage_failure(&format!("can't write to {shown}"), &error);
        let (folder, path) = (to.try_clone().map_err(write)?, input.path.clone());
        let made = blocking(move || {
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
            make_folders(&folder, parent)?.open_with(name, OpenOptions::new().write(true).create_new(true))
        });
        let mut file = tokio::fs::File::from_std(made.await.map_err(write)?.into_std());
        let (mut hash, mut bytes) = (Sha256::new(), found.into_stream());
        while let Some(part) = bytes.try_next().await.map_err(read)? {
            hash.update(&part);
            file.write_all(&part).await.map_err(write)?;
        }
        file.flush().await.map_err(write)?;
        match &input.sha256 {
            Some(sha256) if *sha256 != hex(&hash.finalize()) => Err(AttemptError::permanent(format!(
                "{} is not what its pointer says: its content was changed",
                self.shown(&input.place)
            ))),
            _ => Ok(()),
        }
    }
}
