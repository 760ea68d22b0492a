//! Item stores that no job goes on in any more: listed in the transaction that makes them useless, and handed out to
//! workers, which alone see the storage, until one has removed them.
//!
//! Invariants: what is listed is never adopted by a retry again (`job_history.store_gone`), so a worker that removes it
//! late harms nobody; a store that is listed stays so, with what kept workers from removing it, until one of them says
//! that it is gone. An attempt that was cut off may make a store anew afterwards: when it is heard of, the store is
//! listed again, for a time when that attempt has ended; and when a worker finds it (`found`). What no job has, a person
//! decides about (`unknown`).

use std::collections::{HashMap, HashSet};

use deadpool_postgres::Transaction;
use shared::job::decide::{StoreUser, store_is_needed};
use shared::job::{JobId, JobState};
use shared::message::reply::UselessStore;
use shared::message::worker::StoreRemoval;
use uuid::Uuid;

use super::{Error, Transact};

mod found;
#[cfg(test)]
mod tests;
mod unknown;

pub use found::{NoteListing, RecordFound};
pub(super) use found::{ask_all, to_be_asked};
pub(super) use unknown::take;
pub use unknown::{ReadUnknownStores, UnknownStore, UnknownStores};

/// Most stores that one worker is told of at a time.
const AT_ONCE: i64 = 20;
/// A worker that has not answered for this long is not counted on, and another one is asked.
const ANSWER_SECONDS: f64 = 300.0;
/// For this long after a failure only other workers are asked: they may see storage that this one does not.
const OTHERS_FIRST_SECONDS: f64 = 30.0;
/// An attempt that is told that its job is lost has ended by then.
const FENCED_SECONDS: f64 = 60.0;
/// Longest wait for what others hold of that which workers tell, in an answer to their heartbeats.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '100ms'";
/// Characters kept of what a worker says.
const ERROR_CHARS: usize = 500;

/// A store that a job has left: it ended, or was removed from history, or is done anew elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) store: Uuid,
    pub(super) plugin: String,
    pub(super) target: String,
}

/// Lists those of these stores that nobody needs any more. The jobs that leave them are as they will be after this
/// transaction; their families in history are locked.
pub(super) async fn retire(tx: &Transaction<'_>, mut left: Vec<Left>) -> Result<(), Error> {
    left.sort_by_key(|left| left.store);
    left.dedup_by_key(|left| left.store);
    if left.is_empty() {
        return Ok(());
    }
    let stores: Vec<Uuid> = left.iter().map(|left| left.store).collect();
    let mut users = users(tx, &stores).await?;
    left.retain(|left| !store_is_needed(users.remove(&left.store).unwrap_or_default()));
    if left.is_empty() {
        return Ok(());
    }
    let stores: Vec<Uuid> = left.iter().map(|left| left.store).collect();
    let plugins: Vec<&str> = left.iter().map(|left| left.plugin.as_str()).collect();
    let targets: Vec<&str> = left.iter().map(|left| left.target.as_str()).collect();
    mark_gone(tx, &stores).await?;
    let list = tx
        .prepare_cached(
            "-- stores.list
             INSERT INTO stores_to_remove (store_id, plugin, target)
             SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[]) ON CONFLICT (store_id) DO NOTHING",
        )
        .await?;
    tx.execute(&list, &[&stores, &plugins, &targets]).await?;
    Ok(())
}

/// No retry adopts these stores any more. Their families are locked.
pub(super) async fn mark_gone(tx: &Transaction<'_>, stores: &[Uuid]) -> Result<(), Error> {
    let mark = tx
        .prepare_cached(
            "-- stores.mark_gone
             UPDATE job_history SET store_gone = true
             WHERE (id = ANY($1) OR store_id = ANY($1)) AND NOT store_gone",
        )
        .await?;
    tx.execute(&mark, &[&stores]).await?;
    Ok(())
}

/// Locks the families of these jobs and stores in history: all jobs that use, or have used, the same stores. In one
/// statement, as families that are locked one after the other could meet in a circle; so that of two transactions which
/// take a user away the second sees what the first has done.
pub(super) async fn lock_families(tx: &Transaction<'_>, ids: &[Uuid]) -> Result<(), Error> {
    let lock = tx
        .prepare_cached(
            "-- stores.lock_families
             WITH stores AS (
                 SELECT unnest($1::uuid[]) AS id
                 UNION SELECT store_id FROM job_history WHERE id = ANY($1) AND store_id IS NOT NULL
             ), family AS (
                 SELECT id FROM stores
                 UNION SELECT h.id FROM job_history h WHERE h.store_id IN (SELECT id FROM stores)
             )
             SELECT 1 FROM job_history WHERE id IN (SELECT id FROM family) ORDER BY id FOR UPDATE",
        )
        .await?;
    tx.execute(&lock, &[&ids]).await?;
    Ok(())
}

