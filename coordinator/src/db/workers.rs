//! Workers: announcements and signs of life. A plugin's first announcement creates its row.

use std::collections::{HashMap, HashSet};

use deadpool_postgres::Transaction;
use shared::message::worker::{Announcement, Heartbeat};
use tokio_postgres::types::Json;

use super::{Error, Transact, stores};

/// Records an announcement: the worker, its plugins, and plugins that were never seen before.
#[derive(Debug)]
pub struct Announce<'a> {
    /// What the worker says.
    pub announcement: &'a Announcement,
    /// The RabbitMQ user that it said it as.
    pub amqp_user: &'a str,
    /// Where it can be reached.
    pub reply_to: &'a str,
    /// Lease of plugins that are new, seconds.
    pub lease_seconds: i32,
}

impl Transact for Announce<'_> {
    const NAME: &'static str = "workers.announce";
    /// Whether it is recorded: an id that another RabbitMQ user's worker has is not to be had.
    type Output = bool;

    async fn run(&self, tx: &Transaction<'_>) -> Result<bool, Error> {
        let said = self.announcement;
        let owner = tx
            .prepare_cached("-- workers.owner\nSELECT amqp_user FROM workers WHERE id = $1 FOR UPDATE")
            .await?;
        let owner = tx.query_opt(&owner, &[&said.worker_id]).await?;
        if owner.is_some_and(|row| row.get::<_, &str>(0) != self.amqp_user) {
            return Ok(false);
        }
        let mut offers = said.plugins.clone();
        offers.sort_by(|a, b| a.name.cmp(&b.name));
        offers.dedup_by(|a, b| a.name == b.name);
        let plugin = tx
            .prepare_cached(
                "-- workers.announce_plugin
                 INSERT INTO plugins (name, title_en, title_de, needs_source, needs_target, needs_template,
                                      lease_seconds, parameters_schema)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                 ON CONFLICT (name) DO UPDATE SET
                     title_en = EXCLUDED.title_en, title_de = EXCLUDED.title_de,
                     needs_source = EXCLUDED.needs_source, needs_target = EXCLUDED.needs_target,
                     needs_template = EXCLUDED.needs_template,
                     parameters_schema = coalesce(EXCLUDED.parameters_schema, plugins.parameters_schema)
                 WHERE (plugins.title_en, plugins.title_de, plugins.needs_source, plugins.needs_target,
                        plugins.needs_template, plugins.parameters_schema)
                     IS DISTINCT FROM (EXCLUDED.title_en, EXCLUDED.title_de, EXCLUDED.needs_source,
                        EXCLUDED.needs_target, EXCLUDED.needs_template,
                        coalesce(EXCLUDED.parameters_schema, plugins.parameters_schema))",
            )
            .await?;
        for offer in &offers {
            tx.execute(
                &plugin,
                &[
                    &offer.name.as_str(),
                    &offer.title_en,
                    &offer.title_de,
                    &offer.needs_source,
                    &offer.needs_target,
                    &offer.needs_template,
                    &self.lease_seconds,
                    &offer.parameters_schema.as_ref().map(Json),
                ],
            )
            .await?;
        }
        let worker = tx
            .prepare_cached(
                "-- workers.announce
                 INSERT INTO workers (id, name, host, version, amqp_user, draining, reply_to, checks,
                                      roots, announced_at, heartbeat_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, tm_now(), tm_now())
                 ON CONFLICT (id) DO UPDATE SET
                     draining = EXCLUDED.draining, reply_to = EXCLUDED.reply_to, checks = EXCLUDED.checks,
                     roots = EXCLUDED.roots, announced_at = EXCLUDED.announced_at, heartbeat_at = EXCLUDED.heartbeat_at
                 WHERE workers.amqp_user = EXCLUDED.amqp_user",
            )
            .await?;
        tx.execute(
            &worker,
            &[
                &said.worker_id,
                &said.name,
                &said.host,
                &said.version,
                &self.amqp_user,
                &said.draining,
                &self.reply_to,
                &Json(&said.checks),
                &said.roots,
            ],
        )
        .await?;
        let names: Vec<&str> = offers.iter().map(|offer| offer.name.as_str()).collect();
        let slots: Vec<i16> = offers
            .iter()
            .map(|offer| i16::try_from(offer.slots.max(1)).unwrap_or(i16::MAX))
            .collect();
        let clear = tx
            .prepare_cached(
                "-- workers.clear_plugins
                 DELETE FROM worker_plugins WHERE worker_id = $1 AND plugin <> ALL($2)",
            )
            .await?;
        tx.execute(&clear, &[&said.worker_id, &names]).await?;
        let serve = tx
            .prepare_cached(
                "-- workers.serve_plugins
                 INSERT INTO worker_plugins (worker_id, plugin, slots)
                 SELECT $1, * FROM unnest($2::text[], $3::smallint[])
                 ON CONFLICT (worker_id, plugin) DO UPDATE SET slots = EXCLUDED.slots",
            )
            .await?;
        tx.execute(&serve, &[&said.worker_id, &names, &slots]).await?;
        Ok(true)
    }
}

