//! What an attempt is given to work with.

use std::path::{Path, PathBuf};

use cap_std::fs::Dir;
use shared::location::Location;
use shared::message::reply::Grant;
use tokio_util::sync::CancellationToken;

use crate::item_store::ItemStore;
use crate::progress::Progress;

/// The part of the scratch folder into which inputs are fetched.
const FETCHED: &str = "input";

/// An attempt's surroundings. Everything in it is confined: the source and the target to their folders beneath
/// the configured roots, the scratch folder to this attempt.
#[derive(Debug)]
pub struct Context {
    /// What the coordinator granted: parameters, template, items that are done.
    pub grant: Grant,
    /// Cancelled when the attempt must end (cancel, lost lease, shutdown, run budget).
    pub stop: CancellationToken,
    /// Cancelled when the attempt must begin no further item (its plugin stops, its job is held, its worker drains).
    pub pause: CancellationToken,
    /// Where progress, item results and log lines go.
    pub progress: Progress,
    /// A folder of this attempt alone, emptied and removed when it ends.
    pub scratch: PathBuf,
    /// The input folder, opened beneath its root; `None` where the job has none.
    pub source: Option<Dir>,
    /// The finished items and files, on the target's storage; `None` where the job has no target.
    pub store: Option<ItemStore>,
}

impl Context {
    /// The source as tools see it: its folder, or the one that it was fetched into from object storage.
    pub fn source_folder(&self) -> Option<String> {
        let source = self.grant.source.as_deref()?;
        if Location::is_on_objects(source) {
            Some(fetched_into(&self.scratch).display().to_string())
        } else {
            Some(source.to_owned())
        }
    }
}

/// Where an attempt's input is fetched to.
pub(crate) fn fetched_into(scratch: &Path) -> PathBuf {
    scratch.join(FETCHED)
}
