//! Recording which server and database the rows are in, and noticing a copy that was put back.
//!
//! Invariant: the transaction that notices a restore stops all plugins, so that nothing can start in between.

use deadpool_postgres::Transaction;
use jiff::Timestamp;
use shared::job::decide::{self, Job};
use shared::job::{JobId, JobState};
use uuid::Uuid;

use super::control::{ActOnPlugins, Told};
use super::{Error, Transact, job_row, stores};
use crate::control::{Actor, PluginAction};
use crate::restore::{BEATS_KEPT, How, Identity, Remembered, Sight, Verdict, judge};

/// Why plugins are stopped, for those who wonder.
const REASON: &str = "the database was put back from a copy: `taskmanager recover` says what to do";

/// A beat as the process that wrote it remembers it.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// The beat.
    pub id: Uuid,
    /// The one that was the newest before it, of whichever coordinator.
    pub previous: Option<Uuid>,
    /// When it was written, by the database's clock.
    pub at: Timestamp,
}

/// Looks at the identity and records it.
#[derive(Debug)]
pub struct Beat {
    /// This process's last one.
    pub remembered: Option<Memory>,
}

/// What was found.
#[derive(Debug)]
pub struct Beaten {
    /// What is to be remembered.
    pub memory: Memory,
    /// What the database is.
    pub verdict: Verdict,
    /// When it was last written to before, as far as it is known.
    pub before: Timestamp,
    /// Workers that are to be told to stop.
    pub told: Told,
}

impl Transact for Beat {
    const NAME: &'static str = "identity.beat";
    type Output = Beaten;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Beaten, Error> {
        // The control file knows a new timeline only when a checkpoint after the promotion has ended.
        let current = tx
            .prepare_cached(
                "-- identity.current
                 SELECT (SELECT system_identifier FROM pg_control_system()) AS system_identifier,
                        (SELECT oid::bigint FROM pg_database WHERE datname = current_database()) AS database_oid,
                        CASE WHEN pg_is_in_recovery() THEN (SELECT timeline_id FROM pg_control_checkpoint())
                             ELSE ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::integer
                        END AS timeline, tm_now() AS now",
            )
            .await?;
        let row = tx.query_one(&current, &[]).await?;
        let now: Timestamp = row.try_get("now")?;
        let current = Identity {
            system_identifier: row.try_get("system_identifier")?,
            database_oid: row.try_get("database_oid")?,
            timeline: row.try_get("timeline")?,
        };
        record_first(tx, current, now).await?;
        // What only it records is not locked by anything else, and locked here before all other rows.
        let recorded = tx
            .prepare_cached(
                "-- identity.recorded
                 SELECT system_identifier, database_oid, timeline, seen_at,
                        greatest(restored_at, reviewed_at) AS noticed_at
                 FROM database_identity FOR UPDATE",
            )
            .await?;
        let row = tx.query_one(&recorded, &[]).await?;
        let remembered = match &self.remembered {
            Some(memory) => Some(recall(tx, memory, row.try_get("noticed_at")?).await?),
            None => None,
        };
        let recorded_at: Timestamp = row.try_get("seen_at")?;
        let sight = Sight {
            recorded: Identity {
                system_identifier: row.try_get("system_identifier")?,
                database_oid: row.try_get("database_oid")?,
                timeline: row.try_get("timeline")?,
            },
            current,
            recorded_at,
            remembered,
            now,
        };
        let verdict = judge(&sight);
        // Another coordinator may have written to the copy since.
        let before = match verdict {
            Verdict::Restored(How::Forgotten) => remembered.and_then(|remembered| remembered.newest),
            _ => None,
        }
        .unwrap_or(recorded_at);
        let told = if let Verdict::Restored(how) = verdict {
            stop_everything(tx, &Actor::coordinator(), how, before).await?
        } else {
            Told::default()
        };
        let write = tx
            .prepare_cached(
                "-- identity.write
                 UPDATE database_identity SET system_identifier = $1, database_oid = $2, timeline = $3, seen_at = $4,
                     timeline_changed_at = CASE WHEN timeline = $3 THEN timeline_changed_at ELSE $4 END",
            )
            .await?;
        let Identity {
            system_identifier,
            database_oid,
            timeline,
        } = current;
        tx.execute(&write, &[&system_identifier, &database_oid, &timeline, &now])
            .await?;
        Ok(Beaten {
            memory: write_beat(tx, now).await?,
            verdict,
            before,
            told,
        })
    }
}

/// A database that this release sees for the first time says nothing of its past.
async fn record_first(tx: &Transaction<'_>, current: Identity, now: Timestamp) -> Result<(), Error> {
    let insert = tx
        .prepare_cached(
            "-- identity.first
             INSERT INTO database_identity (system_identifier, database_oid, timeline, seen_at)
             VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        )
        .await?;
    let Identity {
        system_identifier,
        database_oid,
        timeline,
    } = current;
    tx.execute(&insert, &[&system_identifier, &database_oid, &timeline, &now])
        .await?;
    Ok(())
}

