//! The attempts that this worker has in hand: what heartbeats report, and whom verdicts stop.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shared::job::{ClaimId, JobId, Token};
use shared::message::reply::Verdict;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::progress::Progress;

/// Why an attempt was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// The job is another's now.
    Lost,
    /// A person has cancelled the job.
    Cancelled,
    /// Its plugin was stopped, the job held, or the worker drained; and the time for yielding is over.
    Interrupted,
    /// The worker is being shut down.
    ShutDown,
    /// It has run longer than it may.
    OverBudget,
    /// No coordinator was heard of for longer than its plugin allows.
    OutOfContact,
}

/// One attempt in hand.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The job.
    pub job_id: JobId,
    /// The attempt's token.
    pub token: Token,
    /// How far it has come.
    pub progress: Progress,
    /// Without a heartbeat for this long it counts as lost.
    pub lease: Duration,
    /// Without contact to any coordinator for this long it is broken off; `None`: it goes on.
    pub contact_limit: Option<Duration>,
    /// Cancelled when it has to stop.
    pub stop: CancellationToken,
    /// Cancelled when it has to give the job back at its next item.
    pub pause: CancellationToken,
    reason: Arc<Mutex<Option<StopReason>>>,
    publishing: Arc<AtomicBool>,
    heard: Arc<Mutex<Instant>>,
}

impl Attempt {
    /// Tells it to stop; the first reason counts, except that a lost job outweighs all others.
    pub fn stop_because(&self, reason: StopReason) {
        {
            let mut current = self.reason.lock().unwrap_or_else(PoisonError::into_inner);
            if current.is_none() || reason == StopReason::Lost {
                *current = Some(reason);
            }
        }
        self.stop.cancel();
    }

    /// It asks to publish: from now on a coordinator may have agreed, and then the outputs are only completed, by this
    /// attempt or the next one.
    pub fn begin_publishing(&self) {
        self.publishing.store(true, Ordering::SeqCst);
    }

    /// Whether a coordinator may have agreed to its outputs.
    pub fn is_publishing(&self) -> bool {
        self.publishing.load(Ordering::SeqCst)
    }

    /// A coordinator has just spoken of it.
    pub fn hear(&self) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Ends when no coordinator has spoken of it for as long as its limit says; never without one.
    pub async fn out_of_contact(&self) {
        let Some(limit) = self.contact_limit else {
            return std::future::pending().await;
        };
        loop {
            let over = *self.heard.lock().unwrap_or_else(PoisonError::into_inner) + limit;
            if over <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(over).await;
        }
    }

    /// Why it was told to stop, if it was.
    pub fn stop_reason(&self) -> Option<StopReason> {
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All attempts in hand.
#[derive(Debug, Clone, Default)]
pub struct Running {
    attempts: Arc<Mutex<HashMap<ClaimId, Attempt>>>,
    /// Told when an attempt has something to report.
    pub changed: Arc<Notify>,
}

impl Running {
    /// An attempt begins.
    pub fn begin(
        &self,
        job_id: JobId,
        token: Token,
        lease: Duration,
        contact_limit: Option<Duration>,
    ) -> Attempt {
        let attempt = Attempt {
            job_id,
            token,
            progress: Progress::new(Arc::clone(&self.changed)),
            lease,
            contact_limit,
            stop: CancellationToken::new(),
            pause: CancellationToken::new(),
            reason: Arc::default(),
            publishing: Arc::default(),
            heard: Arc::new(Mutex::new(Instant::now())),
        };
        self.lock().insert(token.claim_id, attempt.clone());
        self.changed.notify_one();
        attempt
    }

    /// An attempt is over and recorded.
    pub fn end(&self, claim_id: ClaimId) {
        self.lock().remove(&claim_id);
    }

    /// Whether an attempt with this claim is in hand.
    pub fn contains(&self, claim_id: ClaimId) -> bool {
        self.lock().contains_key(&claim_id)
    }

    /// How long the most impatient of them may be without a heartbeat: its lease, or its limit of contact.
    pub fn least_patience(&self) -> Option<Duration> {
        let attempts = self.lock();
        let patience = |attempt: &Attempt| {
            let limit = attempt.contact_limit.unwrap_or(attempt.lease);
            limit.min(attempt.lease)
        };
        attempts.values().map(patience).min()
    }

    /// All of them, as they are now.
    pub fn all(&self) -> Vec<Attempt> {
        self.lock().values().cloned().collect()
    }

    /// Does what a coordinator says about an attempt.
    pub fn obey(&self, claim_id: ClaimId, verdict: Verdict) {
        let Some(attempt) = self.lock().get(&claim_id).cloned() else {
            return;
        };
        attempt.hear();
        match verdict {
            Verdict::Ok => {}
            Verdict::Lost => attempt.stop_because(StopReason::Lost),
            Verdict::Cancel => attempt.stop_because(StopReason::Cancelled),
            // What a newer coordinator asks for can't be done here: somebody else may.
            Verdict::Yield | Verdict::Other => attempt.pause.cancel(),
            Verdict::Interrupt => attempt.stop_because(StopReason::Interrupted),
        }
    }

    /// The worker is to end: every attempt is to give its job back at its next item.
    pub fn drain(&self) {
        for attempt in self.all() {
            attempt.pause.cancel();
        }
    }

    /// The worker shuts down: every attempt is to stop.
    pub fn shut_down(&self) {
        for attempt in self.all() {
            attempt.stop_because(StopReason::ShutDown);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ClaimId, Attempt>> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_was_not_heard_of_for_its_limit_is_out_of_contact() {
        let running = Running::default();
        let token = Token {
            attempt: 1,
            claim_id: ClaimId::generate(),
        };
        let minute = Duration::from_mins(1);
        let attempt = running.begin(JobId::generate(), token, minute * 5, Some(minute));
        assert_eq!(running.least_patience(), Some(minute));
        let begun = Instant::now();
        let spoken = async {
            tokio::time::sleep(Duration::from_secs(59)).await;
            running.obey(token.claim_id, Verdict::Ok);
        };
        tokio::join!(attempt.out_of_contact(), spoken);
        assert_eq!(begun.elapsed().as_secs(), 119);
        let patient = Running::default().begin(JobId::generate(), token, minute, None);
        let ever = tokio::time::timeout(Duration::from_hours(1000), patient.out_of_contact());
        assert!(ever.await.is_err(), "without a limit it ends");
    }
}
