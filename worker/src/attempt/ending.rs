//! What is reported when an attempt ends: its own word, or what stopped it.

use shared::message::worker::Outcome;

use crate::plugin::AttemptError;
use crate::running::{Attempt, StopReason};

/// How an attempt's work went, before it is reported.
pub(super) enum Worked {
    /// This is to be reported.
    Report(Outcome),
    /// The job is another's: nothing to report.
    Fenced,
}

/// What an error of the plugin, or being stopped, means for the attempt.
pub(super) fn conclude(attempt: &Attempt, error: AttemptError) -> Worked {
    if attempt.stop_reason() == Some(StopReason::Lost) {
        return Worked::Fenced;
    }
    Worked::Report(match (error, attempt.stop_reason()) {
        (AttemptError::Stopped, Some(StopReason::Cancelled)) => Outcome::Cancelled,
        (AttemptError::Stopped, Some(StopReason::ShutDown)) => interrupted("the worker was shut down"),
        (AttemptError::Stopped, Some(StopReason::Interrupted)) => interrupted("it did not yield in time"),
        (AttemptError::Stopped, Some(StopReason::OverBudget)) => {
            failed(AttemptError::retryable("it ran longer than its plugin allows"))
        }
        (AttemptError::Yielded, _) => interrupted("it yielded"),
        (error, _) => failed(error),
    })
}

fn interrupted(reason: &str) -> Outcome {
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
