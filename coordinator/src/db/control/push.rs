//! Whom to tell at once what was decided about running attempts.

use std::collections::BTreeMap;

use deadpool_postgres::Transaction;
use shared::job::{ClaimId, JobId};
use shared::message::reply::{AttemptVerdict, Verdict};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::db::Error;

/// The running attempts of these jobs, with a verdict for each, by their workers' addresses.
pub(super) async fn to_jobs(
    tx: &Transaction<'_>,
    verdicts: &[(JobId, Verdict)],
) -> Result<Vec<(String, Vec<AttemptVerdict>)>, Error> {
    if verdicts.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = verdicts.iter().map(|(id, _)| id.0).collect();
    let statement = tx
        .prepare_cached(
            "-- push.to_jobs
             SELECT workers.reply_to, leases.job_id, leases.claim_id
             FROM leases JOIN workers ON workers.id = leases.worker_id WHERE leases.job_id = ANY($1)",
        )
        .await?;
    let rows = tx.query(&statement, &[&ids]).await?;
    Ok(by_address(&rows, |id| {
        let (_, verdict) = verdicts.iter().find(|(told, _)| *told == id)?;
        Some(*verdict)
    }))
}

/// All running attempts of these plugins, by their workers' addresses.
pub(super) async fn to_plugins(
    tx: &Transaction<'_>,
    plugins: &[&str],
    verdict: Verdict,
) -> Result<Vec<(String, Vec<AttemptVerdict>)>, Error> {
    if plugins.is_empty() {
        return Ok(Vec::new());
    }
    let statement = tx
        .prepare_cached(
            "-- push.to_plugins
             SELECT workers.reply_to, leases.job_id, leases.claim_id
             FROM leases JOIN workers ON workers.id = leases.worker_id JOIN jobs ON jobs.id = leases.job_id
             WHERE jobs.plugin = ANY($1) AND NOT jobs.publish_granted",
        )
        .await?;
    let rows = tx.query(&statement, &[&plugins]).await?;
    Ok(by_address(&rows, |_| Some(verdict)))
}

/// All running attempts of a worker, by its address.
pub(super) async fn to_worker(
    tx: &Transaction<'_>,
    worker: &str,
    verdict: Verdict,
) -> Result<Vec<(String, Vec<AttemptVerdict>)>, Error> {
    let statement = tx
        .prepare_cached(
            "-- push.to_worker
             SELECT workers.reply_to, leases.job_id, leases.claim_id
             FROM leases JOIN workers ON workers.id = leases.worker_id JOIN jobs ON jobs.id = leases.job_id
             WHERE workers.id = $1 AND NOT jobs.publish_granted",
        )
        .await?;
    let rows = tx.query(&statement, &[&worker]).await?;
    Ok(by_address(&rows, |_| Some(verdict)))
}

fn by_address(
    rows: &[Row],
    verdict: impl Fn(JobId) -> Option<Verdict>,
) -> Vec<(String, Vec<AttemptVerdict>)> {
    let mut pushes: BTreeMap<String, Vec<AttemptVerdict>> = BTreeMap::new();
    for row in rows {
        let job_id = JobId(row.get(1));
        if let Some(verdict) = verdict(job_id) {
            pushes.entry(row.get(0)).or_default().push(AttemptVerdict {
                job_id,
                claim_id: ClaimId(row.get(2)),
                verdict,
                transfer: None,
            });
        }
    }
    pushes.into_iter().collect()
}
