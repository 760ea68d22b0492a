//! The shapes of the API's answers. They are a promise: fields are added, never changed.

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Map, Value};
use shared::job::{JobId, JobState, ShownState};
use shared::message::manifest::FileEntry;
use shared::message::worker::ItemState;
use uuid::Uuid;

use crate::db::pages::{Attempt, DeliveryRow, Item, JobDetail, JobSummary, LogExtract, LogRow};
use crate::http::wait;

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Jobs")]
pub(crate) struct ListBody {
    pub(super) jobs: Vec<Summary>,
    /// What `after` has to be for the next part; null at the end.
    pub(super) next: Option<String>,
    /// A search was broken off: there may be older jobs. Only then it is there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) incomplete: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "JobSummary")]
pub(crate) struct Summary {
    id: JobId,
    plugin: String,
    title: String,
    /// PAUSED: it waits, but is held, or its plugin is stopped.
    #[schemars(schema_with = "shown_state")]
    state: &'static str,
    priority: i16,
    percent: f64,
    items_done: i32,
    items_failed: i32,
    items_total: i32,
    bytes: i64,
    detail: String,
    error: Option<String>,
    submitted_at: Timestamp,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    process_id: Option<String>,
    step_id: Option<String>,
    /// What keeps it from starting, in words.
    waits_for: Option<String>,
}

/// Every name that a job's state can be shown by.
fn shown_state(_: &mut SchemaGenerator) -> Schema {
    let mut names = JobState::ALL.map(JobState::as_str).to_vec();
    names.push(ShownState::Paused.as_str());
    json_schema!({"type": "string", "enum": names})
}

impl From<JobSummary> for Summary {
    fn from(job: JobSummary) -> Self {
        Self {
            waits_for: wait::reason_in_english(&job),
            id: job.id,
            plugin: job.plugin,
            title: job.title,
            state: job.state.as_str(),
            priority: job.priority,
            // A tenth of a percent; as a 32-bit float 33.3 would be written 33.29999923706055.
            percent: (f64::from(job.percent) * 10.0).round() / 10.0,
            items_done: job.items_done,
            items_failed: job.items_failed,
            items_total: job.items_total,
            bytes: job.bytes,
            detail: job.detail,
            error: job.error,
            submitted_at: job.submitted_at,
            started_at: job.started_at,
            finished_at: job.finished_at,
            process_id: job.process_id,
            step_id: job.step_id,
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Job")]
pub(crate) struct JobBody {
    #[serde(flatten)]
    common: Summary,
    template: Option<String>,
    step_name: Option<String>,
    project: Option<String>,
    source: Option<String>,
    target: Option<String>,
    parameters: Map<String, Value>,
    /// Fields of its submission that nobody here knows; secrets are masked.
    extra: Map<String, Value>,
    callback_url: Option<String>,
    submitted_by: String,
    /// The number that programs of the intranda `TaskManager` know it by.
    itm_id: Option<i64>,
    /// What its plugin says of the whole job.
    summary: Map<String, Value>,
    items: Vec<ItemBody>,
    attempts: Vec<AttemptBody>,
    outputs: Vec<FileEntry>,
    deliveries: Vec<DeliveryBody>,
}

impl From<JobDetail> for JobBody {
    fn from(job: JobDetail) -> Self {
        Self {
            common: job.summary.into(),
            template: job.template,
            step_name: job.step_name,
            project: job.project,
            source: job.source,
            target: job.target,
            parameters: job.parameters,
            extra: job.extra,
            callback_url: job.callback_url,
            submitted_by: job.submitted_by,
            itm_id: job.itm_id,
            summary: job.facts,
            items: job.items.into_iter().map(ItemBody::from).collect(),
            attempts: job.attempts.into_iter().map(AttemptBody::from).collect(),
            outputs: job.outputs,
            deliveries: job.deliveries.into_iter().map(DeliveryBody::from).collect(),
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Delivery")]
struct DeliveryBody {
    id: Uuid,
    kind: String,
    target: String,
    state: String,
    tries: i32,
    last_answer: Option<String>,
    last_try_at: Option<Timestamp>,
    next_try_at: Option<Timestamp>,
    settled_at: Option<Timestamp>,
}

impl From<DeliveryRow> for DeliveryBody {
    fn from(delivery: DeliveryRow) -> Self {
        Self {
            id: delivery.id,
            kind: delivery.kind,
            target: delivery.target,
            state: delivery.state,
            tries: delivery.tries,
            last_answer: delivery.last_answer,
            last_try_at: delivery.last_try_at,
            next_try_at: delivery.next_try_at,
            settled_at: delivery.settled_at,
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Item")]
struct ItemBody {
    name: String,
    position: i32,
    #[schemars(with = "ItemState")]
    state: &'static str,
    attempt: i32,
    duration_ms: i64,
    error: Option<String>,
    files: Vec<FileEntry>,
}

impl From<Item> for ItemBody {
    fn from(item: Item) -> Self {
        Self {
            name: item.name,
            position: item.position,
            state: item.state.as_str(),
            attempt: item.attempt,
            duration_ms: item.duration_ms,
            error: item.error,
            files: item.files,
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Attempt")]
struct AttemptBody {
    attempt: i32,
    worker_id: String,
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
    outcome: Option<String>,
    error_class: Option<String>,
    error: Option<String>,
    exit_code: Option<i32>,
}

impl From<Attempt> for AttemptBody {
    fn from(attempt: Attempt) -> Self {
        Self {
            attempt: attempt.attempt,
            worker_id: attempt.worker_id,
            started_at: attempt.started_at,
            ended_at: attempt.ended_at,
            outcome: attempt.outcome,
            error_class: attempt.error_class,
            error: attempt.error,
            exit_code: attempt.exit_code,
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Log")]
pub(crate) struct LogBody {
    lines: Vec<LineBody>,
    /// What `after` has to be for what comes later.
    next: i64,
}

impl LogBody {
    /// `after` is where the reader stands when there is nothing new.
    pub(super) fn new(extract: LogExtract, after: i64) -> Self {
        let lines: Vec<LineBody> = extract.lines.into_iter().map(LineBody::from).collect();
        let next = lines.last().map_or(after, |line| line.number);
        Self { lines, next }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "LogLine")]
struct LineBody {
    number: i64,
    attempt: i32,
    line: i32,
    at: Timestamp,
    text: String,
}

impl From<LogRow> for LineBody {
    fn from(row: LogRow) -> Self {
        Self {
            number: row.number,
            attempt: row.attempt,
            line: row.line,
            at: row.at,
            text: row.text,
        }
    }
}
