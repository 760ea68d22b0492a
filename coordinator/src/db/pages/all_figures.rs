//! The figures of all plugins at once, from one transaction: what ended today, and what all jobs of each tab together are.
//!
//! Invariant: for each tab and plugin they are those that its list shows ([`super::sums`]).

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::figures::Today;
use super::list::Tab;
use super::plugins::{self, PluginRow};
use super::sums::Sums;
use super::{rows, single};
use crate::db::{Error, Transact, Transaction};

/// What there is to count of one plugin, or of all together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// What ended today; days are counted in UTC.
    pub today: Today,
    /// Unfinished jobs.
    pub queue: Sums,
    /// Jobs that are done.
    pub done: Sums,
    /// Jobs that ended in ERROR or CANCELLED.
    pub error: Sums,
}

impl Figures {
    fn of(&mut self, tab: Tab) -> &mut Sums {
        match tab {
            Tab::Queue => &mut self.queue,
            Tab::Done => &mut self.done,
            Tab::Error => &mut self.error,
        }
    }
}

/// The figures of everything.
#[derive(Debug, Clone, PartialEq)]
pub struct AllFigures {
    /// The database's clock.
    pub now: Timestamp,
    /// The plugins and their queues, by name.
    pub plugins: Vec<PluginRow>,
    /// Of all plugins together.
    pub all: Figures,
    /// Of each plugin.
    pub of_plugins: BTreeMap<String, Figures>,
}

/// Reads [`AllFigures`].
#[derive(Debug, Clone, Copy)]
pub struct ReadFigures;

impl Transact for ReadFigures {
    const NAME: &'static str = "pages.all_figures";
    type Output = AllFigures;

    async fn run(&self, tx: &Transaction<'_>) -> Result<AllFigures, Error> {
        let plugins = plugins::read(tx).await?;
        let mut of_plugins: BTreeMap<String, Figures> = BTreeMap::new();
        for plugin in &plugins {
            let own = of_plugins.entry(plugin.name.clone()).or_default();
            own.queue.jobs = plugin.running() + plugin.waiting();
        }
        for row in rows(tx, RUNNING, &[]).await? {
            let own = of_plugins.entry(row.try_get("plugin")?).or_default();
            own.queue.files = row.try_get("files")?;
            own.queue.pages = row.try_get("pages")?;
            own.queue.bytes = row.try_get("bytes")?;
        }
        for row in rows(tx, ENDED, &[]).await? {
            let own = of_plugins.entry(row.try_get("plugin")?).or_default();
            let tab = if row.try_get("is_done")? {
                Tab::Done
            } else {
                Tab::Error
            };
            *own.of(tab) = Sums {
                jobs: row.try_get("jobs")?,
                files: row.try_get("files")?,
                bytes: row.try_get("bytes")?,
                pages: row.try_get("pages")?,
            };
        }
        for row in rows(tx, TODAY, &[]).await? {
            let own = of_plugins.entry(row.try_get("plugin")?).or_default();
            own.today = Today {
                done: row.try_get("done")?,
                failed: row.try_get("failed")?,
                items: row.try_get("items")?,
            };
        }
        let mut all = Figures::default();
        for own in of_plugins.values_mut() {
            all.today.done += own.today.done;
            all.today.failed += own.today.failed;
            all.today.items += own.today.items;
            for tab in Tab::ALL {
                let (sums, own) = (all.of(tab), *own.of(tab));
                sums.jobs += own.jobs;
                sums.files += own.files;
                sums.bytes += own.bytes;
                sums.pages += own.pages;
            }
        }
        Ok(AllFigures {
            now: single(tx, "-- pages.now\nSELECT tm_now()", &[]).await?,
            plugins,
            all,
            of_plugins,
        })
    }
}

const RUNNING: &str = "-- pages.all_sums_running
    SELECT j.plugin, coalesce(sum(l.items_total), 0)::bigint AS files,
           coalesce(sum(l.items_done), 0)::bigint AS pages, coalesce(sum(l.bytes), 0)::bigint AS bytes
    FROM leases l JOIN jobs j ON j.id = l.job_id GROUP BY j.plugin";

const ENDED: &str = "-- pages.all_sums_ended
    SELECT plugin, state = 'DONE' AS is_done, sum(jobs)::bigint AS jobs, sum(files)::bigint AS files,
           sum(pages)::bigint AS pages, sum(bytes)::bigint AS bytes
    FROM history_sums GROUP BY plugin, state = 'DONE'";

pub(super) const TODAY: &str = "-- pages.all_today
    SELECT plugin, coalesce(sum(jobs) FILTER (WHERE lower(outcome) = 'done'), 0)::bigint AS done,
           coalesce(sum(jobs) FILTER (WHERE lower(outcome) = 'error'), 0)::bigint AS failed,
           sum(items)::bigint AS items
    FROM statistics WHERE day = (tm_now() AT TIME ZONE 'UTC')::date GROUP BY plugin";

#[cfg(test)]
mod tests;
