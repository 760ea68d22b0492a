//! Ended jobs, the newest first.
//!
//! Invariants: each (plugin, state) is read through its own end of the index `job_history_by_plugin`, so the few errors
//! among a million successes are found without passing the successes. What is read for each is in that index: with more
//! of a row the planner may prefer the index by time, and pass a year of other plugins' jobs to see that one has no errors.

use jiff::Timestamp;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::list::{HistoryKey, JobList, ListJobs, Place};
use super::{FINISHED_COLUMNS, JobSummary, finished, rows};
use crate::db::{Error, Transaction};

pub(super) async fn read(tx: &Transaction<'_>, list: &ListJobs, states: &[&str]) -> Result<JobList, Error> {
    let newest = Newest {
        states,
        plugin: list.plugin.as_deref(),
        among: None,
        from: None,
        to: None,
        after: match list.after {
            Some(Place::History(key)) => Some(key),
            Some(Place::Queue(_)) | None => None,
        },
        rows: list.limit + 1,
    };
    let jobs = newest.read(tx).await?.into_iter();
    let jobs = jobs.map(|(job, key)| (job, Place::History(key)));
    Ok(list.page(jobs.collect()))
}

/// Which ended jobs are read.
#[derive(Debug)]
pub(super) struct Newest<'a> {
    /// In one of these states.
    pub(super) states: &'a [&'a str],
    /// Only this plugin's.
    pub(super) plugin: Option<&'a str>,
    /// Only these plugins'.
    pub(super) among: Option<&'a [String]>,
    /// That ended then or later.
    pub(super) from: Option<Timestamp>,
    /// That ended before.
    pub(super) to: Option<Timestamp>,
    /// Behind this place.
    pub(super) after: Option<HistoryKey>,
    /// So many at most.
    pub(super) rows: i64,
}

impl Newest<'_> {
    /// The jobs, and the place of each.
    pub(super) async fn read(&self, tx: &Transaction<'_>) -> Result<Vec<(JobSummary, HistoryKey)>, Error> {
        let time = self.after.map(|key| key.finished_at);
        let id = self.after.map_or(Uuid::max(), |key| key.id);
        let values: [&(dyn ToSql + Sync); 8] = [
            &self.states,
            &time,
            &id,
            &self.rows,
            &self.plugin,
            &self.among,
            &self.from,
            &self.to,
        ];
        let found = rows(tx, &statement(), &values).await?;
        let found = found.iter().map(|row| {
            let job = finished(row)?;
            let key = HistoryKey {
                finished_at: row.try_get("finished_at")?,
                id: job.id.0,
            };
            Ok((job, key))
        });
        found.collect()
    }
}

/// Parameters: states; the place (time or null, id) behind which the page begins; the number of rows; the plugin or
/// null, plugins or null; the first moment of the end or null, the first one that is too late or null.
pub(super) fn statement() -> String {
    format!(
        "-- pages.history
         SELECT {FINISHED_COLUMNS}
         FROM (
             SELECT ended.*
             FROM plugins p
             CROSS JOIN unnest($1::text[]) AS s (state)
             CROSS JOIN LATERAL (
                 SELECT h.finished_at, h.id
                 FROM job_history h
                 WHERE h.plugin = p.name AND h.state = s.state
                   AND (h.finished_at, h.id) < (coalesce($2::timestamptz, 'infinity'), $3::uuid)
                   AND h.finished_at >= coalesce($7::timestamptz, '-infinity')
                   AND h.finished_at < coalesce($8::timestamptz, 'infinity')
                 ORDER BY h.finished_at DESC, h.id DESC
                 LIMIT $4
             ) AS ended
             WHERE ($5::text IS NULL OR p.name = $5) AND ($6::text[] IS NULL OR p.name = ANY($6))
             ORDER BY ended.finished_at DESC, ended.id DESC
             LIMIT $4
         ) AS newest
         CROSS JOIN LATERAL (
             SELECT * FROM job_history WHERE finished_at = newest.finished_at AND id = newest.id LIMIT 1
         ) AS h
         ORDER BY h.finished_at DESC, h.id DESC"
    )
}
