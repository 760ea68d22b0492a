//! What a [`JobFilter`] says, as conditions on rows: the same for searches, for counts and for actions on many jobs.
//!
//! Invariant: what is not asked for is a parameter that is null, so that each plan is made for what is asked for.

use jiff::Timestamp;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::{Error, Transaction};
use crate::control::JobFilter;

/// How many parameters the conditions take; a statement's own come behind them.
pub(super) const PARAMETERS: usize = 13;

/// On an unfinished job `j`. It has no error and no end yet.
pub(super) const UNFINISHED: &str = "(cardinality($1::uuid[]) = 0 OR j.id = ANY($1))
    AND ($2::text IS NULL OR j.plugin = $2)
    AND (cardinality($3::text[]) = 0 OR j.state = ANY($3))
    AND ($4::text IS NULL OR j.title ILIKE $4)
    AND $5::text IS NULL
    AND ($6::text IS NULL OR j.id IN (SELECT job_id FROM job_details WHERE process_id = $6))
    AND ($7::text IS NULL OR j.id IN (SELECT job_id FROM job_details WHERE step_id = $7))
    AND ($8::timestamptz IS NULL OR j.submitted_at >= $8)
    AND ($9::timestamptz IS NULL OR j.submitted_at < $9)
    AND $10::timestamptz IS NULL AND $11::timestamptz IS NULL
    AND ($12::boolean IS NULL
         OR (j.held OR j.plugin IN (SELECT name FROM plugins WHERE state <> 'running')) = $12)
    AND ($13::text[] IS NULL OR j.plugin = ANY($13))";

/// On an ended job `h`. None is held back.
pub(super) const ENDED: &str = "(cardinality($1::uuid[]) = 0 OR h.id = ANY($1))
    AND ($2::text IS NULL OR h.plugin = $2)
    AND (cardinality($3::text[]) = 0 OR h.state = ANY($3))
    AND ($4::text IS NULL OR h.title ILIKE $4)
    AND ($5::text IS NULL OR h.error ILIKE $5)
    AND ($6::text IS NULL OR h.process_id = $6)
    AND ($7::text IS NULL OR h.step_id = $7)
    AND ($8::timestamptz IS NULL OR h.submitted_at >= $8)
    AND ($9::timestamptz IS NULL OR h.submitted_at < $9)
    AND ($10::timestamptz IS NULL OR h.finished_at >= $10)
    AND ($11::timestamptz IS NULL OR h.finished_at < $11)
    AND ($12::boolean IS NULL OR NOT $12)
    AND ($13::text[] IS NULL OR h.plugin = ANY($13))";

/// A filter's values, in the order of the parameters.
#[derive(Debug)]
pub(super) struct Values {
    ids: Vec<Uuid>,
    plugin: Option<String>,
    states: Vec<&'static str>,
    title: Option<String>,
    error: Option<String>,
    process: Option<String>,
    step: Option<String>,
    submitted_from: Option<Timestamp>,
    submitted_to: Option<Timestamp>,
    finished_from: Option<Timestamp>,
    finished_to: Option<Timestamp>,
    paused: Option<bool>,
    among: Option<Vec<String>>,
}

impl From<&JobFilter> for Values {
    fn from(filter: &JobFilter) -> Self {
        Self {
            ids: filter.jobs.iter().map(|id| id.0).collect(),
            plugin: filter.plugin.clone(),
            states: filter.states.iter().map(|state| state.as_str()).collect(),
            title: filter.title.as_deref().map(part),
            error: filter.error.as_deref().map(part),
            process: filter.process.clone(),
            step: filter.step.clone(),
            submitted_from: filter.submitted_from,
            submitted_to: filter.submitted_to,
            finished_from: filter.finished_from,
            finished_to: filter.finished_to,
            paused: filter.paused,
            among: filter.among.clone(),
        }
    }
}

impl Values {
    /// The parameters, followed by a statement's own.
    pub(super) fn with<'a>(&'a self, own: &[&'a (dyn ToSql + Sync)]) -> Vec<&'a (dyn ToSql + Sync)> {
        let mut all: Vec<&(dyn ToSql + Sync)> = vec![
            &self.ids,
            &self.plugin,
            &self.states,
            &self.title,
            &self.error,
            &self.process,
            &self.step,
            &self.submitted_from,
            &self.submitted_to,
            &self.finished_from,
            &self.finished_to,
            &self.paused,
            &self.among,
        ];
        debug_assert_eq!(all.len(), PARAMETERS, "the conditions name as many");
        all.extend(own);
        all
    }
}

/// Has each statement of this transaction planned for its values: a plan that has to do for all could use no index.
pub(super) async fn plan_for_values(tx: &Transaction<'_>) -> Result<(), Error> {
    tx.batch_execute("-- filter.plan\nSET LOCAL plan_cache_mode = force_custom_plan")
        .await?;
    Ok(())
}

/// A pattern that finds a part as it stands.
fn part(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_patterns_stand_for_themselves() {
        assert_eq!(part("50%_a\\b"), "%50\\%\\_a\\\\b%");
    }
}
