//! The workers that were heard of, with what they serve and run, for those who look after them.

use jiff::Timestamp;
use shared::job::JobId;

use super::{WORKER_SILENT_SECONDS, rows, single};
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

/// The workers with all that their page shows.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkersAtWork {
    /// The database's clock.
    pub now: Timestamp,
    /// The workers, by name.
    pub workers: Vec<WorkerAtWork>,
}

/// A worker, and what it does at this moment.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkerAtWork {
    /// What is known of it.
    pub worker: KnownWorker,
    /// When it was heard of last.
    pub heartbeat_at: Timestamp,
    /// The memory that it used then, bytes; 0 when it has not said so.
    pub rss_bytes: i64,
    /// The jobs that it runs, by title.
    pub jobs: Vec<JobAtWork>,
}

/// A job that a worker runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobAtWork {
    /// Its id.
    pub id: JobId,
    /// What people call it.
    pub title: String,
    /// When the worker began.
    pub started_at: Timestamp,
}

/// Reads what workers do now.
#[derive(Debug, Clone, Copy)]
pub struct ReadWorkersAtWork;

impl Transact for ReadWorkersAtWork {
    const NAME: &'static str = "pages.workers_at_work";
    type Output = WorkersAtWork;

    async fn run(&self, tx: &Transaction<'_>) -> Result<WorkersAtWork, Error> {
        let signs = rows(
            tx,
            "-- pages.worker_signs\nSELECT id, heartbeat_at, rss_bytes FROM workers",
            &[],
        )
        .await?;
        let jobs = rows(
            tx,
            "-- pages.worker_jobs
             SELECT leases.worker_id, jobs.id, jobs.title, attempts.started_at
             FROM leases JOIN attempts USING (job_id, attempt, claim_id) JOIN jobs ON jobs.id = leases.job_id
             ORDER BY jobs.title, jobs.id",
            &[],
        )
        .await?;
        let mut workers = Vec::new();
        for worker in ReadWorkers.run(tx).await? {
            // One that has announced itself between the two statements appears next time.
            let Some(sign) = signs.iter().find(|row| row.get::<_, &str>("id") == worker.id) else {
                continue;
            };
            let own = jobs
                .iter()
                .filter(|row| row.get::<_, &str>("worker_id") == worker.id);
            workers.push(WorkerAtWork {
                heartbeat_at: sign.try_get("heartbeat_at")?,
                rss_bytes: sign.try_get("rss_bytes")?,
                jobs: own
                    .map(|row| {
                        Ok(JobAtWork {
                            id: JobId(row.try_get("id")?),
                            title: row.try_get("title")?,
                            started_at: row.try_get("started_at")?,
                        })
                    })
                    .collect::<Result<_, Error>>()?,
                worker,
            });
        }
        Ok(WorkersAtWork {
            now: single(tx, "-- pages.now\nSELECT tm_now()", &[]).await?,
            workers,
        })
    }
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
