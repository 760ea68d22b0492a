//! Housekeeping: partitions made ahead, and what nobody needs any more removed, a bounded number of rows at a time.

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

/// Most rows that one transaction of [`RemoveExpired`] removes.
const BATCH: i64 = 1_000;

/// What housekeeping removes in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expired {
    /// Idempotency keys.
    Keys,
    /// Workers that were silent for a day.
    Workers,
    /// What such workers ran is counted by keys that nobody asks for any more.
    LimitsOfWorkers,
    /// Tokens of deliveries. A person has a week to send a failed one again; then its secret goes.
    Tokens,
    /// Deliveries of jobs that nobody kept.
    Deliveries,
    /// Item stores that were removed.
    Stores,
    /// Item stores that no job has and that no worker has seen for a month.
    UnknownStores,
    /// Sessions that ended by themselves.
    Sessions,
    /// Programs' tokens a month after they have expired: for so long it is shown that they have.
    ApiTokens,
    /// Tries to log in of yesterday.
    LoginTries,
    /// One-time links that nobody has used.
    SetupLinks,
}

impl Expired {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Keys,
        Self::Workers,
        Self::LimitsOfWorkers,
        Self::Tokens,
        Self::Deliveries,
        Self::Stores,
        Self::UnknownStores,
        Self::Sessions,
        Self::ApiTokens,
        Self::LoginTries,
        Self::SetupLinks,
    ];

    fn statement(self) -> &'static str {
        match self {
            Self::Keys => {
                "-- maintenance.expired_keys
                 DELETE FROM idempotency_keys WHERE key IN (
                     SELECT key FROM idempotency_keys WHERE expires_at < tm_now() AND key IN (
                         SELECT key FROM idempotency_keys WHERE expires_at < tm_now() ORDER BY expires_at LIMIT $1)
                     ORDER BY key FOR UPDATE SKIP LOCKED)"
            }
            Self::Workers => {
                "-- maintenance.silent_workers
                 DELETE FROM workers WHERE id IN (
                     SELECT id FROM workers WHERE heartbeat_at < tm_now() - interval '1 day'
                     ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)"
            }
            Self::LimitsOfWorkers => {
                "-- maintenance.limits_of_workers
                 DELETE FROM limit_keys WHERE key IN (
                     SELECT key FROM limit_keys WHERE starts_with(key, 'worker:') AND running = 0
                         AND NOT EXISTS (SELECT 1 FROM workers WHERE starts_with(key, 'worker:' || workers.id || ':'))
                     ORDER BY key LIMIT $1 FOR UPDATE SKIP LOCKED)"
            }
            Self::Tokens => {
                "-- maintenance.old_tokens
                 UPDATE deliveries SET token = NULL WHERE id IN (
                     SELECT id FROM deliveries
                     WHERE state <> 'pending' AND settled_at < tm_now() - interval '7 days' AND token IS NOT NULL
                     ORDER BY settled_at LIMIT $1 FOR UPDATE SKIP LOCKED)"
            }
            Self::Deliveries => {
                "-- maintenance.orphaned_deliveries
                 DELETE FROM deliveries WHERE id IN (
                     SELECT id FROM deliveries
                     WHERE orphaned AND state <> 'pending' AND settled_at < tm_now() - interval '30 days'
                     ORDER BY settled_at LIMIT $1 FOR UPDATE SKIP LOCKED)"
            }
            Self::Stores => {
                "-- maintenance.removed_stores
                 DELETE FROM stores_to_remove WHERE store_id IN (
                     SELECT store_id FROM stores_to_remove WHERE removed_at < tm_now() - interval '1 day'
                     ORDER BY store_id LIMIT $1 FOR UPDATE SKIP LOCKED)"
            }
            Self::UnknownStores => {
                "-- maintenance.unknown_stores
                 DELETE FROM unknown_stores WHERE store_id IN (
                     SELECT store_id FROM unknown_stores WHERE last_seen < tm_now() - interval '30 days'
                     ORDER BY store_id LIMIT $1 FOR UPDATE SKIP LOCKED)"
            }
            // The times are those of `db::accounts`.
            Self::Sessions => {
                "-- maintenance.ended_sessions
                 DELETE FROM sessions WHERE id IN (
                     SELECT id FROM sessions WHERE seen_at < tm_now() - interval '12 hours'
                         OR created_at < tm_now() - interval '7 days'
                     ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)"
            }
            Self::ApiTokens => {
                "-- maintenance.expired_api_tokens
                 DELETE FROM api_tokens WHERE id IN (
                     SELECT id FROM api_tokens WHERE expires_at < tm_now() - interval '30 days'
                     ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)"
            }
            Self::LoginTries => {
                "-- maintenance.login_tries
                 DELETE FROM login_tries WHERE bucket IN (
                     SELECT bucket FROM login_tries WHERE last_at < tm_now() - interval '1 day'
                     ORDER BY bucket LIMIT $1 FOR UPDATE SKIP LOCKED)"
            }
            Self::SetupLinks => {
                "-- maintenance.setup_links
                 DELETE FROM setup_links WHERE secret IN (
                     SELECT secret FROM setup_links WHERE expires_at < tm_now()
                     ORDER BY secret LIMIT $1 FOR UPDATE SKIP LOCKED)"
            }
        }
    }
}

/// Removes some of what has expired of one kind; gives whether there may be more.
///
/// A kind is a transaction of its own: one that fails stops no other.
#[derive(Debug)]
pub struct RemoveExpired(pub Expired);

impl Transact for RemoveExpired {
    const NAME: &'static str = "maintenance.expired";
    type Output = bool;

    async fn run(&self, tx: &Transaction<'_>) -> Result<bool, Error> {
        let removed = tx.execute(self.0.statement(), &[&BATCH]).await?;
        Ok(i64::try_from(removed).is_ok_and(|removed| removed >= BATCH))
    }
}