/// The stores of these ended jobs that have not been given up yet. To be called once their families are locked.
pub(super) async fn of_history(tx: &Transaction<'_>, ids: &[Uuid]) -> Result<Vec<Left>, Error> {
    let find = tx
        .prepare_cached(
            "-- stores.of_history
             SELECT coalesce(store_id, id), plugin, target FROM job_history
             WHERE id = ANY($1) AND state <> 'DONE' AND NOT store_gone AND target IS NOT NULL
                 AND (attempt > 0 OR store_id IS NOT NULL)",
        )
        .await?;
    let rows = tx.query(&find, &[&ids]).await?;
    let left = rows.iter().map(|row| Left {
        store: row.get(0),
        plugin: row.get(1),
        target: row.get(2),
    });
    Ok(left.collect())
}

/// Lists stores (id, plugin, folder; in the order of their ids) that are on the storage now, whatever was said of them
/// before. Asked is nobody yet: the answer of a worker that was asked before does not count.
async fn list_anew(tx: &Transaction<'_>, stores: &[(Uuid, &str, &str)]) -> Result<(), Error> {
    if stores.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = stores.iter().map(|(id, ..)| *id).collect();
    let plugins: Vec<&str> = stores.iter().map(|(_, plugin, _)| *plugin).collect();
    let targets: Vec<&str> = stores.iter().map(|(.., target)| *target).collect();
    let statement = tx
        .prepare_cached(
            "-- stores.list_anew
             INSERT INTO stores_to_remove AS listed (store_id, plugin, target)
             SELECT store_id, plugin, target
             FROM unnest($1::uuid[], $2::text[], $3::text[]) WITH ORDINALITY AS new(store_id, plugin, target, place)
             ORDER BY place
             ON CONFLICT (store_id) DO UPDATE SET
                 plugin = EXCLUDED.plugin, target = EXCLUDED.target, since = tm_now(), due_at = tm_now(), asked = NULL,
                 tries = 0, last_error = NULL, removed_at = NULL
             WHERE listed.removed_at IS NOT NULL",
        )
        .await?;
    tx.execute(&statement, &[&ids, &plugins, &targets]).await?;
    Ok(())
}

async fn users(tx: &Transaction<'_>, stores: &[Uuid]) -> Result<HashMap<Uuid, Vec<StoreUser>>, Error> {
    let statement = tx
        .prepare_cached(
            "-- stores.users
             WITH users AS (
                 SELECT j.id, j.state, d.store_id FROM jobs j JOIN job_details d ON d.job_id = j.id
                 WHERE j.id = ANY($1) AND d.store_id IS NULL
                 UNION ALL
                 SELECT j.id, j.state, d.store_id FROM job_details d JOIN jobs j ON j.id = d.job_id
                 WHERE d.store_id = ANY($1)
                 UNION ALL
                 SELECT id, state, store_id FROM job_history WHERE id = ANY($1) AND store_id IS NULL
                 UNION ALL
                 SELECT id, state, store_id FROM job_history WHERE store_id = ANY($1)
             )
             SELECT id, state, coalesce(store_id, id) AS store,
                 EXISTS (SELECT 1 FROM jobs r WHERE r.retry_of = users.id)
                 OR EXISTS (SELECT 1 FROM job_history r WHERE r.retry_of = users.id) AS was_retried
             FROM users",
        )
        .await?;
    let mut users: HashMap<Uuid, Vec<StoreUser>> = HashMap::new();
    for row in tx.query(&statement, &[&stores]).await? {
        let state: JobState = super::job_row::state(&row, "job_history")?;
        users.entry(row.get("store")).or_default().push(StoreUser {
            state,
            was_retried: row.get("was_retried"),
        });
    }
    Ok(users)
}

/// An attempt of each of these jobs is heard of that was cut off, and the jobs have ended: it may have made their
/// stores anew. Those that were given up are listed again.
pub(super) async fn made_anew(tx: &Transaction<'_>, ids: &[JobId]) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    // Asked is nobody: the answer of a worker that was asked before does not count.
    let known = tx
        .prepare_cached(
            "-- stores.made_anew
             INSERT INTO stores_to_remove AS listed (store_id, plugin, target, due_at)
             SELECT DISTINCT ON (1) coalesce(store_id, id), plugin, target, tm_now() + make_interval(secs => $2)
             FROM job_history WHERE id = ANY($1) AND store_gone AND target IS NOT NULL ORDER BY 1
             ON CONFLICT (store_id) DO UPDATE SET
                 due_at = greatest(listed.due_at, EXCLUDED.due_at), asked = NULL, removed_at = NULL,
                 since = CASE WHEN listed.removed_at IS NULL THEN listed.since ELSE tm_now() END",
        )
        .await?;
    tx.execute(&known, &[&ids, &FENCED_SECONDS]).await?;
    // Those that history has forgotten are still known by their own names.
    let forgotten = tx
        .prepare_cached(
            "-- stores.made_anew_forgotten
             WITH listed AS (
                 SELECT store_id FROM stores_to_remove WHERE store_id = ANY($1) AND removed_at IS NOT NULL
                 ORDER BY store_id FOR UPDATE
             )
             UPDATE stores_to_remove s SET
                 due_at = tm_now() + make_interval(secs => $2), asked = NULL, removed_at = NULL, since = tm_now()
             FROM listed WHERE s.store_id = listed.store_id",
        )
        .await?;
    tx.execute(&forgotten, &[&ids, &FENCED_SECONDS]).await?;
    Ok(())
}

