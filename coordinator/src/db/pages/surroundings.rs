//! What `doctor` and `readyz` ask the database: does it answer, how old is it, which workers are there.

use shared::message::worker::Check;

use super::deliveries::{DeliveryFigures, ReadDeliveryFigures};
use super::plugins::{self, PluginRow};
use super::{WORKER_SILENT_SECONDS, rows, search, single};
use crate::db::recovery::{ReadRestore, Restore};
use crate::db::{Error, Transact, Transaction};

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
#[derive(Debug, Clone, PartialEq)]
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
}

/// The database's release, the workers and the plugins.
#[derive(Debug, Clone, PartialEq)]
pub struct Surroundings {
    /// PostgreSQL's release as a text: `15.18`.
    pub server_version: String,
    /// The same as a number: `150018`.
    pub server_version_number: i32,
    /// Whether the coordinator's user may make tables: each month needs new partitions.
    pub may_create_tables: bool,
    /// Whether parts of titles and errors can be searched for by an index.
    pub can_search_parts: bool,
    /// The workers, by name.
    pub workers: Vec<WorkerRow>,
    /// The plugins, by name.
    pub plugins: Vec<PluginRow>,
    /// The messages to other systems.
    pub deliveries: DeliveryFigures,
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
            server_version: single(
                tx,
                "-- pages.server\nSELECT current_setting('server_version')",
                &[],
            )
            .await?,
            server_version_number: single(
                tx,
                "-- pages.server_number\nSELECT current_setting('server_version_num')::int",
                &[],
            )
            .await?,
            may_create_tables: single(
                tx,
                "-- pages.may_create\nSELECT has_schema_privilege(current_schema(), 'CREATE')",
                &[],
            )
            .await?,
            can_search_parts: search::has_parts(tx).await?,
            workers: workers(tx).await?,
            plugins: plugins::read(tx).await?,
            deliveries: ReadDeliveryFigures.run(tx).await?,
            restore: ReadRestore.run(tx).await?,
        })
    }
}

async fn workers(tx: &Transaction<'_>) -> Result<Vec<WorkerRow>, Error> {
    let rows = rows(
        tx,
        "-- pages.workers
             SELECT id, name, host, amqp_user, version, draining, checks,
                    heartbeat_at > tm_now() - make_interval(secs => $1) AS alive
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
            })
        })
        .collect()
}
