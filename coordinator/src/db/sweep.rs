//! Leases that ended without a sign of life.
//!
//! Invariant: silence counts against a worker only if messages of the heartbeat queue have reached this database
//! without a gap for as long as a lease lasts. An outage of broker, database or coordinators ends no attempt; a worker
//! that died in it or before it has its lease ended when one lease's time has passed since.

use deadpool_postgres::Transaction;
use shared::failpoint::{self, Failpoint};
use shared::job::decide::{self, WORKERS_LOST_MAX};
use shared::job::{ClaimId, JobId, JobState, Token};
use shared::mutant::{self, Mutant};
use uuid::Uuid;

use super::finish::{Ending, Finished, finish};
use super::{Error, Transact, job_row, limits};

#[cfg(test)]
mod tests;

/// Most leases that one transaction ends.
const BATCH: i64 = 200;

/// Ends leases that are over; gives how many there were and the jobs that ended with them.
#[derive(Debug)]
pub struct ExpireLeases {
    /// A silence of the probes longer than this, seconds, counts as an outage.
    pub gap_seconds: f64,
}

impl Transact for ExpireLeases {
    const NAME: &'static str = "sweep.expire_leases";
    type Output = (usize, Vec<Finished>);

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        let candidates = tx
            .prepare_cached(
                "-- sweep.candidates
                 SELECT leases.job_id FROM leases, heartbeat_probe
                 WHERE lease_end < tm_now()
                     AND ($3 OR (continuous_since <= tm_now() - make_interval(secs => lease_seconds)
                         AND last_at > tm_now() - make_interval(secs => $1)))
                 ORDER BY leases.job_id LIMIT $2",
            )
            .await?;
        let without_probe = mutant::is_active(Mutant::ExpiryWithoutProbe);
        let ids: Vec<JobId> = tx
            .query(&candidates, &[&self.gap_seconds, &BATCH, &without_probe])
            .await?
            .iter()
            .map(|row| JobId(row.get(0)))
            .collect();
        if ids.is_empty() {
            return Ok((0, Vec::new()));
        }
        let rows = job_row::lock(tx, &ids).await?;
        limits::lock(tx, &ids).await?;
        // A heartbeat may have come since: only a lease that is still over, seen under lock, counts.
        let over = tx
            .prepare_cached(
                "-- sweep.lock_leases
                 SELECT job_id, attempt, claim_id, worker_id FROM leases
                 WHERE job_id = ANY($1) AND lease_end < tm_now() ORDER BY job_id FOR UPDATE",
            )
            .await?;
        let uuids: Vec<Uuid> = rows.keys().map(|id| id.0).collect();
        let mut waiting = Vec::new();
        let mut endings = Vec::new();
        let mut lost = 0;
        for lease in tx.query(&over, &[&uuids]).await? {
            let id = JobId(lease.get(0));
            let token = Token {
                attempt: lease.get(1),
                claim_id: ClaimId(lease.get(2)),
            };
            let Some(next) = rows.get(&id).and_then(|row| decide::lease_expired(row, token)) else {
                continue;
            };
            lost += 1;
            end_attempt(tx, id, token).await?;
            if next.state.is_final() {
                let error = if next.state == JobState::Error {
                    Some(died_too_often(tx, id).await?)
                } else {
                    None
                };
                endings.push(Ending {
                    id,
                    job: next,
                    error,
                    summary: serde_json::Map::new(),
                    totals: None,
                    store_removed: false,
                });
            } else {
                waiting.push((id, next));
            }
        }
        job_row::save(tx, &waiting).await?;
        let ids: Vec<Uuid> = waiting.iter().map(|(id, _)| id.0).collect();
        let drop_leases = tx
            .prepare_cached("-- sweep.drop_leases\nDELETE FROM leases WHERE job_id = ANY($1)")
            .await?;
        tx.execute(&drop_leases, &[&ids]).await?;
        let finished = finish(tx, &endings).await?;
        failpoint::reach(Failpoint::ExpiryBeforeCommit);
        Ok((lost, finished))
    }
}

async fn end_attempt(tx: &Transaction<'_>, id: JobId, token: Token) -> Result<(), Error> {
    let statement = tx
        .prepare_cached(
            "-- sweep.end_attempt
             UPDATE attempts SET ended_at = tm_now(), outcome = 'lost',
                 error = 'its worker was not heard of for the whole lease'
             WHERE job_id = $1 AND attempt = $2 AND claim_id = $3",
        )
        .await?;
    tx.execute(&statement, &[&id.0, &token.attempt, &token.claim_id.0])
        .await?;
    Ok(())
}

async fn died_too_often(tx: &Transaction<'_>, id: JobId) -> Result<String, Error> {
    let statement = tx
        .prepare_cached(
            "-- sweep.deaths
             SELECT string_agg(format('attempt %s on %s', attempt, worker_id), ', ' ORDER BY attempt)
             FROM attempts WHERE job_id = $1 AND outcome = 'lost'",
        )
        .await?;
    let deaths: Option<String> = tx.query_one(&statement, &[&id.0]).await?.get(0);
    Ok(format!(
        "Its worker died {WORKERS_LOST_MAX} times ({}). Look at those workers' logs and memory limits before \
         you start it again.",
        deaths.unwrap_or_default()
    ))
}
