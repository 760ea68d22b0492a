//! An action on the settings that belong to no plugin.

use deadpool_postgres::Transaction;
use schemars::JsonSchema;
use serde::Serialize;

use super::audit::{self, AuditOutcome, Line};
use crate::control::{Actor, Object, SettingsAction, authorise};
use crate::db::{Error, Transact};

/// What became of an action on settings.
///
/// The API answers what is not done as a problem: its schema has the other outcomes only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum SettingsOutcome {
    /// It was done.
    Done,
    /// It was so already.
    Unchanged,
    /// The actor may not do it.
    #[schemars(skip)]
    Forbidden,
}

/// Does something with the settings.
#[derive(Debug)]
pub struct ActOnSettings<'a> {
    /// Who wants it.
    pub actor: &'a Actor,
    /// What.
    pub action: SettingsAction,
}

impl Transact for ActOnSettings<'_> {
    const NAME: &'static str = "control.settings";
    type Output = SettingsOutcome;

    async fn run(&self, tx: &Transaction<'_>) -> Result<SettingsOutcome, Error> {
        let (outcome, audited) = if authorise(self.actor, self.action.verb(), Object::Everything) {
            let SettingsAction::SetPages(pages) = self.action;
            let set = tx
                .prepare_cached(
                    "-- control.set_pages
                     UPDATE settings SET refresh_seconds = $1, jobs_on_dashboard = $2
                     WHERE (refresh_seconds, jobs_on_dashboard) IS DISTINCT FROM ($1, $2)",
                )
                .await?;
            match tx
                .execute(&set, &[&pages.refresh_seconds, &pages.jobs_on_dashboard])
                .await?
            {
                0 => (SettingsOutcome::Unchanged, AuditOutcome::Unchanged),
                _ => (SettingsOutcome::Done, AuditOutcome::Done),
            }
        } else {
            (SettingsOutcome::Forbidden, AuditOutcome::Forbidden)
        };
        let line = Line {
            plugin: None,
            job_id: None,
            worker_id: None,
            outcome: audited,
        };
        audit::write(tx, self.actor, self.action.name(), &self.action, &[line]).await?;
        Ok(outcome)
    }
}
