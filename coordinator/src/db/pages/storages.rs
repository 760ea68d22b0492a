//! The storages: their limits, and how much of them is in use.

use super::rows;
use crate::db::{Error, Transact, Transaction};

/// A storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownStorage {
    /// Its path.
    pub path: String,
    /// What people call it.
    pub title: Option<String>,
    /// Jobs that use it.
    pub running: i64,
    /// Jobs that may; `None`: no limit.
    pub running_max: Option<i64>,
    /// Jobs that move data from or to it, where that is limited.
    pub transfers: i64,
    /// Jobs that may; `None`: no limit.
    pub transfers_max: Option<i64>,
}

/// Reads all storages, by path.
#[derive(Debug, Clone, Copy)]
pub struct ReadStorages;

impl Transact for ReadStorages {
    const NAME: &'static str = "pages.storages";
    type Output = Vec<KnownStorage>;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        let rows = rows(
            tx,
            "-- pages.storages
             SELECT path, title, running_max::bigint, transfers_max::bigint,
                    coalesce(used.running, 0)::bigint AS running, coalesce(moved.running, 0)::bigint AS transfers
             FROM storages
             LEFT JOIN limit_keys used ON used.key = 'storage:' || path
             LEFT JOIN limit_keys moved ON moved.key = 'transfers:' || path
             ORDER BY path",
            &[],
        )
        .await?;
        rows.iter()
            .map(|row| {
                Ok(KnownStorage {
                    path: row.try_get("path")?,
                    title: row.try_get("title")?,
                    running: row.try_get("running")?,
                    running_max: row.try_get("running_max")?,
                    transfers: row.try_get("transfers")?,
                    transfers_max: row.try_get("transfers_max")?,
                })
            })
            .collect()
    }
}
