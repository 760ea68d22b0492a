//! An action on item stores that no job has.

use deadpool_postgres::Transaction;
use schemars::JsonSchema;
use serde::Serialize;
use shared::job::JobId;

use super::audit::{self, AuditOutcome, Line};
use crate::control::{Actor, Object, StoreAction, authorise};
use crate::db::{Error, Transact, stores};

/// What became of an action on item stores.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StoresOutcome {
    /// Workers remove these now.
    pub removed: Vec<JobId>,
    /// A job of this database has them: left alone.
    pub used: Vec<JobId>,
    /// No worker has found such stores.
    pub not_found: Vec<JobId>,
}

/// Does something about item stores that no job has; `None` when the actor may not.
#[derive(Debug)]
pub struct ActOnStores<'a> {
    /// Who wants it.
    pub actor: &'a Actor,
    /// What.
    pub action: &'a StoreAction,
}

impl Transact for ActOnStores<'_> {
    const NAME: &'static str = "control.stores";
    type Output = Option<StoresOutcome>;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        let allowed = authorise(self.actor, self.action.verb(), Object::Everything);
        let (outcome, lines) = match self.action {
            _ if !allowed => (None, vec![line(None, AuditOutcome::Forbidden)]),
            StoreAction::Look => {
                stores::ask_all(tx).await?;
                (
                    Some(StoresOutcome::default()),
                    vec![line(None, AuditOutcome::Done)],
                )
            }
            StoreAction::Remove { stores } => {
                let outcome = stores::take(tx, stores).await?;
                let refused = outcome.used.iter().chain(&outcome.not_found);
                let refused = refused.map(|store| line(Some(*store), AuditOutcome::Refused));
                let done = outcome.removed.iter();
                let done = done.map(|store| line(Some(*store), AuditOutcome::Done));
                let lines = done.chain(refused).collect();
                (Some(outcome), lines)
            }
        };
        audit::write(tx, self.actor, self.action.name(), self.action, &lines).await?;
        Ok(outcome)
    }
}

fn line(store: Option<JobId>, outcome: AuditOutcome) -> Line<'static> {
    Line {
        plugin: None,
        job_id: store,
        worker_id: None,
        outcome,
    }
}
