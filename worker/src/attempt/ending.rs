//! What is reported when an attempt ends: its own word, or what stopped it.

use shared::message::worker::Outcome;

use crate::plugin::AttemptError;
use crate::running::{Attempt, StopReason};

/// How an attempt's work went, before it is reported.
pub(super) enum Worked {
    /// This is to be reported.
    Report {
        /// How it ended.
        outcome: Outcome,
        /// Its item store is gone.
        store_removed: bool,
    },
    /// The job is another's: nothing to report.
    Fenced,
}

impl Worked {
    /// To be reported, with the item store as it is.
    pub(super) fn report(outcome: Outcome) -> Self {
        Self::Report {
            outcome,
            store_removed: false,
        }
    }
}

/// Why an attempt was broken off whose outputs may have been granted.
pub(super) const PUBLISHING: &str = "it was stopped while it published; the next attempt goes on with that";

/// What an error of the plugin, or being stopped, means for the attempt.
pub(super) fn conclude(attempt: &Attempt, error: AttemptError) -> Worked {
    if attempt.stop_reason() == Some(StopReason::Lost) {
        return Worked::Fenced;
    }
    Worked::report(match (error, attempt.stop_reason()) {
        // They may be granted, and half of them visible: whatever stops it, the next attempt completes them.
        (AttemptError::Stopped, Some(_)) if attempt.is_publishing() => interrupted(PUBLISHING),
        (AttemptError::Stopped, Some(StopReason::Cancelled)) => Outcome::Cancelled,
        (AttemptError::Stopped, Some(StopReason::ShutDown)) => interrupted("the worker was shut down"),
        (AttemptError::Stopped, Some(StopReason::Interrupted)) => interrupted("it did not yield in time"),
        (AttemptError::Stopped, Some(StopReason::OutOfContact)) => {
            interrupted("it had no contact for too long")
        }
        (AttemptError::Stopped, Some(StopReason::OverBudget)) => {
            failed(AttemptError::retryable("it ran longer than its plugin allows"))
        }
        (AttemptError::Yielded, _) => interrupted("it yielded"),
        (error, _) => failed(error),
    })
}

pub(super) fn interrupted(reason: &str) -> Outcome {
    Outcome::Interrupted {
        reason: reason.to_owned(),
    }
}

pub(super) fn failed(error: AttemptError) -> Outcome {
    match error {
        AttemptError::Failed {
            class,
            message,
            exit_code,
        } => Outcome::Failed {
            class,
            message,
            exit_code,
        },
        AttemptError::Stopped => interrupted("it stopped without being told to"),
        AttemptError::Yielded => interrupted("it yielded"),
    }
}

pub(super) fn panicked(panic: &(dyn std::any::Any + Send)) -> Outcome {
    let said = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    failed(AttemptError::permanent(format!(
        "the plugin broke down, which is a mistake in it: {said}"
    )))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use shared::job::{ClaimId, JobId, Token};

    use super::*;
    use crate::running::Running;

    fn attempt() -> Attempt {
        let token = Token {
            attempt: 1,
            claim_id: ClaimId::generate(),
        };
        Running::default().begin(JobId::generate(), token, Duration::from_mins(1), None)
    }

    fn outcome(attempt: &Attempt) -> Outcome {
        match conclude(attempt, AttemptError::Stopped) {
            Worked::Report { outcome, .. } => outcome,
            Worked::Fenced => panic!("it was not fenced"),
        }
    }

    #[test]
    fn a_run_budget_that_ends_while_outputs_are_published_leaves_them_to_the_next_attempt() {
        let working = attempt();
        working.stop_because(StopReason::OverBudget);
        assert!(matches!(outcome(&working), Outcome::Failed { .. }));
        let publishing = attempt();
        publishing.begin_publishing();
        publishing.stop_because(StopReason::OverBudget);
        assert_eq!(outcome(&publishing), interrupted(PUBLISHING));
    }
}
