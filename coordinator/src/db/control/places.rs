//! Places of waiting jobs in the line of their plugin and priority.
//!
//! Invariant: who changes places in a plugin's line holds that line's lock, taken before any row: of two people who
//! move jobs at once one is first, and the other one's move begins from what that has left. No two jobs have one
//! place; jobs that are claimed, or come back, meanwhile keep theirs.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use deadpool_postgres::Transaction;
use shared::job::JobId;
use shared::job::decide::{Place, rearrange};
use uuid::Uuid;

use crate::db::Error;

#[cfg(test)]
mod tests;

/// First half of the advisory locks of lines; the second one is derived from the plugin's name.
const LINES: i32 = 0x6c69_6e65;

/// A line: plugin and effective priority.
type Line = (String, i16);

/// A job's place in its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Standing {
    position: i64,
    id: Uuid,
}

/// Locks the lines of these jobs; gives those waiting ones that they may change places with, so that they can be
/// locked with them.
pub(super) async fn neighbours(tx: &Transaction<'_>, ids: &[JobId], to: Place) -> Result<Vec<JobId>, Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let lock = tx
        .prepare_cached(
            "-- places.lock_lines
             SELECT pg_advisory_xact_lock($2, key) FROM (
                 SELECT DISTINCT hashtext(plugin) AS key FROM jobs WHERE id = ANY($1) ORDER BY key) AS line",
        )
        .await?;
    tx.execute(&lock, &[&ids, &LINES]).await?;
    let statement = match to {
        Place::Up => {
            "-- places.before
             SELECT near.id FROM jobs CROSS JOIN LATERAL (
                 SELECT id FROM jobs AS other
                 WHERE other.plugin = jobs.plugin AND other.state = 'QUEUED'
                     AND -other.effective_priority = -jobs.effective_priority
                     AND (other.position, other.id) < (jobs.position, jobs.id)
                 ORDER BY other.position DESC, other.id DESC LIMIT 1) AS near
             WHERE jobs.id = ANY($1)"
        }
        Place::Down => {
            "-- places.behind
             SELECT near.id FROM jobs CROSS JOIN LATERAL (
                 SELECT id FROM jobs AS other
                 WHERE other.plugin = jobs.plugin AND other.state = 'QUEUED'
                     AND -other.effective_priority = -jobs.effective_priority
                     AND (other.position, other.id) > (jobs.position, jobs.id)
                 ORDER BY other.position, other.id LIMIT 1) AS near
             WHERE jobs.id = ANY($1)"
        }
        // They get new places.
        Place::Top | Place::Bottom => return Ok(Vec::new()),
    };
    let statement = tx.prepare_cached(statement).await?;
    let rows = tx.query(&statement, &[&ids]).await?;
    Ok(rows.iter().map(|row| JobId(row.get(0))).collect())
}

/// Moves waiting jobs, each in its line; gives those that have moved. Their rows and those of their [`neighbours`] must
/// be locked.
pub(super) async fn change(
    tx: &Transaction<'_>,
    jobs: &[JobId],
    to: Place,
    neighbours: &[JobId],
) -> Result<HashSet<JobId>, Error> {
    let named: HashSet<Uuid> = jobs.iter().map(|id| id.0).collect();
    let affected: Vec<Uuid> = jobs.iter().chain(neighbours).map(|id| id.0).collect();
    let mut lines: BTreeMap<Line, Vec<Standing>> = BTreeMap::new();
    let read = tx
        .prepare_cached(
            "-- places.read
             SELECT plugin, effective_priority, position, id FROM jobs WHERE id = ANY($1) ORDER BY position, id",
        )
        .await?;
    for row in tx.query(&read, &[&affected]).await? {
        let standing = Standing {
            position: row.get(2),
            id: row.get(3),
        };
        lines.entry((row.get(0), row.get(1))).or_default().push(standing);
    }
    let mut changed: Vec<Standing> = Vec::new();
    let mut moved = HashSet::new();
    let mut changed_lines = BTreeSet::new();
    for (line, standings) in lines {
        let next = match to {
            Place::Up | Place::Down => swapped(&standings, &named, to),
            Place::Top | Place::Bottom => at_the_end(tx, &line, &standings, &named, to).await?,
        };
        moved.extend(
            next.iter()
                .filter(|(job, has_moved)| *has_moved && named.contains(&job.id))
                .map(|(job, _)| JobId(job.id)),
        );
        if !next.is_empty() {
            changed_lines.insert(line);
        }
        changed.extend(next.into_iter().map(|(job, _)| job));
    }
    write(tx, &changed, &changed_lines).await?;
    Ok(moved)
}

