//! What workers send: announcements, claims, heartbeats, requests to publish, results.
//!
//! All go to the exchange `taskmanager.events` under the key `<rabbitmq user>.<kind>`, with the validated
//! property `user_id`. Each is answered ([`super::reply`]); a worker repeats what is not answered, and every
//! one may safely arrive twice.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::manifest::{FileEntry, Manifest};
use super::transfer::TransferAsk;
use crate::job::decide::ErrorClass;
use crate::job::{ClaimId, JobId, Stage};
use crate::plugin::PluginName;

/// A message from a worker, or a coordinator's probe through the same queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WorkerMessage {
    /// "I am here and can do this."
    Announce(Announcement),
    /// "May I start these?"
    Claim(ClaimRequest),
    /// "These are alive, and so far they have come."
    Heartbeat(Heartbeat),
    /// "May these outputs become visible?"
    Publish(PublishRequest),
    /// "This attempt has ended so."
    Result(AttemptResult),
    /// A coordinator's own message, which shows that heartbeats get through to the database.
    Probe,
}

impl WorkerMessage {
    /// The last part of the routing key.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Announce(_) => "announce",
            Self::Claim(_) => "claim",
            Self::Heartbeat(_) => "heartbeat",
            Self::Publish(_) => "publish",
            Self::Result(_) => "result",
            Self::Probe => "probe",
        }
    }
}

/// A worker process introduces itself; sent after each connect and then every minute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Announcement {
    /// Name, boot id and process uuid: unique for this process.
    pub worker_id: String,
    /// The name that operators gave it (the host's name unless set).
    pub name: String,
    /// The host it runs on.
    pub host: String,
    /// The release it was built from; on the wire `release`, since `version` is the protocol's.
    #[serde(rename = "release")]
    pub version: String,
    /// What it can do.
    pub plugins: Vec<PluginOffer>,
    /// It accepts no new jobs and will end.
    pub draining: bool,
    /// What it found out about its own surroundings (tools, languages, folders), for `doctor`.
    pub checks: Vec<Check>,
    /// Where jobs may read and write at it: folders, and places on object storage. None: it has not said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roots: Vec<String>,
}

/// One plugin that a worker serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginOffer {
    /// The plugin's name.
    pub name: PluginName,
    /// Its title in English.
    pub title_en: String,
    /// Its title in German.
    pub title_de: String,
    /// Jobs need a source folder.
    pub needs_source: bool,
    /// Jobs need a target folder.
    pub needs_target: bool,
    /// Jobs need a template (their commands come from nowhere else).
    pub needs_template: bool,
    /// How many jobs of it this worker runs at once.
    pub slots: u16,
    /// JSON Schema (2020-12) that a job's parameters have to satisfy, those of its template laid over them; `None`
    /// when the worker says nothing of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters_schema: Option<Value>,
}

/// One thing that was looked at, and what to do when it is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Check {
    /// What was looked at: `tesseract`, `language deu`, `folder /data`.
    pub name: String,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was found and, when `ok` is false, what to do.
    pub message: String,
}

impl Check {
    /// It is as it should be.
    pub fn passed(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ok: true,
            message: message.into(),
        }
    }

    /// It is not; the message says what to do.
    pub fn failed(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ok: false,
            message: message.into(),
        }
    }
}

/// One or more claims.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimRequest {
    /// Who asks.
    pub worker_id: String,
    /// For what.
    pub claims: Vec<Claim>,
}

/// A request to start the job of one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The job in the message.
    pub job_id: JobId,
    /// The dispatch number in the message.
    pub dispatch: i64,
    /// Fresh for each message; the same when the request is repeated.
    pub claim_id: ClaimId,
}

/// Sign of life of all attempts of a worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Who reports.
    pub worker_id: String,
    /// Memory in use by the worker process itself, bytes.
    pub rss_bytes: u64,
    /// It accepts no new jobs and will end.
    pub draining: bool,
    /// Its running attempts; may be empty.
    pub attempts: Vec<AttemptReport>,
    /// What became of the item stores that it was told to remove; repeated until a coordinator has answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removals: Vec<StoreRemoval>,
    /// A portion of the item stores that it has found, where a coordinator has asked; repeated until one has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stores: Option<StoresFound>,
}

