//! What health checks and `doctor` see of the connections.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use shared::amqp::publisher::Publisher;
use shared::error::Chain;

/// The state of the connections.
#[derive(Debug, Clone)]
pub struct Status {
    publisher: Publisher,
    consuming: Arc<AtomicBool>,
    missing_queues: Arc<Mutex<BTreeSet<String>>>,
    trouble: Arc<Mutex<Option<String>>>,
}

impl Status {
    /// Nothing is connected yet.
    pub fn new(publisher: Publisher) -> Self {
        Self {
            publisher,
            consuming: Arc::default(),
            missing_queues: Arc::default(),
            trouble: Arc::default(),
        }
    }

    /// Whether both connections are up.
    pub fn connected(&self) -> bool {
        self.consuming.load(Ordering::SeqCst) && self.publisher.connected()
    }

    /// Whether the broker takes no messages (memory or disk alarm).
    pub fn blocked(&self) -> bool {
        self.publisher.blocked()
    }

    /// Plugins' queues that should exist and do not.
    pub fn missing_queues(&self) -> Vec<String> {
        self.missing().iter().cloned().collect()
    }

    /// What the broker said when it last refused something (a missing permission, other queue arguments).
    pub fn trouble(&self) -> Option<String> {
        self.trouble_slot().clone()
    }

    pub(super) fn set_trouble(&self, error: &shared::amqp::Error) {
        *self.trouble_slot() = Some(Chain(error).to_string());
    }

    fn trouble_slot(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_consuming(&self, consuming: bool) {
        self.consuming.store(consuming, Ordering::SeqCst);
    }

    pub(super) fn set_queue_missing(&self, queue: &str, missing: bool) {
        let mut queues = self.missing();
        if missing {
            queues.insert(queue.to_owned());
        } else {
            queues.remove(queue);
        }
    }

    fn missing(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.missing_queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
