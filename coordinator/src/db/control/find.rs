//! Which jobs a filter means at this moment.
//!
//! Invariant: jobs of plugins that the actor may do nothing with are neither read nor named.

use deadpool_postgres::Transaction;
use shared::job::JobId;
use shared::plugin::PluginName;

use super::audit::{self, AuditOutcome, Line};
use crate::control::{Actor, JobAction, JobFilter, reach};
use crate::db::filter::{ENDED, UNFINISHED, Values, plan_for_values};
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
        let filter = JobFilter {
            among: reach(self.actor, self.action.verb()),
            ..self.filter.clone()
        };
        if filter.is_among_none() {
            self.note_forbidden(tx).await?;
            return Ok(None);
        }
        plan_for_values(tx).await?;
        let statement = if self.action.is_about_ended_jobs() {
            format!(
                "-- control.find_ended
                 SELECT h.id FROM job_history h WHERE {ENDED} ORDER BY h.finished_at, h.id LIMIT $14"
            )
        } else {
            format!(
                "-- control.find_unfinished
                 SELECT j.id FROM jobs j WHERE {UNFINISHED}
                 ORDER BY j.plugin, -j.effective_priority, j.position, j.id LIMIT $14"
            )
        };
        let limit = i64::try_from(FIND_MAX).expect("a small number");
        let statement = tx.prepare_cached(&statement).await?;
        let rows = tx
            .query(&statement, &Values::from(&filter).with(&[&limit]))
            .await?;
        Ok(Some(rows.iter().map(|row| JobId(row.get(0))).collect()))
    }
}

/// How many unfinished and how many ended jobs a filter means at this moment; counted up to a number, as counting
/// further costs more than it tells.
#[derive(Debug)]
pub struct CountFound<'a> {
    /// Which.
    pub filter: &'a JobFilter,
    /// Most that are counted of each.
    pub most: i64,
}

/// What was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FoundNumbers {
    /// Jobs that have not ended.
    pub unfinished: i64,
    /// Jobs that have.
    pub ended: i64,
}

impl Transact for CountFound<'_> {
    const NAME: &'static str = "control.count";
    type Output = FoundNumbers;

    async fn run(&self, tx: &Transaction<'_>) -> Result<FoundNumbers, Error> {
        plan_for_values(tx).await?;
        let mut numbers = FoundNumbers::default();
        if self.filter.can_find(false) {
            let unfinished = format!(
                "-- control.count_unfinished
                 SELECT count(*) FROM (SELECT FROM jobs j WHERE {UNFINISHED} LIMIT $14) AS found"
            );
            numbers.unfinished = self.count(tx, &unfinished).await?;
        }
        if self.filter.can_find(true) {
            // Plugins are named so that their index finds a state that few jobs have.
            let ended = format!(
                "-- control.count_ended
                 SELECT count(*) FROM (
                     SELECT FROM job_history h
                     WHERE h.plugin = ANY (ARRAY(SELECT name FROM plugins)) AND {ENDED} LIMIT $14
                 ) AS found"
            );
            numbers.ended = match self.kept_sum(tx).await? {
                Some(sum) => sum.min(self.most),
                None => self.count(tx, &ended).await?,
            };
        }
        Ok(numbers)
    }
}

impl CountFound<'_> {
    async fn count(&self, tx: &Transaction<'_>, statement: &str) -> Result<i64, Error> {
        let values = Values::from(self.filter);
        let statement = tx.prepare_cached(statement).await?;
        let row = tx.query_one(&statement, &values.with(&[&self.most])).await?;
        Ok(row.try_get(0)?)
    }

    /// The number of ended jobs where nothing but plugin and states is asked for: that is known without counting.
    async fn kept_sum(&self, tx: &Transaction<'_>) -> Result<Option<i64>, Error> {
        let kept = JobFilter {
            plugin: self.filter.plugin.clone(),
            states: self.filter.states.clone(),
            among: self.filter.among.clone(),
            ..JobFilter::default()
        };
        if *self.filter != kept {
            return Ok(None);
        }
        let states: Vec<&str> = kept.states.iter().map(|state| state.as_str()).collect();
        let sum = "-- control.sum_ended
            SELECT coalesce(sum(jobs), 0)::bigint FROM history_sums
            WHERE ($1::text IS NULL OR plugin = $1) AND (cardinality($2::text[]) = 0 OR state = ANY ($2))
                AND ($3::text[] IS NULL OR plugin = ANY ($3))";
        let sum = tx.prepare_cached(sum).await?;
        let row = tx.query_one(&sum, &[&kept.plugin, &states, &kept.among]).await?;
        Ok(Some(row.try_get(0)?))
    }
}
