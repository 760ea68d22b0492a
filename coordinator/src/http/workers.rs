//! `/api/v1/workers`: the workers, and what people do with one.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use schemars::JsonSchema;
use serde::Serialize;

use super::App;
use super::actions::read;
use super::openapi::Operation;
use super::problem::{Error, Kind};
use super::who::Who;
use crate::control::WorkerAction;
use crate::db::control::WorkerOutcome;
use crate::db::pages::{KnownWorker, ReadWorkers};

/// The workers, by name.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Workers")]
pub(super) struct WorkersBody {
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
}

impl From<KnownWorker> for WorkerBody {
    fn from(worker: KnownWorker) -> Self {
        Self {
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
    let workers = app.db.run(&ReadWorkers).await?;
    Ok(Json(WorkersBody {
        workers: workers.into_iter().map(WorkerBody::from).collect(),
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
