//! Every decision about a job, as pure functions over its row: who may start it, whose word counts, how it ends,
//! what a person may do with it.
//!
//! The coordinator loads rows under lock, asks these functions, and writes what they answer; the model checker
//! and the property tests ask the same functions. Nothing else in the project decides a state.
//!
//! Invariants: an attempt's word counts only with the job's current token; attempt and dispatch numbers only
//! grow; every entry into QUEUED raises the dispatch number; a final state is never left.

mod claim;
mod control;
mod end;
mod order;
mod plugin;
mod run;
mod store;
mod transfer;

#[cfg(test)]
mod tests;

use super::{JobState, Token};
use crate::mutant::{self, Mutant};

pub use claim::{ClaimAnswer, ClaimAsk, Gate, Refusal, claim};
pub use control::{
    ControlAnswer, ControlRefusal, cancel, hold, release, replace_message, start_now, time_has_come,
};
pub use end::{EndAnswer, ErrorClass, OutcomeKind, WORKERS_LOST_MAX, after_restore, lease_expired, result};
pub use order::{Place, rearrange};
pub use plugin::{PluginState, UnknownPluginState};
pub use run::{HeartbeatAnswer, Pause, PublishAnswer, ask_to_publish, heartbeat};
pub use store::{KnownStore, Listed, StoreFinding, StoreUser, found_store, store_is_needed};
pub use transfer::{TransferAnswer, TransferRoom, transfer};

/// The part of a job's row that decisions depend on and change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "columns of a row, each true or false by itself"
)]
pub struct Job {
    /// Where the job is.
    pub state: JobState,
    /// The number of its current dispatch; messages with another number are stale.
    pub dispatch: i64,
    /// How many attempts were started.
    pub attempt: i32,
    /// The last granted claim, with its attempt number; stays when the lease ends, so that a late word of the
    /// last claimer can be told from a stranger's.
    pub token: Option<Token>,
    /// Held back by a person.
    pub held: bool,
    /// A person wants it started although autostart is off or its plugin runs as many jobs as it may.
    pub start_now: bool,
    /// A person wants it cancelled; the worker has not confirmed yet.
    pub cancel_requested: bool,
    /// A manifest was granted: the point of no return.
    pub publish_granted: bool,
    /// How many started attempts lost their worker.
    pub workers_lost: i16,
    /// How many attempts have failed in a way that may pass.
    pub failures: i16,
}

impl Job {
    /// A job as it is recorded at its submission: waiting, never dispatched before.
    pub fn submitted() -> Self {
        Self {
            state: JobState::Queued,
            dispatch: 1,
            attempt: 0,
            token: None,
            held: false,
            start_now: false,
            cancel_requested: false,
            publish_granted: false,
            workers_lost: 0,
            failures: 0,
        }
    }

    /// The same for a job that is to wait for a point in time.
    pub fn submitted_for_later() -> Self {
        Self {
            state: JobState::Scheduled,
            dispatch: 0,
            ..Self::submitted()
        }
    }

    /// Whether a wish to cancel it can still come true.
    pub fn is_being_cancelled(&self) -> bool {
        self.cancel_requested && !self.publish_granted
    }

    /// Whether `token` is the running attempt's.
    fn runs_as(&self, token: Token) -> bool {
        self.state.is_running() && self.has_token(token)
    }

    /// Whether `token` is the running attempt's, or the last one's of a job that nobody has claimed since.
    fn last_claimed_by(&self, token: Token) -> bool {
        self.has_token(token) && (self.state.is_running() || self.state == JobState::Queued)
    }

    fn has_token(&self, token: Token) -> bool {
        if mutant::is_active(Mutant::NoAttemptFence) {
            return true;
        }
        if mutant::is_active(Mutant::NoClaimId) {
            return self.token.is_some_and(|current| current.attempt == token.attempt);
        }
        self.token == Some(token)
    }

    fn with_state(self, state: JobState) -> Self {
        debug_assert!(
            self.state == state || self.state.may_become(state),
            "illegal transition {} -> {state}",
            self.state
        );
        Self { state, ..self }
    }

    /// Back to waiting, under a new dispatch number.
    fn requeued(self) -> Self {
        Self {
            dispatch: self.dispatch + 1,
            ..self.with_state(JobState::Queued)
        }
    }

    /// Its message in the broker, if there is one, is stale from now on.
    fn with_message_void(self) -> Self {
        Self {
            dispatch: self.dispatch + 1,
            ..self
        }
    }
}
