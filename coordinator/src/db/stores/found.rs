//! Item stores that workers have found on their storage: what becomes of each, and which workers are to look.
//!
//! Invariants: a store that is listed here for removal has a job that is over, and nobody adopts it any more; one that no
//! job has is only noted (`unknown_stores`); a worker's word counts for jobs of the plugins that it serves.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use shared::job::decide::{KnownStore, Listed, StoreFinding, StoreUser, found_store};
use shared::message::reply::UselessStore;
use shared::message::worker::{FoundStore, StoresFound};
use uuid::Uuid;

use super::{Heard, LOCK_TIMEOUT, lock_families, mark_gone, users};
use crate::db::{Error, Transact};

/// Most stores that one portion may name.
const PORTION_MAX: usize = 1_000;
/// Most bytes of a folder's path: no system takes longer ones.
const TARGET_MAX: usize = 4096;
/// Most unknown stores that are kept in mind; the others are found again when some of these are gone.
const UNKNOWN_MAX: i64 = 10_000;
/// Characters of a problem that are kept, and how many problems.
const PROBLEM_CHARS: usize = 500;
const PROBLEMS_MAX: usize = 20;

/// Decides what becomes of the stores in a portion; gives those of which there is nothing but an entry that nobody needs.
/// Fails soon where others work with one of them.
#[derive(Debug)]
pub struct RecordFound<'a> {
    /// Who has found them.
    pub heard: Heard<'a>,
    /// What.
    pub portion: &'a StoresFound,
}

impl Transact for RecordFound<'_> {
    const NAME: &'static str = "stores.record_found";
    type Output = Vec<UselessStore>;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        tx.batch_execute(LOCK_TIMEOUT).await?;
        let found = one_each(&self.portion.found);
        let plugins = plugins(tx, self.heard).await?;
        let Some(plugin) = plugins.first() else {
            return Ok(Vec::new());
        };
        let stores: Vec<Uuid> = found.iter().map(|found| found.store.0).collect();
        let mut known = known(tx, &stores).await?;
        let removable: Vec<Uuid> = found
            .iter()
            .filter(|found| finding(&known, found) == StoreFinding::Remove)
            .map(|found| found.store.0)
            .collect();
        if !removable.is_empty() {
            // Somebody may be retrying the job: decided once more under the lock.
            lock_families(tx, &removable).await?;
            known.extend(self::known(tx, &removable).await?);
        }
        let mut unknown = Vec::new();
        let mut remove = Vec::new();
        let mut forget = Vec::new();
        for found in &found {
            match finding(&known, found) {
                StoreFinding::Stay => {}
                StoreFinding::Remove => remove.push(*found),
                StoreFinding::Forget => forget.push(UselessStore {
                    store: found.store,
                    target: found.target.clone(),
                }),
                StoreFinding::Unknown => unknown.push(*found),
            }
        }
        // Others see the storage of the plugins that this worker does not serve.
        remove.retain(|found| known_plugin(&known, found).is_some_and(|plugin| plugins.contains(plugin)));
        let gone: Vec<Uuid> = remove.iter().map(|found| found.store.0).collect();
        mark_gone(tx, &gone).await?;
        note_unknown(tx, self.heard.worker_id, plugin, &stores, &unknown).await?;
        list(tx, &known, &remove).await?;
        Ok(forget)
    }
}

/// Of each store one mention, in the order of their ids.
fn one_each(found: &[FoundStore]) -> Vec<&FoundStore> {
    let mut found: Vec<&FoundStore> = found
        .iter()
        .take(PORTION_MAX)
        // Whatever a stranger says must be possible to write.
        .filter(|found| found.target.len() <= TARGET_MAX && !found.target.contains('\0'))
        .collect();
    // Where it is there counts.
    found.sort_by_key(|found| (found.store, !found.there));
    found.dedup_by_key(|found| found.store);
    found
}

/// The plugins that a worker serves, by name; none where another user has announced it.
async fn plugins(tx: &Transaction<'_>, heard: Heard<'_>) -> Result<Vec<String>, Error> {
    let statement = tx
        .prepare_cached(
            "-- stores.plugins_of_worker
             SELECT plugin FROM worker_plugins JOIN workers ON workers.id = worker_id
             WHERE worker_id = $1 AND amqp_user = $2 ORDER BY plugin",
        )
        .await?;
    let rows = tx
        .query(&statement, &[&heard.worker_id, &heard.amqp_user])
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// What is known of a store.
#[derive(Debug, Default)]
struct Known {
    users: Vec<StoreUser>,
    given_up: bool,
    listed: Option<Listed>,
    plugin: Option<String>,
}

fn finding(known: &HashMap<Uuid, Known>, found: &FoundStore) -> StoreFinding {
    let nothing = Known::default();
    let known = known.get(&found.store.0).unwrap_or(&nothing);
    let known = KnownStore {
        users: &known.users,
        given_up: known.given_up,
        listed: known.listed.unwrap_or(Listed::No),
    };
    found_store(known, found.there)
}

fn known_plugin<'a>(known: &'a HashMap<Uuid, Known>, found: &FoundStore) -> Option<&'a String> {
    known.get(&found.store.0)?.plugin.as_ref()
}

