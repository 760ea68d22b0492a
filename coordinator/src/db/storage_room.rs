//! How many more jobs may use the storages that claimed jobs have their source and target on.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use shared::job::JobId;
use uuid::Uuid;

use super::{Error, limits};

#[cfg(test)]
mod tests;

/// The storages of claimed jobs.
#[derive(Debug)]
pub(super) struct StorageRooms {
    /// The keys that each job counts against.
    keys_of: HashMap<JobId, Vec<String>>,
    /// How many more jobs may start, by key; only those that have a limit.
    rooms: HashMap<String, i64>,
}

impl StorageRooms {
    /// Reads which storages these jobs use and how many jobs each of them takes. Nothing is subtracted yet.
    pub(super) async fn read(tx: &Transaction<'_>, ids: &[JobId]) -> Result<Self, Error> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        let of_jobs = tx
            .prepare_cached(
                "-- storage_room.of_jobs
                 SELECT id, storage_keys(id) FROM unnest($1::uuid[]) AS id WHERE EXISTS (SELECT 1 FROM storages)",
            )
            .await?;
        let rows = tx.query(&of_jobs, &[&ids]).await?;
        let keys_of: HashMap<JobId, Vec<String>> =
            rows.iter().map(|row| (JobId(row.get(0)), row.get(1))).collect();
        let limited = tx
            .prepare_cached(
                "-- storage_room.limited
                 SELECT path, running_max::bigint FROM storages WHERE running_max IS NOT NULL",
            )
            .await?;
        let rows = tx.query(&limited, &[]).await?;
        let rooms = rows
            .iter()
            .map(|row| (limits::of_storage(row.get(0)), row.get(1)))
            .collect();
        Ok(Self { keys_of, rooms })
    }

    /// The keys that have to be locked: all that the jobs count against, also where there is no limit.
    pub(super) fn keys(&self) -> impl Iterator<Item = &String> {
        self.keys_of.values().flatten()
    }

    /// Takes note of what runs already.
    pub(super) fn subtract(&mut self, running: &HashMap<String, i64>) {
        for (key, room) in &mut self.rooms {
            *room -= running.get(key).copied().unwrap_or(0);
        }
    }

    /// The limit of a storage that the job uses and that is reached.
    pub(super) fn reached(&self, job: JobId) -> Option<&str> {
        let full = |key: &&String| self.rooms.get(*key).is_some_and(|room| *room <= 0);
        self.keys_of.get(&job)?.iter().find(full).map(String::as_str)
    }

    /// The job starts.
    pub(super) fn one_more_starts(&mut self, job: JobId) {
        for key in self.keys_of.get(&job).into_iter().flatten() {
            if let Some(room) = self.rooms.get_mut(key) {
                *room -= 1;
            }
        }
    }
}

/// Notes of claimed jobs for which limit they wait: the dispatcher leaves them alone until there is room.
pub(super) async fn write_waits(
    tx: &Transaction<'_>,
    decided: &[(JobId, Option<String>)],
) -> Result<(), Error> {
    if decided.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = decided.iter().map(|(id, _)| id.0).collect();
    let keys: Vec<Option<&str>> = decided.iter().map(|(_, key)| key.as_deref()).collect();
    let statement = tx
        .prepare_cached(
            "-- storage_room.write_waits
             UPDATE jobs SET waits_for = new.key FROM unnest($1::uuid[], $2::text[]) AS new(id, key)
             WHERE jobs.id = new.id AND jobs.waits_for IS DISTINCT FROM new.key",
        )
        .await?;
    tx.execute(&statement, &[&ids, &keys]).await?;
    Ok(())
}
