//! The plugins with their queues: how many jobs are in which state, how many workers serve them.

use std::collections::HashMap;

use shared::job::{JobState, ShownState};

use super::{PluginState, WORKER_SILENT_SECONDS, parse, plugin_state, rows};
use crate::db::{Error, Transact, Transaction};

/// A plugin and its queue.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginRow {
    /// Its name.
    pub name: String,
    /// Its title in English.
    pub title_en: String,
    /// Its title in German.
    pub title_de: String,
    /// Whether its jobs may start.
    pub state: PluginState,
    /// Its unfinished jobs by the state shown; states without jobs are left out.
    pub counts: Vec<StateCount>,
    /// How long its oldest startable job has waited for a worker, seconds; 0 when none waits.
    pub oldest_queued_seconds: f64,
    /// Jobs of it that its workers together can run at once; workers that are about to end don't count.
    pub slots: i64,
    /// Workers that serve it and are alive.
    pub workers: i64,
}

/// How many unfinished jobs are shown in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateCount {
    /// The state as shown.
    pub state: ShownState,
    /// How many.
    pub jobs: i64,
}

impl PluginRow {
    /// Jobs that a worker holds.
    pub fn running(&self) -> i64 {
        self.sum(|state| matches!(state, ShownState::As(state) if state.is_running()))
    }

    /// Jobs that wait: for a worker, a time, other jobs, or a person who holds them.
    pub fn waiting(&self) -> i64 {
        self.sum(|state| match state {
            ShownState::As(state) => !state.is_running(),
            ShownState::Paused => true,
        })
    }

    /// Waiting jobs that are held back by a person or by their stopped plugin.
    pub fn paused(&self) -> i64 {
        self.sum(|state| state == ShownState::Paused)
    }

    fn sum(&self, wanted: impl Fn(ShownState) -> bool) -> i64 {
        self.counts
            .iter()
            .filter(|count| wanted(count.state))
            .map(|count| count.jobs)
            .sum()
    }
}

/// Reads all plugins, by name.
#[derive(Debug, Clone, Copy)]
pub struct ReadPlugins;

impl Transact for ReadPlugins {
    const NAME: &'static str = "pages.plugins";
    type Output = Vec<PluginRow>;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Vec<PluginRow>, Error> {
        read(tx).await
    }
}

pub(super) async fn read(tx: &Transaction<'_>) -> Result<Vec<PluginRow>, Error> {
    let rows = rows(
        tx,
        "-- pages.plugins
             SELECT p.name, p.title_en, p.title_de, p.state,
                    coalesce(served.slots, 0) AS slots, coalesce(served.workers, 0) AS workers
             FROM plugins p
             LEFT JOIN (
                 SELECT o.plugin, count(*) AS workers,
                        coalesce(sum(o.slots) FILTER (WHERE NOT w.draining), 0) AS slots
                 FROM worker_plugins o
                 JOIN workers w ON w.id = o.worker_id
                 WHERE w.heartbeat_at > tm_now() - make_interval(secs => $1)
                 GROUP BY o.plugin
             ) AS served ON served.plugin = p.name
             ORDER BY p.name",
        &[&WORKER_SILENT_SECONDS],
    )
    .await?;
    let mut plugins = Vec::with_capacity(rows.len());
    let mut index = HashMap::with_capacity(rows.len());
    for row in &rows {
        let name: String = row.try_get("name")?;
        let state = plugin_state(row.try_get("state")?, &name)?;
        index.insert(name.clone(), plugins.len());
        plugins.push(PluginRow {
            name,
            title_en: row.try_get("title_en")?,
            title_de: row.try_get("title_de")?,
            state,
            counts: Vec::new(),
            oldest_queued_seconds: 0.0,
            slots: row.try_get("slots")?,
            workers: row.try_get("workers")?,
        });
    }
    count(tx, &mut plugins, &index).await?;
    Ok(plugins)
}

async fn count(
    tx: &Transaction<'_>,
    plugins: &mut [PluginRow],
    index: &HashMap<String, usize>,
) -> Result<(), Error> {
    let rows = rows(
        tx,
        "-- pages.counts
             SELECT plugin, state, held, count(*) AS jobs,
                    greatest(extract(epoch FROM tm_now() - min(queued_at)), 0)::float8 AS oldest_seconds
             FROM jobs
             GROUP BY plugin, state, held",
        &[],
    )
    .await?;
    for row in &rows {
        let name: &str = row.try_get("plugin")?;
        // A plugin that a worker has announced between the two statements appears next time.
        let Some(plugin) = index.get(name).map(|at| &mut plugins[*at]) else {
            continue;
        };
        let held_back = row.try_get::<_, bool>("held")? || plugin.state != PluginState::Running;
        let state = ShownState::of(parse::<JobState>(row, "jobs", "state", &name)?, held_back);
        let jobs: i64 = row.try_get("jobs")?;
        match plugin.counts.iter_mut().find(|count| count.state == state) {
            Some(count) => count.jobs += jobs,
            None => plugin.counts.push(StateCount { state, jobs }),
        }
        if state == ShownState::As(JobState::Queued) {
            plugin.oldest_queued_seconds = row.try_get("oldest_seconds")?;
        }
    }
    Ok(())
}