/// Looks for what this process remembers.
async fn recall(
    tx: &Transaction<'_>,
    memory: &Memory,
    noticed_at: Option<Timestamp>,
) -> Result<Remembered, Error> {
    let find = tx
        .prepare_cached(
            "-- identity.recall
             SELECT EXISTS (SELECT FROM beats WHERE id = $1 OR id = $2) AS kept,
                    (SELECT max(at) FROM beats WHERE at <= $3) AS newest",
        )
        .await?;
    let row = tx
        .query_one(&find, &[&memory.id, &memory.previous, &memory.at])
        .await?;
    Ok(Remembered {
        at: memory.at,
        kept: row.try_get("kept")?,
        newest: row.try_get("newest")?,
        noticed_at,
    })
}

/// Writes a new one. The identity's row is locked, so that beats come one after the other.
async fn write_beat(tx: &Transaction<'_>, now: Timestamp) -> Result<Memory, Error> {
    let insert = tx
        .prepare_cached(
            "-- identity.beat
             INSERT INTO beats (id, at) VALUES (gen_random_uuid(), $1)
             RETURNING id, (SELECT id FROM beats ORDER BY at DESC LIMIT 1) AS previous",
        )
        .await?;
    let row = tx.query_one(&insert, &[&now]).await?;
    let remove = tx
        .prepare_cached(
            "-- identity.old\nDELETE FROM beats WHERE at < $1::timestamptz - make_interval(secs => $2)",
        )
        .await?;
    tx.execute(&remove, &[&now, &BEATS_KEPT.as_secs_f64()]).await?;
    Ok(Memory {
        id: row.try_get("id")?,
        previous: row.try_get("previous")?,
        at: now,
    })
}

/// Stops all plugins, also those that would have started again by themselves, and records that a person has to look;
/// the identity's row is locked.
pub(super) async fn stop_everything(
    tx: &Transaction<'_>,
    actor: &Actor,
    how: How,
    from: Timestamp,
) -> Result<Told, Error> {
    let stop = ActOnPlugins {
        actor,
        plugin: None,
        action: &PluginAction::Stop {
            reason: Some(REASON.to_owned()),
            deadline_seconds: None,
            resume_at: None,
        },
    };
    let (_, told) = stop.run(tx).await?;
    let running = spare_running(tx).await?;
    // What may have been sent since, and must not be sent twice, is a person's to decide.
    let unclear = tx
        .prepare_cached(
            "-- identity.deliveries
             WITH chosen AS (
                 SELECT id FROM deliveries WHERE state = 'pending' AND NOT repeatable ORDER BY id FOR UPDATE)
             UPDATE deliveries SET state = 'unclear', settled_at = tm_now(), lease_id = NULL, lease_end = NULL,
                 last_answer = 'the database was put back from a copy: it may have been sent since'
             FROM chosen WHERE deliveries.id = chosen.id",
        )
        .await?;
    tx.execute(&unclear, &[]).await?;
    let record = tx
        .prepare_cached(
            "-- identity.restored
             UPDATE database_identity SET restored_at = tm_now(), restored_from = $1, restored_how = $2,
                 restored_running = $3",
        )
        .await?;
    tx.execute(&record, &[&from, &how.as_str(), &running]).await?;
    // What jobs have left that are not known here, only workers can tell.
    stores::ask_all(tx).await?;
    Ok(told)
}

/// Gives the attempts that ran when the copy was made the time of a lease to be heard of: their workers may still be at
/// it. The others are lost, which is not held against their jobs.
async fn spare_running(tx: &Transaction<'_>) -> Result<Vec<Uuid>, Error> {
    let find = tx
        .prepare_cached("-- identity.running\nSELECT job_id FROM leases ORDER BY job_id")
        .await?;
    let ids: Vec<Uuid> = tx.query(&find, &[]).await?.iter().map(|row| row.get(0)).collect();
    let jobs: Vec<JobId> = ids.iter().map(|id| JobId(*id)).collect();
    let spared: Vec<(JobId, Job)> = job_row::lock(tx, &jobs)
        .await?
        .into_iter()
        .map(|(id, job)| (id, decide::after_restore(&job)))
        .collect();
    debug_assert!(spared.iter().all(|(_, job)| job.state != JobState::Done));
    job_row::save(tx, &spared).await?;
    let renew = tx
        .prepare_cached(
            "-- identity.renew
             WITH chosen AS (SELECT job_id FROM leases WHERE job_id = ANY($1) ORDER BY job_id FOR UPDATE)
             UPDATE leases SET lease_end = tm_now() + make_interval(secs => lease_seconds)
             FROM chosen WHERE leases.job_id = chosen.job_id",
        )
        .await?;
    tx.execute(&renew, &[&ids]).await?;
    Ok(ids)
}

#[cfg(test)]
mod tests;
