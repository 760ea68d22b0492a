//! Housekeeping: partitions made ahead, and what nobody needs any more removed, a bounded number of rows at a time.

use deadpool_postgres::Transaction;

use super::accounts::session_is_over;
use super::{Error, Transact};

#[cfg(test)]
mod tests;

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

    /// The statement that removes some of it.
    fn statement(self) -> String {
        match self {
            // The oldest, and locked in the order of their keys, as submissions do.
            Self::Keys => Rows::of("expired_keys", "idempotency_keys", "key").which(
                "expires_at < tm_now() AND key IN (
                     SELECT key FROM idempotency_keys WHERE expires_at < tm_now() ORDER BY expires_at LIMIT $1)",
            ),
            Self::Workers => Rows::of("silent_workers", "workers", "id")
                .which("heartbeat_at < tm_now() - interval '1 day'"),
            Self::LimitsOfWorkers => Rows::of("limits_of_workers", "limit_keys", "key").which(
                "starts_with(key, 'worker:') AND running = 0
                     AND NOT EXISTS (SELECT 1 FROM workers WHERE starts_with(key, 'worker:' || workers.id || ':'))",
            ),
            Self::Tokens => Rows {
                change: "UPDATE deliveries SET token = NULL",
                order: "settled_at",
                ..Rows::of("old_tokens", "deliveries", "id")
            }
            .which("state <> 'pending' AND settled_at < tm_now() - interval '7 days' AND token IS NOT NULL"),
            Self::Deliveries => Rows {
                order: "settled_at",
                ..Rows::of("orphaned_deliveries", "deliveries", "id")
            }
            .which("orphaned AND state <> 'pending' AND settled_at < tm_now() - interval '30 days'"),
            Self::Stores => Rows::of("removed_stores", "stores_to_remove", "store_id")
                .which("removed_at < tm_now() - interval '1 day'"),
            Self::UnknownStores => Rows::of("unknown_stores", "unknown_stores", "store_id")
                .which("last_seen < tm_now() - interval '30 days'"),
            Self::Sessions => Rows::of("ended_sessions", "sessions", "id").which(&session_is_over()),
            Self::ApiTokens => Rows::of("expired_api_tokens", "api_tokens", "id")
                .which("expires_at < tm_now() - interval '30 days'"),
            Self::LoginTries => Rows::of("login_tries", "login_tries", "bucket")
                .which("last_at < tm_now() - interval '1 day'"),
            Self::SetupLinks => {
                Rows::of("setup_links", "setup_links", "secret").which("expires_at < tm_now()")
            }
        }
    }
}

/// Rows of a table that are removed, or changed, a bounded number at a time.
struct Rows {
    name: &'static str,
    table: &'static str,
    key: &'static str,
    /// By what the first of them are found.
    order: &'static str,
    /// What is done instead of removing them; empty: they are removed.
    change: &'static str,
}

impl Rows {
    fn of(name: &'static str, table: &'static str, key: &'static str) -> Self {
        Self {
            name,
            table,
            key,
            order: key,
            change: "",
        }
    }

    /// The statement about those that this is true of.
    fn which(self, condition: &str) -> String {
        let Self {
            name,
            table,
            key,
            order,
            change,
        } = self;
        let change = match change {
            "" => format!("DELETE FROM {table}"),
            change => change.to_owned(),
        };
        format!(
            "-- maintenance.{name}
             {change} WHERE {key} IN (
                 SELECT {key} FROM {table} WHERE {condition} ORDER BY {order} LIMIT $1 FOR UPDATE SKIP LOCKED)"
        )
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
        let removed = tx.execute(&self.0.statement(), &[&BATCH]).await?;
        Ok(i64::try_from(removed).is_ok_and(|removed| removed >= BATCH))
    }
}
