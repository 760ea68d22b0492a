//! Once an hour: partitions ahead, expired keys and long silent workers away.

use std::time::Duration;

use shared::error::Chain;
use tokio_util::sync::CancellationToken;

use crate::db::Db;
use crate::db::maintenance::{EnsurePartitions, RemoveExpired};

/// Time between two rounds.
const INTERVAL: Duration = Duration::from_hours(1);

/// Runs until `stop`.
pub async fn run(db: Db, stop: CancellationToken) {
    loop {
        if let Err(error) = db.run(&EnsurePartitions).await {
            tracing::warn!(
                "partitions for the coming months can't be made now: {}",
                Chain(&error)
            );
        }
        if let Err(error) = db.run(&RemoveExpired).await {
            tracing::warn!("expired keys can't be removed now: {}", Chain(&error));
        }
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = stop.cancelled() => return,
        }
    }
}
