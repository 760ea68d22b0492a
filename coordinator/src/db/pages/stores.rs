//! Item stores that wait to be removed, and those that no worker could remove: for `doctor` and the metrics.

use super::rows;
use crate::db::{Error, Transact, Transaction};

/// Stores that are named one by one.
const NAMED: i64 = 5;
/// A store that waits for longer than this is worth a person's look, seconds.
const LONG_SECONDS: f64 = 3_600.0;

/// The item stores that no job goes on in any more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UselessStores {
    /// How many wait to be removed.
    pub waiting: i64,
    /// How many of them have waited for long, or could not be removed several times.
    pub stuck: i64,
    /// The first of those.
    pub named: Vec<StuckStore>,
}

/// A store that no worker could remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StuckStore {
    /// Its folder.
    pub folder: String,
    /// Whose workers should see it.
    pub plugin: String,
    /// What a worker said last.
    pub last_error: Option<String>,
}

/// Reads [`UselessStores`].
#[derive(Debug, Clone, Copy)]
pub struct ReadUselessStores;

impl Transact for ReadUselessStores {
    const NAME: &'static str = "pages.useless_stores";
    type Output = UselessStores;

    async fn run(&self, tx: &Transaction<'_>) -> Result<UselessStores, Error> {
        let counted = rows(
            tx,
            "-- pages.useless_stores
             SELECT count(*), count(*) FILTER (
                 WHERE tries > 2 OR since < tm_now() - make_interval(secs => $1))
             FROM stores_to_remove WHERE removed_at IS NULL",
            &[&LONG_SECONDS],
        )
        .await?;
        let named = rows(
            tx,
            "-- pages.stuck_stores
             SELECT target || '/.taskmanager-' || store_id, plugin, last_error
             FROM stores_to_remove
             WHERE removed_at IS NULL AND (tries > 2 OR since < tm_now() - make_interval(secs => $1))
             ORDER BY since, store_id LIMIT $2",
            &[&LONG_SECONDS, &NAMED],
        )
        .await?;
        let mut stores = UselessStores::default();
        for row in &counted {
            (stores.waiting, stores.stuck) = (row.try_get(0)?, row.try_get(1)?);
        }
        for row in &named {
            stores.named.push(StuckStore {
                folder: row.try_get(0)?,
                plugin: row.try_get(1)?,
                last_error: row.try_get(2)?,
            });
        }
        Ok(stores)
    }
}
