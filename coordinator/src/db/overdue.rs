//! Attempts that run longer than they were granted, and whose worker has not ended them.
//!
//! A worker enforces the run budget itself; this is for one that can't any more, though it still sends heartbeats.
//! Once its outputs are granted an attempt is let through: it is about to end.

use deadpool_postgres::Transaction;
use shared::job::decide::{self, EndAnswer, ErrorClass, Job, OutcomeKind};
use shared::job::{ClaimId, JobId, JobState, Token};
use uuid::Uuid;

use super::finish::{Ending, Finished, finish};
use super::{Error, Transact, job_row, limits, schedule};

#[cfg(test)]
mod tests;

/// Most attempts that one transaction ends.
const BATCH: i64 = 100;
/// How much longer than the budget a worker may take to end an attempt, seconds.
const GRACE_SECONDS: f64 = 300.0;
/// What the attempt and, where it is not tried again, the job say.
const MESSAGE: &str = "It ran longer than its plugin allows, and its worker did not end it. Look at that worker: something of it may hang.";

/// Ends attempts beyond their run budget; gives how many, and the jobs that ended with them.
#[derive(Debug)]
pub struct EndOverdue;

impl Transact for EndOverdue {
    const NAME: &'static str = "overdue.end";
    type Output = (usize, Vec<Finished>);

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        let candidates = tx
            .prepare_cached(
                "-- overdue.candidates
                 SELECT leases.job_id, leases.attempt, leases.claim_id, plugins.retries_max
                 FROM leases JOIN attempts USING (job_id, attempt, claim_id)
                 JOIN jobs ON jobs.id = leases.job_id JOIN plugins ON plugins.name = jobs.plugin
                 WHERE NOT jobs.publish_granted
                     AND attempts.started_at + make_interval(secs => $1::float8
                         + coalesce(attempts.run_budget_seconds, plugins.run_budget_seconds)) < tm_now()
                 ORDER BY leases.job_id LIMIT $2",
            )
            .await?;
        let candidates = tx.query(&candidates, &[&GRACE_SECONDS, &BATCH]).await?;
        let ids: Vec<JobId> = candidates.iter().map(|row| JobId(row.get(0))).collect();
        if ids.is_empty() {
            return Ok((0, Vec::new()));
        }
        let rows = job_row::lock(tx, &ids).await?;
        limits::lock(tx, &ids).await?;
        let mut ended: Vec<(JobId, Job, Token)> = Vec::new();
        for row in &candidates {
            let id = JobId(row.get(0));
            let token = Token {
                attempt: row.get(1),
                claim_id: ClaimId(row.get(2)),
            };
            let outcome = OutcomeKind::Failed(ErrorClass::Retryable);
            // Seen under lock: it may have ended, or been granted its outputs, since.
            let job = rows.get(&id).filter(|job| !job.publish_granted);
            if let Some(EndAnswer::Record(next)) =
                job.map(|job| decide::result(job, token, outcome, row.get(3)))
            {
                ended.push((id, next, token));
            }
        }
        end_attempts(tx, &ended).await?;
        let later: Vec<(JobId, Job)> = ended
            .iter()
            .filter(|(_, next, _)| next.state == JobState::Scheduled)
            .map(|(id, next, _)| (*id, *next))
            .collect();
        schedule::retry_later(tx, &later).await?;
        let endings: Vec<Ending> = ended
            .iter()
            .filter(|(_, next, _)| next.state.is_final())
            .map(|(id, next, _)| Ending {
                id: *id,
                job: *next,
                error: (next.state == JobState::Error).then(|| MESSAGE.to_owned()),
                summary: serde_json::Map::new(),
                totals: None,
            })
            .collect();
        let finished = finish(tx, &endings).await?;
        Ok((ended.len(), finished))
    }
}

async fn end_attempts(tx: &Transaction<'_>, ended: &[(JobId, Job, Token)]) -> Result<(), Error> {
    let ids: Vec<Uuid> = ended.iter().map(|(id, _, _)| id.0).collect();
    let attempts: Vec<i32> = ended.iter().map(|(_, _, token)| token.attempt).collect();
    let claims: Vec<Uuid> = ended.iter().map(|(_, _, token)| token.claim_id.0).collect();
    let statement = tx
        .prepare_cached(
            "-- overdue.end_attempts
             UPDATE attempts SET ended_at = tm_now(), outcome = 'failed', error_class = 'retryable', error = $4
             FROM unnest($1::uuid[], $2::int[], $3::uuid[]) AS over(job_id, attempt, claim_id)
             WHERE (attempts.job_id, attempts.attempt, attempts.claim_id) = (over.job_id, over.attempt, over.claim_id)",
        )
        .await?;
    tx.execute(&statement, &[&ids, &attempts, &claims, &MESSAGE])
        .await?;
    // Heartbeats lock leases without their jobs, in this order.
    let lock = tx
        .prepare_cached(
            "-- overdue.lock_leases
             SELECT 1 FROM leases WHERE job_id = ANY($1) ORDER BY job_id FOR UPDATE",
        )
        .await?;
    tx.execute(&lock, &[&ids]).await?;
    let leases = tx
        .prepare_cached(
            "-- overdue.drop_leases
             DELETE FROM leases WHERE job_id = ANY($1)",
        )
        .await?;
    tx.execute(&leases, &[&ids]).await?;
    Ok(())
}
