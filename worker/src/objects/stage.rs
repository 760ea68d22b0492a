//! Fetching a job's inputs from object storage into the attempt's scratch folder, where plugins find them as in any folder.
//!
//! Invariants: where there is a pointer, all files are of the version that it named when it was read, and have the checksums
//! that it says; nothing is written but in the scratch folder; what is this program's own is no input.

use std::io::Write as _;

use cap_std::fs::{Dir, OpenOptions};
use futures_util::TryStreamExt;
use object_store::{Error as StoreError, ObjectStoreExt};
use sha2::{Digest, Sha256};

use super::{Failure, Folder};
use crate::item_store::{hex, make_folders, shown, split, storage_failure};
use crate::plugin::AttemptError;
use crate::progress::Progress;

/// Something to be fetched.
#[derive(Debug, PartialEq, Eq)]
struct Input {
    /// Where it lies, relative to the folder.
    place: String,
    /// Where it goes to, relative to the scratch folder's part for inputs.
    path: String,
    sha256: Option<String>,
}

impl Folder {
    /// Copies all inputs into `to`, which is empty.
    ///
    /// # Errors
    /// Permanent when there are none, or one has a name that no file can have; retryable when the service or the scratch
    /// folder's file system refuses.
    pub(crate) async fn stage(&self, to: &Dir, progress: &Progress) -> Result<(), AttemptError> {
        let inputs = self.inputs().await?;
        if inputs.is_empty() {
            return Err(AttemptError::permanent(format!(
                "there is nothing in {}: look whether its address is right",
                self.shown("")
            )));
        }
        for (index, input) in inputs.iter().enumerate() {
            progress.detail(format!("fetching file {} of {}", index + 1, inputs.len()));
            self.fetch(input, to).await?;
        }
        progress.detail("");
        Ok(())
    }

    /// The files of the current version; where there is no pointer, all that lies here.
    async fn inputs(&self) -> Result<Vec<Input>, AttemptError> {
        if let Some((pointer, _)) = self.pointer().await? {
            let input = |file: shared::message::manifest::FileEntry| Input {
                place: format!("{}/{}", pointer.folder, file.path),
                path: file.path,
                sha256: Some(file.sha256),
            };
            return Ok(pointer.files.into_iter().map(input).collect());
        }
        let prefix = self.key("")?;
        let found = self.store().list(Some(&prefix)).map_ok(|found| found.location);
        let found: Vec<_> = found
            .try_collect()
            .await
            .map_err(|error| Failure::new("list", self.shown(""), error))?;
        let mut inputs = Vec::new();
        for key in &found {
            // Never another's: services match prefixes by characters, the library by whole names.
            let Some(parts) = key.prefix_match(&prefix) else {
                continue;
            };
            let parts: Vec<_> = parts.map(|part| part.as_ref().to_owned()).collect();
            let path = parts.join("/");
            if !path.is_empty() && !path.starts_with('.') {
                inputs.push(Input {
                    place: path.clone(),
                    path,
                    sha256: None,
                });
            }
        }
        Ok(inputs)
    }

    async fn fetch(&self, input: &Input, to: &Dir) -> Result<(), AttemptError> {
        let (parent, name) = split(&input.path)?;
        let write = |error| storage_failure(&format!("can't write to {}", shown(to, &input.path)), &error);
        let read = |error| Failure::new("read", self.shown(&input.place), error);
        let folder = make_folders(to, parent).map_err(write)?;
        let mut file = folder
            .open_with(name, OpenOptions::new().write(true).create_new(true))
            .map_err(write)?;
        let found = match self.store().get(&self.key(&input.place)?).await {
            Ok(found) => found,
            Err(error @ StoreError::NotFound { .. }) if input.sha256.is_some() => {
                let gone = Failure::new("read", self.shown(&input.place), error);
                return Err(AttemptError::retryable(format!(
                    "{gone}; its pointer names it: was a version removed that is the current one?"
                )));
            }
            Err(error) => return Err(read(error).into()),
        };
        let (mut hash, mut bytes) = (Sha256::new(), found.into_stream());
        while let Some(part) = bytes.try_next().await.map_err(read)? {
            hash.update(&part);
            file.write_all(&part).map_err(write)?;
        }
        match &input.sha256 {
            Some(sha256) if *sha256 != hex(&hash.finalize()) => Err(AttemptError::permanent(format!(
                "{} is not what its pointer says: its content was changed",
                self.shown(&input.place)
            ))),
            _ => Ok(()),
        }
    }
}
