//! The first active jobs of all plugins: running ones, then those that are shown as PAUSED, each in the queue's order.
//!
//! Invariant: each (plugin, state) is read through `jobs_by_plugin`, held jobs through `jobs_held`; so the few active
//! jobs are found without passing the many that wait.

use shared::job::JobState;

use super::line::{self, AHEAD_IN_A_LIST};
use super::{JobSummary, UNFINISHED_COLUMNS, rows, unfinished};
use crate::db::{Error, Transaction};

pub(super) async fn read(tx: &Transaction<'_>, limit: i64) -> Result<Vec<JobSummary>, Error> {
    let running: Vec<&str> = JobState::ALL
        .into_iter()
        .filter(|state| state.is_running())
        .map(JobState::as_str)
        .collect();
    let rows = rows(tx, &statement(), &[&running, &limit]).await?;
    let mut jobs: Vec<JobSummary> = rows.iter().map(unfinished).collect::<Result<_, _>>()?;
    line::add(tx, &mut jobs, AHEAD_IN_A_LIST).await?;
    Ok(jobs)
}

/// Parameters: the running states; the number of rows.
pub(super) fn statement() -> String {
    let listed = |rank: i16, which: &str, from: &str| {
        format!(
            "SELECT listed.*, {rank}::smallint AS rank, p.state AS plugin_state
             FROM plugins p {from} CROSS JOIN LATERAL (
                 SELECT id, plugin, title, state, priority, -effective_priority AS priority_negated, position, held,
                        submitted_at, started_at
                 FROM jobs WHERE plugin = p.name AND {which}
                 ORDER BY -effective_priority, position, id LIMIT $2
             ) AS listed"
        )
    };
    let running = listed(0, "state = s.state", "CROSS JOIN unnest($1::text[]) AS s (state)");
    let stopped = listed(1, "state = 'QUEUED' AND p.state <> 'running'", "");
    let held = listed(1, "state = 'QUEUED' AND held AND p.state = 'running'", "");
    format!(
        "-- pages.active
         WITH j AS MATERIALIZED (
             SELECT * FROM ({running} UNION ALL {stopped} UNION ALL {held}) AS listed
             ORDER BY rank, priority_negated, position, id LIMIT $2
         )
         SELECT {UNFINISHED_COLUMNS}, j.plugin_state, j.rank, j.priority_negated
         FROM j
         LEFT JOIN LATERAL (SELECT * FROM leases WHERE job_id = j.id LIMIT 1) l ON true
         LEFT JOIN LATERAL (SELECT process_id, step_id FROM job_details WHERE job_id = j.id LIMIT 1) d ON true
         ORDER BY j.rank, j.priority_negated, j.position, j.id"
    )
}
