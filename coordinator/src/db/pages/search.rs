//! Jobs that a filter finds, unfinished ones first, then those that have ended, each the newest first.
//!
//! Invariant: however many jobs there are, a page costs a bounded number of rows. The newest ended jobs are walked
//! through first: what many have is among them. What few have is found by an index, up to a number of rows that can
//! be sorted at once. Where neither fills the page, more of the newest are walked through; if that does not do
//! either, the page says that it is not complete, and its reader narrows the search.

use jiff::Timestamp;
use shared::job::JobState;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::history::Newest;
use super::line::{self, AHEAD_IN_A_LIST};
use super::list::HistoryKey;
use super::standing::{self, Standings};
use super::{FINISHED_COLUMNS, JobSummary, UNFINISHED_COLUMNS, finished, rows, single, unfinished};
use crate::control::JobFilter;
use crate::db::filter::{ENDED, PARAMETERS, UNFINISHED, Values, plan_for_values};
use crate::db::{Error, Transact, Transaction};

/// Ended jobs that are walked through at first.
const WALK_SHORT: i64 = 1_000;
/// Ended jobs that are walked through where the index has too many.
const WALK_LONG: i64 = 20_000;
/// Rows that an index may find and that are then sorted.
const SORT_MAX: i64 = 3_000;

/// A place in the order of what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundPlace {
    /// Among the jobs that have ended.
    pub ended: bool,
    /// When the job ended or was submitted, by which its part of the list is ordered.
    pub at: Timestamp,
    /// The job, where times are equal.
    pub id: Uuid,
}

/// One page of what was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The database's clock.
    pub now: Timestamp,
    /// Its jobs.
    pub jobs: Vec<JobSummary>,
    /// How plugins stand.
    pub standings: Standings,
    /// The place that the next page begins behind; none when this is the last page.
    pub next: Option<FoundPlace>,
    /// There may be older ones that were not looked at: too many would have to be.
    pub incomplete: bool,
}

/// Searches for one page of jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchJobs {
    /// Which jobs.
    pub filter: JobFilter,
    /// Most rows of the page.
    pub limit: i64,
    /// The page begins behind this place.
    pub after: Option<FoundPlace>,
}

impl Transact for SearchJobs {
    const NAME: &'static str = "pages.search";
    type Output = Found;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Found, Error> {
        plan_for_values(tx).await?;
        let mut rows = Rows {
            wanted: self.limit + 1,
            found: Vec::new(),
            incomplete: false,
        };
        if self.after.is_none_or(|place| !place.ended) && self.filter.can_find(false) {
            self.add_unfinished(tx, &mut rows).await?;
        }
        if rows.missing() > 0 && self.filter.can_find(true) {
            self.add_ended(tx, &mut rows).await?;
        }
        let limit = usize::try_from(self.limit).unwrap_or(0);
        let more = rows.found.len() > limit;
        rows.found.truncate(limit);
        let next = rows.found.last().filter(|_| more).map(|(_, place)| *place);
        let mut jobs: Vec<JobSummary> = rows.found.into_iter().map(|(job, _)| job).collect();
        line::add(tx, &mut jobs, AHEAD_IN_A_LIST).await?;
        Ok(Found {
            now: single(tx, "-- pages.now\nSELECT tm_now()", &[]).await?,
            next,
            jobs,
            standings: standing::read(tx).await?,
            incomplete: rows.incomplete && !more,
        })
    }
}

/// What was found so far.
#[derive(Debug)]
struct Rows {
    /// One more than the page has, which tells whether there is another page.
    wanted: i64,
    found: Vec<(JobSummary, FoundPlace)>,
    incomplete: bool,
}

impl Rows {
    fn missing(&self) -> i64 {
        self.wanted - i64::try_from(self.found.len()).unwrap_or(i64::MAX)
    }
}

/// By which time ended jobs are ordered: the one that the filter speaks of, so that an index holds what it bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Finished,
    Submitted,
}

impl Order {
    fn of(filter: &JobFilter) -> Self {
        let bounds = |from: Option<_>, to: Option<_>| from.is_some() || to.is_some();
        if bounds(filter.submitted_from, filter.submitted_to)
            && !bounds(filter.finished_from, filter.finished_to)
        {
            Self::Submitted
        } else {
            Self::Finished
        }
    }

