//! The rows that count running attempts: locked early, so that transactions which end attempts meet in one order.

use deadpool_postgres::Transaction;
use shared::job::JobId;
use uuid::Uuid;

use super::Error;

/// Locks what the attempts of these jobs count against, after the jobs' own rows and before anything that is written.
pub(super) async fn lock(tx: &Transaction<'_>, ids: &[JobId]) -> Result<(), Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let statement = tx
        .prepare_cached(
            "-- limits.lock
             SELECT 1 FROM limit_keys WHERE key IN (SELECT 'plugin:' || plugin FROM jobs WHERE id = ANY($1))
             ORDER BY key FOR UPDATE",
        )
        .await?;
    tx.query(&statement, &[&ids]).await?;
    Ok(())
}
