//! One attempt from its grant to its recorded result.
//!
//! Invariants: nothing becomes visible in the target before a coordinator has agreed; a panic of a plugin ends
//! this attempt alone; whatever happens, the attempt ends with one result, or with none when it was fenced.

mod completing;
mod ending;
mod prepare;
mod slot;

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use shared::error::Chain;
use shared::failpoint::{self, Failpoint};
use shared::job::decide::PublishAnswer;
use shared::job::{Stage, Token};
use shared::message::manifest::Manifest;
use shared::message::reply::{Grant, Reply, ResultAnswer};
use shared::message::transfer::Transfer;
use shared::message::worker::{AttemptResult, Outcome, PublishRequest, WorkerMessage};
use shared::mutant::{self, Mutant};
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::delivery::Delivery;
use crate::free_space::FreeSpace;
use crate::identity::Identity;
use crate::objects::Buckets;
use crate::plugin::{AttemptError, Plugin};
use crate::requests::Requests;
use crate::roots::Roots;
use crate::running::{Attempt, Running, StopReason};
use ending::{PUBLISHING, Worked, conclude, failed, interrupted, panicked};
use slot::Broken;

/// Pause before an unanswered request to publish is repeated.
const PAUSE: Duration = Duration::from_secs(1);

/// How long a storage may take to remove an item store before the result is sent: coordinators see to the rest.
const REMOVAL_MAX: Duration = Duration::from_secs(10);

/// How long an attempt that has used up its run budget may take to end.
const END_MAX: Duration = Duration::from_mins(1);

/// What all attempts of this worker share.
#[derive(Debug, Clone)]
pub struct Workshop {
    /// Who we are.
    pub identity: Identity,
    /// Folders that jobs may use.
    pub roots: Arc<Roots>,
    /// Places on object storage that they may use.
    pub buckets: Buckets,
    /// Where attempts have their scratch folders, and how much has to be free there and in the target.
    pub space: FreeSpace,
    /// The attempts in hand.
    pub running: Running,
    /// Asks coordinators.
    pub requests: Requests,
    /// Delivers results.
    pub delivery: Delivery,
    /// Cancelled when the process gives up waiting for its attempts.
    pub end: CancellationToken,
}

/// What has become of an attempt's slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The next job may have it.
    Free,
    /// Something of the attempt could not be ended: nobody gets it until the worker is started anew.
    Quarantined,
}

impl Workshop {
    /// Runs a granted attempt to its end. Tells what has become of its slot.
    pub async fn run(&self, grant: Grant, plugin: Arc<dyn Plugin>) -> Slot {
        let token = Token {
            attempt: grant.attempt,
            claim_id: grant.claim_id,
        };
        let attempt = self.running.begin(
            grant.job_id,
            token,
            Duration::from_secs(grant.lease_seconds.into()),
            grant
                .disconnect_limit_seconds
                .map(|seconds| Duration::from_secs(seconds.into())),
        );
        attempt.progress.count_items_of(&grant.plugin);
        tracing::info!(
            job.id = %grant.job_id, job.plugin = %grant.plugin, attempt.number = grant.attempt,
            "attempt {} of job {} begins", grant.attempt, grant.job_id
        );
        let budget = Duration::from_secs(grant.run_budget_seconds.into());
        let work = AssertUnwindSafe(self.work(&grant, plugin, &attempt)).catch_unwind();
        let over_budget = async {
            tokio::time::sleep(budget).await;
            attempt.stop_because(StopReason::OverBudget);
            tokio::time::sleep(END_MAX).await;
        };
        let contact_lost = async {
            attempt.out_of_contact().await;
            tracing::warn!(
                job.id = %grant.job_id, attempt.number = grant.attempt,
                "attempt {} of job {} is broken off: no contact for longer than its plugin allows",
                grant.attempt, grant.job_id
            );
            attempt.stop_because(StopReason::OutOfContact);
            // What does not stop ends with its run budget.
            std::future::pending::<Infallible>().await
        };
        let (worked, slot) = tokio::select! {
            worked = work => {
                let worked = worked.unwrap_or_else(|panic| Worked::report(panicked(panic.as_ref())));
                (worked, Slot::Free)
            }
            never = contact_lost => match never {},
            () = over_budget => {
                // Something of it may hang in a dead file system: nothing else may run in its place.
                let error = AttemptError::retryable("it ran longer than its plugin allows, and could not be ended");
                let outcome = if attempt.is_publishing() { interrupted(PUBLISHING) } else { failed(error) };
                (Worked::report(outcome), Slot::Quarantined)
            }
        };
        match worked {
            Worked::Report {
                outcome,
                store_removed,
            } => self.report(&grant, &attempt, outcome, store_removed).await,
            Worked::Fenced => tracing::warn!(
                job.id = %grant.job_id, attempt.number = grant.attempt,
                "attempt {} of job {} is fenced: the job is another's now", grant.attempt, grant.job_id
            ),
        }
        self.running.end(token.claim_id);
        slot
    }

