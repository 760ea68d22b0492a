//! Limits of storages: set and removed.
//!
//! Invariant: what runs counts against the storages that there are. Where one is added or removed, running jobs are
//! counted anew in the same transaction; jobs that wait for a storage, however many, are asked again after it.

use deadpool_postgres::Transaction;
use schemars::JsonSchema;
use serde::Serialize;
use shared::job::JobId;
use uuid::Uuid;

use super::audit::{self, AuditOutcome, Line};
use crate::control::{Actor, Object, StorageAction, StorageSettings, authorise};
use crate::db::{Error, Transact, job_row, limits, storage_waits};

/// What became of an action on a storage.
///
/// The API answers what is not done as a problem: its schema has the other outcomes only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum StorageOutcome {
    /// It was done.
    Done,
    /// It was so already.
    Unchanged,
    /// The actor may not do it.
    #[schemars(skip)]
    Forbidden,
    /// There is no such storage.
    #[schemars(skip)]
    Unknown,
}

/// Does something with a storage. The action must have been checked.
#[derive(Debug)]
pub struct ActOnStorage<'a> {
    /// Who wants it.
    pub actor: &'a Actor,
    /// What.
    pub action: &'a StorageAction,
}

impl Transact for ActOnStorage<'_> {
    const NAME: &'static str = "control.storage";
    type Output = StorageOutcome;

    async fn run(&self, tx: &Transaction<'_>) -> Result<StorageOutcome, Error> {
        let object = Object::Storage(self.action.path());
        let outcome = if authorise(self.actor, self.action.verb(), object) {
            // Claims hold this row in share mode, with those of their plugins: none is decided meanwhile.
            let lock = tx
                .prepare_cached("-- control.lock_settings\nSELECT 1 FROM settings FOR NO KEY UPDATE")
                .await?;
            tx.query_one(&lock, &[]).await?;
            match self.action {
                StorageAction::Set(settings) => set(tx, settings).await?,
                StorageAction::Remove { path } => remove(tx, path).await?,
            }
        } else {
            StorageOutcome::Forbidden
        };
        let line = Line {
            plugin: None,
            job_id: None,
            worker_id: None,
            outcome: match outcome {
                StorageOutcome::Done => AuditOutcome::Done,
                StorageOutcome::Unchanged => AuditOutcome::Unchanged,
                StorageOutcome::Unknown => AuditOutcome::Refused,
                StorageOutcome::Forbidden => AuditOutcome::Forbidden,
            },
        };
        audit::write(tx, self.actor, self.action.name(), self.action, &[line]).await?;
        Ok(outcome)
    }
}

async fn set(tx: &Transaction<'_>, settings: &StorageSettings) -> Result<StorageOutcome, Error> {
    let make = tx
        .prepare_cached(
            "-- control.make_storage\nINSERT INTO storages (path) VALUES ($1) ON CONFLICT (path) DO NOTHING",
        )
        .await?;
    let is_new = tx.execute(&make, &[&settings.path]).await? > 0;
    let change = tx
        .prepare_cached(
            "-- control.set_storage
             UPDATE storages SET title = new.title, running_max = new.running_max, transfers_max = new.transfers_max
             FROM (SELECT path, CASE WHEN $2::text IS NULL THEN title ELSE nullif($2, '') END AS title,
                          CASE WHEN $3 THEN $4 ELSE running_max END AS running_max,
                          CASE WHEN $5 THEN $6 ELSE transfers_max END AS transfers_max
                   FROM storages WHERE path = $1) AS new
             WHERE storages.path = new.path AND (storages.title, storages.running_max, storages.transfers_max)
                 IS DISTINCT FROM (new.title, new.running_max, new.transfers_max)",
        )
        .await?;
    let changed = tx
        .execute(
            &change,
            &[
                &settings.path,
                &settings.title,
                &settings.running_max.is_some(),
                &settings.running_max.flatten(),
                &settings.transfers_max.is_some(),
                &settings.transfers_max.flatten(),
            ],
        )
        .await?
        > 0;
    if is_new {
        count_anew(tx).await?;
    }
    Ok(if is_new || changed {
        StorageOutcome::Done
    } else {
        StorageOutcome::Unchanged
    })
}

async fn remove(tx: &Transaction<'_>, path: &str) -> Result<StorageOutcome, Error> {
    let statement = tx
        .prepare_cached("-- control.remove_storage\nDELETE FROM storages WHERE path = $1")
        .await?;
    if tx.execute(&statement, &[&path]).await? == 0 {
        return Ok(StorageOutcome::Unknown);
    }
    count_anew(tx).await?;
    Ok(StorageOutcome::Done)
}

/// Has running jobs count against the storages that there are now, and waiting ones ask anew. Those that run are as many
/// as workers have slots for: they are counted at once, as a count in portions would let more start than may.
async fn count_anew(tx: &Transaction<'_>) -> Result<(), Error> {
    storage_waits::begin(tx).await?;
    let running = tx
        .prepare_cached("-- control.running\nSELECT job_id FROM leases")
        .await?;
    let rows = tx.query(&running, &[]).await?;
    let ids: Vec<JobId> = rows.iter().map(|row| JobId(row.get(0))).collect();
    job_row::lock(tx, &ids).await?;
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let keys = tx
        .prepare_cached(
            "-- control.keys_of_storages
             SELECT unnest(limit_keys) FROM leases WHERE job_id = ANY($1)
             UNION SELECT unnest(storage_keys(job_id)) FROM leases WHERE job_id = ANY($1)",
        )
        .await?;
    let rows = tx.query(&keys, &[&ids]).await?;
    let keys: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    limits::lock_keys(tx, &keys).await?;
    let count = tx
        .prepare_cached(
            "-- control.count_anew
             WITH counted AS (
                 SELECT job_id, storage_keys(job_id)
                     || ARRAY(SELECT key FROM unnest(limit_keys) AS key WHERE NOT starts_with(key, 'storage:')) AS keys
                 FROM leases WHERE job_id = ANY($1) ORDER BY job_id FOR UPDATE
             )
             UPDATE leases SET limit_keys = counted.keys FROM counted WHERE leases.job_id = counted.job_id",
        )
        .await?;
    tx.execute(&count, &[&ids]).await?;
    Ok(())
}
