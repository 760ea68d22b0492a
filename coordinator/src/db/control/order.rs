//! The order in which waiting jobs start: places among equals, and priorities that rise with waiting.
//!
//! A change of order makes messages stale that are published already; new ones follow in the new order.

use deadpool_postgres::Transaction;
use shared::job::JobId;
use shared::job::decide::{self, Job};
use uuid::Uuid;

use crate::control::Place;
use crate::db::{Error, Transact, job_row};

/// Most jobs that one transaction lets age.
const BATCH: i64 = 500;

/// Moves a waiting job, whose row is locked, among those of its plugin and priority; `false` when it has that place
/// already.
pub(super) async fn move_to(tx: &Transaction<'_>, id: JobId, to: Place) -> Result<bool, Error> {
    let statement = match to {
        // The neighbour's row is locked out of the order of ids: two such moves may meet, and one is repeated.
        Place::Up => {
            "-- order.up
             WITH moved AS (SELECT id, plugin, effective_priority, position FROM jobs WHERE id = $1),
             neighbour AS (
                 SELECT jobs.id, jobs.position FROM jobs, moved
                 WHERE jobs.plugin = moved.plugin AND jobs.state = 'QUEUED'
                     AND jobs.effective_priority = moved.effective_priority
                     AND (jobs.position, jobs.id) < (moved.position, moved.id)
                 ORDER BY jobs.position DESC, jobs.id DESC LIMIT 1)
             UPDATE jobs SET position = CASE WHEN jobs.id = moved.id THEN neighbour.position ELSE moved.position END
             FROM moved, neighbour WHERE jobs.id IN (moved.id, neighbour.id)"
        }
        Place::Down => {
            "-- order.down
             WITH moved AS (SELECT id, plugin, effective_priority, position FROM jobs WHERE id = $1),
             neighbour AS (
                 SELECT jobs.id, jobs.position FROM jobs, moved
                 WHERE jobs.plugin = moved.plugin AND jobs.state = 'QUEUED'
                     AND jobs.effective_priority = moved.effective_priority
                     AND (jobs.position, jobs.id) > (moved.position, moved.id)
                 ORDER BY jobs.position, jobs.id LIMIT 1)
             UPDATE jobs SET position = CASE WHEN jobs.id = moved.id THEN neighbour.position ELSE moved.position END
             FROM moved, neighbour WHERE jobs.id IN (moved.id, neighbour.id)"
        }
        Place::Top => {
            "-- order.top
             UPDATE jobs SET position = first.position - 1
             FROM (
                 SELECT jobs.position, jobs.id FROM jobs, jobs AS moved
                 WHERE moved.id = $1 AND jobs.plugin = moved.plugin AND jobs.state = 'QUEUED'
                     AND jobs.effective_priority = moved.effective_priority
                 ORDER BY jobs.position, jobs.id LIMIT 1) AS first
             WHERE jobs.id = $1 AND first.id <> $1"
        }
        Place::Bottom => {
            "-- order.bottom
             UPDATE jobs SET position = nextval('job_positions')
             FROM (
                 SELECT jobs.id FROM jobs, jobs AS moved
                 WHERE moved.id = $1 AND jobs.plugin = moved.plugin AND jobs.state = 'QUEUED'
                     AND jobs.effective_priority = moved.effective_priority
                 ORDER BY jobs.position DESC, jobs.id DESC LIMIT 1) AS last
             WHERE jobs.id = $1 AND last.id <> $1"
        }
    };
    let statement = tx.prepare_cached(statement).await?;
    let moved = tx.execute(&statement, &[&id.0]).await? > 0;
    if moved {
        let note = tx
            .prepare_cached(
                "-- order.note_level
                 INSERT INTO levels_to_reorder (plugin, effective_priority)
                 SELECT plugin, effective_priority FROM jobs WHERE id = $1 ON CONFLICT DO NOTHING",
            )
            .await?;
        tx.execute(&note, &[&id.0]).await?;
    }
    Ok(moved)
}

/// Has the messages of levels whose jobs have changed places replaced; gives how many.
#[derive(Debug)]
pub struct Reorder;

impl Transact for Reorder {
    const NAME: &'static str = "order.reorder";
    type Output = usize;

