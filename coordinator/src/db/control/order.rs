//! Messages in the order in which jobs start: replaced where jobs have changed places, and where priorities rise with
//! waiting.
//!
//! A change of order makes messages stale that are published already; new ones follow in the new order.

use deadpool_postgres::Transaction;
use shared::job::JobId;
use shared::job::decide::{self, Job};
use uuid::Uuid;

use crate::db::{Error, Transact, job_row};

/// Most jobs that one transaction lets age.
const BATCH: i64 = 500;

/// Has the messages of levels whose jobs have changed places replaced; gives how many.
#[derive(Debug)]
pub struct Reorder;

impl Transact for Reorder {
    const NAME: &'static str = "order.reorder";
    type Output = usize;

    async fn run(&self, tx: &Transaction<'_>) -> Result<usize, Error> {
        // Jobs before levels, as moves do; a level that a move names meanwhile stays for the next time.
        let levels = tx
            .query(
                "-- order.levels\nSELECT plugin, effective_priority FROM levels_to_reorder",
                &[],
            )
            .await?;
        if levels.is_empty() {
            return Ok(0);
        }
        let plugins: Vec<&str> = levels.iter().map(|row| row.get(0)).collect();
        let priorities: Vec<i16> = levels.iter().map(|row| row.get(1)).collect();
        let published = tx
            .prepare_cached(
                "-- order.published
                 SELECT jobs.id FROM jobs
                 JOIN unnest($1::text[], $2::smallint[]) AS level(plugin, effective_priority)
                     USING (plugin, effective_priority)
                 WHERE jobs.state = 'QUEUED' AND jobs.published_dispatch = jobs.dispatch",
            )
            .await?;
        let ids: Vec<JobId> = tx
            .query(&published, &[&plugins, &priorities])
            .await?
            .iter()
            .map(|row| JobId(row.get(0)))
            .collect();
        let replaced = replace_messages(tx, &ids).await?;
        let forget = tx
            .prepare_cached(
                "-- order.forget_levels
                 WITH locked AS (
                     SELECT plugin, effective_priority FROM levels_to_reorder
                     JOIN unnest($1::text[], $2::smallint[]) AS level(plugin, effective_priority)
                         USING (plugin, effective_priority)
                     ORDER BY plugin, effective_priority FOR UPDATE OF levels_to_reorder
                 )
                 DELETE FROM levels_to_reorder USING locked
                 WHERE (levels_to_reorder.plugin, levels_to_reorder.effective_priority)
                     = (locked.plugin, locked.effective_priority)",
            )
            .await?;
        tx.execute(&forget, &[&plugins, &priorities]).await?;
        Ok(replaced)
    }
}

/// Raises the effective priority of jobs that have waited long enough, where their plugin's settings say so; gives
/// how many.
///
/// The clock starts when a job enters its queue, and anew when a person gives it a priority. A job that comes back to
/// its queue keeps what it was raised by, and rises further once it has waited for more than that anew.
#[derive(Debug)]
pub struct Age;

impl Transact for Age {
    const NAME: &'static str = "order.age";
    type Output = usize;

    async fn run(&self, tx: &Transaction<'_>) -> Result<usize, Error> {
        let due = tx
            .prepare_cached(
                "-- order.due
                 SELECT jobs.id FROM jobs JOIN plugins ON plugins.name = jobs.plugin
                 WHERE plugins.ageing_minutes IS NOT NULL AND jobs.state = 'QUEUED' AND NOT jobs.held
                     AND jobs.age_bonus < least(10 - jobs.priority, floor(extract(epoch FROM
                         tm_now() - greatest(jobs.queued_at, jobs.prioritised_at)) / 60 / plugins.ageing_minutes))
                 ORDER BY jobs.id LIMIT $1",
            )
            .await?;
        let due = tx.query(&due, &[&BATCH]).await?;
        if due.is_empty() {
            return Ok(0);
        }
        let due: Vec<JobId> = due.iter().map(|row| JobId(row.get(0))).collect();
        let mut locked = job_row::lock(tx, &due).await?;
        // Reckoned once more: a person may have given one of them a priority before it was locked.
        let raise = tx
            .prepare_cached(
                "-- order.raise
                 UPDATE jobs SET age_bonus = bonus.now FROM (
                     SELECT jobs.id, least(10 - jobs.priority, floor(extract(epoch FROM
                         tm_now() - greatest(jobs.queued_at, jobs.prioritised_at)) / 60 / plugins.ageing_minutes
                         ))::smallint AS now
                     FROM jobs JOIN plugins ON plugins.name = jobs.plugin
                     WHERE jobs.id = ANY($1) AND plugins.ageing_minutes IS NOT NULL) AS bonus
                 WHERE jobs.id = bonus.id AND jobs.state = 'QUEUED' AND NOT jobs.held AND jobs.age_bonus < bonus.now
                 RETURNING jobs.id",
            )
            .await?;
        let uuids: Vec<Uuid> = locked.keys().map(|id| id.0).collect();
        let replaced: Vec<(JobId, Job)> = tx
            .query(&raise, &[&uuids])
            .await?
            .iter()
            .filter_map(|row| {
                let (id, job) = locked.remove_entry(&JobId(row.get(0)))?;
                Some((id, decide::replace_message(&job)?))
            })
            .collect();
        job_row::save(tx, &replaced).await?;
        Ok(replaced.len())
    }
}

async fn replace_messages(tx: &Transaction<'_>, ids: &[JobId]) -> Result<usize, Error> {
    if ids.is_empty() {
        return Ok(0);
    }
    let replaced: Vec<(JobId, Job)> = job_row::lock(tx, ids)
        .await?
        .into_iter()
        .filter_map(|(id, job)| Some((id, decide::replace_message(&job)?)))
        .collect();
    job_row::save(tx, &replaced).await?;
    Ok(replaced.len())
}

#[cfg(test)]
mod tests;
