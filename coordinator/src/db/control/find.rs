//! Which jobs a filter means at this moment.
//!
//! Invariant: jobs of plugins that the actor may do nothing with are neither read nor named.

use deadpool_postgres::Transaction;
use shared::job::JobId;
use shared::plugin::PluginName;
use uuid::Uuid;

use super::audit::{self, AuditOutcome, Line};
use crate::control::{Actor, JobAction, JobFilter, reach};
use crate::db::{Error, Transact};

/// Most jobs that one request acts on; who wants more asks again.
pub const FIND_MAX: usize = 10_000;

/// Finds the jobs that somebody wants to do something with, in the order in which they start or have ended; at most
/// [`FIND_MAX`]. Gives `None`, and says so in the audit log, where the actor may do it to none of them whatever there is.
#[derive(Debug)]
pub struct FindJobs<'a> {
    /// Who looks for them.
    pub actor: &'a Actor,
    /// Which.
    pub filter: &'a JobFilter,
    /// What for.
    pub action: &'a JobAction,
}

impl FindJobs<'_> {
    /// The plugins among whose jobs is looked, if not among all.
    fn plugins(&self) -> Option<Vec<&str>> {
        let mut plugins = reach(self.actor, self.action.verb())?;
        let wanted = self.filter.plugin.as_ref();
        plugins.retain(|plugin| wanted.is_none_or(|wanted| plugin == wanted));
        Some(plugins)
    }

    async fn note_forbidden(&self, tx: &Transaction<'_>) -> Result<(), Error> {
        let plugin: Option<PluginName> = self.filter.plugin.as_ref().and_then(|name| name.parse().ok());
        let line = Line {
            plugin: plugin.as_ref().map(PluginName::as_str),
            job_id: None,
            worker_id: None,
            outcome: AuditOutcome::Forbidden,
        };
        audit::write(tx, self.actor, self.action.name(), self.action, &[line]).await
    }
}

impl Transact for FindJobs<'_> {
    const NAME: &'static str = "control.find";
    type Output = Option<Vec<JobId>>;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        let plugins = self.plugins();
        if plugins.as_ref().is_some_and(Vec::is_empty) {
            self.note_forbidden(tx).await?;
            return Ok(None);
        }
        let statement = if self.action.is_about_ended_jobs() {
            "-- control.find_ended
             SELECT id FROM job_history
             WHERE (cardinality($1::uuid[]) = 0 OR id = ANY($1)) AND ($2::text IS NULL OR plugin = $2)
                 AND (cardinality($3::text[]) = 0 OR state = ANY($3))
                 AND ($4::text IS NULL OR strpos(lower(title), lower($4)) > 0)
                 AND ($6::text[] IS NULL OR plugin = ANY($6))
             ORDER BY finished_at, id LIMIT $5"
        } else {
            "-- control.find_unfinished
             SELECT id FROM jobs
             WHERE (cardinality($1::uuid[]) = 0 OR id = ANY($1)) AND ($2::text IS NULL OR plugin = $2)
                 AND (cardinality($3::text[]) = 0 OR state = ANY($3))
                 AND ($4::text IS NULL OR strpos(lower(title), lower($4)) > 0)
                 AND ($6::text[] IS NULL OR plugin = ANY($6))
             ORDER BY plugin, -effective_priority, position, id LIMIT $5"
        };
        let ids: Vec<Uuid> = self.filter.jobs.iter().map(|id| id.0).collect();
        let states: Vec<&str> = self.filter.states.iter().map(|state| state.as_str()).collect();
        let limit = i64::try_from(FIND_MAX).expect("a small number");
        let statement = tx.prepare_cached(statement).await?;
        let rows = tx
            .query(
                &statement,
                &[
                    &ids,
                    &self.filter.plugin,
                    &states,
                    &self.filter.title,
                    &limit,
                    &plugins,
                ],
            )
            .await?;
        Ok(Some(rows.iter().map(|row| JobId(row.get(0))).collect()))
    }
}
