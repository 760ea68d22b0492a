//! The dispatcher's transactions: pick what is to be published, mark what was, find what the broker has lost.

use std::cmp::Reverse;

use deadpool_postgres::Transaction;
use shared::job::{JobId, Priority};
use shared::message::dispatch::Dispatch;
use shared::plugin::PluginName;
use uuid::Uuid;

use super::{Error, Transact};

#[cfg(test)]
mod tests;

/// Picks jobs whose current dispatch is not published, best first, as far as each level's window has room, and
/// reserves them for ten seconds.
#[derive(Debug)]
pub struct Pick {
    /// Published messages that each priority level of a plugin holds at most.
    pub window: i64,
}

impl Transact for Pick {
    const NAME: &'static str = "dispatch.pick";
    type Output = Vec<(Dispatch, Priority)>;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        let statement = tx.prepare_cached(PICK).await?;
        let mut rows = tx.query(&statement, &[&self.window]).await?;
        rows.sort_by_key(|row| {
            (
                Reverse(row.get::<_, i16>(3)),
                Reverse(row.get::<_, i16>(5)),
                row.get::<_, i64>(4),
            )
        });
        rows.iter()
            .map(|row| {
                let id = JobId(row.get(0));
                let bad = |column| Error::Inconsistent {
                    table: "jobs",
                    column,
                    row: id.to_string(),
                };
                let plugin: PluginName = row.get::<_, &str>(1).parse().map_err(|_| bad("plugin"))?;
                let priority =
                    Priority::try_from(i64::from(row.get::<_, i16>(3))).map_err(|_| bad("priority"))?;
                Ok((
                    Dispatch {
                        plugin,
                        job_id: id,
                        dispatch: row.get(2),
                    },
                    priority,
                ))
            })
            .collect()
    }
}

