//! What happens by the clock: jobs whose time has come, attempts whose time is up, stops that are complete or over,
//! places that have changed, priorities that rise with waiting.

use std::time::Duration;

use shared::failpoint::{self, Failpoint};
use shared::lifecycle::finish_soon;
use shared::telemetry::Trouble;
use tokio_util::sync::CancellationToken;

use super::PATIENCE;
use crate::control::Control;
use crate::db::control::{Age, FollowStops, Reorder};
use crate::db::overdue::EndOverdue;
use crate::db::schedule::Wake;
use crate::db::{self, Db};

/// Time between two rounds; so messages of a level are replaced at most once a second.
const INTERVAL: Duration = Duration::from_secs(1);

/// Runs until `stop`.
pub async fn run(db: Db, control: Control, stop: CancellationToken) {
    let mut trouble = Trouble::none("what is due can't be done");
    loop {
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = stop.cancelled() => return,
        }
        let Some(round) = finish_soon(&stop, PATIENCE, run_once(&db, &control)).await else {
            return;
        };
        match round {
            Ok(()) => trouble.ends(),
            Err(error) => trouble.begins(&error),
        }
    }
}

async fn run_once(db: &Db, control: &Control) -> Result<(), db::Error> {
    let woken = db.run(&Wake).await?;
    if woken > 0 {
        failpoint::reach(Failpoint::WakeBeforeTold);
    }
    let moved = db.run(&Reorder).await? + db.run(&Age).await?;
    let (overdue, finished) = db.run(&EndOverdue).await?;
    if overdue > 0 {
        tracing::warn!(
            "{overdue} attempts ran longer than their plugins allow; their workers did not end them"
        );
    }
    let (plugins_changed, mut told) = db.run(&FollowStops).await?;
    told.finished = finished;
    if overdue + woken + moved > 0 || plugins_changed || !told.pushes.is_empty() {
        tracing::debug!("{woken} jobs were due, {moved} have changed their place");
        control.tell(told).await;
    }
    Ok(())
}
