//! Item stores on workers' storage that no job of this database has: what a person is shown, and what becomes of those
//! that a person has removed.

use std::collections::HashSet;

use deadpool_postgres::Transaction;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use shared::job::JobId;
use uuid::Uuid;

use super::{list_anew, users};
use crate::db::control::StoresOutcome;
use crate::db::pages::WORKER_SILENT_SECONDS;
use crate::db::{Error, Transact};

/// Stores that are named one by one.
const NAMED: i64 = 100;

/// What workers have found that no job has, and how far it can be relied on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UnknownStores {
    /// How many stores.
    pub total: i64,
    /// The first of them, those that were found first.
    pub stores: Vec<UnknownStore>,
    /// Workers that are alive and have not told yet what they find.
    pub not_told: Vec<String>,
    /// Where a worker that is alive could not look, and why.
    pub problems: Vec<String>,
}

/// A store that no job of this database has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UnknownStore {
    /// The job that it is named after.
    pub store: JobId,
    /// The store's own folder.
    pub folder: String,
    /// The name of the worker that has seen it last, or its id where it is not known any more.
    pub worker: String,
    /// When it was seen first.
    pub first_seen: Timestamp,
    /// When it was seen last.
    pub last_seen: Timestamp,
}

/// Reads [`UnknownStores`].
#[derive(Debug, Clone, Copy)]
pub struct ReadUnknownStores;

impl Transact for ReadUnknownStores {
    const NAME: &'static str = "stores.read_unknown";
    type Output = UnknownStores;

    async fn run(&self, tx: &Transaction<'_>) -> Result<UnknownStores, Error> {
        let mut found = UnknownStores::default();
        let stores = tx
            .prepare_cached(
                "-- stores.read_unknown
                 SELECT u.store_id, u.target || '/.taskmanager-' || u.store_id, coalesce(w.name, u.worker_id),
                        u.first_seen, u.last_seen, (SELECT count(*) FROM unknown_stores)
                 FROM unknown_stores u LEFT JOIN workers w ON w.id = u.worker_id
                 ORDER BY u.first_seen, u.store_id LIMIT $1",
            )
            .await?;
        for row in tx.query(&stores, &[&NAMED]).await? {
            found.total = row.try_get(5)?;
            found.stores.push(UnknownStore {
                store: JobId(row.try_get::<_, Uuid>(0)?),
                folder: row.try_get(1)?,
                worker: row.try_get(2)?,
                first_seen: row.try_get(3)?,
                last_seen: row.try_get(4)?,
            });
        }
        let workers = tx
            .prepare_cached(
                "-- stores.who_has_told
                 SELECT w.name, w.stores_request IS DISTINCT FROM i.request, w.stores_problems
                 FROM workers w CROSS JOIN store_inventory i
                 WHERE w.heartbeat_at > tm_now() - make_interval(secs => $1) AND NOT w.draining
                 ORDER BY w.name, w.id",
            )
            .await?;
        for row in tx.query(&workers, &[&WORKER_SILENT_SECONDS]).await? {
            let name: String = row.try_get(0)?;
            let problems: Vec<String> = row.try_get(2)?;
            let problems = problems.into_iter().map(|problem| format!("{name}: {problem}"));
            found.problems.extend(problems);
            if row.try_get(1)? {
                found.not_told.push(name);
            }
        }
        Ok(found)
    }
}

/// Lists unknown stores for removal, as a person wants it.
pub(in crate::db) async fn take(tx: &Transaction<'_>, stores: &[JobId]) -> Result<StoresOutcome, Error> {
    let mut wanted: Vec<Uuid> = stores.iter().map(|store| store.0).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let lock = tx
        .prepare_cached(
            "-- stores.lock_unknown
             SELECT store_id, plugin, target FROM unknown_stores WHERE store_id = ANY($1)
             ORDER BY store_id FOR UPDATE",
        )
        .await?;
    let found: Vec<(Uuid, String, String)> = tx
        .query(&lock, &[&wanted])
        .await?
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect();
    let used = users(tx, &wanted).await?;
    let free: Vec<(Uuid, &str, &str)> = found
        .iter()
        .filter(|(store, ..)| !used.contains_key(store))
        .map(|(store, plugin, target)| (*store, plugin.as_str(), target.as_str()))
        .collect();
    list_anew(tx, &free).await?;
    let ids: Vec<Uuid> = free.iter().map(|(store, ..)| *store).collect();
    let forget = tx
        .prepare_cached("-- stores.taken\nDELETE FROM unknown_stores WHERE store_id = ANY($1)")
        .await?;
    tx.execute(&forget, &[&ids]).await?;
    let there: HashSet<Uuid> = found.iter().map(|(store, ..)| *store).collect();
    let mut taken = StoresOutcome {
        removed: ids.into_iter().map(JobId).collect(),
        ..StoresOutcome::default()
    };
    for store in wanted {
        if used.contains_key(&store) {
            taken.used.push(JobId(store));
        } else if !there.contains(&store) {
            taken.not_found.push(JobId(store));
        }
    }
    Ok(taken)
}
