//! What RabbitMQ has lately refused a program's user for want of a permission: for its log, health check and metric.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Error;
use super::link::ACCESS_REFUSED;
use crate::error::Chain;

/// A missing permission is asked for again within seconds: when nothing was refused for this long, it is there.
const KEPT: Duration = Duration::from_secs(30);
/// What a person has to do.
pub const ADVICE: &str = "`taskmanager broker setup` gives it what it needs";

/// What was refused last. Clones share it.
#[derive(Debug, Clone)]
pub struct Refusals {
    program: &'static str,
    last: Arc<Mutex<Option<(Instant, String)>>>,
}

impl Refusals {
    /// Nothing yet; the program is a "coordinator" or a "worker".
    pub fn of(program: &'static str) -> Self {
        Self {
            program,
            last: Arc::default(),
        }
    }

    /// What was refused lately.
    pub fn lately(&self) -> Option<String> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref()
            .filter(|(at, _)| at.elapsed() < KEPT)
            .map(|(_, said)| said.clone())
    }

    /// Notes a missing permission, and tells it in the log where it was not known.
    pub fn note(&self, error: &Error) {
        if error.refusal() != Some(ACCESS_REFUSED) {
            return;
        }
        // Without what was tried: one missing permission is met in several ways.
        let said = match error {
            Error::Broker { source, .. } => source.to_string(),
            _ => Chain(error).to_string(),
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let known = last.replace((Instant::now(), said.clone()));
        if known.is_none_or(|(at, known)| known != said || at.elapsed() > KEPT) {
            tracing::warn!(
                "RabbitMQ refuses this {}'s user something that it needs: {said}; {ADVICE}",
                self.program
            );
        }
    }
}
