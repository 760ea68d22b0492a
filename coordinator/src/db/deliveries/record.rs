//! Recording what is to be told of jobs, in the transaction that ends them.

use deadpool_postgres::Transaction;
use serde_json::Map;
use serde_json::Value;
use shared::job::JobId;
use shared::message::ended::JobEnded;
use shared::message::submit::CallbackWhen;
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::db::{Error, job_row};
use crate::deliveries::{EndedJob, due};

/// Writes the deliveries of jobs that this transaction has moved to history and not yet removed from the active tables.
pub(in crate::db) async fn record(tx: &Transaction<'_>, jobs: &[Uuid]) -> Result<(), Error> {
    let statement = tx
        .prepare_cached(
            "-- deliveries.ended
             SELECT h.id, h.plugin, h.state, h.title, h.process_id, h.step_id, h.step_name, h.project, h.template,
                    h.target, h.retry_of, h.error, h.items_done, h.items_failed, h.items_total, h.bytes,
                    h.submitted_at, h.started_at, h.finished_at, h.summary, h.parameters, h.callback_url,
                    h.callback_when, d.callback_token
             FROM job_history h LEFT JOIN job_details d ON d.job_id = h.id
             WHERE h.id = ANY($1) AND h.callback_url IS NOT NULL ORDER BY h.id",
        )
        .await?;
    let (mut ids, mut job_ids, mut plugins, mut numbers) = (vec![], vec![], vec![], vec![]);
    let (mut kinds, mut targets, mut hosts, mut repeatable) = (vec![], vec![], vec![], vec![]);
    let (mut headers, mut payloads, mut tokens) = (vec![], vec![], vec![]);
    for row in tx.query(&statement, &[&jobs]).await? {
        let job = ended_job(&row)?;
        for (number, (kind, new)) in (1_i32..).zip(due(&job)) {
            ids.push(Uuid::now_v7());
            job_ids.push(job.ended.job_id.0);
            plugins.push(job.ended.plugin.clone());
            numbers.push(number);
            kinds.push(kind.name());
            repeatable.push(kind.repeatable());
            targets.push(new.target);
            hosts.push(new.host);
            headers.push(Json(new.headers));
            payloads.push(Json(new.payload));
            tokens.push(new.token);
        }
    }
    if ids.is_empty() {
        return Ok(());
    }
    let insert = tx
        .prepare_cached(
            "-- deliveries.record
             INSERT INTO deliveries (id, job_id, plugin, number, kind, target, host, repeatable, headers, payload, token)
             SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[], $5::text[], $6::text[], $7::text[],
                                  $8::bool[], $9::jsonb[], $10::jsonb[], $11::text[])",
        )
        .await?;
    tx.execute(
        &insert,
        &[
            &ids,
            &job_ids,
            &plugins,
            &numbers,
            &kinds,
            &targets,
            &hosts,
            &repeatable,
            &headers,
            &payloads,
            &tokens,
        ],
    )
    .await?;
    Ok(())
}

fn ended_job(row: &Row) -> Result<EndedJob, Error> {
    let when: &str = row.try_get("callback_when")?;
    let object = |column| -> Result<Map<String, Value>, Error> { Ok(row.try_get::<_, Json<_>>(column)?.0) };
    Ok(EndedJob {
        ended: JobEnded {
            job_id: JobId(row.try_get("id")?),
            plugin: row.try_get("plugin")?,
            state: job_row::state(row, "job_history")?,
            title: row.try_get("title")?,
            process_id: row.try_get("process_id")?,
            step_id: row.try_get("step_id")?,
            step_name: row.try_get("step_name")?,
            project: row.try_get("project")?,
            template: row.try_get("template")?,
            target: row.try_get("target")?,
            retry_of: row.try_get::<_, Option<Uuid>>("retry_of")?.map(JobId),
            error: row.try_get("error")?,
            items_done: row.try_get("items_done")?,
            items_failed: row.try_get("items_failed")?,
            items_total: row.try_get("items_total")?,
            bytes: row.try_get("bytes")?,
            submitted_at: row.try_get("submitted_at")?,
            started_at: row.try_get("started_at")?,
            finished_at: row.try_get("finished_at")?,
            summary: object("summary")?,
        },
        parameters: object("parameters")?,
        callback_url: row.try_get("callback_url")?,
        callback_when: if when == CallbackWhen::Done.as_str() {
            CallbackWhen::Done
        } else {
            CallbackWhen::Ended
        },
        callback_token: row.try_get("callback_token")?,
    })
}
