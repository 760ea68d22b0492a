//! What ended in each month, from the statistics, which are kept for ever. Months are counted in UTC.

use jiff::civil::Date;

use super::rows;
use crate::db::{Error, Transact, Transaction};

/// What one plugin's jobs came to in one month.
#[derive(Debug, Clone, PartialEq)]
pub struct Month {
    /// The first day of the month.
    pub month: Date,
    /// The plugin.
    pub plugin: String,
    /// Jobs that are done.
    pub done: i64,
    /// Jobs that ended in ERROR.
    pub failed: i64,
    /// Jobs that were cancelled.
    pub cancelled: i64,
    /// Pages of all of them that were done.
    pub pages: i64,
    /// Bytes of input that they read.
    pub bytes: i64,
    /// Seconds from their first starts to their ends.
    pub seconds: f64,
}

/// Reads months with their plugins, the oldest first; months in which nothing of a plugin ended are left out.
#[derive(Debug, Clone, Copy)]
pub struct ReadMonths {
    /// Only the last months, the present one among them; `None`: all.
    pub last: Option<i32>,
}

impl Transact for ReadMonths {
    const NAME: &'static str = "pages.months";
    type Output = Vec<Month>;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Vec<Month>, Error> {
        rows(tx, STATEMENT, &[&self.last])
            .await?
            .iter()
            .map(|row| {
                Ok(Month {
                    month: row.try_get("month")?,
                    plugin: row.try_get("plugin")?,
                    done: row.try_get("done")?,
                    failed: row.try_get("failed")?,
                    cancelled: row.try_get("cancelled")?,
                    pages: row.try_get("pages")?,
                    bytes: row.try_get("bytes")?,
                    seconds: row.try_get("seconds")?,
                })
            })
            .collect()
    }
}

/// Parameter: the number of months, or null.
pub(super) const STATEMENT: &str = "-- pages.months
    SELECT date_trunc('month', day)::date AS month, plugin,
           coalesce(sum(jobs) FILTER (WHERE outcome = 'done'), 0)::bigint AS done,
           coalesce(sum(jobs) FILTER (WHERE outcome = 'error'), 0)::bigint AS failed,
           coalesce(sum(jobs) FILTER (WHERE outcome = 'cancelled'), 0)::bigint AS cancelled,
           sum(items)::bigint AS pages, sum(bytes)::bigint AS bytes, sum(seconds)::float8 AS seconds
    FROM statistics
    WHERE day >= coalesce(
        (date_trunc('month', tm_now() AT TIME ZONE 'UTC') - make_interval(months => $1::int - 1))::date, '-infinity')
    GROUP BY 1, 2 ORDER BY 1, 2";
