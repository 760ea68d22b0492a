//! Whether tickets come in from Goobi's message broker, for the doctor and the metric.

use std::sync::{Arc, Mutex, PoisonError};

use metrics::gauge;
use shared::metrics::GOOBI_CONNECTED;

/// How it is at the moment.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// Why tickets do not come in; none when they do.
    trouble: Arc<Mutex<Option<String>>>,
}

impl Status {
    /// Of a connection that is not up yet.
    pub fn connecting() -> Self {
        let status = Self::default();
        status.set(Some("it was not reached yet".to_owned()));
        status
    }

    pub(super) fn set(&self, trouble: Option<String>) {
        gauge!(GOOBI_CONNECTED).set(if trouble.is_none() { 1.0 } else { 0.0 });
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// Why tickets do not come in; none when they do.
    pub fn trouble(&self) -> Option<String> {
        self.trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
