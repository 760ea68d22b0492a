//! After storages were set or removed: jobs that wait for one are asked anew, one small transaction after the other.

use std::time::Duration;

use shared::lifecycle::finish_soon;
use shared::telemetry::Trouble;
use tokio_util::sync::CancellationToken;

use super::PATIENCE;
use crate::db::notify::Changes;
use crate::db::storage_waits::AskAnew;
use crate::db::{self, Db};

/// How often it is looked whether there are any.
const INTERVAL: Duration = Duration::from_secs(1);

/// Runs until `stop`.
pub async fn run(db: Db, changes: Changes, stop: CancellationToken) {
    let mut trouble = Trouble::none("jobs that wait for a storage can't be asked anew");
    loop {
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = stop.cancelled() => return,
        }
        let Some(round) = finish_soon(&stop, PATIENCE, ask_all(&db, &changes, &stop)).await else {
            return;
        };
        match round {
            Ok(()) => trouble.ends(),
            Err(error) => trouble.begins(&error),
        }
    }
}

/// Asks all that are to be asked; what is not before the process is to stop, another coordinator asks.
async fn ask_all(db: &Db, changes: &Changes, stop: &CancellationToken) -> Result<(), db::Error> {
    while !stop.is_cancelled() {
        match db.run(&AskAnew).await {
            // The dispatcher looks which of them may be published.
            Ok(true) => changes.announce(),
            Ok(false) => break,
            // Somebody works with one of them: the next round begins with it.
            Err(error) if error.is_lock_timeout() => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
