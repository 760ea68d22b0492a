//! An action on one worker.

use deadpool_postgres::Transaction;
use schemars::JsonSchema;
use serde::Serialize;
use shared::message::reply::Verdict;

use super::audit::{self, AuditOutcome, Line};
use super::{Told, push};
use crate::control::{Actor, Object, WorkerAction, authorise};
use crate::db::{Error, Transact};

/// What became of an action on a worker.
///
/// The API answers what is not done as a problem: its schema has the other outcomes only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum WorkerOutcome {
    /// It was done: the worker gives its jobs back one by one, and ends.
    Done,
    /// It was so already.
    Unchanged,
    /// The actor may not do it.
    #[schemars(skip)]
    Forbidden,
    /// There is no such worker.
    #[schemars(skip)]
    Unknown,
}

/// Does something with a worker.
#[derive(Debug)]
pub struct ActOnWorker<'a> {
    /// Who wants it.
    pub actor: &'a Actor,
    /// With which worker: its id.
    pub id: &'a str,
    /// What.
    pub action: &'a WorkerAction,
}

impl Transact for ActOnWorker<'_> {
    const NAME: &'static str = "control.worker";
    type Output = (WorkerOutcome, Told);

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        let mut told = Told::default();
        let outcome = if authorise(self.actor, self.action.verb(), Object::Worker(self.id)) {
            match self.action {
                WorkerAction::Drain => drain(tx, self.id, &mut told).await?,
            }
        } else {
            WorkerOutcome::Forbidden
        };
        let line = Line {
            plugin: None,
            job_id: None,
            worker_id: Some(self.id),
            outcome: match outcome {
                WorkerOutcome::Done => AuditOutcome::Done,
                WorkerOutcome::Unchanged => AuditOutcome::Unchanged,
                WorkerOutcome::Unknown => AuditOutcome::Refused,
                WorkerOutcome::Forbidden => AuditOutcome::Forbidden,
            },
        };
        audit::write(tx, self.actor, self.action.name(), self.action, &[line]).await?;
        Ok((outcome, told))
    }
}

/// Asks the worker to end: now, if it hears that, and in the answer to each of its heartbeats.
async fn drain(tx: &Transaction<'_>, id: &str, told: &mut Told) -> Result<WorkerOutcome, Error> {
    let lock = tx
        .prepare_cached(
            "-- control.lock_worker
             SELECT reply_to, drain_requested FROM workers WHERE id = $1 FOR UPDATE",
        )
        .await?;
    let Some(worker) = tx.query_opt(&lock, &[&id]).await? else {
        return Ok(WorkerOutcome::Unknown);
    };
    if worker.get(1) {
        return Ok(WorkerOutcome::Unchanged);
    }
    let request = tx
        .prepare_cached("-- control.drain_worker\nUPDATE workers SET drain_requested = true WHERE id = $1")
        .await?;
    tx.execute(&request, &[&id]).await?;
    told.drains = vec![worker.get(0)];
    told.pushes = push::to_worker(tx, id, Verdict::Yield).await?;
    Ok(WorkerOutcome::Done)
}
