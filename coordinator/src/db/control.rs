//! What people do, as transactions: decide under lock, write, and record in the audit log.

mod audit;
mod ended;
mod find;
mod goobi;
mod jobs;
mod order;
mod places;
mod plugins;
mod push;
mod settings;
mod storages;
mod stores;
#[cfg(test)]
mod tests;
mod workers;

use shared::job::JobId;
use shared::message::reply::AttemptVerdict;

use super::finish::Finished;

pub(super) use audit::note_recovery;
pub(in crate::db) use audit::{note_account, note_account_action, note_turned_away};
pub(super) use ended::remove as remove_ended;
pub use find::{CountFound, FIND_MAX, FindJobs, FoundNumbers};
pub use goobi::MessageGoobi;
pub use jobs::{ActOnJobs, JobOutcome, WhyNot};
pub use order::{Age, Reorder};
pub use plugins::{ActOnPlugins, FollowStops, PluginsOutcome};
pub use settings::{ActOnSettings, SettingsOutcome};
pub use storages::{ActOnStorage, StorageOutcome};
pub use stores::{ActOnStores, StoresOutcome};
pub use workers::{ActOnWorker, WorkerOutcome};

/// What is to be told after the commit.
#[derive(Debug, Default)]
pub struct Told {
    /// Jobs that are retries of others, with their plugins.
    pub retried: Vec<(JobId, String)>,
    /// Jobs that have ended.
    pub finished: Vec<Finished>,
    /// What workers are to do at once, by their addresses.
    pub pushes: Vec<(String, Vec<AttemptVerdict>)>,
    /// The addresses of workers that are to be drained.
    pub drains: Vec<String>,
}
