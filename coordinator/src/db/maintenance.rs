//! Housekeeping: partitions made ahead, keys and workers that nobody needs any more.

use deadpool_postgres::Transaction;

use super::{Error, Transact};

/// Makes the partitions of the coming months.
#[derive(Debug)]
pub struct EnsurePartitions;

impl Transact for EnsurePartitions {
    const NAME: &'static str = "maintenance.partitions";
    type Output = ();

    async fn run(&self, tx: &Transaction<'_>) -> Result<(), Error> {
        tx.execute("-- maintenance.partitions\nSELECT ensure_partitions()", &[])
            .await?;
        Ok(())
    }
}

/// Removes idempotency keys that have expired, workers that were silent for a day, and deliveries that nobody needs any
/// more.
#[derive(Debug)]
pub struct RemoveExpired;

impl Transact for RemoveExpired {
    const NAME: &'static str = "maintenance.expired";
    type Output = ();

    async fn run(&self, tx: &Transaction<'_>) -> Result<(), Error> {
        tx.execute(
            "-- maintenance.expired_keys
             DELETE FROM idempotency_keys WHERE key IN (
                 SELECT key FROM idempotency_keys WHERE expires_at < tm_now()
                 ORDER BY key LIMIT 10000 FOR UPDATE SKIP LOCKED)",
            &[],
        )
        .await?;
        tx.execute(
            "-- maintenance.silent_workers
             DELETE FROM workers WHERE id IN (
                 SELECT id FROM workers WHERE heartbeat_at < tm_now() - interval '1 day'
                 ORDER BY id FOR UPDATE SKIP LOCKED)",
            &[],
        )
        .await?;
        // A person has a week to send a failed one again; then its secret goes.
        tx.execute(
            "-- maintenance.old_tokens
             UPDATE deliveries SET token = NULL
             WHERE state <> 'pending' AND settled_at < tm_now() - interval '7 days' AND token IS NOT NULL",
            &[],
        )
        .await?;
        // Those of jobs that nobody kept.
        tx.execute(
            "-- maintenance.orphaned_deliveries
             DELETE FROM deliveries d
             WHERE state <> 'pending' AND settled_at < tm_now() - interval '30 days'
                 AND NOT EXISTS (SELECT 1 FROM job_history h WHERE h.id = d.job_id)",
            &[],
        )
        .await?;
        Ok(())
    }
}