/// A portion of the item stores that a worker knows of on its storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoresFound {
    /// The number of the request that it answers.
    pub request: i64,
    /// The stores.
    #[serde(default)]
    pub found: Vec<FoundStore>,
    /// It is the last portion.
    pub last: bool,
    /// Where the worker could not look, and why; told with the last portion.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

/// An item store that stands in a worker's index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundStore {
    /// The job that it is named after.
    pub store: JobId,
    /// The folder that it lies in, absolute.
    pub target: String,
    /// Whether it is there; else only the index names it.
    pub there: bool,
}

/// What became of an item store that was to be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreRemoval {
    /// The job that it is named after.
    pub store: JobId,
    /// Why it is still there; `null`: it is gone.
    #[serde(default)]
    pub error: Option<String>,
}

/// How far an attempt has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttemptReport {
    /// The job.
    pub job_id: JobId,
    /// The attempt's number, first half of its token.
    pub attempt: i32,
    /// The claim, second half of its token.
    pub claim_id: ClaimId,
    /// What it is doing.
    pub stage: Stage,
    /// 0 to 100.
    pub percent: f32,
    /// Items that are done.
    pub items_done: u32,
    /// Items that have failed.
    pub items_failed: u32,
    /// Items in all; 0 while not yet known.
    pub items_total: u32,
    /// Bytes of input read so far.
    pub bytes: u64,
    /// A short sentence for the list: "page 42 of 111".
    pub detail: String,
    /// The data that it wants to move or moves now, where their storage limits that; older releases don't ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<TransferAsk>,
    /// Item results that no coordinator has confirmed yet; repeated until one has.
    pub items: Vec<ItemReport>,
    /// Log lines that no coordinator has confirmed yet; repeated until one has.
    pub log: Vec<LogLine>,
}

/// What became of one item (page).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemReport {
    /// The item's name, unique in its job: the file's name without its folder.
    pub name: String,
    /// Its place in the natural order of the job's items, counted from 1.
    pub position: u32,
    /// Done, failed, or left aside.
    pub state: ItemState,
    /// The files that it left in the item store.
    pub files: Vec<FileEntry>,
    /// How long it took, milliseconds.
    pub duration_ms: u64,
    /// Why it failed or was left aside.
    pub error: Option<String>,
}

/// The state of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ItemState {
    /// Its files are in the item store.
    Done,
    /// It could not be processed.
    Failed,
    /// It is nothing for this plugin (a text file among images) and was left alone.
    Skipped,
}

impl ItemState {
    /// The name in the database and on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// A line of an attempt's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Counted from 1 within the attempt, so that a repeated line is recognised.
    pub number: u32,
    /// The text, without its line end; at most 4,000 characters.
    pub text: String,
}

/// "Everything is in the item store; may it become visible?"
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishRequest {
    /// Who asks.
    pub worker_id: String,
    /// The job.
    pub job_id: JobId,
    /// First half of the token.
    pub attempt: i32,
    /// Second half of the token.
    pub claim_id: ClaimId,
    /// What is to become visible.
    pub manifest: Manifest,
    /// Item results that no heartbeat has brought yet: who completes the manifest after a crash does not know them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<ItemReport>,
}

/// The end of an attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttemptResult {
    /// Who reports.
    pub worker_id: String,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Whether the worker has removed the item store, as it does when all is done or cancelled; older releases don't
    /// say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_removed: Option<bool>,
    /// The last report: final figures, and item results and log lines not yet confirmed.
    #[serde(flatten)]
    pub report: AttemptReport,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// All done.
    Done {
        /// Facts worth keeping with the job, for pages and callbacks (pages, words, tool versions).
        summary: serde_json::Map<String, Value>,
    },
    /// Failed.
    Failed {
        /// Whether trying again can help.
        class: ErrorClass,
        /// What is wrong, where, and what to do; the first line is shown in lists.
        message: String,
        /// Exit code of the tool that failed, where one did.
        exit_code: Option<i32>,
    },
    /// Broken off without a failure; goes on elsewhere.
    Interrupted {
        /// Why: "the worker was shut down".
        reason: String,
    },
    /// Stopped because the job was cancelled.
    Cancelled,
}
