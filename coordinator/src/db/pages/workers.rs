//! The workers that were heard of, with what they serve and run, for those who look after them.

use super::{WORKER_SILENT_SECONDS, rows};
use crate::db::{Error, Transact, Transaction};

/// A worker process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownWorker {
    /// Its id: unique for this process.
    pub id: String,
    /// The name that operators gave it.
    pub name: String,
    /// Its host.
    pub host: String,
    /// Its release.
    pub version: String,
    /// It was heard of lately.
    pub alive: bool,
    /// It accepts no new jobs and will end, or somebody wants that.
    pub draining: bool,
    /// The attempts that it runs.
    pub running: i64,
    /// What it serves, with its slots: `OCR=2`.
    pub plugins: Vec<String>,
}

/// Reads all of them, by name.
#[derive(Debug, Clone, Copy)]
pub struct ReadWorkers;

impl Transact for ReadWorkers {
    const NAME: &'static str = "pages.known_workers";
    type Output = Vec<KnownWorker>;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Vec<KnownWorker>, Error> {
        let rows = rows(
            tx,
            "-- pages.known_workers
             SELECT id, name, host, version, draining OR drain_requested AS draining,
                    heartbeat_at > tm_now() - make_interval(secs => $1) AS alive,
                    (SELECT count(*) FROM leases WHERE leases.worker_id = workers.id) AS running,
                    ARRAY(SELECT plugin || '=' || slots FROM worker_plugins
                          WHERE worker_plugins.worker_id = workers.id ORDER BY plugin) AS plugins
             FROM workers ORDER BY name, id",
            &[&WORKER_SILENT_SECONDS],
        )
        .await?;
        rows.iter()
            .map(|row| {
                Ok(KnownWorker {
                    id: row.try_get("id")?,
                    name: row.try_get("name")?,
                    host: row.try_get("host")?,
                    version: row.try_get("version")?,
                    alive: row.try_get("alive")?,
                    draining: row.try_get("draining")?,
                    running: row.try_get("running")?,
                    plugins: row.try_get("plugins")?,
                })
            })
            .collect()
    }
}
