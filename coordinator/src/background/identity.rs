//! Looks from time to time whether the database is still the one that was written to last. See [`crate::restore`].

use std::time::Duration;

use shared::lifecycle::finish_soon;
use shared::telemetry::Trouble;
use tokio_util::sync::CancellationToken;

use super::PATIENCE;
use crate::control::Control;
use crate::db::identity::{Beat, Beaten, Memory};
use crate::db::{self, Db};
use crate::restore::Verdict;

/// Time between two looks.
const INTERVAL: Duration = Duration::from_secs(10);
/// Time between two looks while the first one has not succeeded.
const PAUSE: Duration = Duration::from_secs(1);

/// Remembers its last look.
#[derive(Debug)]
pub struct Watch {
    db: Db,
    control: Control,
    last: Option<Memory>,
}

impl Watch {
    /// The first look, before anything may start: waits for it. `None` when the process is to end.
    pub async fn begin(db: Db, control: Control, stop: &CancellationToken) -> Option<Self> {
        let mut watch = Self {
            db,
            control,
            last: None,
        };
        let mut trouble = Trouble::none("it can't be found out whether the database is the same as before");
        loop {
            match finish_soon(stop, PATIENCE, watch.look()).await? {
                Ok(()) => return Some(watch),
                Err(error) => trouble.begins(&error),
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = stop.cancelled() => return None,
            }
        }
    }

    /// Looks until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut trouble = Trouble::none("it can't be found out whether the database is the same as before");
        loop {
            tokio::select! {
                () = tokio::time::sleep(INTERVAL) => {}
                // What was to start waits for it.
                () = self.db.doubted() => {}
                () = stop.cancelled() => return,
            }
            match finish_soon(&stop, PATIENCE, self.look()).await {
                None => return,
                Some(Ok(())) => trouble.ends(),
                Some(Err(error)) => trouble.begins(&error),
            }
        }
    }

    async fn look(&mut self) -> Result<(), db::Error> {
        let beat = Beat {
            remembered: self.last,
        };
        let Beaten {
            memory,
            verdict,
            before,
            told,
        } = self.db.run(&beat).await?;
        self.last = Some(memory);
        self.db.note_beat(memory.id);
        match verdict {
            Verdict::Same => {}
            Verdict::FailedOver => tracing::warn!(
                "another server has taken over as the database; what was written last before {before} may be lost \
                 unless the standby was synchronous"
            ),
            Verdict::Restored(how) => {
                tracing::error!(
                    "this database was put back from a copy of about {before} ({}): all plugins are stopped; \
                     run `taskmanager recover`",
                    how.as_str()
                );
                self.control.tell(told).await;
            }
        }
        Ok(())
    }
}
