//! What happened and when, as the runner saw it, on the clock that the database uses too.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use serde::Serialize;

/// Notes from all threads of a run.
#[derive(Debug)]
pub(super) struct Journal {
    began: Instant,
    began_at: Duration,
    events: Mutex<Vec<Event>>,
}

/// One note.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Event {
    /// Milliseconds after the beginning.
    pub(super) at_ms: u64,
    /// What happened.
    pub(super) what: String,
}

impl Journal {
    pub(super) fn begin() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the database runs on this machine")]
        let now = SystemTime::now();
        Self {
            began: Instant::now(),
            began_at: now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default(),
            events: Mutex::default(),
        }
    }

    /// Milliseconds since the beginning.
    pub(super) fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The beginning, seconds since 1970.
    pub(super) fn began_at(&self) -> f64 {
        self.began_at.as_secs_f64()
    }

    pub(super) fn note(&self, what: impl Into<String>) {
        let event = Event {
            at_ms: self.now_ms(),
            what: what.into(),
        };
        self.events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(event);
    }

    /// All notes so far.
    pub(super) fn events(&self) -> Vec<Event> {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner).clone();
        events.sort_by_key(|event| event.at_ms);
        events
    }

    /// Sleeps until then.
    pub(super) fn sleep_until(&self, at_ms: u64) {
        let left = Duration::from_millis(at_ms).saturating_sub(self.began.elapsed());
        std::thread::sleep(left);
    }
}
