//! `/api/v1/workers`: the workers, and what people do with one.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use shared::job::JobId;

use super::App;
use super::actions::read;
use super::openapi::Operation;
use super::problem::{Error, Kind};
use super::who::Who;
use crate::control::WorkerAction;
use crate::db::control::WorkerOutcome;
use crate::db::pages::{ReadWorkersAtWork, WorkerAtWork};

/// The workers, by name.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Workers")]
pub(super) struct WorkersBody {
    /// When this was so, by the database's clock.
    now: Timestamp,
    workers: Vec<WorkerBody>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Worker")]
struct WorkerBody {
    id: String,
    name: String,
    host: String,
    version: String,
    alive: bool,
    draining: bool,
    running: i64,
    plugins: Vec<String>,
    /// When it was heard of last, by the database's clock.
    heartbeat_at: Timestamp,
    /// The memory that it used then, bytes; null when it has not said so.
    rss_bytes: Option<i64>,
    /// How long its oldest job has run, seconds; null when it runs none. Whoever ends workers ends idle ones first, and
    /// then those that have been busy for the shortest time.
    busy_seconds: Option<i64>,
    /// The jobs that it runs, by title.
    jobs: Vec<JobBody>,
}

/// A job that a worker runs.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "JobAtWork")]
struct JobBody {
    id: JobId,
    title: String,
    /// When the worker began.
    started_at: Timestamp,
}

impl WorkerBody {
    fn of(at_work: WorkerAtWork, now: Timestamp) -> Self {
        let worker = at_work.worker;
        let oldest = at_work.jobs.iter().map(|job| job.started_at).min();
        let jobs = at_work.jobs.into_iter();
        Self {
            heartbeat_at: at_work.heartbeat_at,
            busy_seconds: oldest.map(|since| now.duration_since(since).as_secs().max(0)),
            rss_bytes: Some(at_work.rss_bytes).filter(|bytes| *bytes > 0),
            jobs: jobs
                .map(|job| JobBody {
                    id: job.id,
                    title: job.title,
                    started_at: job.started_at,
                })
                .collect(),
            id: worker.id,
            name: worker.name,
            host: worker.host,
            version: worker.version,
            alive: worker.alive,
            draining: worker.draining,
            running: worker.running,
            plugins: worker.plugins,
        }
    }
}

/// What the API says of [`list`].
pub(super) fn describe_list() -> Operation {
    Operation::answering::<WorkersBody>("listWorkers")
}

/// `GET /api/v1/workers`
pub(super) async fn list(State(app): State<App>) -> Result<Json<WorkersBody>, Error> {
    let at_work = app.db.run(&ReadWorkersAtWork).await?;
    Ok(Json(WorkersBody {
        now: at_work.now,
        workers: at_work
            .workers
            .into_iter()
            .map(|worker| WorkerBody::of(worker, at_work.now))
            .collect(),
    }))
}

/// What the API says of [`act`].
pub(super) fn describe_act() -> Operation {
    Operation::answering::<WorkerOutcome>("actOnWorker")
        .with_body::<WorkerAction>()
        .failing(&[Kind::UnknownWorker])
}

/// `POST /api/v1/workers/{id}/actions`
pub(super) async fn act(
    who: Who,
    State(app): State<App>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<WorkerOutcome>, Error> {
    let action: WorkerAction = read(&body)?;
    match app.control.act_on_worker(&who.actor, &id, &action).await? {
        WorkerOutcome::Forbidden => Err(Error::Forbidden),
        WorkerOutcome::Unknown => Err(Error::UnknownWorker),
        done @ (WorkerOutcome::Done | WorkerOutcome::Unchanged) => Ok(Json(done)),
    }
}
