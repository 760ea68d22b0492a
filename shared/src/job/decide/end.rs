//! How an attempt ends: by its own result, or by silence.

use serde::{Deserialize, Serialize};

use super::Job;
use crate::job::{JobState, Token};

/// After this many attempts whose worker vanished the job ends in ERROR: it may be what kills them.
pub const WORKERS_LOST_MAX: i16 = 3;

/// Whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// It may work another time: exit code, input or output, timeout, network.
    Retryable,
    /// It will fail the same way each time: bad parameters, missing source, unreadable page.
    Permanent,
}

/// How an attempt says that it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutcomeKind {
    /// Everything was done and, where there are outputs, published.
    Done,
    /// It failed.
    Failed(ErrorClass),
    /// It was broken off without a failure (worker shut down, claim given back): go on elsewhere.
    Interrupted,
    /// It stopped because a person cancelled the job.
    Cancelled,
}

/// The answer to a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndAnswer {
    /// The outcome counts; the row becomes this.
    Record(Job),
    /// Another attempt has the job, or it has ended: the outcome does not count.
    Superseded,
}

/// Decides the result of the attempt `token`; its plugin repeats failures that may pass `retries_max` times.
///
/// A late result of the last claimer counts while nobody has claimed the job anew. A job in SCHEDULED afterwards
/// waits for its retry: when, is the caller's to say.
pub fn result(job: &Job, token: Token, outcome: OutcomeKind, retries_max: i16) -> EndAnswer {
    if !job.last_claimed_by(token) {
        return EndAnswer::Superseded;
    }
    // Whose lease had ended, and who speaks now, was not lost after all.
    let was_taken_for_lost = i16::from(!job.state.is_running());
    let job = &Job {
        workers_lost: (job.workers_lost - was_taken_for_lost).max(0),
        ..*job
    };
    EndAnswer::Record(match outcome {
        OutcomeKind::Done => job.with_state(JobState::Done),
        _ if job.is_being_cancelled() => job.with_state(JobState::Cancelled),
        // A granted manifest is completed and its outcome reported; there is nothing to try again.
        OutcomeKind::Failed(ErrorClass::Retryable) if job.failures < retries_max && !job.publish_granted => {
            // Where the lease had ended already, the job waits, and may be told to wait longer.
            Job {
                failures: job.failures + 1,
                token: None,
                ..job.with_state(JobState::Scheduled)
            }
        }
        OutcomeKind::Failed(_) => job.with_state(JobState::Error),
        // Who gives the job back is not its last claimer any more: a heartbeat on its way must not revive it.
        // Where the lease had ended already, the job waits under a dispatch number that is still good.
        OutcomeKind::Interrupted | OutcomeKind::Cancelled if !job.state.is_running() => {
            Job { token: None, ..*job }
        }
        OutcomeKind::Interrupted | OutcomeKind::Cancelled => Job {
            token: None,
            ..job.requeued()
        },
    })
}

/// Decides what a job is in a database that was put back from a copy: what it was, except that workers that are lost
/// by that are not held against it.
pub fn after_restore(job: &Job) -> Job {
    Job {
        workers_lost: 0,
        ..*job
    }
}

/// Decides what becomes of a job whose attempt `token` has let its lease end; `None` when it is not running
/// under that token any more. What was granted is completed, however many workers die over it.
pub fn lease_expired(job: &Job, token: Token) -> Option<Job> {
    if !job.runs_as(token) {
        return None;
    }
    let lost = Job {
        workers_lost: job.workers_lost.saturating_add(1),
        ..*job
    };
    Some(if job.is_being_cancelled() {
        lost.with_state(JobState::Cancelled)
    } else if lost.workers_lost >= WORKERS_LOST_MAX && !job.publish_granted {
        lost.with_state(JobState::Error)
    } else {
        lost.requeued()
    })
}
