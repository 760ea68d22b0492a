//! Loading the part of a job's row that decisions need, under lock, and writing back what they answered.
//!
//! Invariant: job rows are locked before lease rows, and in the order of their ids, so that two transactions
//! never wait for each other.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use shared::job::decide::Job;
use shared::job::{ClaimId, JobId, JobState, Token};
use tokio_postgres::Row;
use uuid::Uuid;

use super::Error;

/// The rows of those jobs among `ids` that are unfinished, locked until the end of the transaction.
pub(super) async fn lock(tx: &Transaction<'_>, ids: &[JobId]) -> Result<HashMap<JobId, Job>, Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let statement = tx
        .prepare_cached(
            "-- job_row.lock
             SELECT id, state, dispatch, attempt, claim_attempt, claim_id, held, start_now, cancel_requested,
                    publish_granted, workers_lost, failures
             FROM jobs WHERE id = ANY($1) ORDER BY id FOR UPDATE",
        )
        .await?;
    let rows = tx.query(&statement, &[&ids]).await?;
    rows.iter()
        .map(|row| Ok((JobId(row.get("id")), read(row)?)))
        .collect()
}

fn read(row: &Row) -> Result<Job, Error> {
    let token = match (row.get("claim_attempt"), row.get::<_, Option<Uuid>>("claim_id")) {
        (Some(attempt), Some(claim)) => Some(Token {
            attempt,
            claim_id: ClaimId(claim),
        }),
        _ => None,
    };
    Ok(Job {
        state: state(row, "jobs")?,
        dispatch: row.get("dispatch"),
        attempt: row.get("attempt"),
        token,
        held: row.get("held"),
        start_now: row.get("start_now"),
        cancel_requested: row.get("cancel_requested"),
        publish_granted: row.get("publish_granted"),
        workers_lost: row.get("workers_lost"),
        failures: row.get("failures"),
    })
}

/// The column `state` of a row that also has `id`.
pub(super) fn state(row: &Row, table: &'static str) -> Result<JobState, Error> {
    row.get::<_, &str>("state")
        .parse()
        .map_err(|_| Error::Inconsistent {
            table,
            column: "state",
            row: row.get::<_, Uuid>("id").to_string(),
        })
}

/// Writes rows as decided. They must have been locked in this transaction; final states are for [`super::finish`],
/// which moves the row to history instead, and SCHEDULED is for [`super::schedule`], which knows the time.
pub(super) async fn save(tx: &Transaction<'_>, changed: &[(JobId, Job)]) -> Result<(), Error> {
    if changed.is_empty() {
        return Ok(());
    }
    let column = |f: fn(&Job) -> bool| -> Vec<bool> { changed.iter().map(|(_, job)| f(job)).collect() };
    let ids: Vec<Uuid> = changed.iter().map(|(id, _)| id.0).collect();
    let states: Vec<&str> = changed.iter().map(|(_, job)| job.state.as_str()).collect();
    let dispatches: Vec<i64> = changed.iter().map(|(_, job)| job.dispatch).collect();
    let attempts: Vec<i32> = changed.iter().map(|(_, job)| job.attempt).collect();
    let claim_attempts: Vec<Option<i32>> = changed
        .iter()
        .map(|(_, job)| job.token.map(|token| token.attempt))
        .collect();
    let claim_ids: Vec<Option<Uuid>> = changed
        .iter()
        .map(|(_, job)| job.token.map(|token| token.claim_id.0))
        .collect();
    let workers_lost: Vec<i16> = changed.iter().map(|(_, job)| job.workers_lost).collect();
    let failures: Vec<i16> = changed.iter().map(|(_, job)| job.failures).collect();
    let statement = tx
        .prepare_cached(
            "-- job_row.save
             UPDATE jobs SET
                 state = new.state, dispatch = new.dispatch, attempt = new.attempt,
                 claim_attempt = new.claim_attempt, claim_id = new.claim_id, held = new.held,
                 cancel_requested = new.cancel_requested, publish_granted = new.publish_granted,
                 workers_lost = new.workers_lost, start_now = new.start_now, failures = new.failures,
                 run_at = CASE WHEN new.state = 'SCHEDULED' THEN run_at END,
                 queued_at = CASE WHEN new.state = 'QUEUED' AND jobs.state <> 'QUEUED'
                                  THEN tm_now() ELSE queued_at END,
                 started_at = CASE WHEN new.state = 'STARTED' THEN coalesce(started_at, tm_now())
                                   ELSE started_at END,
                 relay_until = NULL
             FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::int[], $5::int[], $6::uuid[], $7::bool[],
                         $8::bool[], $9::bool[], $10::smallint[], $11::bool[], $12::smallint[])
                  AS new(id, state, dispatch, attempt, claim_attempt, claim_id, held, cancel_requested,
                         publish_granted, workers_lost, start_now, failures)
             WHERE jobs.id = new.id",
        )
        .await?;
    tx.execute(
        &statement,
        &[
            &ids,
            &states,
            &dispatches,
            &attempts,
            &claim_attempts,
            &claim_ids,
            &column(|job| job.held),
            &column(|job| job.cancel_requested),
            &column(|job| job.publish_granted),
            &workers_lost,
            &column(|job| job.start_now),
            &failures,
        ],
    )
    .await?;
    Ok(())
}