/// New places of those that change theirs with a neighbour.
fn swapped(line: &[Standing], named: &HashSet<Uuid>, to: Place) -> Vec<(Standing, bool)> {
    let jobs: Vec<(Uuid, bool)> = line.iter().map(|job| (job.id, named.contains(&job.id))).collect();
    let places = line.iter().map(|job| job.position);
    let after = rearrange(&jobs, to).into_iter().zip(places);
    let after = after.map(|(id, position)| Standing { position, id });
    after
        .filter(|job| !line.contains(job))
        .map(|job| (job, true))
        .collect()
}

/// New places before, or behind, all others of the line; nobody moves where all stand there already. Says of each
/// whether it has passed somebody.
async fn at_the_end(
    tx: &Transaction<'_>,
    line: &Line,
    standings: &[Standing],
    named: &HashSet<Uuid>,
    to: Place,
) -> Result<Vec<(Standing, bool)>, Error> {
    let (end, places) = if to == Place::Top {
        (
            "-- places.first
             SELECT position, id FROM jobs
             WHERE plugin = $1 AND state = 'QUEUED' AND -effective_priority = -$2::smallint
             ORDER BY position, id LIMIT $3",
            "-- places.new_first
             SELECT nextval('job_positions_top') FROM generate_series(1, $1::bigint)",
        )
    } else {
        (
            "-- places.last
             SELECT position, id FROM jobs
             WHERE plugin = $1 AND state = 'QUEUED' AND -effective_priority = -$2::smallint
             ORDER BY position DESC, id DESC LIMIT $3",
            "-- places.new_last
             SELECT nextval('job_positions') FROM generate_series(1, $1::bigint)",
        )
    };
    let number = i64::try_from(standings.len()).expect("a small number");
    // One more than are named: at least one of them is another one, if there is another one.
    let end = tx.prepare_cached(end).await?;
    let end = tx.query(&end, &[&line.0, &line.1, &(number + 1)]).await?;
    let other = end.iter().find(|row| !named.contains(&row.get(1)));
    let Some(other) = other.map(|row| Standing {
        position: row.get(0),
        id: row.get(1),
    }) else {
        return Ok(Vec::new());
    };
    let passes = |job: &Standing| {
        if to == Place::Top {
            other < *job
        } else {
            *job < other
        }
    };
    if !standings.iter().any(passes) {
        return Ok(Vec::new());
    }
    let places = tx.prepare_cached(places).await?;
    let mut places: Vec<i64> = tx
        .query(&places, &[&number])
        .await?
        .iter()
        .map(|row| row.get(0))
        .collect();
    places.sort_unstable();
    let next = standings.iter().zip(places);
    Ok(next
        .map(|(job, position)| (Standing { position, ..*job }, passes(job)))
        .collect())
}

async fn write(tx: &Transaction<'_>, changed: &[Standing], lines: &BTreeSet<Line>) -> Result<(), Error> {
    if changed.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = changed.iter().map(|job| job.id).collect();
    let positions: Vec<i64> = changed.iter().map(|job| job.position).collect();
    let update = tx
        .prepare_cached(
            "-- places.write
             UPDATE jobs SET position = new.position FROM unnest($1::uuid[], $2::bigint[]) AS new(id, position)
             WHERE jobs.id = new.id",
        )
        .await?;
    tx.execute(&update, &[&ids, &positions]).await?;
    let (plugins, priorities): (Vec<&str>, Vec<i16>) = lines
        .iter()
        .map(|(plugin, priority)| (plugin.as_str(), *priority))
        .unzip();
    let note = tx
        .prepare_cached(
            "-- places.note_lines
             INSERT INTO levels_to_reorder (plugin, effective_priority)
             SELECT * FROM unnest($1::text[], $2::smallint[]) AS line(plugin, effective_priority)
             ORDER BY plugin, effective_priority ON CONFLICT DO NOTHING",
        )
        .await?;
    tx.execute(&note, &[&plugins, &priorities]).await?;
    Ok(())
}
