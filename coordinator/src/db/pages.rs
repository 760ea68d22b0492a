//! What pages, the HTTP API and the metrics read. Nothing here writes.
//!
//! Invariants: counts are taken over unfinished jobs only, never over history; every list is paged by a key
//! that an index serves; a row that can't be read is an error that names it, never a panic.

mod active;
mod all_figures;
mod audit;
mod autostart;
mod deliveries;
mod demand;
mod figures;
mod history;
mod home;
mod in_full;
mod items;
mod job;
mod line;
mod list;
mod log;
mod measures;
mod menu;
mod months;
mod plugins;
mod queue;
mod quotas;
#[cfg(test)]
pub(crate) mod sample;
mod search;
mod settings;
mod standing;
mod storages;
mod stores;
mod sums;
mod surroundings;
#[cfg(test)]
mod tests;
mod workers;

use std::str::FromStr;

use jiff::Timestamp;
use shared::job::{JobId, JobState, ShownState};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, ToSql};

pub use all_figures::{AllFigures, Figures, ReadFigures};
pub use audit::{AuditRow, ReadAudit};
pub use autostart::ReadAutostart;
pub use deliveries::{DeliveryFigures, DeliveryRow, ReadDeliveryFigures};
pub use demand::{Demand, ReadDemand};
pub use figures::{Dashboard, Overview, Today};
pub use home::{ACTIVE_MAX, Home, ReadHome};
pub use in_full::{PluginsInFull, ReadPluginsInFull};
pub use items::{Attempt, Item};
pub use job::{JobDetail, ReadJob};
pub use line::{FullStorage, Waiting};
pub use list::{HistoryKey, JobList, ListJobs, Place, QueueKey, Tab};
pub use log::{LogExtract, LogPart, LogRow, ReadLog};
pub use measures::{Measures, OfPlugin, PendingDeliveries, ReadMeasures, WorkerCounts};
pub use menu::{MenuEntry, WithMenu};
pub use months::{Month, ReadMonths};
pub use plugins::{PluginRow, ReadPlugins, StateCount};
pub use quotas::{Allowed, Contract};
pub use search::{Found, FoundPlace, SearchJobs};
pub use settings::{AllSettings, PluginSettings, ReadPageSettings, ReadSettings};
pub use shared::job::decide::PluginState;
pub use standing::{Standing, Standings};
pub use storages::{KnownStorage, ReadStorages};
pub use stores::{ReadUselessStores, StuckStore, UselessStores};
pub use sums::Sums;
pub use surroundings::{Ping, ReadSurroundings, RefusedWorker, Server, Surroundings, WorkerRow};
pub use workers::{KnownWorker, ReadWorkers, ReadWorkersAtWork, WorkerAtWork};

use super::{Error, Transaction};

/// A worker that was silent for longer than this, seconds, counts as gone on pages (three heartbeats).
pub const WORKER_SILENT_SECONDS: f64 = 30.0;

fn plugin_state(text: &str, plugin: &str) -> Result<PluginState, Error> {
    text.parse().map_err(|_| Error::Inconsistent {
        table: "plugins",
        column: "state",
        row: plugin.to_owned(),
    })
}

/// A job as lists show it.
#[derive(Debug, Clone, PartialEq)]
pub struct JobSummary {
    /// Its id.
    pub id: JobId,
    /// Its plugin's name.
    pub plugin: String,
    /// What people call it.
    pub title: String,
    /// Its state as shown: PAUSED included.
    pub state: ShownState,
    /// 0 to 10.
    pub priority: i16,
    /// 0 to 100.
    pub percent: f32,
    /// Items that are done.
    pub items_done: i32,
    /// Items that have failed.
    pub items_failed: i32,
    /// Items in all; 0 while not yet known.
    pub items_total: i32,
    /// Bytes of input read.
    pub bytes: i64,
    /// What the worker says that it is doing; empty when nothing runs.
    pub detail: String,
    /// Why it ended in ERROR.
    pub error: Option<String>,
    /// When it was recorded.
    pub submitted_at: Timestamp,
    /// When its first attempt began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The workflow's process.
    pub process_id: Option<String>,
    /// The workflow's step.
    pub step_id: Option<String>,
    /// What it waits for or is in; none when it has ended.
    pub waiting: Option<Waiting>,
}

impl JobSummary {
    /// Whether the job has ended.
    pub fn is_final(&self) -> bool {
        matches!(self.state, ShownState::As(state) if state.is_final())
    }

    /// Whether a worker holds the job.
    pub fn is_running(&self) -> bool {
        matches!(self.state, ShownState::As(state) if state.is_running())
    }
}

