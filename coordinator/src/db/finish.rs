//! Moving ended jobs to history, with their statistics, in the transaction that ends them.

use deadpool_postgres::Transaction;
use serde_json::{Map, Value};
use shared::job::decide::Job;
use shared::job::{JobId, JobState};
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::stores::{self, Left};
use super::{Error, deliveries, job_row};

/// A job that ends in this transaction; its row is locked and decided.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) id: JobId,
    pub(super) job: Job,
    pub(super) error: Option<String>,
    pub(super) summary: Map<String, Value>,
    /// The last attempt's figures; `None` takes them from its lease.
    pub(super) totals: Option<Totals>,
    /// Its worker has removed its item store.
    pub(super) store_removed: bool,
}

/// What a job has worked through. Its done and failed items are counted from their rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Totals {
    pub(super) items_total: u32,
    pub(super) bytes: u64,
}

/// A job that has ended, for metrics and notifications.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The job.
    pub id: JobId,
    /// Its plugin.
    pub plugin: String,
    /// DONE, ERROR or CANCELLED.
    pub state: JobState,
    /// Seconds from the submission to the first start.
    pub wait_seconds: Option<f64>,
    /// Seconds from the last attempt's start to the end.
    pub run_seconds: Option<f64>,
}

pub(super) async fn finish(tx: &Transaction<'_>, endings: &[Ending]) -> Result<Vec<Finished>, Error> {
    if endings.is_empty() {
        return Ok(Vec::new());
    }
    let stores_removed: Vec<bool> = endings.iter().map(|e| e.store_removed).collect();
    let items_total: Vec<Option<i32>> = endings
        .iter()
        .map(|e| Some(i32::try_from(e.totals?.items_total).unwrap_or(i32::MAX)))
        .collect();
    let ids: Vec<Uuid> = endings.iter().map(|e| e.id.0).collect();
    let states: Vec<&str> = endings.iter().map(|e| e.job.state.as_str()).collect();
    let errors: Vec<Option<&str>> = endings.iter().map(|e| e.error.as_deref()).collect();
    let summaries: Vec<Json<&Map<String, Value>>> = endings.iter().map(|e| Json(&e.summary)).collect();
    let bytes: Vec<Option<i64>> = endings
        .iter()
        .map(|e| Some(i64::try_from(e.totals?.bytes).unwrap_or(i64::MAX)))
        .collect();
    let statement = tx
        .prepare_cached(
            "-- finish.to_history
             WITH ending AS (
                 SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::jsonb[], $5::int[], $6::bigint[], $7::bool[])
                     AS ending(id, state, error, summary, items_total, bytes, store_removed)
             ), moved AS (
                 INSERT INTO job_history (
                     id, plugin, title, state, priority, attempt, claim_attempt, claim_id, retry_of, submitted_at,
                     started_at, finished_at, items_done, items_failed, items_total, bytes, error, summary,
                     template, template_parameters, process_id, step_id, step_name, project, source, target,
                     parameters, callback_url, callback_when, extra, submitted_by, manifest, store_id, store_gone)
                 SELECT j.id, j.plugin, j.title, e.state, j.priority, j.attempt, j.claim_attempt, j.claim_id,
                     j.retry_of, j.submitted_at, j.started_at, tm_now(),
                     i.done, i.failed, greatest(coalesce(e.items_total, l.items_total, 0), i.done + i.failed),
                     coalesce(e.bytes, l.bytes, 0),
                     e.error, e.summary, d.template, d.template_parameters, d.process_id, d.step_id,
                     d.step_name, d.project, d.source, d.target, d.parameters, d.callback_url, d.callback_when,
                     d.extra, d.submitted_by, d.manifest, d.store_id, e.store_removed
                 FROM ending e JOIN jobs j USING (id) JOIN job_details d ON d.job_id = j.id
                 LEFT JOIN leases l ON l.job_id = j.id
                 CROSS JOIN LATERAL (
                     SELECT count(*) FILTER (WHERE state = 'done')::int AS done,
                            count(*) FILTER (WHERE state = 'failed')::int AS failed
                     FROM items WHERE items.job_id = j.id) i
                 RETURNING *
             ), counted AS (
                 INSERT INTO statistics (day, plugin, project, outcome, jobs, items, bytes, seconds)
                 SELECT (finished_at AT TIME ZONE 'UTC')::date, plugin, coalesce(project, ''), lower(state),
                     count(*), sum(items_done), sum(bytes),
                     sum(coalesce(extract(epoch FROM finished_at - started_at), 0))
                 FROM moved GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
                 ON CONFLICT (day, plugin, project, outcome) DO UPDATE SET
                     jobs = statistics.jobs + EXCLUDED.jobs, items = statistics.items + EXCLUDED.items,
                     bytes = statistics.bytes + EXCLUDED.bytes,
                     seconds = statistics.seconds + EXCLUDED.seconds
             )
             SELECT moved.id, moved.plugin, moved.state, moved.target, moved.store_id, moved.attempt,
                 extract(epoch FROM moved.started_at - moved.submitted_at)::float8 AS wait_seconds,
                 extract(epoch FROM moved.finished_at - attempts.started_at)::float8 AS run_seconds
             FROM moved LEFT JOIN attempts ON attempts.job_id = moved.id
                 AND attempts.attempt = moved.claim_attempt AND attempts.claim_id = moved.claim_id",
        )
        .await?;
    let rows = tx
        .query(
            &statement,
            &[
                &ids,
                &states,
                &errors,
                &summaries,
                &items_total,
                &bytes,
                &stores_removed,
            ],
        )
        .await?;
    let finished = rows
        .iter()
        .map(|row| {
            Ok(Finished {
                id: JobId(row.get("id")),
                plugin: row.get("plugin"),
                state: job_row::state(row, "job_history")?,
                wait_seconds: row.get("wait_seconds"),
                run_seconds: row.get("run_seconds"),
            })
        })
        .collect::<Result<Vec<Finished>, Error>>()?;
    book_pages(tx, &ids).await?;
    deliveries::record(tx, &ids).await?;
    leave_leases(tx, &ids).await?;
    let stores = LeftStores::of(endings, &rows);
    // Whoever does an ended job anew has its family locked when it asks for its key.
    stores.lock(tx).await?;
    leave_active_tables(tx, &ids).await?;
    stores.leave(tx).await?;
    Ok(finished)
}