async fn known(tx: &Transaction<'_>, stores: &[Uuid]) -> Result<HashMap<Uuid, Known>, Error> {
    let mut known: HashMap<Uuid, Known> = HashMap::new();
    for (store, users) in users(tx, stores).await? {
        known.entry(store).or_default().users = users;
    }
    let family = tx
        .prepare_cached(
            "-- stores.family
             SELECT coalesce(store_id, id) AS store, bool_or(store_gone), min(plugin) FROM job_history
             WHERE id = ANY($1) OR store_id = ANY($1) GROUP BY 1",
        )
        .await?;
    for row in tx.query(&family, &[&stores]).await? {
        let known = known.entry(row.get(0)).or_default();
        (known.given_up, known.plugin) = (row.get(1), row.get(2));
    }
    let listed = tx
        .prepare_cached(
            "-- stores.listed
             SELECT store_id, removed_at IS NULL, plugin FROM stores_to_remove WHERE store_id = ANY($1)",
        )
        .await?;
    for row in tx.query(&listed, &[&stores]).await? {
        let known = known.entry(row.get(0)).or_default();
        known.listed = Some(if row.get(1) {
            Listed::Waits
        } else {
            Listed::Removed
        });
        known.plugin.get_or_insert_with(|| row.get(2));
    }
    Ok(known)
}

/// Keeps those in mind that no job has, and of these stores no others.
async fn note_unknown(
    tx: &Transaction<'_>,
    worker_id: &str,
    plugin: &str,
    stores: &[Uuid],
    unknown: &[&FoundStore],
) -> Result<(), Error> {
    let ids: Vec<Uuid> = unknown.iter().map(|found| found.store.0).collect();
    let targets: Vec<&str> = unknown.iter().map(|found| found.target.as_str()).collect();
    let clear = tx
        .prepare_cached(
            "-- stores.no_longer_unknown
             DELETE FROM unknown_stores WHERE store_id IN (
                 SELECT store_id FROM unknown_stores WHERE store_id = ANY($1) AND store_id <> ALL($2)
                 ORDER BY store_id FOR UPDATE)",
        )
        .await?;
    tx.execute(&clear, &[&stores, &ids]).await?;
    if unknown.is_empty() {
        return Ok(());
    }
    let note = tx
        .prepare_cached(
            "-- stores.note_unknown
             INSERT INTO unknown_stores AS known (store_id, target, plugin, worker_id)
             SELECT store_id, target, $3, $4
             FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS new(store_id, target, place)
             WHERE (SELECT count(*) FROM (SELECT 1 FROM unknown_stores LIMIT $5) AS counted) < $5
                 OR EXISTS (SELECT 1 FROM unknown_stores u WHERE u.store_id = new.store_id)
             ORDER BY place
             ON CONFLICT (store_id) DO UPDATE SET target = EXCLUDED.target, plugin = EXCLUDED.plugin,
                 worker_id = EXCLUDED.worker_id, last_seen = EXCLUDED.last_seen",
        )
        .await?;
    tx.execute(&note, &[&ids, &targets, &plugin, &worker_id, &UNKNOWN_MAX])
        .await?;
    Ok(())
}

/// Lists those whose jobs are over.
async fn list(
    tx: &Transaction<'_>,
    known: &HashMap<Uuid, Known>,
    remove: &[&FoundStore],
) -> Result<(), Error> {
    let listed: Vec<(Uuid, &str, &str)> = remove
        .iter()
        .filter_map(|found| {
            let plugin = known_plugin(known, found)?;
            Some((found.store.0, plugin.as_str(), found.target.as_str()))
        })
        .collect();
    super::list_anew(tx, &listed).await
}

/// Notes that a worker has told all that it has found.
#[derive(Debug)]
pub struct NoteListing<'a> {
    /// The worker.
    pub heard: Heard<'a>,
    /// Its last portion.
    pub portion: &'a StoresFound,
}

impl Transact for NoteListing<'_> {
    const NAME: &'static str = "stores.note_listing";
    type Output = ();

    async fn run(&self, tx: &Transaction<'_>) -> Result<(), Error> {
        let problems: Vec<String> = self
            .portion
            .problems
            .iter()
            .take(PROBLEMS_MAX)
            .map(|problem| problem.replace('\0', "").chars().take(PROBLEM_CHARS).collect())
            .collect();
        let statement = tx
            .prepare_cached(
                "-- stores.note_listing
                 UPDATE workers SET stores_request = $3, stores_listed_at = tm_now(), stores_problems = $4
                 WHERE id = $1 AND amqp_user = $2",
            )
            .await?;
        tx.execute(
            &statement,
            &[
                &self.heard.worker_id,
                &self.heard.amqp_user,
                &self.portion.request,
                &problems,
            ],
        )
        .await?;
        Ok(())
    }
}

/// All workers are to look again, as soon as they are heard of.
pub(in crate::db) async fn ask_all(tx: &Transaction<'_>) -> Result<(), Error> {
    let statement = tx
        .prepare_cached(
            "-- stores.ask_all
             UPDATE store_inventory SET request = request + 1, asked_at = tm_now()",
        )
        .await?;
    tx.execute(&statement, &[]).await?;
    Ok(())
}

/// Those of these workers that are to tell what they find, with the number of the request: they have never done so, or
/// not for a day, or somebody has asked since.
pub(in crate::db) async fn to_be_asked(
    tx: &Transaction<'_>,
    workers: &[&str],
) -> Result<HashMap<String, i64>, Error> {
    let statement = tx
        .prepare_cached(
            "-- stores.to_be_asked
             SELECT w.id, i.request FROM workers w CROSS JOIN store_inventory i
             WHERE w.id = ANY($1) AND NOT w.draining AND NOT w.drain_requested
                 AND (w.stores_request IS DISTINCT FROM i.request OR w.stores_listed_at IS NULL
                      OR w.stores_listed_at < tm_now() - interval '1 day')",
        )
        .await?;
    let rows = tx.query(&statement, &[&workers]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

#[cfg(test)]
mod tests;
