//! Sums over history: the lines that triggers leave (`history_sums`) are made fewer, so that reading them stays cheap.
//!
//! Invariant: the lines of a plugin and a state together are what history holds of them, at any moment and for anybody
//! who reads them.

use deadpool_postgres::Transaction;

use super::{Error, Transact};

#[cfg(test)]
mod tests;

/// Most lines that one transaction takes together.
const BATCH: i64 = 10_000;

/// Makes one line of many for each plugin and state; whether there may be more to do. Lines that another coordinator is
/// at are left to it.
#[derive(Debug)]
pub struct FoldSums;

impl Transact for FoldSums {
    const NAME: &'static str = "sums.fold";
    type Output = bool;

    async fn run(&self, tx: &Transaction<'_>) -> Result<bool, Error> {
        let statement = tx
            .prepare_cached(
                "-- sums.fold
                 WITH old AS (
                     SELECT id FROM history_sums ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED
                 ), gone AS (
                     DELETE FROM history_sums USING old WHERE history_sums.id = old.id RETURNING history_sums.*
                 ), folded AS (
                     INSERT INTO history_sums (plugin, state, jobs, files, pages, bytes)
                     SELECT plugin, state, sum(jobs), sum(files), sum(pages), sum(bytes)
                     FROM gone GROUP BY plugin, state RETURNING 1
                 )
                 SELECT (SELECT count(*) FROM gone) > (SELECT count(*) FROM folded)",
            )
            .await?;
        Ok(tx.query_one(&statement, &[&BATCH]).await?.try_get(0)?)
    }
}
