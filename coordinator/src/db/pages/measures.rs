//! What the metrics say of the database, from one transaction.

use super::all_figures::TODAY;
use super::plugins::{self, PluginRow};
use super::quotas::{self, Contract};
use super::stores::{ReadUselessStores, UselessStores};
use super::{WORKER_SILENT_SECONDS, rows};
use crate::db::recovery::ReadRestore;
use crate::db::{Error, Transact, Transaction};
use crate::deliveries::KINDS;

/// The figures of the database.
#[derive(Debug, Clone, PartialEq)]
pub struct Measures {
    /// The plugins and their queues, by name, with what else is measured of each.
    pub plugins: Vec<(PluginRow, OfPlugin)>,
    /// The workers that were heard of.
    pub workers: WorkerCounts,
    /// The page contracts.
    pub contracts: Vec<Contract>,
    /// Item stores that wait to be removed.
    pub stores: UselessStores,
    /// Messages to other systems, of each kind, also where none is pending.
    pub deliveries: Vec<PendingDeliveries>,
    /// Nobody has looked yet after a database that was put back.
    pub restored: bool,
}

/// What is measured of a plugin beside its queue.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OfPlugin {
    /// For how long it has been in its state, seconds.
    pub state_seconds: f64,
    /// Whether its jobs start by themselves: its own switch, and that for all plugins.
    pub autostart: bool,
    /// Unfinished jobs that a person holds.
    pub held: i64,
    /// Jobs that are done today; days are counted in UTC.
    pub done_today: i64,
    /// Jobs that ended in ERROR today.
    pub failed_today: i64,
    /// Items of the jobs that ended today.
    pub items_today: i64,
}

/// How many workers there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WorkerCounts {
    /// Alive, and taking jobs.
    pub working: i64,
    /// Alive, and about to end.
    pub draining: i64,
    /// Not heard of lately, and not forgotten yet.
    pub silent: i64,
}

/// Messages of a kind to other systems.
#[derive(Debug, Clone, PartialEq)]
pub struct PendingDeliveries {
    /// Their kind.
    pub kind: String,
    /// How many are to be sent, or sent again.
    pub number: i64,
    /// For how long the oldest of them has been; 0 where there is none.
    pub oldest_seconds: f64,
}

/// Reads [`Measures`].
#[derive(Debug, Clone, Copy)]
pub struct ReadMeasures;

impl Transact for ReadMeasures {
    const NAME: &'static str = "pages.measures";
    type Output = Measures;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Measures, Error> {
        Ok(Measures {
            plugins: plugins(tx).await?,
            workers: workers(tx).await?,
            contracts: quotas::read(tx).await?,
            stores: ReadUselessStores.run(tx).await?,
            deliveries: deliveries(tx).await?,
            restored: ReadRestore.run(tx).await?.is_some(),
        })
    }
}

async fn plugins(tx: &Transaction<'_>) -> Result<Vec<(PluginRow, OfPlugin)>, Error> {
    let mut measured: Vec<(PluginRow, OfPlugin)> = plugins::read(tx)
        .await?
        .into_iter()
        .map(|plugin| (plugin, OfPlugin::default()))
        .collect();
    // A plugin that a worker has announced between two statements appears next time.
    for row in rows(tx, STANDING, &[]).await? {
        if let Some(own) = of(&mut measured, row.try_get("name")?) {
            own.state_seconds = row.try_get("state_seconds")?;
            own.autostart = row.try_get("autostart")?;
            own.held = row.try_get("held")?;
        }
    }
    for row in rows(tx, TODAY, &[]).await? {
        if let Some(own) = of(&mut measured, row.try_get("plugin")?) {
            own.done_today = row.try_get("done")?;
            own.failed_today = row.try_get("failed")?;
            own.items_today = row.try_get("items")?;
        }
    }
    Ok(measured)
}

fn of<'a>(measured: &'a mut [(PluginRow, OfPlugin)], name: &str) -> Option<&'a mut OfPlugin> {
    let mut all = measured.iter_mut();
    all.find(|(plugin, _)| plugin.name == name).map(|(_, own)| own)
}

async fn workers(tx: &Transaction<'_>) -> Result<WorkerCounts, Error> {
    let counted = rows(tx, WORKERS, &[&WORKER_SILENT_SECONDS]).await?;
    let mut counts = WorkerCounts::default();
    for row in &counted {
        counts.working = row.try_get("working")?;
        counts.draining = row.try_get("draining")?;
        counts.silent = row.try_get("silent")?;
    }
    Ok(counts)
}

async fn deliveries(tx: &Transaction<'_>) -> Result<Vec<PendingDeliveries>, Error> {
    let kinds: Vec<&str> = KINDS.iter().map(|kind| kind.name()).collect();
    rows(tx, DELIVERIES, &[&kinds])
        .await?
        .iter()
        .map(|row| {
            Ok(PendingDeliveries {
                kind: row.try_get("kind")?,
                number: row.try_get("number")?,
                oldest_seconds: row.try_get("oldest_seconds")?,
            })
        })
        .collect()
}

const STANDING: &str = "-- pages.measures_standing
    SELECT p.name, greatest(extract(epoch FROM tm_now() - p.state_since), 0)::float8 AS state_seconds,
           s.autostart AND p.autostart AS autostart, coalesce(held.jobs, 0) AS held
    FROM plugins p CROSS JOIN settings s
    LEFT JOIN (SELECT plugin, count(*) AS jobs FROM jobs WHERE held GROUP BY plugin) AS held ON held.plugin = p.name";

const WORKERS: &str = "-- pages.measures_workers
    SELECT count(*) FILTER (WHERE alive AND NOT ends) AS working, count(*) FILTER (WHERE alive AND ends) AS draining,
           count(*) FILTER (WHERE NOT alive) AS silent
    FROM (SELECT heartbeat_at > tm_now() - make_interval(secs => $1) AS alive, draining OR drain_requested AS ends
          FROM workers) AS heard_of";

const DELIVERIES: &str = "-- pages.measures_deliveries
    SELECT coalesce(known.kind, found.kind) AS kind, coalesce(found.number, 0) AS number,
           coalesce(found.oldest_seconds, 0)::float8 AS oldest_seconds
    FROM unnest($1::text[]) AS known(kind)
    FULL JOIN (
        SELECT kind, count(*) AS number,
               greatest(extract(epoch FROM tm_now() - min(trying_since)), 0) AS oldest_seconds
        FROM deliveries WHERE state = 'pending' GROUP BY kind) AS found USING (kind)
    ORDER BY 1";
