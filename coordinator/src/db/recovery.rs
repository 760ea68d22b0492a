//! What a database that was put back does not know, as far as it can be told; and that a person has looked.

use deadpool_postgres::Transaction;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use shared::job::JobId;
use uuid::Uuid;

use super::control::Told;
use super::stores::{ReadUnknownStores, UnknownStores};
use super::{Error, Transact, control, identity};
use crate::control::{Actor, Object, Verb, authorise};
use crate::restore::How;

/// A restore that nobody has looked after yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Restore {
    /// When it was noticed.
    pub at: Timestamp,
    /// The newest moment that the database knows of.
    pub from: Timestamp,
    /// How it is known.
    pub how: String,
}

/// A job that ran when the copy was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WasRunning {
    /// The job.
    pub id: JobId,
    /// Its plugin.
    pub plugin: String,
    /// What people call it.
    pub title: String,
    /// Its state now.
    pub state: String,
    /// Output folder; it may have been written since.
    pub target: Option<String>,
    /// Its outputs were being put in place: it only completes that.
    pub publishing: bool,
}

/// A job whose outputs were being put in place when the copy was made, and that nobody had in hand at that moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Granted {
    /// The job.
    pub id: JobId,
    /// Its plugin.
    pub plugin: String,
    /// What people call it.
    pub title: String,
    /// Output folder.
    pub target: Option<String>,
    /// How many files its manifest has.
    pub files: i32,
}

/// What is unfinished, by plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unfinished {
    /// The plugin.
    pub plugin: String,
    /// running, stopping, stopped.
    pub plugin_state: String,
    /// Jobs.
    pub jobs: i64,
}

/// The report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Recovery {
    /// A restore that nobody has looked after; none when all is well.
    pub restore: Option<Restore>,
    /// When somebody has looked last.
    pub reviewed_at: Option<Timestamp>,
    /// Jobs that will be done, also those that were finished after the copy was made: they are done once more.
    pub unfinished: Vec<Unfinished>,
    /// Those of them that ran at that moment.
    pub were_running: Vec<WasRunning>,
    /// Others of them whose manifest was granted and is not completed: that is all that is done of them.
    pub granted: Vec<Granted>,
    /// Messages to other systems that are sent, perhaps for the second time, which does no harm.
    pub deliveries_pending: i64,
    /// Jobs with messages that may have arrived and must not be repeated: a person decides.
    pub deliveries_unclear: Vec<JobId>,
    /// Item stores on workers' storage that no job here has.
    pub stores: UnknownStores,
}

/// Reads the report.
#[derive(Debug, Clone, Copy)]
pub struct ReadRecovery;

impl Transact for ReadRecovery {
    const NAME: &'static str = "recovery.read";
    type Output = Recovery;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Recovery, Error> {
        let mut recovery = Recovery::default();
        let identity = tx
            .prepare_cached(
                "-- recovery.identity
                 SELECT restored_at, restored_from, restored_how, reviewed_at FROM database_identity",
            )
            .await?;
        if let Some(row) = tx.query_opt(&identity, &[]).await? {
            recovery.reviewed_at = row.try_get("reviewed_at")?;
            if let Some(at) = row.try_get("restored_at")? {
                recovery.restore = Some(Restore {
                    at,
                    from: row.try_get("restored_from")?,
                    how: row.try_get("restored_how")?,
                });
            }
        }
        let unfinished = tx
            .prepare_cached(
                "-- recovery.unfinished
                 SELECT p.name, p.state, (SELECT count(*) FROM jobs j WHERE j.plugin = p.name) AS number
                 FROM plugins p ORDER BY p.name",
            )
            .await?;
        for row in tx.query(&unfinished, &[]).await? {
            recovery.unfinished.push(Unfinished {
                plugin: row.try_get(0)?,
                plugin_state: row.try_get(1)?,
                jobs: row.try_get(2)?,
            });
        }
        let running = tx
            .prepare_cached(
                "-- recovery.were_running
                 SELECT j.id, j.plugin, j.title, j.state, d.target, j.publish_granted
                 FROM database_identity i CROSS JOIN unnest(i.restored_running) AS was(id)
                 JOIN jobs j ON j.id = was.id JOIN job_details d ON d.job_id = j.id
                 WHERE i.restored_at IS NOT NULL ORDER BY j.id",
            )
            .await?;
        for row in tx.query(&running, &[]).await? {
            recovery.were_running.push(WasRunning {
                id: JobId(row.try_get::<_, Uuid>(0)?),
                plugin: row.try_get(1)?,
                title: row.try_get(2)?,
                state: row.try_get(3)?,
                target: row.try_get(4)?,
                publishing: row.try_get(5)?,
            });
        }
        let granted = tx
            .prepare_cached(
                "-- recovery.granted
                 SELECT j.id, j.plugin, j.title, d.target, coalesce(jsonb_array_length(d.manifest -> 'files'), 0)
                 FROM database_identity i CROSS JOIN jobs j JOIN job_details d ON d.job_id = j.id
                 WHERE i.restored_at IS NOT NULL AND j.publish_granted AND j.id <> ALL(i.restored_running)
                 ORDER BY j.id",
            )
            .await?;
        for row in tx.query(&granted, &[]).await? {
            recovery.granted.push(Granted {
                id: JobId(row.try_get::<_, Uuid>(0)?),
                plugin: row.try_get(1)?,
                title: row.try_get(2)?,
                target: row.try_get(3)?,
                files: row.try_get(4)?,
            });
        }
        let deliveries = tx
            .prepare_cached(
                "-- recovery.deliveries
                 SELECT (SELECT count(*) FROM deliveries WHERE state = 'pending') AS pending,
                        (SELECT coalesce(array_agg(DISTINCT job_id), '{}') FROM deliveries WHERE state = 'unclear') AS unclear",
            )
            .await?;
        let row = tx.query_one(&deliveries, &[]).await?;
        recovery.deliveries_pending = row.try_get(0)?;
        let unclear: Vec<Uuid> = row.try_get(1)?;
        recovery.deliveries_unclear = unclear.into_iter().map(JobId).collect();
        recovery.stores = ReadUnknownStores.run(tx).await?;
        Ok(recovery)
    }
}

