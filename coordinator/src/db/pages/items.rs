//! A job's items and attempts.

use jiff::Timestamp;
use shared::job::JobId;
use shared::message::manifest::FileEntry;
use shared::message::worker::ItemState;
use tokio_postgres::Row;

use super::rows;
use crate::db::{Error, Transaction};

/// What became of one item (page).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The file's name.
    pub name: String,
    /// Its place in the natural order, counted from 1.
    pub position: i32,
    /// Done, failed, or left aside.
    pub state: ItemState,
    /// The attempt that dealt with it.
    pub attempt: i32,
    /// How long it took, milliseconds.
    pub duration_ms: i64,
    /// Why it failed or was left aside.
    pub error: Option<String>,
    /// The files that came of it.
    pub files: Vec<FileEntry>,
}

/// One run of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its number, counted from 1.
    pub attempt: i32,
    /// The worker that ran it.
    pub worker_id: String,
    /// When it was granted.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it ended: done, failed, interrupted, cancelled, lost.
    pub outcome: Option<String>,
    /// retryable or permanent.
    pub error_class: Option<String>,
    /// What was wrong.
    pub error: Option<String>,
    /// Exit code of the tool that failed.
    pub exit_code: Option<i32>,
}

/// The job's items: the failed ones first, then in their natural order.
pub(super) async fn items(tx: &Transaction<'_>, id: JobId, limit: Option<i64>) -> Result<Vec<Item>, Error> {
    let rows = rows(
        tx,
        "-- pages.items
             SELECT name, position, state, attempt, files, duration_ms, error
             FROM items
             WHERE job_id = $1
             ORDER BY state = 'failed' DESC, position, name
             LIMIT $2",
        &[&id.0, &limit],
    )
    .await?;
    rows.iter().map(|row| item(row, id)).collect()
}

fn item(row: &Row, id: JobId) -> Result<Item, Error> {
    let inconsistent = |column| Error::Inconsistent {
        table: "items",
        column,
        row: id.to_string(),
    };
    let name: &str = row.try_get("state")?;
    let state = [ItemState::Done, ItemState::Failed, ItemState::Skipped]
        .into_iter()
        .find(|state| state.as_str() == name)
        .ok_or_else(|| inconsistent("state"))?;
    let files: serde_json::Value = row.try_get("files")?;
    Ok(Item {
        name: row.try_get("name")?,
        position: row.try_get("position")?,
        state,
        attempt: row.try_get("attempt")?,
        duration_ms: row.try_get("duration_ms")?,
        error: row.try_get("error")?,
        files: serde_json::from_value(files).map_err(|_| inconsistent("files"))?,
    })
}

/// How many items of the job have a state; for the sentence under a shortened table.
pub(super) async fn count(tx: &Transaction<'_>, id: JobId) -> Result<i64, Error> {
    super::single(
        tx,
        "-- pages.items_count\nSELECT count(*) FROM items WHERE job_id = $1",
        &[&id.0],
    )
    .await
}

/// The job's attempts, the newest first.
pub(super) async fn attempts(tx: &Transaction<'_>, id: JobId) -> Result<Vec<Attempt>, Error> {
    let rows = rows(
        tx,
        "-- pages.attempts
             SELECT attempt, worker_id, started_at, ended_at, outcome, error_class, error, exit_code
             FROM attempts
             WHERE job_id = $1
             ORDER BY attempt DESC, started_at DESC",
        &[&id.0],
    )
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Attempt {
                attempt: row.try_get("attempt")?,
                worker_id: row.try_get("worker_id")?,
                started_at: row.try_get("started_at")?,
                ended_at: row.try_get("ended_at")?,
                outcome: row.try_get("outcome")?,
                error_class: row.try_get("error_class")?,
                error: row.try_get("error")?,
                exit_code: row.try_get("exit_code")?,
            })
        })
        .collect()
}