    async fn run(&self, tx: &Transaction<'_>) -> Result<usize, Error> {
        // Jobs before levels, as moves do; a level that a move names meanwhile stays for the next time.
        let levels = tx
            .query(
                "-- order.levels\nSELECT plugin, effective_priority FROM levels_to_reorder",
                &[],
            )
            .await?;
        if levels.is_empty() {
            return Ok(0);
        }
        let plugins: Vec<&str> = levels.iter().map(|row| row.get(0)).collect();
        let priorities: Vec<i16> = levels.iter().map(|row| row.get(1)).collect();
        let published = tx
            .prepare_cached(
                "-- order.published
                 SELECT jobs.id FROM jobs
                 JOIN unnest($1::text[], $2::smallint[]) AS level(plugin, effective_priority)
                     USING (plugin, effective_priority)
                 WHERE jobs.state = 'QUEUED' AND jobs.published_dispatch = jobs.dispatch",
            )
            .await?;
        let ids: Vec<JobId> = tx
            .query(&published, &[&plugins, &priorities])
            .await?
            .iter()
            .map(|row| JobId(row.get(0)))
            .collect();
        let replaced = replace_messages(tx, &ids).await?;
        let forget = tx
            .prepare_cached(
                "-- order.forget_levels
                 WITH locked AS (
                     SELECT plugin, effective_priority FROM levels_to_reorder
                     JOIN unnest($1::text[], $2::smallint[]) AS level(plugin, effective_priority)
                         USING (plugin, effective_priority)
                     ORDER BY plugin, effective_priority FOR UPDATE OF levels_to_reorder
                 )
                 DELETE FROM levels_to_reorder USING locked
                 WHERE (levels_to_reorder.plugin, levels_to_reorder.effective_priority)
                     = (locked.plugin, locked.effective_priority)",
            )
            .await?;
        tx.execute(&forget, &[&plugins, &priorities]).await?;
        Ok(replaced)
    }
}

/// Raises the effective priority of jobs that have waited long enough, where their plugin's settings say so; gives
/// how many.
#[derive(Debug)]
pub struct Age;

impl Transact for Age {
    const NAME: &'static str = "order.age";
    type Output = usize;

    async fn run(&self, tx: &Transaction<'_>) -> Result<usize, Error> {
        let due = tx
            .prepare_cached(
                "-- order.due
                 SELECT jobs.id, bonus.now FROM jobs JOIN plugins ON plugins.name = jobs.plugin
                 CROSS JOIN LATERAL (SELECT least(10 - jobs.priority, floor(
                     extract(epoch FROM tm_now() - jobs.queued_at) / 60 / plugins.ageing_minutes))::smallint AS now
                 ) AS bonus
                 WHERE plugins.ageing_minutes IS NOT NULL AND jobs.state = 'QUEUED' AND NOT jobs.held
                     AND jobs.age_bonus < bonus.now
                 ORDER BY jobs.id LIMIT $1",
            )
            .await?;
        let due = tx.query(&due, &[&BATCH]).await?;
        let ids: Vec<JobId> = due.iter().map(|row| JobId(row.get(0))).collect();
        let aged = replace_messages(tx, &ids).await?;
        let uuids: Vec<Uuid> = due.iter().map(|row| row.get(0)).collect();
        let bonuses: Vec<i16> = due.iter().map(|row| row.get(1)).collect();
        let raise = tx
            .prepare_cached(
                "-- order.raise
                 UPDATE jobs SET age_bonus = new.bonus FROM unnest($1::uuid[], $2::smallint[]) AS new(id, bonus)
                 WHERE jobs.id = new.id AND jobs.state = 'QUEUED'",
            )
            .await?;
        tx.execute(&raise, &[&uuids, &bonuses]).await?;
        Ok(aged)
    }
}

async fn replace_messages(tx: &Transaction<'_>, ids: &[JobId]) -> Result<usize, Error> {
    if ids.is_empty() {
        return Ok(0);
    }
    let replaced: Vec<(JobId, Job)> = job_row::lock(tx, ids)
        .await?
        .into_iter()
        .filter_map(|(id, job)| Some((id, decide::replace_message(&job)?)))
        .collect();
    job_row::save(tx, &replaced).await?;
    Ok(replaced.len())
}
