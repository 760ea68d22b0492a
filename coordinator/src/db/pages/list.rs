//! One page of a list of jobs: which tab, which plugin, after which key.
//!
//! Invariant: a key names a place in the order, not a row, so a page can be asked for after its last row has
//! gone elsewhere.

use jiff::Timestamp;
use shared::job::{JobState, ShownState};
use uuid::Uuid;

use super::{JobSummary, history, queue};
use crate::db::{Error, Transact, Transaction};

/// Which jobs a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Tab {
    /// Unfinished ones: running ones first, then in the order in which they will start.
    #[default]
    Queue,
    /// DONE, the newest first.
    Done,
    /// ERROR and CANCELLED, the newest first.
    Error,
}

impl Tab {
    /// Every tab, in the order of the pages.
    pub const ALL: [Self; 3] = [Self::Queue, Self::Done, Self::Error];

    /// The tab whose list has the jobs of this state.
    pub fn of(state: ShownState) -> Self {
        match state {
            ShownState::As(JobState::Done) => Self::Done,
            ShownState::As(JobState::Error | JobState::Cancelled) => Self::Error,
            ShownState::As(_) | ShownState::Paused => Self::Queue,
        }
    }

    /// The name in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Done => "done",
            Self::Error => "error",
        }
    }
}

/// A place in the order of unfinished jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueKey {
    /// 0 for running jobs, 1 for waiting ones.
    pub rank: i16,
    /// The priority with its sign turned, so that every part of the key ascends.
    pub priority_negated: i16,
    /// The position in the queue.
    pub position: i64,
    /// The job, where positions are equal.
    pub id: Uuid,
}

/// A place in the order of ended jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryKey {
    /// When the job ended.
    pub finished_at: Timestamp,
    /// The job, where times are equal.
    pub id: Uuid,
}

/// A place in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the Queue tab.
    Queue(QueueKey),
    /// In the Done and Error tabs.
    History(HistoryKey),
}

/// Reads one page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListJobs {
    /// Which jobs.
    pub tab: Tab,
    /// Only this plugin's.
    pub plugin: Option<String>,
    /// Most rows of the page.
    pub limit: i64,
    /// The page begins behind this place. A place of another tab is ignored.
    pub after: Option<Place>,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct JobList {
    /// Its jobs.
    pub jobs: Vec<JobSummary>,
    /// The place that the next page begins behind; none when this is the last page.
    pub next: Option<Place>,
}

impl ListJobs {
    pub(super) async fn read(&self, tx: &Transaction<'_>) -> Result<JobList, Error> {
        match self.tab {
            Tab::Queue => queue::read(tx, self).await,
            Tab::Done => history::read(tx, self, &["DONE"]).await,
            Tab::Error => history::read(tx, self, &["ERROR", "CANCELLED"]).await,
        }
    }

    /// Cuts the row that was read beyond the page; with it, the last row that stays is where the next one begins.
    pub(super) fn page(&self, mut rows: Vec<(JobSummary, Place)>) -> JobList {
        let limit = usize::try_from(self.limit).unwrap_or(0);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|(_, place)| *place);
        JobList {
            jobs: rows.into_iter().map(|(job, _)| job).collect(),
            next,
        }
    }
}

impl Transact for ListJobs {
    const NAME: &'static str = "pages.list";
    type Output = JobList;

    async fn run(&self, tx: &Transaction<'_>) -> Result<JobList, Error> {
        self.read(tx).await
    }
}
