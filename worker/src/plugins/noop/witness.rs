//! What really ran, told by the plugin itself and not by any record of it: for tests that hurt the system.
//!
//! Each line is `<what> <job id> <attempt> <claim id> <item>`, where `<what>` is `attempt`, `begun` or `done`, and the
//! item of an attempt's own line is `-`.
//! A line is appended by one write and is on disk before the plugin goes on, so that lines of several workers never
//! mix and none is lost that something else may depend on.

use std::io::{self, Write};
use std::sync::Arc;

use cap_std::fs::{Dir, OpenOptions};
use serde_json::Value;

use crate::context::Context;
use crate::item_store::storage_failure;
use crate::plugin::AttemptError;
use crate::plugins::parameters::{Parameters, wrong};

/// Writes one attempt's lines.
#[derive(Debug)]
pub(super) struct Witness {
    folder: Arc<Dir>,
    file: String,
    job: String,
    token: String,
}

impl Witness {
    /// For a job with parameter `witness`.
    pub(super) fn asked_for(
        parameters: &Parameters,
        context: &Context,
    ) -> Result<Option<Self>, AttemptError> {
        let file = match parameters.get("witness") {
            None => return Ok(None),
            Some(Value::String(file)) => file.clone(),
            Some(other) => return Err(wrong("witness", other, "the name of a file")),
        };
        let Some(folder) = &context.source else {
            return Err(AttemptError::permanent(
                "parameter \"witness\" needs a source folder",
            ));
        };
        let folder = folder
            .try_clone()
            .map_err(|error| storage_failure("can't use the source folder", &error))?;
        Ok(Some(Self {
            folder: Arc::new(folder),
            file,
            job: context.grant.job_id.to_string(),
            token: format!("{} {}", context.grant.attempt, context.grant.claim_id),
        }))
    }

    /// The attempt and its claim id.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Adds a line; it is on disk afterwards.
    pub(super) async fn tell(&self, what: &'static str, item: &str) -> Result<(), AttemptError> {
        let (folder, file) = (Arc::clone(&self.folder), self.file.clone());
        let line = format!("{what} {} {} {item}\n", self.job, self.token);
        let written = tokio::task::spawn_blocking(move || append(&folder, &file, &line)).await;
        written
            .unwrap_or_else(|panic| Err(io::Error::other(panic)))
            .map_err(|error| storage_failure(&format!("can't write to the witness {}", self.file), &error))
    }
}

fn append(folder: &Dir, file: &str, line: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    let mut file = folder.open_with(file, &options)?;
    file.write_all(line.as_bytes())?;
    file.sync_data()
}