/// Whether somebody has to look after a restore.
#[derive(Debug, Clone, Copy)]
pub struct ReadRestore;

impl Transact for ReadRestore {
    const NAME: &'static str = "recovery.restore";
    type Output = Option<Restore>;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Option<Restore>, Error> {
        let statement = tx
            .prepare_cached(
                "-- recovery.restore
                 SELECT restored_at, restored_from, restored_how FROM database_identity WHERE restored_at IS NOT NULL",
            )
            .await?;
        let row = tx.query_opt(&statement, &[]).await?;
        row.map(|row| {
            Ok(Restore {
                at: row.try_get(0)?,
                from: row.try_get(1)?,
                how: row.try_get(2)?,
            })
        })
        .transpose()
    }
}

/// What a person does about a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, Serialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum RecoveryAction {
    /// They have looked: the notices end. Plugins stay stopped.
    Apply,
    /// This is a copy although nothing shows it (a snapshot of the storage): all plugins are stopped.
    Declare,
}

/// Does it; gives the report from before, `None` when the actor may not, and whom to tell.
#[derive(Debug)]
pub struct Recover<'a> {
    /// Who wants it.
    pub actor: &'a Actor,
    /// What.
    pub action: RecoveryAction,
}

impl Transact for Recover<'_> {
    const NAME: &'static str = "recovery.act";
    type Output = (Option<Recovery>, Told);

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        let lock = tx
            .prepare_cached(
                "-- recovery.lock
                 SELECT greatest(seen_at, (SELECT last_at FROM heartbeat_probe)) FROM database_identity
                 FOR UPDATE OF database_identity",
            )
            .await?;
        let seen: Option<Timestamp> = tx.query_opt(&lock, &[]).await?.map(|row| row.get(0));
        if !authorise(self.actor, Verb::Recover, Object::Everything) {
            control::note_recovery(tx, self.actor, &self.action, None).await?;
            return Ok((None, Told::default()));
        }
        let mut told = Told::default();
        let changed = match (self.action, seen) {
            (RecoveryAction::Declare, Some(seen)) => {
                told = identity::stop_everything(tx, self.actor, How::Declared, seen).await?;
                true
            }
            (RecoveryAction::Declare, None) | (RecoveryAction::Apply, _) => false,
        };
        let report = ReadRecovery.run(tx).await?;
        let reviewed = self.action == RecoveryAction::Apply && report.restore.is_some();
        if reviewed {
            let statement = tx
                .prepare_cached(
                    "-- recovery.reviewed
                     UPDATE database_identity SET restored_at = NULL, restored_from = NULL, restored_how = NULL,
                         restored_running = '{}', reviewed_at = tm_now()",
                )
                .await?;
            tx.execute(&statement, &[]).await?;
        }
        control::note_recovery(tx, self.actor, &self.action, Some(changed || reviewed)).await?;
        Ok((Some(report), told))
    }
}
