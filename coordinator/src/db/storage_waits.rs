//! Jobs that wait for a storage are asked anew when storages are set or removed: a few in each transaction, by whichever
//! coordinator comes to it, from where the last one has stopped.
//!
//! What a job waits for (`jobs.waits_for`) is a hint for the dispatcher and nothing else: claims count against the
//! storages that there are. Until a job has been asked anew it may wait for a storage that it no longer uses, or for one
//! that is gone, which the dispatcher takes for one without a limit.
//! Invariant: whatever waits by a claim that was decided before a change is asked anew after it, whoever dies.

use deadpool_postgres::Transaction;
use uuid::Uuid;

use super::{Error, Transact};

#[cfg(test)]
mod tests;

/// Most jobs that one transaction asks anew.
const BATCH: i64 = 300;
/// Whoever sets a storage waits for this transaction, and claims wait for him: so it waits for nobody's job, and comes
/// again.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '100ms'";

/// All that wait are to be asked anew, from the first. Claims must wait for the caller's end.
pub(super) async fn begin(tx: &Transaction<'_>) -> Result<(), Error> {
    let statement = tx
        .prepare_cached("-- storage_waits.begin\nUPDATE storage_waits SET asked_up_to = $1")
        .await?;
    tx.execute(&statement, &[&Uuid::nil()]).await?;
    Ok(())
}

/// Has some of those that wait for a storage asked anew; gives whether there may be more. What another coordinator is at
/// is left to it.
#[derive(Debug)]
pub struct AskAnew;

impl Transact for AskAnew {
    const NAME: &'static str = "storage_waits.ask_anew";
    type Output = bool;

    async fn run(&self, tx: &Transaction<'_>) -> Result<bool, Error> {
        tx.batch_execute(LOCK_TIMEOUT).await?;
        let lock = tx
            .prepare_cached(
                "-- storage_waits.lock
                 SELECT asked_up_to FROM storage_waits WHERE asked_up_to IS NOT NULL FOR UPDATE SKIP LOCKED",
            )
            .await?;
        let Some(row) = tx.query_opt(&lock, &[]).await? else {
            return Ok(false);
        };
        let asked_up_to: Uuid = row.get(0);
        let next = tx
            .prepare_cached(
                "-- storage_waits.next
                 SELECT id FROM jobs WHERE waits_for IS NOT NULL AND id > $1 ORDER BY id LIMIT $2 FOR UPDATE",
            )
            .await?;
        let rows = tx.query(&next, &[&asked_up_to, &BATCH]).await?;
        let ids: Vec<Uuid> = rows.iter().map(|row| row.get(0)).collect();
        let ask = tx
            .prepare_cached("-- storage_waits.ask\nUPDATE jobs SET waits_for = NULL WHERE id = ANY($1)")
            .await?;
        tx.execute(&ask, &[&ids]).await?;
        let note = tx
            .prepare_cached("-- storage_waits.note\nUPDATE storage_waits SET asked_up_to = $1")
            .await?;
        tx.execute(&note, &[&ids.last()]).await?;
        Ok(!ids.is_empty())
    }
}