/// A worker that has just been heard of, as the RabbitMQ user that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard<'a> {
    /// The worker.
    pub worker_id: &'a str,
    /// The user.
    pub amqp_user: &'a str,
}

/// Tells each of these workers what it may remove; one list a worker, in their order.
#[derive(Debug)]
pub struct HandOut<'a> {
    /// The workers.
    pub workers: &'a [Heard<'a>],
}

impl Transact for HandOut<'_> {
    const NAME: &'static str = "stores.hand_out";
    type Output = Vec<Vec<UselessStore>>;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        // A store that is used again (by a coordinator of the release before) is left alone.
        let statement = tx
            .prepare_cached(
                "-- stores.hand_out
                 WITH due AS (
                     SELECT s.store_id FROM stores_to_remove s
                     JOIN worker_plugins USING (plugin) JOIN workers w ON w.id = worker_plugins.worker_id
                     WHERE w.id = $1 AND w.amqp_user = $2 AND NOT w.draining AND NOT w.drain_requested
                         AND s.removed_at IS NULL AND s.due_at <= tm_now()
                         AND (s.asked IS DISTINCT FROM w.id OR s.due_at <= tm_now() - make_interval(secs => $3))
                         AND NOT EXISTS (
                             SELECT 1 FROM job_details d WHERE d.store_id = s.store_id OR d.job_id = s.store_id)
                     ORDER BY s.due_at LIMIT $4 FOR UPDATE OF s SKIP LOCKED
                 )
                 UPDATE stores_to_remove s SET asked = $1, due_at = tm_now() + make_interval(secs => $5)
                 FROM due WHERE s.store_id = due.store_id RETURNING s.store_id, s.target",
            )
            .await?;
        let mut told = HashSet::new();
        let mut lists = Vec::with_capacity(self.workers.len());
        for worker in self.workers {
            if !told.insert(worker.worker_id) {
                lists.push(Vec::new());
                continue;
            }
            let rows = tx
                .query(
                    &statement,
                    &[
                        &worker.worker_id,
                        &worker.amqp_user,
                        &OTHERS_FIRST_SECONDS,
                        &AT_ONCE,
                        &ANSWER_SECONDS,
                    ],
                )
                .await?;
            lists.push(
                rows.iter()
                    .map(|row| UselessStore {
                        store: JobId(row.get(0)),
                        target: row.get(1),
                    })
                    .collect(),
            );
        }
        Ok(lists)
    }
}

/// Records what became of stores that workers were told to remove. Those that others work with are left out: they stay
/// listed, and are handed out once more.
#[derive(Debug)]
pub struct RecordRemovals<'a> {
    /// What each says. Only the worker that was asked last counts.
    pub removals: &'a [(Heard<'a>, &'a StoreRemoval)],
}

impl Transact for RecordRemovals<'_> {
    const NAME: &'static str = "stores.record_removals";
    type Output = ();

    async fn run(&self, tx: &Transaction<'_>) -> Result<(), Error> {
        let stores: Vec<Uuid> = self.removals.iter().map(|(_, said)| said.store.0).collect();
        let workers: Vec<&str> = self.removals.iter().map(|(heard, _)| heard.worker_id).collect();
        let users: Vec<&str> = self.removals.iter().map(|(heard, _)| heard.amqp_user).collect();
        let errors: Vec<Option<String>> = self
            .removals
            .iter()
            .map(|(_, said)| said.error.as_ref())
            .map(|error| error.map(|error| error.replace('\0', "").chars().take(ERROR_CHARS).collect()))
            .collect();
        // The pause after a failure doubles from a minute to some six hours.
        let statement = tx
            .prepare_cached(
                "-- stores.record_removals
                 WITH said AS (
                     SELECT s.store_id, said.error FROM stores_to_remove s
                     JOIN unnest($1::uuid[], $2::text[], $3::text[], $4::text[])
                         AS said(store_id, worker_id, amqp_user, error)
                         ON said.store_id = s.store_id AND said.worker_id = s.asked
                     JOIN workers w ON w.id = said.worker_id AND w.amqp_user = said.amqp_user
                     WHERE s.removed_at IS NULL ORDER BY s.store_id FOR UPDATE OF s SKIP LOCKED
                 )
                 UPDATE stores_to_remove s SET
                     removed_at = CASE WHEN said.error IS NULL THEN tm_now() END,
                     tries = tries + CASE WHEN said.error IS NULL THEN 0 ELSE 1 END,
                     last_error = coalesce(said.error, last_error),
                     due_at = tm_now() + interval '1 minute' * 2 ^ least(tries, 8.5)
                 FROM said WHERE s.store_id = said.store_id",
            )
            .await?;
        tx.execute(&statement, &[&stores, &workers, &users, &errors])
            .await?;
        Ok(())
    }
}
