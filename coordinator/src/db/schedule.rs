//! Jobs that wait for a point in time: when a failed one is tried again, and whose time has come.

use deadpool_postgres::Transaction;
use shared::job::decide::{self, Job};
use shared::job::{JobId, JobState};
use uuid::Uuid;

use super::{Error, Transact, job_row};

#[cfg(test)]
mod tests;

/// Most jobs that one transaction wakes.
const BATCH: i64 = 500;

/// Writes jobs that were decided to be tried again later, with the time: the pause doubles from failure to failure
/// up to the plugin's longest one, and up to half of it is left to chance, so that many do not come back in step.
pub(super) async fn retry_later(tx: &Transaction<'_>, later: &[(JobId, Job)]) -> Result<(), Error> {
    if later.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = later.iter().map(|(id, _)| id.0).collect();
    let failures: Vec<i16> = later.iter().map(|(_, job)| job.failures).collect();
    let workers_lost: Vec<i16> = later.iter().map(|(_, job)| job.workers_lost).collect();
    let statement = tx
        .prepare_cached(
            "-- schedule.retry_later
             UPDATE jobs SET
                 state = 'SCHEDULED', failures = new.failures, workers_lost = new.workers_lost,
                 claim_attempt = NULL, claim_id = NULL, relay_until = NULL,
                 run_at = tm_now() + make_interval(secs => (0.5 + 0.5 * random()) * least(
                     plugins.retry_longest_seconds, plugins.retry_first_seconds * 2.0 ^ (new.failures - 1)))
             FROM unnest($1::uuid[], $2::smallint[], $3::smallint[]) AS new(id, failures, workers_lost), plugins
             WHERE jobs.id = new.id AND plugins.name = jobs.plugin",
        )
        .await?;
    tx.execute(&statement, &[&ids, &failures, &workers_lost]).await?;
    Ok(())
}

/// Puts jobs whose time has come into their queue; gives how many there were.
#[derive(Debug)]
pub struct Wake;

impl Transact for Wake {
    const NAME: &'static str = "schedule.wake";
    type Output = usize;

    async fn run(&self, tx: &Transaction<'_>) -> Result<usize, Error> {
        let due = tx
            .prepare_cached(
                "-- schedule.due
                 SELECT id FROM jobs WHERE state = 'SCHEDULED' AND run_at <= tm_now() ORDER BY run_at LIMIT $1",
            )
            .await?;
        let ids: Vec<JobId> = tx
            .query(&due, &[&BATCH])
            .await?
            .iter()
            .map(|row| JobId(row.get(0)))
            .collect();
        if ids.is_empty() {
            return Ok(0);
        }
        let mut due: Vec<(JobId, Job)> = job_row::lock(tx, &ids)
            .await?
            .into_iter()
            .filter_map(|(id, job)| Some((id, decide::time_has_come(&job)?)))
            .collect();
        due.sort_by_key(|(id, _)| *id);
        debug_assert!(due.iter().all(|(_, job)| job.state == JobState::Queued));
        job_row::save(tx, &due).await?;
        Ok(due.len())
    }
}
