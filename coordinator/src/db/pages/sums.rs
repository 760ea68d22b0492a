//! What all jobs of a tab together are: how many, with how many files and pages, and how much data.
//!
//! Invariant: history is never counted; its sums are kept by triggers (`history_sums`, [`crate::db::sums`]).

use super::list::Tab;
use super::plugins::PluginRow;
use super::{Parameters, rows};
use crate::db::{Error, Transaction};

/// The sums of a tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Jobs.
    pub jobs: i64,
    /// Their files; of unfinished jobs those that running attempts have reported.
    pub files: i64,
    /// Bytes of input read; of unfinished jobs by running attempts.
    pub bytes: i64,
    /// Pages that are done; of unfinished jobs by running attempts.
    pub pages: i64,
}

/// Reads the sums; `plugins` has counted the unfinished jobs already.
pub(super) async fn read(
    tx: &Transaction<'_>,
    tab: Tab,
    plugin: Option<&str>,
    plugins: &[PluginRow],
) -> Result<Sums, Error> {
    match tab {
        Tab::Queue => {
            let of_running = sum(tx, RUNNING, &[&plugin]).await?;
            let counted = plugins
                .iter()
                .filter(|row| plugin.is_none_or(|name| name == row.name));
            Ok(Sums {
                jobs: counted.map(|row| row.running() + row.waiting()).sum(),
                ..of_running
            })
        }
        Tab::Done => sum(tx, ENDED, &[&plugin, &["DONE"].as_slice()]).await,
        Tab::Error => sum(tx, ENDED, &[&plugin, &["ERROR", "CANCELLED"].as_slice()]).await,
    }
}

const RUNNING: &str = "-- pages.sums_running
    SELECT count(*) AS jobs, coalesce(sum(l.items_total), 0)::bigint AS files,
           coalesce(sum(l.items_done), 0)::bigint AS pages, coalesce(sum(l.bytes), 0)::bigint AS bytes
    FROM leases l JOIN jobs j ON j.id = l.job_id WHERE $1::text IS NULL OR j.plugin = $1";

const ENDED: &str = "-- pages.sums_ended
    SELECT coalesce(sum(jobs), 0)::bigint AS jobs, coalesce(sum(files), 0)::bigint AS files,
           coalesce(sum(pages), 0)::bigint AS pages, coalesce(sum(bytes), 0)::bigint AS bytes
    FROM history_sums WHERE ($1::text IS NULL OR plugin = $1) AND state = ANY($2)";

async fn sum(tx: &Transaction<'_>, statement: &str, parameters: &Parameters<'_>) -> Result<Sums, Error> {
    let rows = rows(tx, statement, parameters).await?;
    let Some(row) = rows.first() else {
        return Ok(Sums::default());
    };
    Ok(Sums {
        jobs: row.try_get("jobs")?,
        files: row.try_get("files")?,
        bytes: row.try_get("bytes")?,
        pages: row.try_get("pages")?,
    })
}
