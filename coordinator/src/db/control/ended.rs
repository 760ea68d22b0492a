//! What can be done with ended jobs: do them again, or remove them from history.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use shared::job::JobId;
use shared::job::decide::Job;
use uuid::Uuid;

use super::jobs::{JobOutcome, WhyNot};
use crate::control::RetryItems;
use crate::db::Error;

/// Makes a new job of each ended one. With [`RetryItems::Failed`] it keeps the done items, and goes on in the item
/// store of the old one.
pub(super) async fn retry(
    tx: &Transaction<'_>,
    ids: &[JobId],
    unfinished: &HashMap<JobId, Job>,
    items: RetryItems,
) -> Result<HashMap<JobId, JobOutcome>, Error> {
    let mut outcomes = refused(ids, unfinished);
    let uuids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    // Locked, so that of two retries at once the second sees the first.
    let lock = tx
        .prepare_cached(
            "-- retry.lock
             SELECT id, state FROM job_history WHERE id = ANY($1) ORDER BY id FOR UPDATE",
        )
        .await?;
    let ended = tx.query(&lock, &[&uuids]).await?;
    let busy = tx
        .prepare_cached(
            "-- retry.busy
             SELECT h.id FROM job_history h WHERE h.id = ANY($1) AND (
                 EXISTS (SELECT 1 FROM jobs WHERE jobs.retry_of = h.id)
                 OR EXISTS (SELECT 1 FROM job_details d WHERE d.store_id = coalesce(h.store_id, h.id)))",
        )
        .await?;
    let busy = tx.query(&busy, &[&uuids]).await?;
    // Of a job and its retries only the last one is repeated: they may share one item store.
    let retried = tx
        .prepare_cached(
            "-- retry.retried
             SELECT retry_of FROM job_history WHERE retry_of = ANY($1)",
        )
        .await?;
    let retried = tx.query(&retried, &[&uuids]).await?;
    let retried: Vec<Uuid> = retried.iter().map(|row| row.get(0)).collect();
    let busy: Vec<Uuid> = busy.iter().map(|row| row.get(0)).collect();
    let mut old = Vec::new();
    let mut new = Vec::new();
    for row in &ended {
        let id: Uuid = row.get(0);
        let outcome = if row.get::<_, &str>(1) == "CANCELLED" {
            JobOutcome::Refused {
                why: WhyNot::WasCancelled,
            }
        } else if retried.contains(&id) {
            JobOutcome::Refused {
                why: WhyNot::WasRetried,
            }
        } else if busy.contains(&id) {
            JobOutcome::Refused {
                why: WhyNot::RetryUnfinished,
            }
        } else {
            let new_job = JobId::generate();
            old.push(id);
            new.push(new_job.0);
            JobOutcome::Retried { new_job }
        };
        outcomes.insert(JobId(id), outcome);
    }
    copy(tx, &old, &new, items).await?;
    Ok(outcomes)
}

async fn copy(tx: &Transaction<'_>, old: &[Uuid], new: &[Uuid], items: RetryItems) -> Result<(), Error> {
    let jobs = tx
        .prepare_cached(
            "-- retry.jobs
             INSERT INTO jobs (id, plugin, title, state, priority, retry_of)
             SELECT new.id, h.plugin, h.title, 'QUEUED', h.priority, h.id
             FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS new(old, id, place)
             JOIN job_history h ON h.id = new.old ORDER BY place",
        )
        .await?;
    tx.execute(&jobs, &[&old, &new]).await?;
    let keep = items == RetryItems::Failed;
    let details = tx
        .prepare_cached(
            "-- retry.details
             INSERT INTO job_details (job_id, template, template_parameters, process_id, step_id, step_name, project,
                                      source, target, parameters, callback_url, callback_when, extra, submitted_by,
                                      store_id)
             SELECT new.id, h.template, h.template_parameters, h.process_id, h.step_id, h.step_name, h.project,
                    h.source, h.target, h.parameters, h.callback_url, h.callback_when, h.extra, h.submitted_by,
                    CASE WHEN $3 THEN coalesce(h.store_id, h.id) END
             FROM unnest($1::uuid[], $2::uuid[]) AS new(old, id) JOIN job_history h ON h.id = new.old",
        )
        .await?;
    tx.execute(&details, &[&old, &new, &keep]).await?;
    if keep {
        let done = tx
            .prepare_cached(
                "-- retry.items
                 INSERT INTO items (job_id, name, position, state, attempt, files, duration_ms, error)
                 SELECT new.id, name, position, state, 0, files, duration_ms, error
                 FROM unnest($1::uuid[], $2::uuid[]) AS new(old, id) JOIN items ON items.job_id = new.old
                 WHERE items.state = 'done'",
            )
            .await?;
        tx.execute(&done, &[&old, &new]).await?;
    }
    Ok(())
}

/// Removes ended jobs at a person's wish.
pub(super) async fn delete(
    tx: &Transaction<'_>,
    ids: &[JobId],
    unfinished: &HashMap<JobId, Job>,
) -> Result<HashMap<JobId, JobOutcome>, Error> {
    let ended: Vec<JobId> = ids
        .iter()
        .filter(|id| !unfinished.contains_key(id))
        .copied()
        .collect();
    let mut outcomes = refused(ids, unfinished);
    outcomes.extend(
        remove(tx, &ended)
            .await?
            .into_iter()
            .map(|id| (id, JobOutcome::Done)),
    );
    Ok(outcomes)
}

/// Removes ended jobs with all that belongs to them; gives those that were there. Statistics, quota ledger and
/// audit log stay.
pub(crate) async fn remove(tx: &Transaction<'_>, ids: &[JobId]) -> Result<Vec<JobId>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let uuids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let history = tx
        .prepare_cached(
            "-- delete.history
             WITH gone AS (DELETE FROM job_history WHERE id = ANY($1) RETURNING id, submitted_at),
             logs AS (
                 DELETE FROM job_logs USING gone
                 WHERE job_logs.job_id = gone.id AND job_logs.job_submitted_at = gone.submitted_at)
             SELECT id FROM gone",
        )
        .await?;
    let gone = tx.query(&history, &[&uuids]).await?;
    for statement in [
        "-- delete.items\nDELETE FROM items WHERE job_id = ANY($1)",
        "-- delete.attempts\nDELETE FROM attempts WHERE job_id = ANY($1)",
        // What is still to be sent, or has failed, outlives its job; housekeeping removes it in the end.
        "-- delete.deliveries\nDELETE FROM deliveries WHERE job_id = ANY($1) AND state = 'delivered'",
        "-- delete.keys\nDELETE FROM idempotency_keys WHERE job_id = ANY($1)",
    ] {
        let statement = tx.prepare_cached(statement).await?;
        tx.execute(&statement, &[&uuids]).await?;
    }
    Ok(gone.iter().map(|row| JobId(row.get(0))).collect())
}

fn refused(ids: &[JobId], unfinished: &HashMap<JobId, Job>) -> HashMap<JobId, JobOutcome> {
    let not_ended = JobOutcome::Refused {
        why: WhyNot::NotEnded,
    };
    ids.iter()
        .filter(|id| unfinished.contains_key(id))
        .map(|id| (*id, not_ended))
        .collect()
}
