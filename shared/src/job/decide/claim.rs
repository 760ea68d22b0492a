//! May this worker start this job?

use serde::{Deserialize, Serialize};

use super::Job;
use crate::job::{ClaimId, JobState, Token};

/// What a worker asks when it has taken a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClaimAsk {
    /// The dispatch number in the message.
    pub dispatch: i64,
    /// The worker's fresh claim id.
    pub claim_id: ClaimId,
}

/// What lies outside the job's row but gates its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each gate is open or closed by itself"
)]
pub struct Gate {
    /// The plugin's state is `running`.
    pub plugin_running: bool,
    /// Jobs start by themselves: autostart is on, for the plugin and for all.
    pub autostart: bool,
    /// The plugin runs fewer jobs than it may.
    pub has_room: bool,
    /// The plugin's page contract is not used up.
    pub has_quota: bool,
    /// The storages of its source and its target are used by fewer jobs than they may be.
    pub storages_have_room: bool,
    /// The worker that asks has a free slot for the plugin, as far as anybody knows, and is not to end.
    pub worker_has_room: bool,
}

/// Why a claim is refused. The worker drops the message in each case: the job row knows what comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// No unfinished job has this id.
    Unknown,
    /// The message's dispatch number is not the job's current one.
    Stale,
    /// Another attempt has the job, or it waits for something else.
    NotQueued,
    /// A person holds it.
    Held,
    /// A person wants it cancelled.
    Cancelled,
    /// Its plugin is stopping or stopped.
    PluginStopped,
    /// Jobs do not start by themselves at the moment.
    AutostartOff,
    /// Its plugin runs as many jobs as it may, or the worker as many as it has slots, or the worker is to end.
    LimitReached,
    /// A storage that it uses is used by as many jobs as it may be.
    StorageLimitReached,
    /// Its plugin's page contract is used up.
    QuotaUsedUp,
    /// The worker's RabbitMQ user is not listed for the plugin, or the worker that it names is another user's.
    UserNotAllowed,
    /// Something that only a newer release knows. Never decided here.
    #[serde(other)]
    Other,
}

/// The answer to a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimAnswer {
    /// The attempt may start; the row becomes this.
    Grant(Job),
    /// This very claim was granted before and its answer was lost: say it again, change nothing.
    GrantAgain,
    /// The attempt must not start: the message was not for it.
    Refuse(Refusal),
    /// The attempt must not start now. The message is used up, so the row becomes this: to be published again
    /// when the gate opens.
    Postpone(Refusal, Job),
}

/// Decides a claim.
pub fn claim(job: &Job, ask: ClaimAsk, gate: Gate) -> ClaimAnswer {
    if job.state.is_running() && job.token.is_some_and(|token| token.claim_id == ask.claim_id) {
        return ClaimAnswer::GrantAgain;
    }
    let refusal = if ask.dispatch != job.dispatch {
        Some(Refusal::Stale)
    } else if job.state != JobState::Queued {
        Some(Refusal::NotQueued)
    } else if job.cancel_requested {
        Some(Refusal::Cancelled)
    } else if job.held {
        Some(Refusal::Held)
    } else {
        None
    };
    if let Some(refusal) = refusal {
        return ClaimAnswer::Refuse(refusal);
    }
    if let Some(refusal) = closed(gate, job.start_now) {
        return ClaimAnswer::Postpone(refusal, job.with_message_void());
    }
    let attempt = job.attempt + 1;
    ClaimAnswer::Grant(Job {
        attempt,
        token: Some(Token {
            attempt,
            claim_id: ask.claim_id,
        }),
        ..job.with_state(JobState::Started)
    })
}

/// Which gate keeps a job from starting.
fn closed(gate: Gate, start_now: bool) -> Option<Refusal> {
    if !gate.plugin_running {
        Some(Refusal::PluginStopped)
    } else if !gate.has_quota {
        Some(Refusal::QuotaUsedUp)
    } else if !gate.storages_have_room {
        // Whatever a person wants: a storage is limited for those who use it otherwise.
        Some(Refusal::StorageLimitReached)
    } else if !gate.worker_has_room {
        // Whatever a person wants: it can only start on a worker that has a slot for it.
        Some(Refusal::LimitReached)
    } else if start_now {
        None
    } else if !gate.autostart {
        Some(Refusal::AutostartOff)
    } else if !gate.has_room {
        Some(Refusal::LimitReached)
    } else {
        None
    }
}
