//! What `doctor` and `readyz` ask the database: does it answer, how is it set, who works with it.

mod server;

use shared::message::worker::Check;

use super::deliveries::{DeliveryFigures, ReadDeliveryFigures};
use super::plugins::{self, PluginRow};
use super::{WORKER_SILENT_SECONDS, rows, search, single};
use crate::db::coordinators::{Coordinator, ReadCoordinators};
use crate::db::recovery::{ReadRestore, Restore};
use crate::db::{Error, Transact, Transaction};

pub use server::Server;

/// Asks for nothing but an answer.
#[derive(Debug, Clone, Copy)]
pub struct Ping;

impl Transact for Ping {
    const NAME: &'static str = "pages.ping";
    type Output = ();

    async fn run(&self, tx: &Transaction<'_>) -> Result<(), Error> {
        single::<i32>(tx, "-- pages.ping\nSELECT 1", &[]).await.map(drop)
    }
}

/// A worker that was heard of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WorkerRow {
    /// The name that operators gave it.
    pub name: String,
    /// Its host.
    pub host: String,
    /// The RabbitMQ user that it is.
    pub amqp_user: String,
    /// Its release.
    pub version: String,
    /// It was heard of lately.
    pub alive: bool,
    /// It accepts no new jobs and will end.
    pub draining: bool,
    /// What it found out about its own surroundings.
    pub checks: Vec<Check>,
    /// How long ago it has told so, seconds.
    pub told_seconds: f64,
    /// Where jobs may read and write at it; empty when it has not said.
    pub roots: Vec<String>,
    /// It serves a plugin whose jobs have folders.
    pub needs_folders: bool,
}

/// The database's server, and who works with it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Surroundings {
    /// PostgreSQL itself.
    pub server: Server,
    /// Whether parts of titles and errors can be searched for by an index.
    pub can_search_parts: bool,
    /// The coordinators that live, this one among them.
    pub coordinators: Vec<Coordinator>,
    /// The workers, by name.
    pub workers: Vec<WorkerRow>,
    /// The plugins, by name.
    pub plugins: Vec<PluginRow>,
    /// The messages to other systems.
    pub deliveries: DeliveryFigures,
    /// The ids of the keys that tokens of messages to other systems are encrypted with.
    pub keys_needed: Vec<String>,
    /// Titles of API tokens whose time is over.
    pub expired_tokens: Vec<String>,
    /// A restore that nobody has looked after yet.
    pub restore: Option<Restore>,
}

/// Reads [`Surroundings`].
#[derive(Debug, Clone, Copy)]
pub struct ReadSurroundings;

impl Transact for ReadSurroundings {
    const NAME: &'static str = "pages.surroundings";
    type Output = Surroundings;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Surroundings, Error> {
        Ok(Surroundings {
            server: server::read(tx).await?,
            can_search_parts: search::has_parts(tx).await?,
            coordinators: ReadCoordinators.run(tx).await?,
            workers: workers(tx).await?,
            plugins: plugins::read(tx).await?,
            deliveries: ReadDeliveryFigures.run(tx).await?,
            keys_needed: single(
                tx,
                "-- pages.keys_needed
                 SELECT ARRAY(SELECT DISTINCT split_part(token, '.', 2) FROM deliveries
                              WHERE state = 'pending' AND token IS NOT NULL ORDER BY 1)",
                &[],
            )
            .await?,
            expired_tokens: single(
                tx,
                "-- pages.expired_tokens
                 SELECT ARRAY(SELECT title FROM api_tokens WHERE expires_at <= tm_now() ORDER BY title)",
                &[],
            )
            .await?,
            restore: ReadRestore.run(tx).await?,
        })
    }
}

async fn workers(tx: &Transaction<'_>) -> Result<Vec<WorkerRow>, Error> {
    let rows = rows(
        tx,
        "-- pages.workers
             SELECT id, name, host, amqp_user, version, draining, checks, roots,
                    heartbeat_at > tm_now() - make_interval(secs => $1) AS alive,
                    extract(epoch FROM tm_now() - announced_at)::float8 AS told_seconds,
                    EXISTS (SELECT FROM worker_plugins JOIN plugins ON plugins.name = worker_plugins.plugin
                            WHERE worker_plugins.worker_id = workers.id
                              AND (needs_source OR needs_target OR needs_template)) AS needs_folders
             FROM workers
             ORDER BY name, id",
        &[&WORKER_SILENT_SECONDS],
    )
    .await?;
    rows.iter()
        .map(|row| {
            let checks: serde_json::Value = row.try_get("checks")?;
            let id: String = row.try_get("id")?;
            Ok(WorkerRow {
                name: row.try_get("name")?,
                host: row.try_get("host")?,
                amqp_user: row.try_get("amqp_user")?,
                version: row.try_get("version")?,
                alive: row.try_get("alive")?,
                draining: row.try_get("draining")?,
                checks: serde_json::from_value(checks).map_err(|_| Error::Inconsistent {
                    table: "workers",
                    column: "checks",
                    row: id,
                })?,
                told_seconds: row.try_get("told_seconds")?,
                roots: row.try_get("roots")?,
                needs_folders: row.try_get("needs_folders")?,
            })
        })
        .collect()
}
