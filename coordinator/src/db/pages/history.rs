//! Ended jobs, the newest first.
//!
//! Invariant: each (plugin, state) is read through its own end of the index `job_history_by_plugin`; so the few
//! errors among a million successes are found without passing the successes.

use uuid::Uuid;

use super::list::{HistoryKey, JobList, ListJobs, Place};
use super::{FINISHED_COLUMNS, finished, rows};
use crate::db::{Error, Transaction};

pub(super) async fn read(tx: &Transaction<'_>, list: &ListJobs, states: &[&str]) -> Result<JobList, Error> {
    let after = match list.after {
        Some(Place::History(key)) => Some(key),
        Some(Place::Queue(_)) | None => None,
    };
    let time = after.map(|key| key.finished_at);
    let id = after.map_or(Uuid::max(), |key| key.id);
    let rows = rows(
        tx,
        &statement(),
        &[&states, &time, &id, &(list.limit + 1), &list.plugin],
    )
    .await?;
    let rows = rows
        .iter()
        .map(|row| {
            let job = finished(row)?;
            let key = HistoryKey {
                finished_at: row.try_get("finished_at")?,
                id: job.id.0,
            };
            Ok((job, Place::History(key)))
        })
        .collect::<Result<_, Error>>()?;
    Ok(list.page(rows))
}

/// Parameters: states; the place (time or null, id) behind which the page begins; the number of rows; the plugin
/// or null.
pub(super) fn statement() -> String {
    format!(
        "-- pages.history
         SELECT listed.*
         FROM plugins p
         CROSS JOIN unnest($1::text[]) AS s (state)
         CROSS JOIN LATERAL (
             SELECT {FINISHED_COLUMNS}
             FROM job_history h
             WHERE h.plugin = p.name AND h.state = s.state
               AND (h.finished_at, h.id) < (coalesce($2::timestamptz, 'infinity'), $3::uuid)
             ORDER BY h.finished_at DESC, h.id DESC
             LIMIT $4
         ) AS listed
         WHERE $5::text IS NULL OR p.name = $5
         ORDER BY listed.finished_at DESC, listed.id DESC
         LIMIT $4"
    )
}
