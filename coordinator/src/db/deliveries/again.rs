//! "Send again": what was given up, or is unclear, is sent once more at a person's word.

use std::collections::HashSet;

use deadpool_postgres::Transaction;
use shared::job::JobId;
use uuid::Uuid;

use crate::db::Error;

/// Makes the failed and unclear deliveries of these jobs pending again, from the beginning; gives the jobs that had
/// some.
pub(in crate::db) async fn send_again(tx: &Transaction<'_>, jobs: &[JobId]) -> Result<HashSet<JobId>, Error> {
    let jobs: Vec<Uuid> = jobs.iter().map(|id| id.0).collect();
    let statement = tx
        .prepare_cached(
            "-- deliveries.send_again
             WITH chosen AS (
                 SELECT id FROM deliveries WHERE job_id = ANY($1) AND state IN ('failed', 'unclear')
                 ORDER BY id FOR UPDATE)
             UPDATE deliveries SET state = 'pending', settled_at = NULL, tries = 0, trying_since = tm_now(),
                 next_try_at = tm_now()
             FROM chosen WHERE deliveries.id = chosen.id RETURNING job_id",
        )
        .await?;
    let rows = tx.query(&statement, &[&jobs]).await?;
    Ok(rows.iter().map(|row| JobId(row.get(0))).collect())
}
