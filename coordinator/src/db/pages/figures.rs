//! All that the dashboard shows, from one transaction.

use jiff::Timestamp;

use super::list::{JobList, ListJobs};
use super::plugins::{self, PluginRow};
use super::standing::{self, Standings};
use super::sums::{self, Sums};
use super::{rows, single};
use crate::db::recovery::{ReadRestore, Restore};
use crate::db::{Error, Transact, Transaction};

/// What ended today, of the list's plugin where it names one; days are counted in UTC, as in the statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Today {
    /// Jobs that are done.
    pub done: i64,
    /// Jobs that ended in ERROR.
    pub failed: i64,
    /// Items (pages) of all jobs that ended.
    pub items: i64,
}

/// The dashboard's content.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    /// The database's clock.
    pub now: Timestamp,
    /// The plugins and their queues, by name.
    pub plugins: Vec<PluginRow>,
    /// Since when and why they are stopped, and whether jobs start by themselves.
    pub standings: Standings,
    /// What ended today.
    pub today: Today,
    /// What all jobs of the list together are; nothing where the list is none of the tabs.
    pub sums: Option<Sums>,
    /// The list of jobs.
    pub list: JobList,
    /// A restore that nobody has looked after yet.
    pub restore: Option<Restore>,
}

/// Reads the dashboard with one page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dashboard {
    /// The list.
    pub list: ListJobs,
}

impl Transact for Dashboard {
    const NAME: &'static str = "pages.dashboard";
    type Output = Overview;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Overview, Error> {
        let plugin = self.list.plugin.as_deref();
        let list = self.list.read(tx).await?;
        let mut overview = around(tx, plugin, list).await?;
        overview.sums = Some(sums::read(tx, self.list.tab, plugin, &overview.plugins).await?);
        Ok(overview)
    }
}

/// What stands around a list of jobs.
pub(super) async fn around(
    tx: &Transaction<'_>,
    plugin: Option<&str>,
    list: JobList,
) -> Result<Overview, Error> {
    Ok(Overview {
        now: single(tx, "-- pages.now\nSELECT tm_now()", &[]).await?,
        plugins: plugins::read(tx).await?,
        standings: standing::read(tx).await?,
        today: today(tx, plugin).await?,
        sums: None,
        list,
        restore: ReadRestore.run(tx).await?,
    })
}

async fn today(tx: &Transaction<'_>, plugin: Option<&str>) -> Result<Today, Error> {
    let rows = rows(
        tx,
        "-- pages.today
             SELECT lower(outcome) AS outcome, sum(jobs)::bigint AS jobs, sum(items)::bigint AS items
             FROM statistics
             WHERE day = (tm_now() AT TIME ZONE 'UTC')::date AND ($1::text IS NULL OR plugin = $1)
             GROUP BY lower(outcome)",
        &[&plugin],
    )
    .await?;
    let mut today = Today::default();
    for row in &rows {
        let jobs: i64 = row.try_get("jobs")?;
        today.items += row.try_get::<_, i64>("items")?;
        match row.try_get("outcome")? {
            "done" => today.done += jobs,
            "error" => today.failed += jobs,
            _ => {}
        }
    }
    Ok(today)
}
