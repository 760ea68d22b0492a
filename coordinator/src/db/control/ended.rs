//! What can be done with ended jobs: do them again, or remove them from history.

use std::collections::{HashMap, HashSet};

use deadpool_postgres::Transaction;
use shared::job::JobId;
use shared::job::decide::Job;
use shared::message::submit::{StepOfWorkflow, derived_key};
use tokio_postgres::Row;
use uuid::Uuid;

use super::jobs::{JobOutcome, WhyNot};
use crate::control::RetryItems;
use crate::db::{Error, stores};

#[cfg(test)]
mod tests;

/// Makes a new job of each ended one, which is recognised as a repeated submission of its workflow's step while it is
/// unfinished. With [`RetryItems::Failed`] it keeps the done items and, where the old one failed, goes on in its item
/// store.
pub(super) async fn retry(
    tx: &Transaction<'_>,
    ids: &[JobId],
    unfinished: &HashMap<JobId, Job>,
    items: RetryItems,
) -> Result<HashMap<JobId, JobOutcome>, Error> {
    let mut outcomes = refused(ids, unfinished);
    let uuids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    // Locked, so that of two retries at once the second sees the first.
    stores::lock_families(tx, &uuids).await?;
    let ended = tx
        .prepare_cached(
            "-- retry.ended
             SELECT id, state, plugin, process_id, step_id, template, target FROM job_history
             WHERE id = ANY($1) ORDER BY id",
        )
        .await?;
    let ended = tx.query(&ended, &[&uuids]).await?;
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
    let mut repeated: Vec<(&Row, JobId)> = Vec::new();
    // The youngest first: of several jobs of one step it is the one that holds their key.
    for row in ended.iter().rev() {
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
            repeated.push((row, new_job));
            JobOutcome::Retried { new_job }
        };
        outcomes.insert(JobId(id), outcome);
    }
    let submitted_again = hold_keys(tx, &repeated).await?;
    let why = WhyNot::SubmittedAgain;
    let (second, repeated): (Vec<_>, Vec<_>) = repeated
        .into_iter()
        .map(|(row, new_job)| (row.get::<_, Uuid>(0), new_job))
        .partition(|(_, new_job)| submitted_again.contains(new_job));
    outcomes.extend(
        second
            .into_iter()
            .map(|(old, _)| (JobId(old), JobOutcome::Refused { why })),
    );
    // In the order of the old ones, as they came.
    let (old, new): (Vec<Uuid>, Vec<Uuid>) = repeated.iter().rev().map(|(old, new)| (*old, new.0)).unzip();
    copy(tx, &old, &new, items).await?;
    Ok(outcomes)
}

/// Has retries hold the keys by which their workflows' repeated submissions are recognised; gives those whose key
/// another unfinished job holds.
async fn hold_keys(tx: &Transaction<'_>, repeated: &[(&Row, JobId)]) -> Result<HashSet<JobId>, Error> {
    let old: Vec<Uuid> = repeated.iter().map(|(row, _)| row.get(0)).collect();
    // Who has named a key decides by itself what a repetition is.
    let chosen = tx
        .prepare_cached(
            "-- retry.chosen_keys
             SELECT job_id FROM idempotency_keys WHERE job_id = ANY($1) AND starts_with(key, 'key:')",
        )
        .await?;
    let chosen: HashSet<Uuid> = tx
        .query(&chosen, &[&old])
        .await?
        .iter()
        .map(|row| row.get(0))
        .collect();
    let (keys, jobs): (Vec<String>, Vec<Uuid>) = repeated
        .iter()
        .filter(|(row, _)| !chosen.contains(&row.get(0)))
        .filter_map(|(row, new_job)| Some((derived(row)?, new_job.0)))
        .unzip();
    let hold = tx
        .prepare_cached(
            "-- retry.hold_keys
             INSERT INTO idempotency_keys (key, job_id)
             SELECT key, job_id FROM unnest($1::text[], $2::uuid[]) WITH ORDINALITY AS new(key, job_id, place)
             ORDER BY key, place ON CONFLICT (key) DO NOTHING RETURNING job_id",
        )
        .await?;
    let rows = tx.query(&hold, &[&keys, &jobs]).await?;
    let holders: HashSet<Uuid> = rows.iter().map(|row| row.get(0)).collect();
    Ok(jobs
        .into_iter()
        .filter(|job| !holders.contains(job))
        .map(JobId)
        .collect())
}

fn derived(row: &Row) -> Option<String> {
    Some(derived_key(StepOfWorkflow {
        plugin: row.get("plugin"),
        process_id: row.get::<_, Option<&str>>("process_id")?,
        step_id: row.get::<_, Option<&str>>("step_id")?,
        template: row.get("template"),
        target: row.get("target"),
    }))
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
                    CASE WHEN $3 AND h.state = 'ERROR' AND NOT h.store_gone THEN coalesce(h.store_id, h.id) END
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
    // Where all is done anew nobody goes on in the old store.
    let left = stores::of_history(tx, old).await?;
    stores::retire(tx, left).await
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
    // A trigger writes to them when history loses its rows, and deliveries come before history.
    let lock = tx
        .prepare_cached(
            "-- delete.lock\nSELECT 1 FROM deliveries WHERE job_id = ANY($1) ORDER BY id FOR UPDATE",
        )
        .await?;
    tx.execute(&lock, &[&uuids]).await?;
    stores::lock_families(tx, &uuids).await?;
    let left = stores::of_history(tx, &uuids).await?;
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
    stores::retire(tx, left).await?;
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