    async fn work(&self, grant: &Grant, plugin: Arc<dyn Plugin>, attempt: &Attempt) -> Worked {
        if grant.manifest.is_some() {
            // Half of it may be visible: whatever stops this attempt, the next one goes on.
            attempt.begin_publishing();
        }
        let prepared = self.prepare(grant, attempt).await;
        let (context, scratch) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return conclude(attempt, error),
        };
        let mut worked = if let Some(manifest) = grant.manifest.clone() {
            attempt
                .progress
                .log("an earlier attempt may have published some files: only completing them");
            let done = u32::try_from(grant.done_items.len()).unwrap_or(u32::MAX);
            attempt.progress.items(done, done);
            self.publish(&context, attempt, manifest).await
        } else {
            let ran = plugin.run(&context).await;
            // Of a plugin that has never said that it began to work.
            attempt.progress.give_back_transfer();
            match ran {
                Err(error) => conclude(attempt, error),
                Ok(finished) => {
                    let outcome = match finished.failed {
                        None => Outcome::Done {
                            summary: finished.summary,
                        },
                        Some(error @ (AttemptError::Stopped | AttemptError::Yielded)) => {
                            return conclude(attempt, error);
                        }
                        Some(AttemptError::Failed {
                            class,
                            message,
                            exit_code,
                        }) => Outcome::Failed {
                            class,
                            message,
                            exit_code,
                        },
                    };
                    let mut files = finished.files;
                    files.sort_by(|a, b| a.path.cmp(&b.path));
                    if files.is_empty() {
                        Worked::report(outcome)
                    } else {
                        self.publish(&context, attempt, Manifest { files, outcome }).await
                    }
                }
            }
        };
        if let Worked::Report {
            outcome,
            store_removed,
        } = &mut worked
        {
            *store_removed = self.discard(&context, outcome).await;
        }
        if let Err(error) = tokio::task::spawn_blocking(move || scratch.close())
            .await
            .unwrap_or(Ok(()))
        {
            tracing::warn!("a scratch folder could not be removed: {error}");
        }
        worked
    }

    /// Asks until a coordinator has agreed or refused, then makes the outputs visible.
    async fn publish(&self, context: &Context, attempt: &Attempt, manifest: Manifest) -> Worked {
        let Some(store) = &context.store else {
            return Worked::report(failed(AttemptError::permanent(
                "the plugin has outputs but the job names no target folder",
            )));
        };
        failpoint::reach(Failpoint::OutputsBeforeAsking);
        // A request carries one portion of items, as a result does.
        tokio::select! {
            () = attempt.progress.nearly_confirmed() => {}
            () = attempt.stop.cancelled() => {}
        }
        let request = WorkerMessage::Publish(PublishRequest {
            worker_id: self.identity.id.clone(),
            job_id: attempt.job_id,
            attempt: attempt.token.attempt,
            claim_id: attempt.token.claim_id,
            manifest,
            items: attempt.progress.report(attempt.job_id, attempt.token).items,
        });
        attempt.begin_publishing();
        let (granted, ask_for_transfer) = loop {
            if let (true, WorkerMessage::Publish(request)) =
                (mutant::is_active(Mutant::PublishWithoutGrant), &request)
            {
                break (request.manifest.clone(), false);
            }
            if attempt.stop.is_cancelled() {
                return conclude(attempt, AttemptError::Stopped);
            }
            match self.requests.ask(&request).await {
                Ok(Reply::Publish {
                    answer: PublishAnswer::Granted,
                    manifest: Some(manifest),
                    ask_for_transfer,
                }) => {
                    break (manifest, ask_for_transfer);
                }
                Ok(Reply::Publish {
                    answer: PublishAnswer::Lost,
                    ..
                }) => return Worked::Fenced,
                Ok(Reply::Publish {
                    answer: PublishAnswer::Cancelled,
                    ..
                }) => {
                    return Worked::report(Outcome::Cancelled);
                }
                Ok(other) => tracing::warn!("a request to publish was answered with {other:?}"),
                Err(error) => tracing::warn!("a request to publish has no answer yet: {}", Chain(&error)),
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = attempt.stop.cancelled() => {}
            }
        };
        failpoint::reach(Failpoint::GrantBeforeRename);
        attempt.progress.stage(Stage::Download);
        if ask_for_transfer {
            match slot::wait(attempt, Transfer::Target).await {
                Ok(()) => {}
                Err(Broken::Stopped) => return conclude(attempt, AttemptError::Stopped),
                Err(Broken::Paused) => return Worked::report(interrupted(PUBLISHING)),
            }
        }
        let worked = completing::complete(store, attempt, &granted, ask_for_transfer).await;
        attempt.progress.give_back_transfer();
        worked
    }

    /// The item store has served its purpose. After a failure it stays for the job's retry. Tells whether it is gone:
    /// where it is not although it should be, coordinators see to it.
    async fn discard(&self, context: &Context, outcome: &Outcome) -> bool {
        if !matches!(outcome, Outcome::Done { .. } | Outcome::Cancelled) {
            return false;
        }
        let Some(store) = &context.store else {
            return true;
        };
        failpoint::reach(Failpoint::RenameBeforeRemoval);
        let problem = match tokio::time::timeout(REMOVAL_MAX, store.remove()).await {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => Chain(&error).to_string(),
            Err(_) => "its storage does not answer".to_owned(),
        };
        tracing::warn!(job.id = %context.grant.job_id, "the item store is left to be removed later: {problem}");
        false
    }

    async fn report(&self, grant: &Grant, attempt: &Attempt, outcome: Outcome, store_removed: bool) {
        // A result carries one portion of items and log lines; heartbeats take the others first.
        tokio::select! {
            () = attempt.progress.nearly_confirmed() => {}
            () = self.end.cancelled() => {}
        }
        let result = AttemptResult {
            worker_id: self.identity.id.clone(),
            outcome,
            store_removed: Some(store_removed),
            report: attempt.progress.report(attempt.job_id, attempt.token),
        };
        failpoint::reach(Failpoint::RemovalBeforeSpool);
        let answer = self.delivery.deliver(result, &self.end).await;
        match answer {
            Some(ResultAnswer::Recorded) => tracing::info!(
                job.id = %grant.job_id, attempt.number = grant.attempt,
                "attempt {} of job {} ended and is recorded", grant.attempt, grant.job_id
            ),
            Some(ResultAnswer::Superseded | ResultAnswer::Unknown | ResultAnswer::Other) => tracing::warn!(
                job.id = %grant.job_id, attempt.number = grant.attempt,
                "the result of attempt {} of job {} did not count: {answer:?}", grant.attempt, grant.job_id
            ),
            None => tracing::warn!(
                job.id = %grant.job_id, attempt.number = grant.attempt,
                "attempt {} of job {} ended, but no coordinator has recorded it yet", grant.attempt, grant.job_id
            ),
        }
    }

    /// Gives back a job whose grant nobody waits for any more.
    pub async fn release(&self, grant: Grant) {
        tracing::info!(job.id = %grant.job_id, "job {} is given back: nobody waits for it any more", grant.job_id);
        let token = Token {
            attempt: grant.attempt,
            claim_id: grant.claim_id,
        };
        let report =
            crate::progress::Progress::new(Arc::clone(&self.running.changed)).report(grant.job_id, token);
        let outcome = Outcome::Interrupted {
            reason: "the worker no longer waited for it".to_owned(),
        };
        let result = AttemptResult {
            worker_id: self.identity.id.clone(),
            outcome,
            store_removed: None,
            report,
        };
        self.delivery.deliver(result, &self.end).await;
    }
}