/// One statement, as each part of it depends on what the others have found.
const PICK: &str = "-- dispatch.pick
    WITH open_plugin AS (
        SELECT name AS plugin, plugins.autostart AND settings.autostart AS autostart,
               running_max - coalesce(limit_keys.running, 0) AS free
        FROM plugins CROSS JOIN settings
        LEFT JOIN limit_keys ON limit_keys.key = 'plugin:' || name
        WHERE state = 'running' AND has_quota(name)
    ), waiting_level AS (
        SELECT plugin, free, level::smallint AS priority
        FROM open_plugin CROSS JOIN generate_series(0, 10) AS level
        WHERE autostart AND EXISTS (
            SELECT 1 FROM jobs
            WHERE jobs.plugin = open_plugin.plugin AND jobs.effective_priority = level
                AND jobs.state = 'QUEUED' AND NOT jobs.held AND jobs.waits_for IS NULL
                AND jobs.published_dispatch < jobs.dispatch)
    ), level_room AS (
        -- A job that can't start for its plugin's limit is not published. What is published already
        -- with a lower priority does not stand in the way.
        SELECT plugin, priority, greatest(0, least(
            $1 - (
                SELECT count(*) FROM jobs
                WHERE jobs.plugin = waiting_level.plugin
                    AND jobs.effective_priority = waiting_level.priority
                    AND jobs.state = 'QUEUED' AND jobs.published_dispatch = jobs.dispatch),
            free - CASE WHEN free IS NULL THEN 0 ELSE (
                SELECT count(*) FROM jobs
                WHERE jobs.plugin = waiting_level.plugin
                    AND jobs.effective_priority >= waiting_level.priority
                    AND jobs.state = 'QUEUED' AND jobs.published_dispatch = jobs.dispatch) END)) AS room
        FROM waiting_level
    ), candidate AS (
        SELECT best.id, level_room.plugin, best.effective_priority, best.position
        FROM level_room CROSS JOIN LATERAL (
            SELECT id, effective_priority, position FROM jobs
            WHERE jobs.plugin = level_room.plugin AND jobs.effective_priority = level_room.priority
                AND jobs.state = 'QUEUED' AND NOT jobs.held AND jobs.waits_for IS NULL
                AND jobs.published_dispatch < jobs.dispatch
                AND (jobs.relay_until IS NULL OR jobs.relay_until < tm_now())
            ORDER BY jobs.position LIMIT level_room.room FOR UPDATE SKIP LOCKED) AS best
    ), waiter AS (
        -- Those whose claim was refused for a storage, by plugin, and how many of them are on their way already.
        -- What waits in its turn does not stand in the way of what a person starts.
        SELECT waits_for AS key, plugin, start_now, sum(
            count(*) FILTER (WHERE published_dispatch = dispatch OR relay_until >= tm_now())
        ) OVER (PARTITION BY waits_for, plugin ORDER BY start_now DESC) AS published
        FROM jobs WHERE waits_for IS NOT NULL AND state = 'QUEUED' GROUP BY waits_for, plugin, start_now
    ), storage_room AS (
        -- They wait until it has room: of each plugin as many are published as it takes. Which of them start, their
        -- claims decide: a plugin that nobody serves keeps no other one out. One without a limit takes all.
        SELECT key, plugin, start_now, autostart AND (free IS NULL OR free > 0) AS by_itself,
            greatest(0, least($1, storages.running_max - coalesce(running, 0)) - published)::bigint AS room
        FROM waiter JOIN open_plugin USING (plugin)
        LEFT JOIN limit_keys USING (key) LEFT JOIN storages ON key = 'storage:' || path
    ), woken AS (
        SELECT best.* FROM storage_room CROSS JOIN LATERAL (
            SELECT id, jobs.plugin, effective_priority, position, jobs.start_now FROM jobs
            WHERE jobs.waits_for = storage_room.key AND jobs.plugin = storage_room.plugin
                AND jobs.start_now = storage_room.start_now AND jobs.state = 'QUEUED' AND NOT jobs.held
                AND jobs.published_dispatch < jobs.dispatch
                AND (jobs.relay_until IS NULL OR jobs.relay_until < tm_now())
            ORDER BY -effective_priority, position LIMIT storage_room.room
            FOR UPDATE SKIP LOCKED) AS best
        WHERE storage_room.start_now OR by_itself
    ), picked AS (
        SELECT id FROM (
            SELECT best.id, open_plugin.free, row_number() OVER (
                PARTITION BY plugin ORDER BY effective_priority DESC, position) AS place
            FROM (
                SELECT * FROM candidate
                UNION ALL SELECT id, plugin, effective_priority, position FROM woken WHERE NOT start_now
            ) AS best JOIN open_plugin USING (plugin)) AS placed
        WHERE free IS NULL OR place <= free
        UNION SELECT id FROM woken WHERE start_now
        UNION
        SELECT wanted.id FROM open_plugin CROSS JOIN LATERAL (
            SELECT id FROM jobs
            WHERE jobs.plugin = open_plugin.plugin AND jobs.start_now AND jobs.state = 'QUEUED'
                AND NOT jobs.held AND jobs.waits_for IS NULL AND jobs.published_dispatch < jobs.dispatch
                AND (jobs.relay_until IS NULL OR jobs.relay_until < tm_now())
            ORDER BY jobs.position LIMIT $1 FOR UPDATE SKIP LOCKED) AS wanted
    )
    UPDATE jobs SET relay_until = tm_now() + interval '10 seconds'
    FROM picked WHERE jobs.id = picked.id
    -- What a person starts, and what a storage has room for now, overtakes what the queue holds already.
    RETURNING jobs.id, jobs.plugin, jobs.dispatch,
        CASE WHEN jobs.start_now OR jobs.waits_for IS NOT NULL THEN 10::smallint ELSE jobs.effective_priority END,
        jobs.position, CASE WHEN jobs.start_now THEN 10::smallint ELSE jobs.effective_priority END";

/// Marks dispatches as published, and frees the reservation of those that could not be.
#[derive(Debug)]
pub struct Mark<'a> {
    /// Confirmed by the broker.
    pub published: &'a [Dispatch],
    /// Not published; to be picked again.
    pub failed: &'a [Dispatch],
}

