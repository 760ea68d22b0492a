//! What a waiting job waits for, as far as the database knows.

use jiff::Timestamp;
use shared::job::JobState;
use tokio_postgres::Row;

use super::{PluginState, WORKER_SILENT_SECONDS, parse, plugin_state, single};
use crate::db::{Error, Transaction};

/// Nobody is told a longer place in a line than this; counting further costs more than it tells.
const AHEAD_MAX: i64 = 1_000;

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
    /// Jobs of its plugin that start before it, for QUEUED; counted up to 1,000.
    pub ahead: i64,
    /// The count of jobs ahead was broken off.
    pub ahead_is_capped: bool,
    /// Jobs of its plugin that run now.
    pub running: i64,
    /// Jobs of its plugin that its workers can run at once.
    pub slots: i64,
}

pub(super) async fn read(tx: &Transaction<'_>, job: &Row) -> Result<Waiting, Error> {
    let plugin: &str = job.try_get("plugin")?;
    let id: uuid::Uuid = job.try_get("id")?;
    let state = parse::<JobState>(job, "jobs", "state", &id)?;
    let ahead = if state == JobState::Queued {
        let priority: i16 = job.try_get("effective_priority")?;
        let position: i64 = job.try_get("position")?;
        ahead(tx, plugin, -priority, position, id).await?
    } else {
        0
    };
    let gates = "-- pages.gates
        SELECT plugins.autostart AND settings.autostart AS autostart, has_quota(name) AS has_quota,
               running_max::bigint, retries_max
        FROM plugins CROSS JOIN settings WHERE name = $1";
    let gates = tx.query_one(gates, &[&plugin]).await?;
    let start_now: bool = job.try_get("start_now")?;
    Ok(Waiting {
        failures: job.try_get("failures")?,
        retries_max: gates.try_get("retries_max")?,
        starts: start_now || gates.try_get("autostart")?,
        quota_used_up: !gates.try_get::<_, bool>("has_quota")?,
        running_max: gates
            .try_get::<_, Option<i64>>("running_max")?
            .filter(|_| !start_now),
        full_storage: full_storage(tx, id).await?,
        state,
        held: job.try_get("held")?,
        cancel_requested: job.try_get("cancel_requested")?,
        plugin_state: plugin_state(job.try_get("plugin_state")?, plugin)?,
        run_at: job.try_get("run_at")?,
        queued_at: job.try_get("queued_at")?,
        ahead: ahead.min(AHEAD_MAX),
        ahead_is_capped: ahead > AHEAD_MAX,
        running: running(tx, plugin).await?,
        slots: slots(tx, plugin).await?,
    })
}

async fn full_storage(tx: &Transaction<'_>, id: uuid::Uuid) -> Result<Option<FullStorage>, Error> {
    let statement = "-- pages.full_storage
        SELECT path, running::bigint, running_max::bigint
        FROM unnest(storage_keys($1)) AS key JOIN limit_keys USING (key) JOIN storages ON key = 'storage:' || path
        WHERE running >= running_max ORDER BY key LIMIT 1";
    let row = tx.query_opt(statement, &[&id]).await?;
    row.map(|row| {
        Ok(FullStorage {
            path: row.try_get(0)?,
            running: row.try_get(1)?,
            running_max: row.try_get(2)?,
        })
    })
    .transpose()
}

async fn ahead(
    tx: &Transaction<'_>,
    plugin: &str,
    priority_negated: i16,
    position: i64,
    id: uuid::Uuid,
) -> Result<i64, Error> {
    let statement = "-- pages.ahead
        SELECT count(*) FROM (
            SELECT 1 FROM jobs
            WHERE plugin = $1 AND state = 'QUEUED' AND NOT held
              AND (-effective_priority, position, id) < ($2::smallint, $3::bigint, $4::uuid)
            LIMIT $5
        ) AS before";
    single(
        tx,
        statement,
        &[&plugin, &priority_negated, &position, &id, &(AHEAD_MAX + 1)],
    )
    .await
}

async fn running(tx: &Transaction<'_>, plugin: &str) -> Result<i64, Error> {
    let states: Vec<&str> = JobState::ALL
        .into_iter()
        .filter(|state| state.is_running())
        .map(JobState::as_str)
        .collect();
    let statement = "-- pages.running\nSELECT count(*) FROM jobs WHERE plugin = $1 AND state = ANY($2)";
    single(tx, statement, &[&plugin, &states]).await
}

async fn slots(tx: &Transaction<'_>, plugin: &str) -> Result<i64, Error> {
    let statement = "-- pages.slots
        SELECT coalesce(sum(o.slots), 0)::bigint
        FROM worker_plugins o
        JOIN workers w ON w.id = o.worker_id
        WHERE o.plugin = $1 AND NOT w.draining AND w.heartbeat_at > tm_now() - make_interval(secs => $2)";
    single(tx, statement, &[&plugin, &WORKER_SILENT_SECONDS]).await
}
