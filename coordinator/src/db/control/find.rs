//! Which jobs a filter means at this moment.

use deadpool_postgres::Transaction;
use shared::job::JobId;
use uuid::Uuid;

use crate::control::JobFilter;
use crate::db::{Error, Transact};

/// Most jobs that one request acts on; who wants more asks again.
pub const FIND_MAX: usize = 10_000;

/// Finds jobs, in the order in which they start or have ended; at most [`FIND_MAX`].
#[derive(Debug)]
pub struct FindJobs<'a> {
    /// Which.
    pub filter: &'a JobFilter,
    /// Among those that have ended, instead of the unfinished ones.
    pub ended: bool,
}

impl Transact for FindJobs<'_> {
    const NAME: &'static str = "control.find";
    type Output = Vec<JobId>;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        let statement = if self.ended {
            "-- control.find_ended
             SELECT id FROM job_history
             WHERE (cardinality($1::uuid[]) = 0 OR id = ANY($1)) AND ($2::text IS NULL OR plugin = $2)
                 AND (cardinality($3::text[]) = 0 OR state = ANY($3))
                 AND ($4::text IS NULL OR strpos(lower(title), lower($4)) > 0)
             ORDER BY finished_at, id LIMIT $5"
        } else {
            "-- control.find_unfinished
             SELECT id FROM jobs
             WHERE (cardinality($1::uuid[]) = 0 OR id = ANY($1)) AND ($2::text IS NULL OR plugin = $2)
                 AND (cardinality($3::text[]) = 0 OR state = ANY($3))
                 AND ($4::text IS NULL OR strpos(lower(title), lower($4)) > 0)
             ORDER BY plugin, -effective_priority, position, id LIMIT $5"
        };
        let ids: Vec<Uuid> = self.filter.jobs.iter().map(|id| id.0).collect();
        let states: Vec<&str> = self.filter.states.iter().map(|state| state.as_str()).collect();
        let limit = i64::try_from(FIND_MAX).expect("a small number");
        let statement = tx.prepare_cached(statement).await?;
        let rows = tx
            .query(
                &statement,
                &[&ids, &self.filter.plugin, &states, &self.filter.title, &limit],
            )
            .await?;
        Ok(rows.iter().map(|row| JobId(row.get(0))).collect())
    }
}
