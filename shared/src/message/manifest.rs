//! Files with their checksums: what an item left in the item store, and what a job publishes.

use serde::{Deserialize, Serialize};

use super::worker::Outcome;

/// One file, named relative to the job's target folder (and so also to its item store).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FileEntry {
    /// Relative path with `/` between its parts; never absolute, never with `..`.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 of the content, 64 lower-case hexadecimal digits.
    pub sha256: String,
}

/// Everything that a job makes visible in its target folder, and what it then reports: whoever completes the
/// manifest after a crash needs nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The files, sorted by path.
    pub files: Vec<FileEntry>,
    /// How the attempt ends once they are all in place.
    #[serde(flatten)]
    pub outcome: Outcome,
}
