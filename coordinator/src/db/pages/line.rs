//! What waiting jobs wait for, as far as the database knows.
//!
//! Invariant: the place of a job costs a bounded number of rows, however long its queue is and however many of the jobs
//! before it are held.

use std::collections::HashMap;

use jiff::Timestamp;
use shared::job::{JobId, JobState};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{JobSummary, PluginState, WORKER_SILENT_SECONDS, parse, plugin_state, rows};
use crate::db::{Error, Transaction};

/// Nobody is told a longer place in a line than this on the page of a job; counting further costs more than it tells.
pub(super) const AHEAD_OF_ONE: i64 = 1_000;
/// The same in lists, which count for each of their jobs.
pub(super) const AHEAD_IN_A_LIST: i64 = 100;

/// A storage that as many jobs use as may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FullStorage {
    /// Its path.
    pub path: String,
    /// Jobs that use it.
    pub running: i64,
    /// Jobs that may.
    pub running_max: i64,
}

/// The facts that tell what an unfinished job waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each of them may be what it waits for"
)]
pub struct Waiting {
    /// When this was so, by the database's clock.
    pub now: Timestamp,
    /// Its state in the database.
    pub state: JobState,
    /// A person holds it.
    pub held: bool,
    /// A person wants it cancelled.
    pub cancel_requested: bool,
    /// Whether its plugin's jobs may start.
    pub plugin_state: PluginState,
    /// When it may start, for SCHEDULED.
    pub run_at: Option<Timestamp>,
    /// How often it has failed and is tried again.
    pub failures: i16,
    /// How often its plugin tries again.
    pub retries_max: i16,
    /// Jobs start by themselves, or a person has started this one.
    pub starts: bool,
    /// Its plugin's page contract is used up.
    pub quota_used_up: bool,
    /// Jobs of its plugin that may run at once, where there is a limit and nobody has passed it over.
    pub running_max: Option<i64>,
    /// A storage that it uses and that takes no more jobs.
    pub full_storage: Option<FullStorage>,
    /// Since when it waits.
    pub queued_at: Timestamp,
    /// Jobs of its plugin that start before it, for QUEUED; where counting was broken off, how many stand before it at
    /// least, held ones too.
    pub ahead: i64,
    /// The count of jobs ahead was broken off.
    pub ahead_is_capped: bool,
    /// Jobs of its plugin that run now.
    pub running: i64,
    /// Jobs of its plugin that its workers can run at once.
    pub slots: i64,
}

/// Says of each unfinished job what it waits for; up to `most` jobs before each are counted. A job that has ended
/// meanwhile keeps none.
pub(super) async fn add(tx: &Transaction<'_>, jobs: &mut [JobSummary], most: i64) -> Result<(), Error> {
    let unfinished = jobs.iter_mut().filter(|job| !job.is_final());
    let mut unfinished: HashMap<Uuid, &mut JobSummary> = unfinished.map(|job| (job.id.0, job)).collect();
    if unfinished.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = unfinished.keys().copied().collect();
    let found = rows(tx, STATEMENT, &[&ids, &WORKER_SILENT_SECONDS, &(most + 1)]).await?;
    for row in &found {
        if let Some(job) = unfinished.get_mut(&row.try_get("id")?) {
            job.waiting = Some(read(row, job.id, most)?);
        }
    }
    Ok(())
}

/// Parameters: jobs; after how many seconds a silent worker counts as gone; how many jobs before each are looked at.
/// What is the same for all jobs of a plugin is asked for once, and how many run is the number that claims go by.
pub(super) const STATEMENT: &str = "-- pages.line
    WITH wanted AS MATERIALIZED (
        SELECT jobs.* FROM unnest($1::uuid[]) AS asked (id) JOIN jobs USING (id)
    ), gates AS MATERIALIZED (
        SELECT name, state, retries_max, running_max::bigint, has_quota(name) AS has_quota,
               plugins.autostart AND settings.autostart AS autostart,
               coalesce((SELECT running::bigint FROM limit_keys WHERE key = 'plugin:' || plugins.name), 0) AS running,
               (SELECT coalesce(sum(o.slots), 0)::bigint FROM worker_plugins o JOIN workers w ON w.id = o.worker_id
                WHERE o.plugin = plugins.name AND NOT w.draining AND w.heartbeat_at > tm_now() - make_interval(secs => $2))
                   AS slots
        FROM plugins CROSS JOIN settings WHERE name IN (SELECT plugin FROM wanted)
    )
    SELECT tm_now() AS now, wanted.id, wanted.plugin, wanted.state, held, cancel_requested, run_at, queued_at, start_now, failures,
           gates.state AS plugin_state, retries_max, has_quota, autostart, gates.running_max, gates.running, slots,
           line.passed, line.ahead, full_storage.path AS storage_path, full_storage.running AS storage_running,
           full_storage.running_max AS storage_running_max
    FROM wanted JOIN gates ON gates.name = wanted.plugin
    CROSS JOIN LATERAL (
        SELECT count(*) AS passed, count(*) FILTER (WHERE NOT before.held) AS ahead
        FROM (
            SELECT jobs.held FROM jobs
            WHERE wanted.state = 'QUEUED' AND jobs.plugin = wanted.plugin AND jobs.state = 'QUEUED'
              AND (-jobs.effective_priority, jobs.position, jobs.id)
                  < (-wanted.effective_priority, wanted.position, wanted.id)
            ORDER BY -jobs.effective_priority DESC, jobs.position DESC, jobs.id DESC
            LIMIT $3
        ) AS before
    ) AS line
    LEFT JOIN LATERAL (
        SELECT path, limit_keys.running::bigint, storages.running_max::bigint
        FROM storages JOIN limit_keys ON key = 'storage:' || path
        WHERE limit_keys.running >= storages.running_max AND key = ANY (storage_keys(wanted.id))
        ORDER BY key LIMIT 1
    ) AS full_storage ON true";

fn read(row: &Row, id: JobId, most: i64) -> Result<Waiting, Error> {
    let plugin: &str = row.try_get("plugin")?;
    let start_now: bool = row.try_get("start_now")?;
    let is_capped = row.try_get::<_, i64>("passed")? > most;
    let full_storage = |path| {
        Ok::<_, Error>(FullStorage {
            path,
            running: row.try_get("storage_running")?,
            running_max: row.try_get("storage_running_max")?,
        })
    };
    Ok(Waiting {
        now: row.try_get("now")?,
        failures: row.try_get("failures")?,
        retries_max: row.try_get("retries_max")?,
        starts: start_now || row.try_get("autostart")?,
        quota_used_up: !row.try_get::<_, bool>("has_quota")?,
        running_max: row
            .try_get::<_, Option<i64>>("running_max")?
            .filter(|_| !start_now),
        full_storage: row
            .try_get::<_, Option<String>>("storage_path")?
            .map(full_storage)
            .transpose()?,
        state: parse::<JobState>(row, "jobs", "state", &id)?,
        held: row.try_get("held")?,
        cancel_requested: row.try_get("cancel_requested")?,
        plugin_state: plugin_state(row.try_get("plugin_state")?, plugin)?,
        run_at: row.try_get("run_at")?,
        queued_at: row.try_get("queued_at")?,
        ahead: if is_capped { most } else { row.try_get("ahead")? },
        ahead_is_capped: is_capped,
        running: row.try_get("running")?,
        slots: row.try_get("slots")?,
    })
}

#[cfg(test)]
mod tests;