impl Transact for Mark<'_> {
    const NAME: &'static str = "dispatch.mark";
    type Output = ();

    async fn run(&self, tx: &Transaction<'_>) -> Result<(), Error> {
        // All of them at once, in the order of their ids, as everybody else does.
        let ids: Vec<Uuid> = self
            .published
            .iter()
            .chain(self.failed)
            .map(|d| d.job_id.0)
            .collect();
        let lock = tx
            .prepare_cached(
                "-- dispatch.lock
                 SELECT 1 FROM jobs WHERE id = ANY($1) ORDER BY id FOR UPDATE",
            )
            .await?;
        tx.execute(&lock, &[&ids]).await?;
        let (ids, numbers) = columns(self.published);
        let mark = tx
            .prepare_cached(
                "-- dispatch.mark
                 UPDATE jobs SET published_dispatch = new.dispatch, published_at = tm_now(), relay_until = NULL
                 FROM unnest($1::uuid[], $2::bigint[]) AS new(id, dispatch)
                 WHERE (jobs.id, jobs.dispatch) = (new.id, new.dispatch)",
            )
            .await?;
        tx.execute(&mark, &[&ids, &numbers]).await?;
        if !self.failed.is_empty() {
            let (ids, numbers) = columns(self.failed);
            let free = tx
                .prepare_cached(
                    "-- dispatch.free
                     UPDATE jobs SET relay_until = NULL FROM unnest($1::uuid[], $2::bigint[]) AS new(id, dispatch)
                     WHERE (jobs.id, jobs.dispatch) = (new.id, new.dispatch)",
                )
                .await?;
            tx.execute(&free, &[&ids, &numbers]).await?;
        }
        Ok(())
    }
}

fn columns(dispatches: &[Dispatch]) -> (Vec<Uuid>, Vec<i64>) {
    dispatches.iter().map(|d| (d.job_id.0, d.dispatch)).unzip()
}

/// How many published jobs of each plugin nobody has claimed for some time.
#[derive(Debug)]
pub struct Unclaimed {
    /// Published at least this long ago, seconds.
    pub older_than_seconds: f64,
}

impl Transact for Unclaimed {
    const NAME: &'static str = "dispatch.unclaimed";
    /// Plugin, jobs published, and the age of the oldest such publication in seconds.
    type Output = Vec<(PluginName, i64, f64)>;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        let statement = tx
            .prepare_cached(
                "-- dispatch.unclaimed
                 SELECT plugin, count(*), max(extract(epoch FROM tm_now() - published_at))::float8
                 FROM jobs WHERE state = 'QUEUED' AND published_dispatch = dispatch
                     AND published_at < tm_now() - make_interval(secs => $1)
                 GROUP BY plugin",
            )
            .await?;
        tx.query(&statement, &[&self.older_than_seconds])
            .await?
            .iter()
            .map(|row| {
                let plugin = row.get::<_, &str>(0).parse().map_err(|_| Error::Inconsistent {
                    table: "jobs",
                    column: "plugin",
                    row: row.get(0),
                })?;
                Ok((plugin, row.get(1), row.get(2)))
            })
            .collect()
    }
}

/// Has every published, unclaimed job of a plugin published once more (under the same number: should the first
/// message still be there, the second is refused).
#[derive(Debug)]
pub struct Redispatch<'a> {
    /// The plugin.
    pub plugin: &'a PluginName,
}

impl Transact for Redispatch<'_> {
    const NAME: &'static str = "dispatch.redispatch";
    type Output = u64;

    async fn run(&self, tx: &Transaction<'_>) -> Result<u64, Error> {
        let statement = tx
            .prepare_cached(
                "-- dispatch.redispatch
                 WITH locked AS (
                     SELECT id FROM jobs WHERE plugin = $1 AND state = 'QUEUED' AND published_dispatch = dispatch
                     ORDER BY id FOR UPDATE
                 )
                 UPDATE jobs SET published_dispatch = dispatch - 1, relay_until = NULL
                 FROM locked WHERE jobs.id = locked.id",
            )
            .await?;
        Ok(tx.execute(&statement, &[&self.plugin.as_str()]).await?)
    }
}
