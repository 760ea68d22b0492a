//! What the coordinator answers, as far as people are shown it. With `--json` the answers are passed on as they
//! came, so that a newer coordinator's fields are not lost.
//!
//! Invariant: reading is lenient (missing figures are 0, missing texts absent), because the command line and the
//! coordinator may be of different releases.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

/// A job in a list.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Summary {
    pub(crate) id: String,
    pub(crate) plugin: String,
    pub(crate) title: String,
    pub(crate) state: String,
    pub(crate) priority: u8,
    /// 0 to 100.
    pub(crate) percent: f64,
    pub(crate) items_done: u64,
    pub(crate) items_failed: u64,
    pub(crate) items_total: u64,
    pub(crate) detail: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) submitted_at: Option<Timestamp>,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) finished_at: Option<Timestamp>,
    pub(crate) process_id: Option<String>,
    pub(crate) step_id: Option<String>,
    /// What keeps a waiting job from starting.
    pub(crate) waits_for: Option<String>,
}

impl Summary {
    /// Whether the job has ended.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.state.as_str(), "DONE" | "ERROR" | "CANCELLED")
    }

    /// Items that are behind us, whether they were done or failed.
    pub(crate) fn items_finished(&self) -> u64 {
        self.items_done.saturating_add(self.items_failed)
    }

    /// The first line of the error, where there is one that says something.
    pub(crate) fn error_line(&self) -> Option<&str> {
        self.error
            .as_deref()
            .and_then(|error| error.lines().map(str::trim).find(|line| !line.is_empty()))
    }
}

/// One page of a list of jobs.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the API calls it so")]
pub(crate) struct Jobs {
    pub(crate) jobs: Vec<Value>,
    #[serde(default)]
    pub(crate) next: Option<String>,
    /// A search was broken off: there may be older jobs.
    #[serde(default)]
    pub(crate) incomplete: bool,
}

/// All of one job.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Job {
    #[serde(flatten)]
    pub(crate) summary: Summary,
    pub(crate) template: Option<String>,
    pub(crate) step_name: Option<String>,
    pub(crate) project: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) target: Option<String>,
    pub(crate) parameters: Map<String, Value>,
    pub(crate) extra: Map<String, Value>,
    pub(crate) callback_url: Option<String>,
    pub(crate) submitted_by: Option<String>,
    /// What the attempt said of itself at its end (pages, words, tool versions); called `summary` by the API.
    #[serde(rename = "summary")]
    pub(crate) facts: Option<Map<String, Value>>,
    pub(crate) items: Vec<Item>,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) outputs: Vec<File>,
    pub(crate) deliveries: Vec<Delivery>,
}

/// A message to another system.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Delivery {
    pub(crate) kind: String,
    pub(crate) target: String,
    pub(crate) state: String,
    pub(crate) tries: u64,
    pub(crate) last_answer: Option<String>,
    pub(crate) next_try_at: Option<Timestamp>,
}

/// One item (page) of a job.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Item {
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) attempt: Option<u32>,
    pub(crate) duration_ms: Option<u64>,
    pub(crate) error: Option<String>,
}

/// One run of a job.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Attempt {
    #[serde(rename = "attempt")]
    pub(crate) number: u32,
    pub(crate) worker_id: Option<String>,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) outcome: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) exit_code: Option<i32>,
}

/// One file that a job publishes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct File {
    pub(crate) path: String,
    /// Bytes.
    pub(crate) size: u64,
}

/// A part of a job's log.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(crate) struct Log {
    pub(crate) lines: Vec<Value>,
    #[serde(default)]
    pub(crate) next: Option<u64>,
}

/// A line of a job's log.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct LogLine {
    pub(crate) attempt: u32,
    pub(crate) at: Option<Timestamp>,
    pub(crate) text: String,
}

/// The plugins that workers have announced.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the API calls it so")]
pub(crate) struct Plugins {
    pub(crate) plugins: Vec<Plugin>,
    /// The switch for all plugins; an older coordinator does not say it.
    #[serde(default)]
    pub(crate) autostart: Option<bool>,
    #[serde(default)]
    pub(crate) autostart_since: Option<Timestamp>,
    #[serde(default)]
    pub(crate) autostart_by: Option<String>,
}

/// One plugin and its queue.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Plugin {
    pub(crate) name: String,
    pub(crate) title_en: String,
    pub(crate) state: String,
    pub(crate) since: Option<Timestamp>,
    pub(crate) by: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) deadline: Option<Timestamp>,
    pub(crate) resume_at: Option<Timestamp>,
    pub(crate) autostart: Option<bool>,
    pub(crate) queued: u64,
    pub(crate) paused: u64,
    pub(crate) running: u64,
    pub(crate) slots: u64,
    pub(crate) workers: u64,
    pub(crate) longest_wait_seconds: f64,
    pub(crate) contract: Option<Contract>,
    /// Absent for whoever may not see them.
    pub(crate) settings: Option<Map<String, Value>>,
}

/// A plugin's page contract.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Contract {
    pub(crate) pages_total: Option<u64>,
    pub(crate) used_total: Option<u64>,
    pub(crate) pages_a_period: Option<u64>,
    pub(crate) used_in_period: Option<u64>,
    pub(crate) period: String,
    pub(crate) next_period: Option<String>,
    pub(crate) pages_lately: u64,
    pub(crate) days_lately: u64,
}

/// The workers that were heard of.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(crate) struct Workers {
    pub(crate) workers: Vec<Worker>,
    /// The database's clock.
    #[serde(default)]
    pub(crate) now: Option<Timestamp>,
}

/// One worker.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Worker {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) host: String,
    pub(crate) alive: bool,
    pub(crate) draining: bool,
    pub(crate) running: u64,
    pub(crate) plugins: Vec<String>,
    pub(crate) version: String,
    pub(crate) heartbeat_at: Option<Timestamp>,
    /// Bytes; absent where it has not said so.
    pub(crate) rss_bytes: Option<u64>,
    /// How long its oldest job has run; absent where it is idle.
    pub(crate) busy_seconds: Option<u64>,
    pub(crate) jobs: Vec<JobAtWork>,
}

/// A job that a worker runs.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct JobAtWork {
    pub(crate) id: String,
    pub(crate) title: String,
}

/// The storages whose use is limited.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(crate) struct Storages {
    pub(crate) storages: Vec<Storage>,
}

/// One storage.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Storage {
    pub(crate) path: String,
    pub(crate) title: Option<String>,
    pub(crate) running: u64,
    pub(crate) running_max: Option<u64>,
    pub(crate) transfers: u64,
    pub(crate) transfers_max: Option<u64>,
}

/// What the coordinator found out about the whole installation.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(crate) struct Doctor {
    pub(crate) checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(crate) struct Check {
    pub(crate) name: String,
    pub(crate) ok: bool,
    #[serde(default)]
    pub(crate) message: String,
}

/// The answer to a submission that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Submitted {
    pub(crate) status: String,
    pub(crate) job_id: String,
}
