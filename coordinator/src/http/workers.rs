//! `/api/v1/workers`: the workers, and what people do with one.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use serde::Serialize;

use super::App;
use super::actions::read;
use super::problem::Error;
use super::who::Who;
use crate::control::WorkerAction;
use crate::db::control::WorkerOutcome;
use crate::db::pages::{KnownWorker, ReadWorkers};

/// The workers, by name.
#[derive(Debug, Serialize)]
pub(super) struct WorkersBody {
    workers: Vec<WorkerBody>,
}

#[derive(Debug, Serialize)]
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

/// `GET /api/v1/workers`
pub(super) async fn list(State(app): State<App>) -> Result<Json<WorkersBody>, Error> {
    let workers = app.db.run(&ReadWorkers).await?;
    Ok(Json(WorkersBody {
        workers: workers.into_iter().map(WorkerBody::from).collect(),
    }))
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
