//! Whether PostgreSQL has room to write.
//!
//! Reading goes on while its disk is full, so that asking whether it answers would not tell.
//! Invariant: once a write was refused for want of room, there is room again only when one that needs new room is taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use deadpool_postgres::Transaction;

use super::{Db, Error, Transact};

/// Whether the last that is known is that there is no room.
#[derive(Debug, Clone, Default)]
pub(super) struct Room(Arc<AtomicBool>);

impl Room {
    /// Notes a refusal, and tells it in the log where it was not known.
    pub(super) fn note_refusal(&self) {
        if !self.0.swap(true, Ordering::SeqCst) {
            tracing::warn!(
                "PostgreSQL has no room left on its disk: free some there; nothing that was accepted is lost, and it \
                 goes on by itself"
            );
        }
    }

    fn note_room(&self) {
        if self.0.swap(false, Ordering::SeqCst) {
            tracing::info!("PostgreSQL has room on its disk again");
        }
    }
}

impl Db {
    /// Whether PostgreSQL takes writes that need room, as far as is known. It is tried where one was refused before.
    pub async fn has_room(&self) -> bool {
        if !self.room.0.load(Ordering::SeqCst) {
            return true;
        }
        match self.run(&TryToWrite).await {
            Ok(()) => self.room.note_room(),
            // It was refused for another reason, which others will meet and tell.
            Err(Error::Driver(error)) if error.code().is_some() => {
                if !Error::Driver(error).is_disk_full() {
                    self.room.note_room();
                }
            }
            Err(error) => tracing::debug!("whether PostgreSQL has room: {}", shared::error::Chain(&error)),
        }
        !self.room.0.load(Ordering::SeqCst)
    }
}

/// Takes a little new room and gives it back.
struct TryToWrite;

impl Transact for TryToWrite {
    const NAME: &'static str = "room.try";
    type Output = ();

    async fn run(&self, tx: &Transaction<'_>) -> Result<(), Error> {
        tx.batch_execute(
            "-- room.try
             CREATE TEMPORARY TABLE room_tried ON COMMIT DROP AS
             SELECT repeat('x', 1000) AS taken FROM generate_series(1, 200)",
        )
        .await?;
        Ok(())
    }
}
