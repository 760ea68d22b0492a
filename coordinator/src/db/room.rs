//! Whether PostgreSQL has room to write, as far as it has lately said.
//!
//! Reading goes on while its disk is full, so that asking whether it answers would not tell.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Coordinators write every few seconds: when nothing was refused for this long, there is room.
const KEPT: Duration = Duration::from_secs(30);

/// When a write was last refused for want of room.
#[derive(Debug, Clone, Default)]
pub(super) struct Room(Arc<Mutex<Option<Instant>>>);

impl Room {
    /// Notes a refusal, and tells it in the log where it was not known.
    pub(super) fn note_refusal(&self) {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.replace(Instant::now()).is_none_or(is_past) {
            tracing::warn!(
                "PostgreSQL has no room left on its disk: free some there; nothing that was accepted is lost, and it \
                 goes on by itself"
            );
        }
    }

    /// Whether a write was refused just now.
    pub(super) fn is_short(&self) -> bool {
        let refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        refused.is_some_and(|at| !is_past(at))
    }
}

fn is_past(at: Instant) -> bool {
    at.elapsed() > KEPT
}
