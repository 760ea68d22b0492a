//! The rows that count running attempts: locked early, so that transactions which end attempts meet in one order.

use deadpool_postgres::Transaction;
use shared::job::JobId;
use uuid::Uuid;

use super::Error;

/// Makes the rows of these plugins that are not there yet.
pub(super) async fn make(tx: &Transaction<'_>, plugins: &[&str]) -> Result<(), Error> {
    let statement = tx
        .prepare_cached(
            "-- limits.make
             INSERT INTO limit_keys (key, running) SELECT 'plugin:' || name, 0 FROM unnest($1::text[]) AS name
             ORDER BY 1 ON CONFLICT (key) DO NOTHING",
        )
        .await?;
    tx.execute(&statement, &[&plugins]).await?;
    Ok(())
}

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
