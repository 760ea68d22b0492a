//! The whole numbers by which the interfaces of the intranda TaskManager know jobs.

use deadpool_postgres::Transaction;
use shared::job::JobId;

use super::{Error, Transact};

/// Reads a job's number, wherever the job is; `None` when it is gone, or ended before there were such numbers.
#[derive(Debug, Clone, Copy)]
pub struct ReadItmId {
    /// The job.
    pub job: JobId,
}

impl Transact for ReadItmId {
    const NAME: &'static str = "itm.id";
    type Output = Option<i64>;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        // A job only ever goes from the first table to the second.
        for statement in [
            "-- itm.id\nSELECT itm_id FROM job_details WHERE job_id = $1",
            "-- itm.ended_id\nSELECT itm_id FROM job_history WHERE id = $1",
        ] {
            let statement = tx.prepare_cached(statement).await?;
            if let Some(row) = tx.query_opt(&statement, &[&self.job.0]).await? {
                return Ok(row.try_get(0)?);
            }
        }
        Ok(None)
    }
}