/// The item stores of jobs that have ended and can't be retried.
#[derive(Debug)]
struct LeftStores {
    /// Those that are there.
    left: Vec<Left>,
    /// Those that another job has begun and that have been removed.
    adopted: Vec<Uuid>,
}

impl LeftStores {
    fn of(endings: &[Ending], rows: &[Row]) -> Self {
        let mut left = Vec::new();
        let mut adopted = Vec::new();
        for row in rows {
            let id: Uuid = row.get("id");
            let store: Option<Uuid> = row.get("store_id");
            let target: Option<String> = row.get("target");
            let removed = endings
                .iter()
                .any(|ending| ending.id.0 == id && ending.store_removed);
            match (target, store) {
                (Some(_), Some(store)) if removed => adopted.push(store),
                (Some(target), store)
                    if !removed && (store.is_some() || row.get::<_, i32>("attempt") > 0) =>
                {
                    left.push(Left {
                        store: store.unwrap_or(id),
                        plugin: row.get("plugin"),
                        target,
                    });
                }
                _ => {}
            }
        }
        Self { left, adopted }
    }

    /// Locks the families of jobs that they belong to.
    async fn lock(&self, tx: &Transaction<'_>) -> Result<(), Error> {
        let left = self.left.iter().map(|left| left.store);
        let families: Vec<Uuid> = left.chain(self.adopted.iter().copied()).collect();
        if families.is_empty() {
            return Ok(());
        }
        stores::lock_families(tx, &families).await
    }

    /// Sees to them. Their families are locked, and their jobs are no users of them any more.
    async fn leave(self, tx: &Transaction<'_>) -> Result<(), Error> {
        if self.left.is_empty() && self.adopted.is_empty() {
            return Ok(());
        }
        stores::mark_gone(tx, &self.adopted).await?;
        stores::retire(tx, self.left).await
    }
}

/// Books the pages that these jobs have really done on their plugins' contracts; those that a retry has kept from
/// the job before were booked with that one.
async fn book_pages(tx: &Transaction<'_>, ids: &[Uuid]) -> Result<(), Error> {
    let statement = tx
        .prepare_cached(
            "-- finish.book_pages
             WITH done AS (
                 SELECT jobs.id, jobs.plugin, count(*) AS pages
                 FROM jobs JOIN quotas USING (plugin) JOIN items ON items.job_id = jobs.id
                 WHERE jobs.id = ANY($1) AND items.state = 'done' AND items.attempt > 0
                 GROUP BY jobs.id, jobs.plugin
             ), booked AS (
                 INSERT INTO quota_ledger (job_id, plugin, pages) SELECT id, plugin, pages FROM done
                 ON CONFLICT (job_id) DO NOTHING RETURNING plugin, pages
             ), sums AS (SELECT plugin, sum(pages)::bigint AS pages FROM booked GROUP BY plugin
             ), locked AS (SELECT plugin FROM quotas WHERE plugin IN (SELECT plugin FROM sums) ORDER BY plugin FOR UPDATE)
             UPDATE quotas SET
                 used_total = used_total + sums.pages,
                 used_in_period = sums.pages +
                     CASE WHEN period_start = quota_period_start(period) THEN used_in_period ELSE 0 END,
                 period_start = quota_period_start(period)
             FROM sums JOIN locked USING (plugin) WHERE quotas.plugin = sums.plugin",
        )
        .await?;
    tx.execute(&statement, &[&ids]).await?;
    Ok(())
}

/// By one statement: the triggers that count running attempts run once for all.
async fn leave_leases(tx: &Transaction<'_>, ids: &[Uuid]) -> Result<(), Error> {
    let leases = tx
        .prepare_cached("-- finish.leases\nDELETE FROM leases WHERE job_id = ANY($1)")
        .await?;
    tx.execute(&leases, &[&ids]).await?;
    Ok(())
}

/// Ended jobs free the names and places that only unfinished ones have.
async fn leave_active_tables(tx: &Transaction<'_>, ids: &[Uuid]) -> Result<(), Error> {
    let keys = tx
        .prepare_cached(
            "-- finish.derived_keys
             DELETE FROM idempotency_keys WHERE job_id = ANY($1) AND expires_at IS NULL",
        )
        .await?;
    tx.execute(&keys, &[&ids]).await?;
    let jobs = tx
        .prepare_cached("-- finish.delete\nDELETE FROM jobs WHERE id = ANY($1)")
        .await?;
    tx.execute(&jobs, &[&ids]).await?;
    Ok(())
}
