//! What a receiver outside is told when a job has ended: the body of a callback.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::job::{JobId, JobState};

/// A job that has ended, for whoever asked to be told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobEnded {
    /// The job.
    pub job_id: JobId,
    /// Its job type.
    pub plugin: String,
    /// DONE, ERROR or CANCELLED.
    pub state: JobState,
    /// What people call it.
    pub title: String,
    /// The workflow's process.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub process_id: Option<String>,
    /// The workflow's step.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub step_id: Option<String>,
    /// The step's name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub step_name: Option<String>,
    /// The project.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub project: Option<String>,
    /// The preset that it was submitted with.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub template: Option<String>,
    /// Output folder, as workers see it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub target: Option<String>,
    /// The ended job that this one has done again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_of: Option<JobId>,
    /// Why it failed; there exactly when it did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
    /// Items that were done.
    pub items_done: i32,
    /// Items that could not be processed.
    pub items_failed: i32,
    /// Items in all.
    pub items_total: i32,
    /// Bytes worked through.
    pub bytes: i64,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// When its first attempt began; none when it never ran.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Timestamp,
    /// Facts that the plugin reported at the end.
    #[serde(skip_serializing_if = "Map::is_empty", default)]
    pub summary: Map<String, Value>,
}
