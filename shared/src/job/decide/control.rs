//! What a person may do with a job, and what its time does.

use super::Job;
use crate::job::JobState;

/// Why something can't be done with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ControlRefusal {
    /// Its outputs are being published.
    TooLate,
    /// A person wants it cancelled.
    BeingCancelled,
    /// It waits for other jobs.
    Blocked,
}

/// The answer to what a person wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControlAnswer {
    /// The row becomes this. A final state ends the job.
    Change(Job),
    /// It is so already.
    AsItWas,
    /// It can't be done.
    Refuse(ControlRefusal),
}

/// Decides a wish to cancel: a waiting job ends at once, a running one is asked to stop.
pub fn cancel(job: &Job) -> ControlAnswer {
    if job.publish_granted {
        ControlAnswer::Refuse(ControlRefusal::TooLate)
    } else if !job.state.is_running() {
        ControlAnswer::Change(job.with_state(JobState::Cancelled))
    } else if job.cancel_requested {
        ControlAnswer::AsItWas
    } else {
        ControlAnswer::Change(Job {
            cancel_requested: true,
            ..*job
        })
    }
}

/// Decides a wish to hold a job back: a waiting job does not start, a running one yields at its next item.
pub fn hold(job: &Job) -> ControlAnswer {
    if job.publish_granted {
        ControlAnswer::Refuse(ControlRefusal::TooLate)
    } else if job.cancel_requested {
        ControlAnswer::Refuse(ControlRefusal::BeingCancelled)
    } else if job.held {
        ControlAnswer::AsItWas
    } else {
        let held = Job {
            held: true,
            start_now: false,
            ..*job
        };
        ControlAnswer::Change(if job.state == JobState::Queued {
            held.with_message_void()
        } else {
            held
        })
    }
}

/// Decides a wish to let a held job go on.
pub fn release(job: &Job) -> ControlAnswer {
    if job.held {
        ControlAnswer::Change(Job { held: false, ..*job })
    } else {
        ControlAnswer::AsItWas
    }
}

/// Decides a wish to start a job now: whatever its time, although it is held, although autostart is off, although
/// its plugin runs as many jobs as it may. A stopped plugin and a used-up quota are not passed over.
pub fn start_now(job: &Job) -> ControlAnswer {
    if job.cancel_requested {
        return ControlAnswer::Refuse(ControlRefusal::BeingCancelled);
    }
    let wanted = Job {
        held: false,
        start_now: true,
        ..*job
    };
    if job.state == JobState::Blocked {
        ControlAnswer::Refuse(ControlRefusal::Blocked)
    } else if job.state == JobState::Scheduled {
        ControlAnswer::Change(wanted.requeued())
    } else if wanted == *job || (job.state.is_running() && !job.held) {
        ControlAnswer::AsItWas
    } else if job.state == JobState::Queued {
        // Its message may lie far behind others.
        ControlAnswer::Change(wanted.with_message_void())
    } else {
        ControlAnswer::Change(wanted)
    }
}

/// The job whose message in the broker has to be replaced (another priority, another place); `None` where there is
/// none to replace.
pub fn replace_message(job: &Job) -> Option<Job> {
    (job.state == JobState::Queued).then(|| job.with_message_void())
}

/// The job whose point in time has come; `None` when it waits for none.
pub fn time_has_come(job: &Job) -> Option<Job> {
    (job.state == JobState::Scheduled).then(|| job.requeued())
}