    fn column(self) -> &'static str {
        match self {
            Self::Finished => "finished_at",
            Self::Submitted => "submitted_at",
        }
    }

    /// The parameters that bound it.
    fn bounds(self) -> (&'static str, &'static str) {
        match self {
            Self::Finished => ("$10", "$11"),
            Self::Submitted => ("$8", "$9"),
        }
    }
}

impl SearchJobs {
    async fn add_unfinished(&self, tx: &Transaction<'_>, to: &mut Rows) -> Result<(), Error> {
        let values = Values::from(&self.filter);
        let after = self.after.map(|place| place.at);
        let id = self.after.map_or(Uuid::max(), |place| place.id);
        let own: [&(dyn ToSql + Sync); 3] = [&to.wanted, &after, &id];
        for row in rows(tx, &unfinished_statement(), &values.with(&own)).await? {
            let job = unfinished(&row)?;
            let place = FoundPlace {
                ended: false,
                at: job.submitted_at,
                id: job.id.0,
            };
            to.found.push((job, place));
        }
        Ok(())
    }

    async fn add_ended(&self, tx: &Transaction<'_>, to: &mut Rows) -> Result<(), Error> {
        let order = Order::of(&self.filter);
        if is_in_an_index(&self.filter) {
            return self.add_listed(tx, to).await;
        }
        let is_known = self.filter.process.is_some() || self.filter.step.is_some();
        if !is_known {
            let found = self.ended(tx, to, &walk_statement(order), &WALK_SHORT).await?;
            if is_full(&found, to) {
                return Self::add(order, &found, to);
            }
        }
        let has_index = is_known || self.can_use_parts(tx).await?;
        if has_index {
            let found = self.ended(tx, to, &few_statement(order), &(SORT_MAX + 1)).await?;
            let all: i64 = found.first().map_or(Ok(0), |row| row.try_get("all_found"))?;
            if all <= SORT_MAX {
                return Self::add(order, &found, to);
            }
        }
        let found = self.ended(tx, to, &walk_statement(order), &WALK_LONG).await?;
        to.incomplete = !is_full(&found, to) && (has_index || more_than(tx, WALK_LONG).await?);
        Self::add(order, &found, to)
    }

    async fn add_listed(&self, tx: &Transaction<'_>, to: &mut Rows) -> Result<(), Error> {
        let after = self.after.filter(|place| place.ended);
        let newest = Newest {
            states: &self.ended_states(),
            plugin: self.filter.plugin.as_deref(),
            among: self.filter.among.as_deref(),
            from: self.filter.finished_from,
            to: self.filter.finished_to,
            after: after.map(|place| HistoryKey {
                finished_at: place.at,
                id: place.id,
            }),
            rows: to.missing(),
        };
        for (job, key) in newest.read(tx).await? {
            let place = FoundPlace {
                ended: true,
                at: key.finished_at,
                id: key.id,
            };
            to.found.push((job, place));
        }
        Ok(())
    }

    /// What a statement finds; `last` is its last parameter.
    async fn ended(
        &self,
        tx: &Transaction<'_>,
        to: &Rows,
        statement: &str,
        last: &(dyn ToSql + Sync),
    ) -> Result<Vec<Row>, Error> {
        let values = Values::from(&self.filter);
        let after = self.after.filter(|place| place.ended);
        let at = after.map(|place| place.at);
        let id = after.map_or(Uuid::max(), |place| place.id);
        let missing = to.missing();
        let own: [&(dyn ToSql + Sync); 4] = [&missing, &at, &id, last];
        rows(tx, statement, &values.with(&own)).await
    }

    fn add(order: Order, found: &[Row], to: &mut Rows) -> Result<(), Error> {
        for row in found {
            let job = finished(row)?;
            let place = FoundPlace {
                ended: true,
                at: row.try_get(order.column())?,
                id: job.id.0,
            };
            to.found.push((job, place));
        }
        Ok(())
    }

    fn ended_states(&self) -> Vec<&'static str> {
        let is_wanted = |state: &JobState| {
            state.is_final() && (self.filter.states.is_empty() || self.filter.states.contains(state))
        };
        JobState::ALL
            .into_iter()
            .filter(is_wanted)
            .map(JobState::as_str)
            .collect()
    }

    /// Whether there is an index for parts, where one is needed.
    async fn can_use_parts(&self, tx: &Transaction<'_>) -> Result<bool, Error> {
        if self.filter.title.is_none() && self.filter.error.is_none() {
            return Ok(true);
        }
        has_parts(tx).await
    }
}

