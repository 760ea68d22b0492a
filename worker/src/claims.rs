//! Claims: asking for the jobs of messages that were taken, several at a time where several are at hand.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shared::error::Chain;
use shared::job::ClaimId;
use shared::message::dispatch::Dispatch;
use shared::message::reply::{ClaimReply, Grant, Reply};
use shared::message::worker::{Claim, ClaimRequest, WorkerMessage};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::requests::Requests;

/// Most claims of one request.
const BATCH_MAX: usize = 50;
/// Pause before an unanswered claim is repeated.
const PAUSE: Duration = Duration::from_secs(1);
/// After this long without an answer the message is given back to the queue.
const GIVE_BACK_AFTER: Duration = Duration::from_mins(10);

/// Asks for jobs on behalf of all plugins.
#[derive(Debug, Clone)]
pub struct Claimer {
    queue: mpsc::Sender<(Claim, oneshot::Sender<ClaimReply>)>,
    pending: Arc<Mutex<HashSet<ClaimId>>>,
}

/// The part of a [`Claimer`] that sends; to be run as a task.
#[derive(Debug)]
pub struct ClaimSender {
    queue: mpsc::Receiver<(Claim, oneshot::Sender<ClaimReply>)>,
    unwanted: mpsc::UnboundedSender<Grant>,
}

/// A claimer and its sender. Grants that nobody waits for any more go to `unwanted`.
pub fn claimer(unwanted: mpsc::UnboundedSender<Grant>) -> (Claimer, ClaimSender) {
    let (sender, receiver) = mpsc::channel(BATCH_MAX);
    (
        Claimer {
            queue: sender,
            pending: Arc::default(),
        },
        ClaimSender {
            queue: receiver,
            unwanted,
        },
    )
}

impl Claimer {
    /// Asks until there is an answer. `None`: the message is to be given back (no answer for very long, or the
    /// worker is stopping). As long as the [`Pending`] lives, a repeated answer is known to be no new grant.
    pub async fn claim(
        &self,
        dispatch: &Dispatch,
        stop: &CancellationToken,
    ) -> Option<(ClaimReply, Pending)> {
        let claim_id = ClaimId::generate();
        let claim = Claim {
            job_id: dispatch.job_id,
            dispatch: dispatch.dispatch,
            claim_id,
        };
        self.pending().insert(claim_id);
        let pending = Pending {
            claimer: self.clone(),
            claim_id,
        };
        let began = Instant::now();
        while began.elapsed() < GIVE_BACK_AFTER {
            let (sender, receiver) = oneshot::channel();
            tokio::select! {
                sent = self.queue.send((claim.clone(), sender)) => if sent.is_err() { return None },
                () = stop.cancelled() => return None,
            }
            tokio::select! {
                reply = receiver => if let Ok(reply) = reply { return Some((reply, pending)) },
                () = stop.cancelled() => return None,
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = stop.cancelled() => return None,
            }
        }
        None
    }

    /// Whether somebody still waits for the answer to this claim.
    pub fn is_pending(&self, claim_id: ClaimId) -> bool {
        self.pending().contains(&claim_id)
    }

    fn pending(&self) -> MutexGuard<'_, HashSet<ClaimId>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClaimSender {
    /// Sends claims until `stop`; an unanswered claim's asker is told by its channel's end.
    pub async fn run(mut self, requests: Requests, worker_id: String, stop: CancellationToken) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        loop {
            tokio::select! {
                taken = self.queue.recv_many(&mut batch, BATCH_MAX) => if taken == 0 { return },
                () = stop.cancelled() => return,
            }
            let (claims, askers): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
            let request = ClaimRequest {
                worker_id: worker_id.clone(),
                claims,
            };
            let request = WorkerMessage::Claim(request);
            let asked = tokio::select! {
                asked = requests.ask(&request) => asked,
                () = stop.cancelled() => return,
            };
            match asked {
                Ok(Reply::Claims { answers }) => {
                    for (asker, answer) in askers.into_iter().zip(answers) {
                        // As good as none: the asker asks again.
                        if answer == ClaimReply::Other {
                            continue;
                        }
                        if let Err(ClaimReply::Granted(grant)) = asker.send(answer) {
                            // The receiver lives as long as the process.
                            let _sent = self.unwanted.send(*grant);
                        }
                    }
                }
                Ok(other) => tracing::warn!("a claim was answered with something else: {other:?}"),
                Err(error) => tracing::warn!("no answer to a claim: {}", Chain(&error)),
            }
        }
    }
}

/// Somebody waits for the answer to a claim, or is acting on it.
#[derive(Debug)]
pub struct Pending {
    claimer: Claimer,
    claim_id: ClaimId,
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.claimer.pending().remove(&self.claim_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_claim_without_an_answer_is_repeated_for_ten_minutes_and_then_its_message_is_given_back() {
        let (unwanted, _unwanted) = mpsc::unbounded_channel();
        let (claimer, mut sender) = claimer(unwanted);
        let mut asked = Vec::new();
        // Nobody answers: each asker is told so at once.
        let nobody = async {
            while let Some((claim, _asker)) = sender.queue.recv().await {
                asked.push(claim.claim_id);
            }
        };
        let dispatch = Dispatch {
            plugin: "NOOP".parse().unwrap(),
            job_id: shared::job::JobId::generate(),
            dispatch: 1,
        };
        let stop = CancellationToken::new();
        let began = Instant::now();
        let answer = tokio::select! {
            answer = claimer.claim(&dispatch, &stop) => answer,
            () = nobody => unreachable!("the claimer lives"),
        };
        assert!(answer.is_none());
        let ten_minutes = Duration::from_mins(10);
        assert!((ten_minutes..ten_minutes + 2 * PAUSE).contains(&began.elapsed()));
        assert!(asked.len() > 500, "{}", asked.len());
        assert!(
            asked.iter().all(|id| *id == asked[0]),
            "a repeated claim is the same"
        );
        assert!(!claimer.is_pending(asked[0]), "a late grant is nobody's");
    }
}
