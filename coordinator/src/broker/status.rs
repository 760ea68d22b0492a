//! What health checks and `doctor` see of the connections.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use shared::amqp::Error;
use shared::amqp::link::ACCESS_REFUSED;
use shared::amqp::publisher::Publisher;
use shared::amqp::refusals::Refusals;
use shared::amqp::topology::OtherArguments;
use shared::error::Chain;

/// The state of the connections.
#[derive(Debug, Clone)]
pub struct Status {
    publisher: Publisher,
    consuming: Arc<AtomicBool>,
    has_connected: Arc<AtomicBool>,
    missing_queues: Arc<Mutex<BTreeSet<String>>>,
    other_arguments: Arc<Mutex<BTreeSet<OtherArguments>>>,
    rejected: Arc<Mutex<Rejected>>,
    trouble: Arc<Mutex<Option<Trouble>>>,
    refusals: Refusals,
    user: Arc<OnceLock<String>>,
    version: Arc<Mutex<Option<Arc<str>>>>,
}

/// As long as it is there messages are consumed.
#[derive(Debug)]
pub(super) struct Consuming(Arc<AtomicBool>);

impl Drop for Consuming {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// Messages that were put away for a person, when the queues were last looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rejected {
    /// Submissions that could not be accepted.
    pub submissions: u32,
    /// Workers' messages that count for nothing.
    pub events: u32,
}

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What the broker or the network said.
    pub said: String,
    /// What a person has to do about it.
    pub advice: &'static str,
}

impl Trouble {
    fn of(error: &Error) -> Self {
        Self {
            said: Chain(error).to_string(),
            advice: match error.refusal() {
                Some(ACCESS_REFUSED) => {
                    "give its user the password and the permissions that it needs: `taskmanager broker setup` does"
                }
                Some(NOT_ALLOWED) => {
                    "make its virtual host and users, which are not there: `taskmanager broker setup` does"
                }
                Some(_) => "change what RabbitMQ complains of; what is deleted there is made anew",
                None => "is it running, and is --amqp-url right?",
            },
        }
    }
}

/// The broker's number for a virtual host that is not there or that the user has nothing to do with.
const NOT_ALLOWED: u16 = 530;

impl Status {
    /// Nothing is connected yet.
    pub fn new(publisher: Publisher) -> Self {
        Self {
            publisher,
            consuming: Arc::default(),
            has_connected: Arc::default(),
            missing_queues: Arc::default(),
            other_arguments: Arc::default(),
            rejected: Arc::default(),
            trouble: Arc::default(),
            refusals: Refusals::of("coordinator"),
            user: Arc::default(),
            version: Arc::default(),
        }
    }

    /// Whether both connections are up.
    pub fn connected(&self) -> bool {
        self.consuming.load(Ordering::SeqCst) && self.publisher.connected()
    }

    /// Whether both connections are up, or were when this was asked before: a process that never got so far may be set
    /// wrong, one that did has lost a broker that comes back.
    pub fn has_connected(&self) -> bool {
        if self.connected() {
            self.has_connected.store(true, Ordering::SeqCst);
        }
        self.has_connected.load(Ordering::SeqCst)
    }

    /// Whether the broker takes no messages (memory or disk alarm).
    pub fn blocked(&self) -> bool {
        self.publisher.blocked()
    }

    /// Plugins' queues that should exist and do not.
    pub fn missing_queues(&self) -> Vec<String> {
        self.missing().iter().cloned().collect()
    }

    /// Queues that somebody has made with other arguments than ours.
    pub fn other_arguments(&self) -> Vec<OtherArguments> {
        self.others().iter().cloned().collect()
    }

    /// What was put away for a person.
    pub fn rejected(&self) -> Rejected {
        *self.rejected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_rejected(&self, rejected: Rejected) {
        *self.rejected.lock().unwrap_or_else(PoisonError::into_inner) = rejected;
    }

    /// Why the connection that consumes was last lost or could not be made.
    pub fn trouble(&self) -> Option<Trouble> {
        self.trouble_slot().clone()
    }

    /// The RabbitMQ user that this coordinator is; `None` before it has begun to connect.
    pub fn user(&self) -> Option<&str> {
        self.user.get().map(String::as_str)
    }

    pub(super) fn set_user(&self, user: &str) {
        self.user.get_or_init(|| user.to_owned());
    }

    /// Which broker it is, as it said when a connection was last made.
    pub fn version(&self) -> Option<Arc<str>> {
        self.version
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn set_version(&self, version: Option<Arc<str>>) {
        *self.version.lock().unwrap_or_else(PoisonError::into_inner) = version;
    }

    /// What the broker has lately refused for want of a permission.
    pub fn refused(&self) -> Option<String> {
        self.refusals.lately()
    }

    pub(super) fn set_trouble(&self, error: &Error) {
        *self.trouble_slot() = Some(Trouble::of(error));
        self.note_refusal(error);
    }

    pub(super) fn note_refusal(&self, error: &Error) {
        self.refusals.note(error);
    }

    fn trouble_slot(&self) -> MutexGuard<'_, Option<Trouble>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes which queues have other arguments than ours, and tells in the log what has changed.
    pub(super) fn set_other_arguments(&self, found: Vec<OtherArguments>) {
        let found: BTreeSet<OtherArguments> = found.into_iter().collect();
        let mut known = self.others();
        for other in found.difference(&known) {
            let OtherArguments { queue, said } = other;
            tracing::warn!(
                "somebody has made the queue {queue} with other arguments than ours; it is used as it is: {said}; {}",
                other.advice()
            );
        }
        for OtherArguments { queue, .. } in known.difference(&found) {
            tracing::info!("the queue {queue} has our arguments now");
        }
        *known = found;
    }

    fn others(&self) -> MutexGuard<'_, BTreeSet<OtherArguments>> {
        self.other_arguments
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that messages are consumed, until the answer is dropped.
    pub(super) fn consuming(&self) -> Consuming {
        self.consuming.store(true, Ordering::SeqCst);
        Consuming(Arc::clone(&self.consuming))
    }

    pub(super) fn set_queue_missing(&self, queue: &str, missing: bool) {
        let mut queues = self.missing();
        if missing {
            queues.insert(queue.to_owned());
        } else {
            queues.remove(queue);
        }
    }

    fn missing(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.missing_queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
