//! All that the start page shows, from one transaction.

use super::active;
use super::figures::{Overview, around};
use super::list::JobList;
use super::months::{Month, ReadMonths};
use super::quotas::{self, Contract};
use super::settings::ReadPageSettings;
use crate::db::{Error, Transact, Transaction};

/// Most active jobs on the start page.
pub const ACTIVE_MAX: i64 = 5;
/// Months that it shows.
const MONTHS: i32 = 12;

/// The start page's content.
#[derive(Debug, Clone, PartialEq)]
pub struct Home {
    /// Figures, queues, and the first active jobs.
    pub overview: Overview,
    /// Whether it lists jobs at all, as an administrator has set it.
    pub lists_jobs: bool,
    /// What ended in the last months.
    pub months: Vec<Month>,
    /// The page contracts.
    pub contracts: Vec<Contract>,
}

/// Reads the start page.
#[derive(Debug, Clone, Copy)]
pub struct ReadHome {
    /// With what changes slowly: months and contracts.
    pub slow: bool,
}

impl Transact for ReadHome {
    const NAME: &'static str = "pages.home";
    type Output = Home;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Home, Error> {
        let lists_jobs = ReadPageSettings.run(tx).await?.jobs_on_dashboard;
        let jobs = if lists_jobs {
            active::read(tx, ACTIVE_MAX).await?
        } else {
            Vec::new()
        };
        let list = JobList { jobs, next: None };
        let overview = around(tx, None, list).await?;
        let (mut months, mut contracts) = (Vec::new(), Vec::new());
        if self.slow {
            let lately = ReadMonths { last: Some(MONTHS) };
            months = lately.run(tx).await?;
            contracts = quotas::read(tx).await?;
        }
        Ok(Home {
            overview,
            lists_jobs,
            months,
            contracts,
        })
    }
}

#[cfg(test)]
mod tests;