/// Whether the indexes for parts of titles and errors are there: they need an extension of PostgreSQL.
pub(super) async fn has_parts(tx: &Transaction<'_>) -> Result<bool, Error> {
    single(
        tx,
        "-- pages.has_parts\nSELECT to_regclass('job_history_title_parts') IS NOT NULL
             AND to_regclass('job_history_error_parts') IS NOT NULL
             AND to_regclass('jobs_title_parts') IS NOT NULL",
        &[],
    )
    .await
}

fn is_full(found: &[Row], to: &Rows) -> bool {
    i64::try_from(found.len()).is_ok_and(|found| found >= to.missing())
}

/// Whether there are more ended jobs than this.
async fn more_than(tx: &Transaction<'_>, number: i64) -> Result<bool, Error> {
    single(
        tx,
        "-- pages.search_more
         SELECT EXISTS (SELECT FROM job_history ORDER BY finished_at DESC, id DESC OFFSET $1 LIMIT 1)",
        &[&number],
    )
    .await
}

/// Only plugin, states and the time of the end are asked for: an index has them in the order of the list.
fn is_in_an_index(filter: &JobFilter) -> bool {
    let indexed = JobFilter {
        plugin: filter.plugin.clone(),
        states: filter.states.clone(),
        finished_from: filter.finished_from,
        finished_to: filter.finished_to,
        among: filter.among.clone(),
        ..JobFilter::default()
    };
    *filter == indexed
}

/// The number of a statement's own parameter.
fn own(number: usize) -> String {
    format!("${}", PARAMETERS + number)
}

/// Own parameters: number of rows; the place (time or null, id) behind which the page begins.
fn unfinished_statement() -> String {
    let (limit, at, id) = (own(1), own(2), own(3));
    format!(
        "-- pages.search_unfinished
         WITH j AS MATERIALIZED (
             SELECT j.id, plugin, title, j.state, priority, position, held, submitted_at, started_at,
                    p.state AS plugin_state
             FROM jobs j JOIN plugins p ON p.name = j.plugin
             WHERE {UNFINISHED}
                 AND (j.submitted_at, j.id) < (coalesce({at}::timestamptz, 'infinity'), {id}::uuid)
             ORDER BY j.submitted_at DESC, j.id DESC
             LIMIT {limit}
         )
         SELECT {UNFINISHED_COLUMNS}, j.plugin_state
         FROM j
         LEFT JOIN LATERAL (SELECT * FROM leases WHERE job_id = j.id LIMIT 1) l ON true
         LEFT JOIN LATERAL (SELECT process_id, step_id FROM job_details WHERE job_id = j.id LIMIT 1) d ON true
         ORDER BY j.submitted_at DESC, j.id DESC"
    )
}

/// Own parameters: number of rows; the place behind which the page begins; how many jobs are walked through. They are
/// passed one by one and only until the page is full, so that what is common costs little.
pub(super) fn walk_statement(order: Order) -> String {
    let (limit, at, id, depth) = (own(1), own(2), own(3), own(4));
    let (column, (from, to)) = (order.column(), order.bounds());
    format!(
        "-- pages.search_walk
         SELECT {FINISHED_COLUMNS}
         FROM (
             SELECT * FROM job_history
             WHERE ({column}, id) < (coalesce({at}::timestamptz, 'infinity'), {id}::uuid)
               AND ({from}::timestamptz IS NULL OR {column} >= {from})
               AND ({to}::timestamptz IS NULL OR {column} < {to})
             ORDER BY {column} DESC, id DESC
             LIMIT {depth}
         ) AS h
         WHERE {ENDED}
         ORDER BY {column} DESC, id DESC
         LIMIT {limit}"
    )
}

/// Own parameters: number of rows; the place behind which the page begins; how many rows may be found and sorted.
pub(super) fn few_statement(order: Order) -> String {
    let (limit, at, id, most) = (own(1), own(2), own(3), own(4));
    let column = order.column();
    format!(
        "-- pages.search_few
         WITH few AS MATERIALIZED (
             SELECT {FINISHED_COLUMNS} FROM job_history h
             WHERE {ENDED} AND (h.{column}, h.id) < (coalesce({at}::timestamptz, 'infinity'), {id}::uuid)
             LIMIT {most}
         )
         SELECT few.*, (SELECT count(*) FROM few) AS all_found FROM few
         ORDER BY {column} DESC, id DESC
         LIMIT {limit}"
    )
}

#[cfg(test)]
mod tests;
