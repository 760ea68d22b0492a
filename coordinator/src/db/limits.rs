//! The rows that count running attempts: locked early and all at once, so that transactions which begin or end
//! attempts meet in one order.
//!
//! | key | what counts against it |
//! |---|---|
//! | `plugin:OCR` | attempts of the plugin's jobs |
//! | `storage:/data` | attempts of jobs whose source or target lies there |
//! | `transfers:/data` | attempts that move their data from or to there at this moment |
//! | `worker:<id>:OCR` | attempts of the plugin's jobs on this worker |

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use shared::job::JobId;
use uuid::Uuid;

use super::Error;

/// The limit that all jobs of a plugin count against.
pub(super) fn of_plugin(plugin: &str) -> String {
    format!("plugin:{plugin}")
}

/// The limit that all jobs count against which use a storage.
pub(super) fn of_storage(path: &str) -> String {
    format!("storage:{path}")
}

/// The limit that those count against which move their data from or to a storage.
pub(super) fn of_transfers(path: &str) -> String {
    format!("transfers:{path}")
}

/// The limit that a plugin's jobs on one worker count against.
pub(super) fn of_worker(worker: &str, plugin: &str) -> String {
    format!("worker:{worker}:{plugin}")
}

/// How much runs under each of these keys, and keeps others from changing that: for whoever begins something. Makes
/// the rows that are not there yet. All keys of a transaction at once: in any portions they would be out of order.
pub(super) async fn lock_keys(tx: &Transaction<'_>, keys: &[String]) -> Result<HashMap<String, i64>, Error> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let make = tx
        .prepare_cached(
            "-- limits.make
             INSERT INTO limit_keys (key, running) SELECT DISTINCT key, 0 FROM unnest($1::text[]) AS key ORDER BY key
             ON CONFLICT (key) DO NOTHING",
        )
        .await?;
    tx.execute(&make, &[&keys]).await?;
    let lock = tx
        .prepare_cached(
            "-- limits.lock_keys
             SELECT key, running::bigint FROM limit_keys WHERE key = ANY($1) ORDER BY key FOR UPDATE",
        )
        .await?;
    let rows = tx.query(&lock, &[&keys]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// What attempts of these jobs count against once they run on these workers, or count against already.
pub(super) async fn keys_of(tx: &Transaction<'_>, jobs: &[(JobId, &str)]) -> Result<Vec<String>, Error> {
    let ids: Vec<Uuid> = jobs.iter().map(|(id, _)| id.0).collect();
    let workers: Vec<&str> = jobs.iter().map(|(_, worker)| *worker).collect();
    let statement = tx
        .prepare_cached(
            "-- limits.keys_of
             WITH job AS (
                 SELECT jobs.id, jobs.plugin, said.worker
                 FROM unnest($1::uuid[], $2::text[]) AS said(id, worker) JOIN jobs USING (id)
             )
             SELECT 'plugin:' || plugin FROM job
             UNION SELECT 'worker:' || worker || ':' || plugin FROM job
             UNION SELECT unnest(storage_keys(id)) FROM job
             UNION SELECT unnest(limit_keys) FROM leases JOIN job ON job.id = leases.job_id",
        )
        .await?;
    let rows = tx.query(&statement, &[&ids, &workers]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Locks what the attempts of these jobs count against, after the jobs' own rows and before anything that is written:
/// for whoever ends them.
pub(super) async fn lock(tx: &Transaction<'_>, ids: &[JobId]) -> Result<(), Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let statement = tx
        .prepare_cached(
            "-- limits.lock
             SELECT 1 FROM limit_keys WHERE key IN (
                 SELECT 'plugin:' || plugin FROM jobs WHERE id = ANY($1)
                 UNION SELECT unnest(limit_keys) FROM leases WHERE job_id = ANY($1))
             ORDER BY key FOR UPDATE",
        )
        .await?;
    tx.query(&statement, &[&ids]).await?;
    Ok(())
}
