//! How many slots the plugins have use for at this moment, for whoever starts and ends workers.

use super::rows;
use crate::db::{Error, Transact, Transaction};

/// What one plugin has use for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// The plugin.
    pub plugin: String,
    /// Jobs that run.
    pub running: i64,
    /// Jobs that a worker could start now: messages of theirs are in the plugin's queue, as far as limits, window and
    /// contract let them, and nobody has stopped the plugin or held them since.
    pub waiting: i64,
}

/// Reads what the plugins have use for, by name.
#[derive(Debug)]
pub struct ReadDemand;

impl Transact for ReadDemand {
    const NAME: &'static str = "pages.demand";
    type Output = Vec<Demand>;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Vec<Demand>, Error> {
        let rows = rows(
            tx,
            "-- pages.demand
             SELECT p.name, coalesce(limit_keys.running, 0)::bigint AS running, coalesce(waiting.jobs, 0) AS waiting
             FROM plugins p
             LEFT JOIN limit_keys ON limit_keys.key = 'plugin:' || p.name
             LEFT JOIN (
                 SELECT jobs.plugin, count(*) AS jobs
                 FROM jobs JOIN plugins ON plugins.name = jobs.plugin CROSS JOIN settings
                 WHERE jobs.state = 'QUEUED' AND jobs.published_dispatch = jobs.dispatch AND NOT jobs.held
                     AND plugins.state = 'running'
                     AND (jobs.start_now OR plugins.autostart AND settings.autostart)
                 GROUP BY jobs.plugin
             ) AS waiting ON waiting.plugin = p.name AND has_quota(p.name)
             ORDER BY p.name",
            &[],
        )
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Demand {
                    plugin: row.try_get("name")?,
                    running: row.try_get("running")?,
                    waiting: row.try_get("waiting")?,
                })
            })
            .collect()
    }
}
