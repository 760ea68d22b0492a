//! A job's log: the lines of all its attempts, numbered through.

use jiff::Timestamp;
use shared::job::JobId;

use super::{job, rows};
use crate::db::{Error, Transact, Transaction};

/// Which part of a log to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogPart {
    /// At most `limit` lines behind line `number`.
    After {
        /// The last line that is known already; 0 for none.
        number: i64,
        /// Most lines.
        limit: i64,
    },
    /// The last lines.
    Last {
        /// Most lines.
        limit: i64,
    },
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRow {
    /// Its number in the whole log, counted from 1.
    pub number: i64,
    /// The attempt that wrote it.
    pub attempt: i32,
    /// Its number within the attempt.
    pub line: i32,
    /// When it was recorded.
    pub at: Timestamp,
    /// The text.
    pub text: String,
}

/// Some lines of a log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogExtract {
    /// The lines, in order.
    pub lines: Vec<LogRow>,
    /// How many lines the log has in all.
    pub total: i64,
}

/// Reads a part of a job's log; `None` when there is no such job.
#[derive(Debug, Clone, Copy)]
pub struct ReadLog {
    /// The job.
    pub id: JobId,
    /// Which lines.
    pub part: LogPart,
}

impl Transact for ReadLog {
    const NAME: &'static str = "pages.log";
    type Output = Option<LogExtract>;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Option<LogExtract>, Error> {
        match job::submitted_at(tx, self.id).await? {
            Some(submitted_at) => read(tx, self.id, submitted_at, self.part).await.map(Some),
            None => Ok(None),
        }
    }
}

/// `submitted_at` is the job's; it names the partition.
pub(super) async fn read(
    tx: &Transaction<'_>,
    id: JobId,
    submitted_at: Timestamp,
    part: LogPart,
) -> Result<LogExtract, Error> {
    let total = super::single::<i64>(
        tx,
        "-- pages.log_count\nSELECT count(*) FROM job_logs WHERE job_id = $1 AND job_submitted_at = $2",
        &[&id.0, &submitted_at],
    )
    .await?;
    let (after, limit) = match part {
        LogPart::After { number, limit } => (number, limit),
        LogPart::Last { limit } => (total - limit, limit),
    };
    let rows = rows(tx, "-- pages.log
             SELECT number, attempt, line, at, text
             FROM (
                 SELECT row_number() OVER (ORDER BY attempt, claim_id, line) AS number, attempt, line, at, text
                 FROM job_logs
                 WHERE job_id = $1 AND job_submitted_at = $2
             ) AS numbered
             WHERE number > $3
             ORDER BY number
             LIMIT $4",
            &[&id.0, &submitted_at, &after, &limit],
        )
        .await?;
    let lines = rows
        .iter()
        .map(|row| {
            Ok(LogRow {
                number: row.try_get("number")?,
                attempt: row.try_get("attempt")?,
                line: row.try_get("line")?,
                at: row.try_get("at")?,
                text: row.try_get("text")?,
            })
        })
        .collect::<Result<_, Error>>()?;
    Ok(LogExtract { lines, total })
}
