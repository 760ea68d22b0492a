//! Months of history and log that hold nothing any more: their partitions go, and with them the space that they took.
//!
//! Rows leave by retention, in small transactions; what is left of a month that has passed is an empty table. Rows of
//! months that have no partition lie in the default one, which stays. Statistics lie elsewhere and stay for ever.

use deadpool_postgres::Transaction;

use super::{Error, Transact};

#[cfg(test)]
mod tests;

/// Longest wait for the lock that dropping a partition needs, milliseconds: whoever reads history or writes log lines
/// meanwhile waits behind it.
const LOCK_TIMEOUT_MS: u32 = 100;

/// Drops the partition of the oldest month that has passed and is empty; gives its name.
#[derive(Debug)]
pub struct DropMonth;

impl Transact for DropMonth {
    const NAME: &'static str = "months.drop";
    type Output = Option<String>;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        let passed = tx
            .prepare_cached(
                "-- months.passed
                 SELECT parent.relname::text, child.relname::text
                 FROM pg_inherits JOIN pg_class AS parent ON parent.oid = inhparent
                 JOIN pg_class AS child ON child.oid = inhrelid
                 WHERE parent.oid IN ('job_history'::regclass, 'job_logs'::regclass)
                     AND child.relname ~ '_[0-9]{4}_[0-9]{2}$'
                     AND to_date(right(child.relname, 7), 'YYYY_MM') + interval '1 month'
                         <= date_trunc('month', tm_now() AT TIME ZONE 'UTC')
                 ORDER BY right(child.relname, 7), parent.relname",
            )
            .await?;
        for row in tx.query(&passed, &[]).await? {
            let (parent, month): (&str, String) = (row.get(0), row.get(1));
            if !is_empty(tx, &month).await? {
                continue;
            }
            // The names are the catalogue's, and of letters, digits and underscores alone. Looked at again under lock,
            // as a job of that month may still write log lines.
            tx.batch_execute(&format!(
                "SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}; LOCK TABLE ONLY {parent} IN ACCESS EXCLUSIVE MODE"
            ))
            .await?;
            if !is_empty(tx, &month).await? {
                return Ok(None);
            }
            tx.batch_execute(&format!("DROP TABLE {month}")).await?;
            return Ok(Some(month));
        }
        Ok(None)
    }
}

async fn is_empty(tx: &Transaction<'_>, month: &str) -> Result<bool, Error> {
    let row = tx
        .query_one(
            &format!("-- months.is_empty\nSELECT NOT EXISTS (SELECT 1 FROM {month})"),
            &[],
        )
        .await?;
    Ok(row.get(0))
}
