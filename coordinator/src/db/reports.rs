//! What attempts report beside their figures: item results and log lines, each recorded once.

use deadpool_postgres::Transaction;
use serde_json::Value;
use shared::job::JobId;
use shared::message::worker::{AttemptReport, ItemReport};
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::Error;

/// Records item results and log lines; repeated ones change nothing.
pub(super) async fn record(tx: &Transaction<'_>, reports: &[&AttemptReport]) -> Result<(), Error> {
    let mut reports = reports.to_vec();
    reports.sort_by_key(|report| report.job_id);
    let items = reports.iter().flat_map(|report| {
        report
            .items
            .iter()
            .map(|item| (report.job_id, report.attempt, item))
    });
    record_items(tx, items.collect()).await?;
    record_log(tx, &reports).await
}

/// Records results of items, each with its job and attempt; repeated ones change nothing.
pub(super) async fn record_items(
    tx: &Transaction<'_>,
    mut items: Vec<(JobId, i32, &ItemReport)>,
) -> Result<(), Error> {
    if items.is_empty() {
        return Ok(());
    }
    items.sort_by(|a, b| (a.0, &a.2.name).cmp(&(b.0, &b.2.name)));
    items.dedup_by(|a, b| a.0 == b.0 && a.2.name == b.2.name);
    let ids: Vec<Uuid> = items.iter().map(|(id, _, _)| id.0).collect();
    let names: Vec<&str> = items.iter().map(|(_, _, item)| item.name.as_str()).collect();
    let positions: Vec<i32> = items
        .iter()
        .map(|(_, _, item)| i32::try_from(item.position).unwrap_or(i32::MAX))
        .collect();
    let states: Vec<&str> = items.iter().map(|(_, _, item)| item.state.as_str()).collect();
    let attempts: Vec<i32> = items.iter().map(|(_, attempt, _)| *attempt).collect();
    let files: Vec<Json<Value>> = items
        .iter()
        .map(|(_, _, item)| Json(serde_json::to_value(&item.files).expect("file entries are plain data")))
        .collect();
    let durations: Vec<i64> = items
        .iter()
        .map(|(_, _, item)| i64::try_from(item.duration_ms).unwrap_or(i64::MAX))
        .collect();
    let errors: Vec<Option<&str>> = items.iter().map(|(_, _, item)| item.error.as_deref()).collect();
    let statement = tx
        .prepare_cached(
            "-- reports.items
             INSERT INTO items (job_id, name, position, state, attempt, files, duration_ms, error)
             SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::int[], $6::jsonb[],
                                  $7::bigint[], $8::text[])
             ON CONFLICT (job_id, name) DO UPDATE SET
                 position = EXCLUDED.position, state = EXCLUDED.state, attempt = EXCLUDED.attempt,
                 files = EXCLUDED.files, duration_ms = EXCLUDED.duration_ms, error = EXCLUDED.error
             WHERE items.attempt < EXCLUDED.attempt",
        )
        .await?;
    tx.execute(
        &statement,
        &[
            &ids, &names, &positions, &states, &attempts, &files, &durations, &errors,
        ],
    )
    .await?;
    Ok(())
}

async fn record_log(tx: &Transaction<'_>, reports: &[&AttemptReport]) -> Result<(), Error> {
    let lines: Vec<_> = reports
        .iter()
        .flat_map(|report| report.log.iter().map(move |line| (report, line)))
        .collect();
    if lines.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = lines.iter().map(|(report, _)| report.job_id.0).collect();
    let attempts: Vec<i32> = lines.iter().map(|(report, _)| report.attempt).collect();
    let claims: Vec<Uuid> = lines.iter().map(|(report, _)| report.claim_id.0).collect();
    let numbers: Vec<i32> = lines
        .iter()
        .map(|(_, line)| i32::try_from(line.number).unwrap_or(i32::MAX))
        .collect();
    let texts: Vec<&str> = lines.iter().map(|(_, line)| line.text.as_str()).collect();
    let statement = tx
        .prepare_cached(
            "-- reports.log
             INSERT INTO job_logs (job_id, attempt, claim_id, line, job_submitted_at, text)
             SELECT new.job_id, new.attempt, new.claim_id, new.line, jobs.submitted_at, new.text
             FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::int[], $5::text[])
                 AS new(job_id, attempt, claim_id, line, text)
             JOIN jobs ON jobs.id = new.job_id
             ON CONFLICT DO NOTHING",
        )
        .await?;
    tx.execute(&statement, &[&ids, &attempts, &claims, &numbers, &texts])
        .await?;
    Ok(())
}
