//! How many more jobs of each plugin the claiming workers may start: as many as they have announced slots, none while
//! they are about to end.
//!
//! A worker holds its slot until its result is recorded, so an honest one never meets this limit. One that has never
//! announced itself has none: there is nothing to go by until it has, a moment later.

use std::collections::{HashMap, HashSet};

use deadpool_postgres::Transaction;

use super::claims::WorkerClaim;
use super::{Error, limits};

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
    /// Reads what the workers of these claims have announced. Nothing is subtracted yet.
    pub(super) async fn read(tx: &Transaction<'_>, claims: &[WorkerClaim]) -> Result<Self, Error> {
        let workers: HashSet<&str> = claims.iter().map(|asked| asked.worker_id.as_str()).collect();
        let workers: Vec<&str> = workers.into_iter().collect();
        let statement = tx
            .prepare_cached(
                "-- worker_room.announced
                 SELECT w.id, w.amqp_user, w.draining OR w.drain_requested AS ends, p.plugin, p.slots::bigint
                 FROM workers w LEFT JOIN worker_plugins p ON p.worker_id = w.id WHERE w.id = ANY($1)",
            )
            .await?;
        let mut users = HashMap::new();
        let mut rooms = HashMap::new();
        for row in tx.query(&statement, &[&workers]).await? {
            let worker: String = row.get("id");
            users.insert(worker.clone(), row.get("amqp_user"));
            if let (Some(plugin), Some(slots)) = (row.get::<_, Option<String>>("plugin"), row.get("slots")) {
                rooms.insert((worker, plugin), if row.get("ends") { 0 } else { slots });
            }
        }
        Ok(Self { users, rooms })
    }

    /// The keys that have to be locked, so that no other claim uses the same slots at the same time.
    pub(super) fn keys(&self) -> impl Iterator<Item = String> {
        let places = self.rooms.keys();
        places.map(|(worker, plugin)| limits::of_worker(worker, plugin))
    }

    /// Takes note of what runs already.
    pub(super) fn subtract(&mut self, running: &HashMap<String, i64>) {
        for ((worker, plugin), room) in &mut self.rooms {
            *room -= running
                .get(&limits::of_worker(worker, plugin))
                .copied()
                .unwrap_or(0);
        }
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
