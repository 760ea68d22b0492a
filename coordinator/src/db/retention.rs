//! Retention: ended jobs that nobody wants to keep any longer leave history, in small transactions.
//!
//! Statistics, quota ledger and audit log stay for ever.

use deadpool_postgres::Transaction;
use shared::job::JobId;

use super::{Error, Transact, control};

#[cfg(test)]
mod tests;

/// Most jobs that one transaction removes: none of them is long, and none locks much.
const BATCH: i64 = 500;

/// Most pages of those jobs, about: each of them is a row, too. A single job may have more.
const BATCH_ITEMS: i64 = 20_000;

/// Removes jobs that are older, or more, than their plugin keeps; gives how many. What is left over waits for the
/// next call.
#[derive(Debug)]
pub struct Prune;

impl Transact for Prune {
    const NAME: &'static str = "retention.prune";
    type Output = usize;

    async fn run(&self, tx: &Transaction<'_>) -> Result<usize, Error> {
        let candidates = tx
            .prepare_cached(
                "-- retention.candidates
                 WITH rule AS (
                     SELECT name AS plugin, kept.states, kept.jobs, kept.days FROM plugins CROSS JOIN LATERAL (VALUES
                         (ARRAY['DONE'], keep_done_jobs, keep_done_days),
                         (ARRAY['ERROR', 'CANCELLED'], keep_failed_jobs, keep_failed_days)) AS kept(states, jobs, days)
                     WHERE kept.jobs IS NOT NULL OR kept.days IS NOT NULL
                 ), boundary AS (
                     -- What ended before is too old, or beyond the number to be kept of these states together.
                     SELECT plugin, states, greatest(tm_now() - make_interval(days => days), (
                         SELECT newest.finished_at + interval '1 microsecond'
                         FROM unnest(rule.states) AS one(state) CROSS JOIN LATERAL (
                             SELECT finished_at, id FROM job_history h
                             WHERE h.plugin = rule.plugin AND h.state = one.state AND rule.jobs IS NOT NULL
                             ORDER BY finished_at DESC, id DESC LIMIT rule.jobs + 1) AS newest
                         ORDER BY newest.finished_at DESC, newest.id DESC OFFSET rule.jobs LIMIT 1)) AS before
                     FROM rule
                 )
                 SELECT old.id, old.items
                 FROM boundary CROSS JOIN unnest(boundary.states) AS one(state) CROSS JOIN LATERAL (
                     SELECT id, (items_done + items_failed)::bigint AS items FROM job_history h
                     WHERE h.plugin = boundary.plugin AND h.state = one.state AND h.finished_at < boundary.before
                         -- Its page says what is still to be told.
                         AND NOT EXISTS (
                             SELECT 1 FROM deliveries d WHERE d.job_id = h.id AND d.state = 'pending')
                     ORDER BY h.finished_at LIMIT $1) AS old
                 LIMIT $1",
            )
            .await?;
        let mut items = 0;
        let ids: Vec<JobId> = tx
            .query(&candidates, &[&BATCH])
            .await?
            .iter()
            .take_while(|row| {
                let is_first = items == 0;
                items += row.get::<_, i64>(1);
                is_first || items <= BATCH_ITEMS
            })
            .map(|row| JobId(row.get(0)))
            .collect();
        control::remove_ended(tx, &ids).await?;
        Ok(ids.len())
    }
}
