//! What coordinators answer to workers. Sent to the request's `reply_to` with its `correlation_id`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::manifest::{FileEntry, Manifest};
use super::transfer::TransferReply;
use crate::job::decide::{PublishAnswer, Refusal};
use crate::job::{ClaimId, JobId};
use crate::plugin::PluginName;

/// An answer to a worker's message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reply {
    /// To an announcement: rows and queues exist now.
    Announced {
        /// Programs that the templates of SHELL call: a worker that serves it says whether it has them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        programs: Vec<String>,
    },
    /// To an announcement that nobody acts on: the worker's RabbitMQ user may not serve what it offers.
    Refused {
        /// Why, and what to do, for a person.
        reason: String,
    },
    /// To a claim request, one answer a claim.
    Claims {
        /// In the order of the request.
        answers: Vec<ClaimReply>,
    },
    /// To a heartbeat: what it said is recorded.
    Heartbeat {
        /// One verdict an attempt, in the order of the heartbeat.
        verdicts: Vec<AttemptVerdict>,
        /// The worker is to be drained: it takes no new jobs, gives back those that it has, and ends.
        #[serde(default, skip_serializing_if = "is_false")]
        drain: bool,
        /// Item stores that no job uses any more: to be removed, and told in a later heartbeat.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        remove_stores: Vec<UselessStore>,
        /// Item stores of which there is nothing but an entry in the worker's index, which nobody needs: to be taken out
        /// of the index, unless the store is there after all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        forget_stores: Vec<UselessStore>,
        /// The portion of item stores in the heartbeat could not be recorded now: it is to be told again.
        #[serde(default, skip_serializing_if = "is_false")]
        tell_stores_again: bool,
        /// The worker is to tell, in its next heartbeats, of the item stores on its storage; the number of the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        list_stores: Option<i64>,
    },
    /// To no request: what was decided about attempts just now, so that nobody waits for the next heartbeat.
    Control {
        /// The attempts and what they have to do.
        verdicts: Vec<AttemptVerdict>,
        /// The worker is to be drained, as in the answer to a heartbeat.
        #[serde(default, skip_serializing_if = "is_false")]
        drain: bool,
    },
    /// To a request to publish.
    Publish {
        /// The answer.
        answer: PublishAnswer,
        /// When granted: the manifest to complete. It is an earlier attempt's when that one had been granted.
        manifest: Option<Manifest>,
        /// The target's storage limits transfers: to be asked for with heartbeats before the files are moved.
        #[serde(default, skip_serializing_if = "is_false")]
        ask_for_transfer: bool,
    },
    /// To a result.
    Result {
        /// The answer; each of them that this release knows ends the repeating.
        answer: ResultAnswer,
    },
    /// Something that only a newer release knows: as good as no answer.
    #[serde(other)]
    Other,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(value: &bool) -> bool {
    !*value
}

/// An item store that no job uses any more, or that is not there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UselessStore {
    /// The job that it is named after.
    pub store: JobId,
    /// The folder that it lies in, absolute.
    pub target: String,
}

/// The answer to one claim.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum ClaimReply {
    /// Start.
    Granted(Box<Grant>),
    /// Don't; drop the message.
    Refused {
        /// The claim.
        claim_id: ClaimId,
        /// Why.
        refusal: Refusal,
    },
    /// Something that only a newer release knows: as good as no answer, so the claim is repeated.
    #[serde(other)]
    Other,
}

/// All that a worker needs to run an attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// The job.
    pub job_id: JobId,
    /// Its plugin.
    pub plugin: PluginName,
    /// The attempt's number.
    pub attempt: i32,
    /// The claim that was granted.
    pub claim_id: ClaimId,
    /// Without a heartbeat for this long, seconds, the attempt counts as lost.
    pub lease_seconds: u32,
    /// How long the attempt may run, seconds.
    pub run_budget_seconds: u32,
    /// Without contact to any coordinator for this long, seconds, the attempt is broken off; `None`: it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disconnect_limit_seconds: Option<u32>,
    /// The job's title.
    pub title: String,
    /// Input folder, absolute.
    pub source: Option<String>,
    /// Output folder, absolute.
    pub target: Option<String>,
    /// The source's storage limits transfers: to be asked for with heartbeats before anything is read.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ask_for_transfer: bool,
    /// What the submitter chose.
    pub parameters: Map<String, Value>,
    /// The template, as it was when the job was submitted.
    pub template: Option<Template>,
    /// The job whose item store this one uses, where it is not its own: the one that it is a retry of.
    #[serde(default)]
    pub store: Option<JobId>,
    /// Items that an earlier attempt finished, to be verified and kept.
    pub done_items: Vec<DoneItem>,
    /// A manifest that was granted to an earlier attempt: complete it, do nothing else.
    pub manifest: Option<Manifest>,
}

/// A named, server-side preset of a plugin's parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Template {
    /// Its name.
    pub name: String,
    /// Its parameters. They win over the submitter's.
    pub parameters: Map<String, Value>,
}

/// An item that is in the item store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoneItem {
    /// The item's name.
    pub name: String,
    /// Its files in the store.
    pub files: Vec<FileEntry>,
}

/// What an attempt is told after a heartbeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptVerdict {
    /// The job.
    pub job_id: JobId,
    /// The claim.
    pub claim_id: ClaimId,
    /// What to do.
    pub verdict: Verdict,
    /// Whether it may move its data, where it has asked; an older coordinator does not say, which is as good as yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<TransferReply>,
}

/// What an attempt has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Go on.
    Ok,
    /// The job is not yours any more: kill everything, publish nothing.
    Lost,
    /// The job was cancelled: stop.
    Cancel,
    /// Stop at the next item and give the job back.
    Yield,
    /// Stop at once and give the job back: the time for yielding is over.
    Interrupt,
    /// Something that only a newer release knows. What it asks for can't be done here: the job is given back at the
    /// next item, and nothing is lost by that.
    #[serde(other)]
    Other,
}

/// What became of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResultAnswer {
    /// It counts (or did when it came the first time).
    Recorded,
    /// Another attempt's counts.
    Superseded,
    /// Nobody knows such a job.
    Unknown,
    /// Something that only a newer release knows: as good as no answer, so the result is kept and sent again.
    #[serde(other)]
    Other,
}
