//! Recording what a person tells another system about a job.

use deadpool_postgres::Transaction;
use shared::job::JobId;
use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::db::Error;
use crate::deliveries::{Kind, NewDelivery};

/// Numbers above this one are those of people's messages: what is told of a job's end has others, and the two neither
/// meet nor wait for each other.
pub(super) const BY_HAND: i32 = 1_000;

/// Writes a delivery behind those of people that its job has. The job's row must be locked.
pub(in crate::db) async fn by_hand(
    tx: &Transaction<'_>,
    job: JobId,
    plugin: &str,
    kind: &dyn Kind,
    new: &NewDelivery,
) -> Result<(), Error> {
    let insert = tx
        .prepare_cached(
            "-- deliveries.by_hand
             INSERT INTO deliveries (id, job_id, plugin, number, kind, target, host, repeatable, headers, payload, token)
             SELECT $1, $2, $3, greatest(max(number), $4) + 1, $5, $6, $7, $8, $9, $10, $11
             FROM deliveries WHERE job_id = $2",
        )
        .await?;
    tx.execute(
        &insert,
        &[
            &Uuid::now_v7(),
            &job.0,
            &plugin,
            &BY_HAND,
            &kind.name(),
            &new.target,
            &new.host,
            &kind.repeatable(),
            &Json(&new.headers),
            &Json(&new.payload),
            &new.token,
        ],
    )
    .await?;
    Ok(())
}