/// Longest reason and name that are kept of a refused announcement, characters.
const REFUSAL_MAX_CHARS: usize = 500;

/// Records that an announcement was refused, for `doctor`.
#[derive(Debug)]
pub struct NoteRefusal<'a> {
    /// The name that the worker gave itself.
    pub worker: &'a str,
    /// The RabbitMQ user that it said it as.
    pub amqp_user: &'a str,
    /// Why, for a person.
    pub reason: &'a str,
}

impl Transact for NoteRefusal<'_> {
    const NAME: &'static str = "workers.note_refusal";
    type Output = ();

    async fn run(&self, tx: &Transaction<'_>) -> Result<(), Error> {
        let short = |text: &str| -> String { text.chars().take(REFUSAL_MAX_CHARS).collect() };
        let note = tx
            .prepare_cached(
                "-- workers.note_refusal
                 INSERT INTO refused_announcements (amqp_user, worker, reason, at) VALUES ($1, $2, $3, tm_now())
                 ON CONFLICT (amqp_user) DO UPDATE SET
                     worker = EXCLUDED.worker, reason = EXCLUDED.reason, at = EXCLUDED.at",
            )
            .await?;
        tx.execute(
            &note,
            &[&self.amqp_user, &short(self.worker), &short(self.reason)],
        )
        .await?;
        Ok(())
    }
}

/// What a heartbeat's answer has to say beside the verdicts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct News {
    /// Workers that are to be drained.
    pub drains: HashSet<String>,
    /// Workers that are to tell what item stores they find, with the numbers of the requests.
    pub inventories: HashMap<String, i64>,
    /// There are item stores that some worker should remove now.
    pub stores_are_due: bool,
    /// There are attempts that move data from or to a limited storage, or wait for that.
    pub transfers: bool,
}

/// Notes that workers are alive; gives what is to be told to them.
#[derive(Debug)]
pub struct Alive<'a> {
    /// Their heartbeats.
    pub heartbeats: &'a [Heartbeat],
    /// The RabbitMQ user that sent each of them.
    pub users: &'a [&'a str],
}

impl<'a> Transact for Alive<'a> {
    const NAME: &'static str = "workers.alive";
    type Output = News;

    async fn run(&self, tx: &Transaction<'_>) -> Result<News, Error> {
        let mut heartbeats: Vec<(&Heartbeat, &str)> =
            self.heartbeats.iter().zip(self.users.iter().copied()).collect();
        let key = |(heartbeat, user): (&'a Heartbeat, &'a str)| (heartbeat.worker_id.as_str(), user);
        heartbeats.sort_by_key(|sent| key(*sent));
        heartbeats.dedup_by_key(|sent| key(*sent));
        let users: Vec<&str> = heartbeats.iter().map(|(_, user)| *user).collect();
        let heartbeats: Vec<&Heartbeat> = heartbeats.into_iter().map(|(heartbeat, _)| heartbeat).collect();
        let ids: Vec<&str> = heartbeats.iter().map(|h| h.worker_id.as_str()).collect();
        let rss: Vec<i64> = heartbeats
            .iter()
            .map(|h| i64::try_from(h.rss_bytes).unwrap_or(i64::MAX))
            .collect();
        let draining: Vec<bool> = heartbeats.iter().map(|h| h.draining).collect();
        let statement = tx
            .prepare_cached(
                "-- workers.alive
                 WITH locked AS (
                     SELECT id, new.rss, new.draining
                     FROM workers JOIN unnest($1::text[], $2::bigint[], $3::bool[], $4::text[])
                         AS new(id, rss, draining, amqp_user) USING (id, amqp_user)
                     ORDER BY id FOR UPDATE OF workers
                 )
                 UPDATE workers SET heartbeat_at = tm_now(), rss_bytes = locked.rss, draining = locked.draining
                 FROM locked WHERE workers.id = locked.id RETURNING workers.id, workers.drain_requested",
            )
            .await?;
        let rows = tx.query(&statement, &[&ids, &rss, &draining, &users]).await?;
        let drains = rows
            .iter()
            .filter(|row| row.get(1))
            .map(|row| row.get(0))
            .collect();
        let due = tx
            .prepare_cached(
                "-- workers.news
                 SELECT EXISTS (SELECT 1 FROM stores_to_remove WHERE removed_at IS NULL AND due_at <= tm_now()),
                        EXISTS (SELECT 1 FROM leases WHERE transfer IS NOT NULL)",
            )
            .await?;
        let heard: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
        let due = tx.query_one(&due, &[]).await?;
        Ok(News {
            drains,
            inventories: stores::to_be_asked(tx, &heard).await?,
            stores_are_due: due.get(0),
            transfers: due.get(1),
        })
    }
}
