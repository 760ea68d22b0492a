//! Once a minute: partitions ahead; expired keys, long silent workers, ended jobs beyond their retention, and months
//! that are empty away; the sums over history added up.

use std::time::Duration;

use shared::error::Chain;
use shared::lifecycle::finish_soon;
use tokio_util::sync::CancellationToken;

use super::PATIENCE;
use crate::db::Db;
use crate::db::maintenance::{EnsurePartitions, Expired, RemoveExpired};
use crate::db::months::DropMonth;
use crate::db::retention::Prune;
use crate::db::sums::FoldSums;

/// Time between two rounds.
const INTERVAL: Duration = Duration::from_mins(1);

/// Runs until `stop`.
pub async fn run(db: Db, stop: CancellationToken) {
    loop {
        if finish_soon(&stop, PATIENCE, prepare_months(&db)).await.is_none() {
            return;
        }
        // What is not removed before the process is to stop is removed by the next one.
        if finish_soon(&stop, PATIENCE, remove_expired(&db, &stop))
            .await
            .is_none()
        {
            return;
        }
        // One small transaction after the other, as long as there is something to remove.
        let mut more = true;
        while more && !stop.is_cancelled() {
            let Some(pruned) = finish_soon(&stop, PATIENCE, db.run(&Prune)).await else {
                return;
            };
            more = match pruned {
                Ok(number) => number > 0,
                Err(error) => {
                    tracing::warn!("history can't be shortened now: {}", Chain(&error));
                    false
                }
            };
        }
        if finish_soon(&stop, PATIENCE, drop_months(&db)).await.is_none() {
            return;
        }
        if finish_soon(&stop, PATIENCE, fold_sums(&db, &stop))
            .await
            .is_none()
        {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn prepare_months(db: &Db) {
    if let Err(error) = db.run(&EnsurePartitions).await {
        tracing::warn!(
            "partitions for the coming months can't be made now: {}",
            Chain(&error)
        );
    }
}

/// Removes all that has expired, in small transactions; what fails stops nothing else.
pub(crate) async fn remove_expired(db: &Db, stop: &CancellationToken) {
    for kind in Expired::ALL {
        let mut more = true;
        while more && !stop.is_cancelled() {
            more = match db.run(&RemoveExpired(kind)).await {
                Ok(more) => more,
                Err(error) => {
                    tracing::warn!("expired {kind:?} can't be removed now: {}", Chain(&error));
                    false
                }
            };
        }
    }
}

async fn fold_sums(db: &Db, stop: &CancellationToken) {
    let mut more = true;
    while more && !stop.is_cancelled() {
        more = match db.run(&FoldSums).await {
            Ok(more) => more,
            Err(error) => {
                tracing::warn!("the sums over history can't be added up now: {}", Chain(&error));
                false
            }
        };
    }
}

async fn drop_months(db: &Db) {
    loop {
        match db.run(&DropMonth).await {
            Ok(Some(month)) => tracing::info!("nothing of {month} is kept any longer: it is removed"),
            Ok(None) => return,
            Err(error) if error.is_lock_timeout() => {
                tracing::debug!("a month is in use: it is looked at again later");
                return;
            }
            Err(error) => {
                tracing::warn!("empty months can't be removed now: {}", Chain(&error));
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;
