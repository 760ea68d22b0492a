//! Once an hour: partitions ahead, expired keys and long silent workers away.

use std::time::Duration;

use shared::error::Chain;
use shared::lifecycle::finish_soon;
use tokio_util::sync::CancellationToken;

use super::PATIENCE;
use crate::db::Db;
use crate::db::maintenance::{EnsurePartitions, RemoveExpired};

/// Time between two rounds.
const INTERVAL: Duration = Duration::from_hours(1);

/// Runs until `stop`.
pub async fn run(db: Db, stop: CancellationToken) {
    loop {
        if finish_soon(&stop, PATIENCE, tidy(&db)).await.is_none() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn tidy(db: &Db) {
    if let Err(error) = db.run(&EnsurePartitions).await {
        tracing::warn!(
            "partitions for the coming months can't be made now: {}",
            Chain(&error)
        );
    }
    if let Err(error) = db.run(&RemoveExpired).await {
        tracing::warn!("expired keys can't be removed now: {}", Chain(&error));
    }
}
