//! Unfinished jobs in their order: running ones first, then by priority, then by position.
//!
//! Invariant: the index `jobs_by_plugin` holds each plugin's jobs of one state in exactly this order. A page
//! takes its first rows from each (plugin, state) and merges them, so it costs the same with a hundred thousand
//! waiting jobs as with ten.

use shared::job::JobState;
use uuid::Uuid;

use super::line::{self, AHEAD_IN_A_LIST};
use super::list::{JobList, ListJobs, Place, QueueKey};
use super::{UNFINISHED_COLUMNS, rows, unfinished};
use crate::db::{Error, Transaction};

/// Lies before every job of its rank.
const FIRST: QueueKey = QueueKey {
    rank: 0,
    priority_negated: i16::MIN,
    position: i64::MIN,
    id: Uuid::nil(),
};

pub(super) async fn read(tx: &Transaction<'_>, list: &ListJobs) -> Result<JobList, Error> {
    let after = match list.after {
        Some(Place::Queue(key)) => key,
        Some(Place::History(_)) | None => FIRST,
    };
    let (states, starts): (Vec<&str>, Vec<QueueKey>) = JobState::ALL
        .into_iter()
        .filter(|state| !state.is_final())
        .map(|state| (state.as_str(), rank(state)))
        .filter(|(_, rank)| *rank >= after.rank)
        .map(|(state, rank)| {
            (
                state,
                if rank == after.rank {
                    after
                } else {
                    QueueKey { rank, ..FIRST }
                },
            )
        })
        .unzip();
    let ranks: Vec<i16> = starts.iter().map(|start| start.rank).collect();
    let priorities: Vec<i16> = starts.iter().map(|start| start.priority_negated).collect();
    let positions: Vec<i64> = starts.iter().map(|start| start.position).collect();
    let ids: Vec<Uuid> = starts.iter().map(|start| start.id).collect();
    let rows = rows(
        tx,
        &statement(),
        &[
            &states,
            &ranks,
            &priorities,
            &positions,
            &ids,
            &(list.limit + 1),
            &list.plugin,
        ],
    )
    .await?;
    let page = rows
        .iter()
        .map(|row| {
            let job = unfinished(row)?;
            let key = QueueKey {
                rank: row.try_get("rank")?,
                priority_negated: row.try_get("priority_negated")?,
                position: row.try_get("position")?,
                id: job.id.0,
            };
            Ok((job, Place::Queue(key)))
        })
        .collect::<Result<_, Error>>()?;
    let mut page = list.page(page);
    line::add(tx, &mut page.jobs, AHEAD_IN_A_LIST).await?;
    Ok(page)
}

fn rank(state: JobState) -> i16 {
    i16::from(!state.is_running())
}

/// Parameters: states with their ranks and the place (priority, position, id) behind which each begins; the
/// number of rows; the plugin or null.
pub(super) fn statement() -> String {
    format!(
        "-- pages.queue
         WITH j AS MATERIALIZED (
             SELECT listed.*, s.rank, p.state AS plugin_state
             FROM plugins p
             CROSS JOIN unnest($1::text[], $2::smallint[], $3::smallint[], $4::bigint[], $5::uuid[])
                 AS s (state, rank, priority, position, id)
             CROSS JOIN LATERAL (
                 SELECT id, plugin, title, state, priority, -effective_priority AS priority_negated, position, held, submitted_at, started_at
                 FROM jobs
                 WHERE plugin = p.name AND state = s.state
                   AND (-effective_priority, position, id) > (s.priority, s.position, s.id)
                 ORDER BY -effective_priority, position, id
                 LIMIT $6
             ) AS listed
             WHERE $7::text IS NULL OR p.name = $7
             ORDER BY s.rank, listed.priority_negated, listed.position, listed.id
             LIMIT $6
         )
         SELECT {UNFINISHED_COLUMNS}, j.plugin_state, j.rank, j.priority_negated
         FROM j
         -- One probe a row: how many rows there are is a parameter, so a plan could not know it.
         LEFT JOIN LATERAL (SELECT * FROM leases WHERE job_id = j.id LIMIT 1) l ON true
         LEFT JOIN LATERAL (SELECT process_id, step_id FROM job_details WHERE job_id = j.id LIMIT 1) d ON true
         ORDER BY j.rank, j.priority_negated, j.position, j.id"
    )
}