/// Columns of unfinished jobs that [`unfinished`] reads; `j` is the job, `l` its lease, `d` its details and
/// `plugin_state` its plugin's state.
const UNFINISHED_COLUMNS: &str = "j.id, j.plugin, j.title, j.state, j.priority, j.position, j.held, \
    j.submitted_at, j.started_at, coalesce(l.percent, 0::real) AS percent, coalesce(l.items_done, 0) AS items_done, \
    coalesce(l.items_failed, 0) AS items_failed, coalesce(l.items_total, 0) AS items_total, \
    coalesce(l.bytes, 0) AS bytes, coalesce(l.detail, '') AS detail, d.process_id, d.step_id";

/// Columns of ended jobs that [`finished`] reads.
const FINISHED_COLUMNS: &str = "h.id, h.plugin, h.title, h.state, h.priority, h.submitted_at, h.started_at, \
    h.finished_at, h.items_done, h.items_failed, h.items_total, h.bytes, h.error, h.process_id, h.step_id";

/// Without what it waits for, which [`line::add`] says of all jobs of a list at once.
fn unfinished(row: &Row) -> Result<JobSummary, Error> {
    let id = JobId(row.try_get("id")?);
    let plugin: String = row.try_get("plugin")?;
    let state = parse::<JobState>(row, "jobs", "state", &id)?;
    let plugin_state = plugin_state(row.try_get("plugin_state")?, &plugin)?;
    let held_back = row.try_get::<_, bool>("held")? || plugin_state != PluginState::Running;
    Ok(JobSummary {
        id,
        plugin,
        title: row.try_get("title")?,
        state: ShownState::of(state, held_back),
        priority: row.try_get("priority")?,
        percent: row.try_get("percent")?,
        items_done: row.try_get("items_done")?,
        items_failed: row.try_get("items_failed")?,
        items_total: row.try_get("items_total")?,
        bytes: row.try_get("bytes")?,
        detail: row.try_get("detail")?,
        error: None,
        submitted_at: row.try_get("submitted_at")?,
        started_at: row.try_get("started_at")?,
        finished_at: None,
        process_id: row.try_get("process_id")?,
        step_id: row.try_get("step_id")?,
        waiting: None,
    })
}

fn finished(row: &Row) -> Result<JobSummary, Error> {
    let id = JobId(row.try_get("id")?);
    let state = parse::<JobState>(row, "job_history", "state", &id)?;
    let items_done: i32 = row.try_get("items_done")?;
    let items_total: i32 = row.try_get("items_total")?;
    Ok(JobSummary {
        id,
        plugin: row.try_get("plugin")?,
        title: row.try_get("title")?,
        state: ShownState::As(state),
        priority: row.try_get("priority")?,
        percent: percent_of_ended(state, items_done, items_total),
        items_done,
        items_failed: row.try_get("items_failed")?,
        items_total,
        bytes: row.try_get("bytes")?,
        detail: String::new(),
        error: row.try_get("error")?,
        submitted_at: row.try_get("submitted_at")?,
        started_at: row.try_get("started_at")?,
        finished_at: row.try_get("finished_at")?,
        process_id: row.try_get("process_id")?,
        step_id: row.try_get("step_id")?,
        waiting: None,
    })
}

/// A job that is done is done to 100 %, also when it had no items; of another the share of its items counts.
#[expect(
    clippy::cast_precision_loss,
    reason = "a percentage; item counts are far below 2^24"
)]
fn percent_of_ended(state: JobState, items_done: i32, items_total: i32) -> f32 {
    if state == JobState::Done {
        100.0
    } else if items_total > 0 {
        100.0 * items_done as f32 / items_total as f32
    } else {
        0.0
    }
}

/// Reads a text column as a type with a fixed set of names.
fn parse<T: FromStr>(
    row: &Row,
    table: &'static str,
    column: &'static str,
    key: &impl ToString,
) -> Result<T, Error> {
    row.try_get::<_, &str>(column)?
        .parse()
        .map_err(|_| Error::Inconsistent {
            table,
            column,
            row: key.to_string(),
        })
}

/// Parameters of a statement.
type Parameters<'a> = [&'a (dyn ToSql + Sync)];

/// All rows of a statement; it stays prepared in its connection.
async fn rows(tx: &Transaction<'_>, statement: &str, parameters: &Parameters<'_>) -> Result<Vec<Row>, Error> {
    let statement = tx.prepare_cached(statement).await?;
    Ok(tx.query(&statement, parameters).await?)
}

/// The only row of a statement that finds one or none.
async fn first(
    tx: &Transaction<'_>,
    statement: &str,
    parameters: &Parameters<'_>,
) -> Result<Option<Row>, Error> {
    let statement = tx.prepare_cached(statement).await?;
    Ok(tx.query_opt(&statement, parameters).await?)
}

/// The only value of a statement that always finds one row with one column.
async fn single<T>(tx: &Transaction<'_>, statement: &str, parameters: &Parameters<'_>) -> Result<T, Error>
where
    T: for<'a> FromSql<'a>,
{
    let statement = tx.prepare_cached(statement).await?;
    Ok(tx.query_one(&statement, parameters).await?.try_get(0)?)
}
