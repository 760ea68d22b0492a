//! Work that is done only in the database that this process has looked at, and not in a copy that took its place.
//!
//! Invariant: the transaction that does the work finds the newest beat of this process, so that nothing can be put
//! back between the look and the work. Where it is missing, the next look is taken at once.

use std::sync::{Arc, Mutex, PoisonError};

use deadpool_postgres::Transaction;
use shared::failpoint::Failpoint;
use tokio::sync::Notify;
use uuid::Uuid;

use super::{Db, Error, Transact};

/// The newest beat of this process, and whoever waits for a doubt.
#[derive(Debug, Clone, Default)]
pub(super) struct Known(Arc<State>);

#[derive(Debug, Default)]
struct State {
    beat: Mutex<Option<Uuid>>,
    doubt: Notify,
}

impl Db {
    /// Notes the newest beat of this process.
    pub fn note_beat(&self, id: Uuid) {
        *self.known.0.beat.lock().unwrap_or_else(PoisonError::into_inner) = Some(id);
    }

    /// Returns when some work did not find the newest beat since the last call.
    pub async fn doubted(&self) {
        self.known.0.doubt.notified().await;
    }

    /// Runs a transaction that must not begin anything in a copy; a process that has not looked yet has nothing to
    /// compare.
    ///
    /// # Errors
    /// As [`Db::run`], and [`Error::NotLookedAt`].
    pub async fn run_where_known<T: Transact>(&self, work: &T) -> Result<T::Output, Error> {
        let beat = *self.known.0.beat.lock().unwrap_or_else(PoisonError::into_inner);
        let result = self.run(&WhereKnown { beat, work }).await;
        if matches!(result, Err(Error::NotLookedAt)) {
            self.known.0.doubt.notify_one();
        }
        result
    }
}

struct WhereKnown<'a, T> {
    beat: Option<Uuid>,
    work: &'a T,
}

impl<T: Transact> Transact for WhereKnown<'_, T> {
    const NAME: &'static str = T::NAME;
    type Output = T::Output;
    const BEFORE_COMMIT: Option<Failpoint> = T::BEFORE_COMMIT;

    async fn run(&self, tx: &Transaction<'_>) -> Result<T::Output, Error> {
        if let Some(beat) = self.beat {
            let find = tx
                .prepare_cached("-- identity.known\nSELECT FROM beats WHERE id = $1")
                .await?;
            if tx.query_opt(&find, &[&beat]).await?.is_none() {
                return Err(Error::NotLookedAt);
            }
        }
        self.work.run(tx).await
    }
}
