//! Whose word about a running job counts: heartbeats and the request to publish.

use serde::{Deserialize, Serialize};

use super::Job;
use crate::job::{JobState, Stage, Token};

/// What a running attempt's surroundings (its plugin, its worker) ask of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pause {
    /// Nothing: go on.
    No,
    /// To give the job back at the next item: the plugin stops, or the worker is drained.
    AtNextItem,
    /// To give the job back at once: the plugin's deadline for that has passed.
    AtOnce,
}

impl Pause {
    /// Whether the attempt's word still makes its lease longer. Beyond the deadline it does not: what does not give
    /// way has ended a lease later, whatever keeps its worker.
    pub fn extends_lease(self) -> bool {
        self != Self::AtOnce
    }

    /// Whether the job has lost its lease, and does not get it back.
    fn ends(self, job: &Job) -> bool {
        !self.extends_lease() && job.state == JobState::Queued
    }
}

/// The answer to an attempt's heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeartbeatAnswer {
    /// The attempt is alive; the row becomes this (also when its lease had ended and nobody has claimed since).
    Ok(Job),
    /// The same, and a person wants the job cancelled: stop.
    Cancel(Job),
    /// The same, and the job is to be given back at the next item.
    Yield(Job),
    /// The same, and the job is to be given back at once.
    Interrupt(Job),
    /// The job is no longer this attempt's: kill it, publish nothing.
    Lost,
}

/// Decides a heartbeat of the attempt `token`, which reports `stage`.
///
/// A stage that would lead back behind the publish grant is ignored. From the grant on nothing stops an attempt: it
/// is through in a moment; only a lease that has ended beyond the plugin's deadline does not begin anew.
pub fn heartbeat(job: &Job, token: Token, stage: Stage, pause: Pause) -> HeartbeatAnswer {
    if !job.last_claimed_by(token) || pause.ends(job) {
        return HeartbeatAnswer::Lost;
    }
    let alive = found_alive(job);
    let job = &alive;
    let reported = JobState::from(stage);
    let row = if job.state.may_become(reported) {
        job.with_state(reported)
    } else {
        *job
    };
    let pause = if job.held {
        pause.max(Pause::AtNextItem)
    } else {
        pause
    };
    match pause {
        _ if job.publish_granted => HeartbeatAnswer::Ok(row),
        _ if job.cancel_requested => HeartbeatAnswer::Cancel(row),
        Pause::No => HeartbeatAnswer::Ok(row),
        Pause::AtNextItem => HeartbeatAnswer::Yield(row),
        Pause::AtOnce => HeartbeatAnswer::Interrupt(row),
    }
}

/// The answer to a request to publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublishAnswer {
    /// The outputs may become visible; from here on the manifest is only completed.
    Granted,
    /// The job is no longer this attempt's.
    Lost,
    /// A person has cancelled the job.
    Cancelled,
    /// Something that only a newer release knows: as good as no answer. Never decided here.
    #[serde(other)]
    Other,
}

/// Decides a request to publish of the attempt `token`, and gives the row as it is afterwards.
pub fn ask_to_publish(job: &Job, token: Token, pause: Pause) -> (PublishAnswer, Job) {
    if !job.last_claimed_by(token) || pause.ends(job) {
        return (PublishAnswer::Lost, *job);
    }
    if job.is_being_cancelled() {
        return (PublishAnswer::Cancelled, *job);
    }
    let granted = Job {
        publish_granted: true,
        // Too late to hold it: what was granted is only completed.
        held: false,
        ..found_alive(job).with_state(JobState::Download)
    };
    (PublishAnswer::Granted, granted)
}

/// A worker whose lease had ended has come back: it was not dead after all.
fn found_alive(job: &Job) -> Job {
    let lost = i16::from(job.state == JobState::Queued);
    Job {
        workers_lost: (job.workers_lost - lost).max(0),
        ..*job
    }
}
