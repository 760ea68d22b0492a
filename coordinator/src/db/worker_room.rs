//! How many more jobs of each plugin the claiming workers may start: as many as they have announced slots, none while
//! they are about to end.
//!
//! A worker holds its slot until its result is recorded, so an honest one never meets this limit. One that has never
//! announced itself has none: there is nothing to go by until it has, a moment later.

use std::collections::{HashMap, HashSet};

use deadpool_postgres::Transaction;

use super::Error;
use super::claims::WorkerClaim;

#[cfg(test)]
mod tests;

/// The claiming workers that are known.
#[derive(Debug)]
pub(super) struct WorkerRooms {
    users: HashMap<String, String>,
    /// By worker and plugin; what a worker has not announced it has no room for.
    rooms: HashMap<(String, String), i64>,
}

impl WorkerRooms {
    /// Reads what the workers of these claims have announced, and keeps other claims from using the same slots at the
    /// same time. To be called after the plugins' limits are locked: these keys come behind theirs.
    pub(super) async fn lock(tx: &Transaction<'_>, claims: &[WorkerClaim]) -> Result<Self, Error> {
        let workers: HashSet<&str> = claims.iter().map(|asked| asked.worker_id.as_str()).collect();
        let workers: Vec<&str> = workers.into_iter().collect();
        let statement = tx
            .prepare_cached(
                "-- worker_room.announced
                 SELECT w.id, w.amqp_user, w.draining OR w.drain_requested AS ends, p.plugin, p.slots::bigint,
                        'worker:' || w.id || ':' || p.plugin AS key
                 FROM workers w LEFT JOIN worker_plugins p ON p.worker_id = w.id WHERE w.id = ANY($1)",
            )
            .await?;
        let mut users = HashMap::new();
        let mut rooms = HashMap::new();
        let mut keys: Vec<(String, (String, String))> = Vec::new();
        for row in tx.query(&statement, &[&workers]).await? {
            let worker: String = row.get("id");
            users.insert(worker.clone(), row.get("amqp_user"));
            if let (Some(plugin), Some(slots)) = (row.get::<_, Option<String>>("plugin"), row.get("slots")) {
                let place = (worker, plugin);
                rooms.insert(place.clone(), if row.get("ends") { 0 } else { slots });
                keys.push((row.get("key"), place));
            }
        }
        keys.sort_unstable();
        for (running, place) in lock_keys(tx, &keys).await? {
            rooms.entry(place).and_modify(|room: &mut i64| *room -= running);
        }
        Ok(Self { users, rooms })
    }

    /// Whether the claim names a worker that another RabbitMQ user has announced.
    pub(super) fn is_foreign(&self, asked: &WorkerClaim) -> bool {
        self.users
            .get(&asked.worker_id)
            .is_some_and(|user| *user != asked.amqp_user)
    }

    /// Whether the worker has a free slot for the plugin.
    pub(super) fn has_room(&self, worker: &str, plugin: &str) -> bool {
        let room = self.rooms.get(&(worker.to_owned(), plugin.to_owned()));
        !self.users.contains_key(worker) || room.is_some_and(|room| *room > 0)
    }

    /// A job of the plugin starts on the worker.
    pub(super) fn one_more_starts(&mut self, worker: &str, plugin: &str) {
        if let Some(room) = self.rooms.get_mut(&(worker.to_owned(), plugin.to_owned())) {
            *room -= 1;
        }
    }
}

/// How much runs under each key, locked in the keys' order.
async fn lock_keys(
    tx: &Transaction<'_>,
    keys: &[(String, (String, String))],
) -> Result<Vec<(i64, (String, String))>, Error> {
    let names: Vec<&str> = keys.iter().map(|(key, _)| key.as_str()).collect();
    let make = tx
        .prepare_cached(
            "-- worker_room.make
             INSERT INTO limit_keys (key, running) SELECT key, 0 FROM unnest($1::text[]) AS key ORDER BY key
             ON CONFLICT (key) DO NOTHING",
        )
        .await?;
    tx.execute(&make, &[&names]).await?;
    let lock = tx
        .prepare_cached(
            "-- worker_room.lock
             SELECT key, running::bigint FROM limit_keys WHERE key = ANY($1) ORDER BY key FOR UPDATE",
        )
        .await?;
    let rows = tx.query(&lock, &[&names]).await?;
    let running = |key: &str| rows.iter().find(|row| row.get::<_, &str>(0) == key);
    Ok(keys
        .iter()
        .filter_map(|(key, place)| Some((running(key)?.get(1), place.clone())))
        .collect())
}
