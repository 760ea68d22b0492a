//! Tells from time to time that this coordinator lives and what it was told, so that `doctor` can compare.

use std::time::Duration;

use shared::lifecycle::finish_soon;
use shared::telemetry::Trouble;
use tokio_util::sync::CancellationToken;

use super::PATIENCE;
use crate::db::Db;
use crate::db::coordinators::{Appear, Coordinator, Disappear};

/// Time between two signs: several of them may be lost before it counts as dead.
const INTERVAL: Duration = Duration::from_secs(15);

/// Runs until `stop`; then takes the sign back.
pub async fn run(db: Db, own: Coordinator, stop: CancellationToken) {
    let mut trouble = Trouble::none("other coordinators can't be told of this one");
    loop {
        match finish_soon(&stop, PATIENCE, db.run(&Appear(&own))).await {
            None => return,
            Some(Ok(())) => trouble.ends(),
            Some(Err(error)) => trouble.begins(&error),
        }
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = stop.cancelled() => break,
        }
    }
    // Without an answer it is taken for dead a little later.
    let _gone = tokio::time::timeout(PATIENCE, db.run(&Disappear(own.id))).await;
}
