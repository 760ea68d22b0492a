//! What workers and coordinators say to each other.

use shared::job::decide::{ErrorClass, OutcomeKind, PublishAnswer};
use shared::job::{ClaimId, Token};
use uuid::Uuid;

/// The token of an attempt, and its job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Owner {
    pub(crate) job: u8,
    pub(crate) attempt: i32,
    pub(crate) claim: u8,
}

impl Owner {
    /// The owner that a row's token names.
    pub(crate) fn of(job: u8, token: Token) -> Self {
        Self {
            job,
            attempt: token.attempt,
            claim: u8::try_from(token.claim_id.0.as_u128()).expect("claim ids of a model are small"),
        }
    }

    pub(crate) fn token(self) -> Token {
        Token {
            attempt: self.attempt,
            claim_id: claim_id(self.claim),
        }
    }
}

pub(crate) fn claim_id(claim: u8) -> ClaimId {
    ClaimId(Uuid::from_u128(claim.into()))
}

/// How an attempt ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Outcome {
    Done,
    MayPass,
    Permanent,
    Interrupted,
    Cancelled,
}

impl From<Outcome> for OutcomeKind {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::Done,
            Outcome::MayPass => Self::Failed(ErrorClass::Retryable),
            Outcome::Permanent => Self::Failed(ErrorClass::Permanent),
            Outcome::Interrupted => Self::Interrupted,
            Outcome::Cancelled => Self::Cancelled,
        }
    }
}

/// What a heartbeat's answer tells an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Verdict {
    Ok,
    Lost,
    Cancel,
    Yield,
    Interrupt,
}

/// What a worker asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Request {
    /// May I start this?
    Claim { job: u8, dispatch: i64, claim: u8 },
    /// I am alive; `publishing` from the grant on.
    Heartbeat { run: Owner, publishing: bool },
    /// May my files become visible?
    Publish { run: Owner },
    /// The attempt has ended.
    Result { run: Owner, outcome: Outcome },
}

/// What a coordinator answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Reply {
    /// Start; with a manifest, only complete that.
    Granted { run: Owner, manifest: Option<u8> },
    /// Don't start.
    Refused { claim: u8 },
    /// To a heartbeat.
    Verdict { run: Owner, verdict: Verdict },
    /// To a request to publish; a manifest is named by the claim whose attempt made it.
    Publish { run: Owner, answer: Agreed },
    /// To a result: recorded, superseded or unknown; all end its being sent.
    Settled { run: Owner },
}

/// The answer to a request to publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Agreed {
    /// Complete this manifest.
    To(u8),
    /// The job is another's.
    Lost,
    /// The job is cancelled.
    Cancelled,
}

impl Agreed {
    pub(crate) fn of(answer: PublishAnswer, manifest: Option<u8>) -> Self {
        match answer {
            PublishAnswer::Granted => Self::To(manifest.expect("a grant stores a manifest")),
            PublishAnswer::Lost => Self::Lost,
            PublishAnswer::Cancelled => Self::Cancelled,
            PublishAnswer::Other => unreachable!("it is never decided"),
        }
    }
}

/// A message on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Packet {
    /// From a worker.
    Request(u8, Request),
    /// To a worker.
    Reply(u8, Reply),
}

impl Packet {
    /// The worker that it is from or to.
    pub(crate) fn party(self) -> u8 {
        let (Self::Request(worker, _) | Self::Reply(worker, _)) = self;
        worker
    }

    /// The claims that it names.
    pub(crate) fn claims(self) -> impl Iterator<Item = u8> {
        let (claim, manifest) = match self {
            Self::Request(_, Request::Claim { claim, .. }) | Self::Reply(_, Reply::Refused { claim }) => {
                (claim, None)
            }
            Self::Request(
                _,
                Request::Heartbeat { run, .. } | Request::Publish { run } | Request::Result { run, .. },
            )
            | Self::Reply(_, Reply::Verdict { run, .. } | Reply::Settled { run }) => (run.claim, None),
            Self::Reply(_, Reply::Granted { run, manifest }) => (run.claim, manifest),
            Self::Reply(_, Reply::Publish { run, answer }) => match answer {
                Agreed::To(manifest) => (run.claim, Some(manifest)),
                Agreed::Lost | Agreed::Cancelled => (run.claim, None),
            },
        };
        [claim].into_iter().chain(manifest)
    }

    /// The attempt on whose behalf it asks.
    pub(crate) fn asks_for(self) -> Option<Owner> {
        match self {
            Self::Request(
                _,
                Request::Heartbeat { run, .. } | Request::Publish { run } | Request::Result { run, .. },
            ) => Some(run),
            Self::Request(_, Request::Claim { .. }) | Self::Reply(..) => None,
        }
    }

    /// Whether this attempt may be granted by it, again.
    pub(crate) fn could_start(self, run: Owner) -> bool {
        match self {
            Self::Request(_, Request::Claim { claim, .. }) => claim == run.claim,
            Self::Reply(_, Reply::Granted { run: granted, .. }) => granted == run,
            _ => false,
        }
    }
}
