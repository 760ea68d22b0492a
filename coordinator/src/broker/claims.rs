//! Claims and requests to publish.

use lapin::message::Delivery;
use metrics::counter;
use shared::failpoint::{self, Failpoint};
use shared::job::JobState;
use shared::job::decide::Refusal;
use shared::message::reply::{ClaimReply, Reply};
use shared::message::worker::WorkerMessage;
use shared::metrics::{CLAIMS, STALE_MESSAGES};

use super::batch::{Failure, Handler};
use super::rejected::PutAway;
use super::{Broker, events};
use crate::db::claims::{GrantClaims, WorkerClaim};
use crate::db::publish::GrantPublish;

pub(super) struct Claims<'a>(pub(super) &'a Broker);

impl Handler for Claims<'_> {
    const BEFORE_ACK: Failpoint = Failpoint::ClaimBeforeAck;

    async fn handle(&self, batch: &[Delivery], put_away: &PutAway) -> Result<(), Failure> {
        let events = events::read(self.0, batch, put_away).await?;
        let claims: Vec<WorkerClaim> = events
            .iter()
            .filter_map(|event| match &event.message {
                WorkerMessage::Claim(request) => Some((request, event.user)),
                _ => None,
            })
            .flat_map(|(request, user)| {
                request.claims.iter().map(|claim| WorkerClaim {
                    worker_id: request.worker_id.clone(),
                    amqp_user: user.to_owned(),
                    claim: claim.clone(),
                })
            })
            .collect();
        let grant = GrantClaims {
            claims: &claims,
            users: &self.0.worker_users,
        };
        let mut decided = self.0.db.run_where_known(&grant).await?.into_iter();
        if !claims.is_empty() {
            failpoint::reach(Failpoint::ClaimBeforeReply);
        }
        let mut answers = Vec::new();
        for event in &events {
            let reply = match &event.message {
                WorkerMessage::Claim(request) => {
                    let answers: Vec<ClaimReply> = decided.by_ref().take(request.claims.len()).collect();
                    for answer in &answers {
                        count(answer);
                        if let ClaimReply::Granted(grant) = answer {
                            let plugin = grant.plugin.as_str();
                            self.0.notifier.job(grant.job_id, plugin, JobState::Started);
                        }
                    }
                    Reply::Claims { answers }
                }
                WorkerMessage::Publish(request) => {
                    let grant = GrantPublish {
                        request,
                        amqp_user: event.user,
                    };
                    let (answer, manifest, ask_for_transfer) = self.0.db.run(&grant).await?;
                    failpoint::reach(Failpoint::PublishBeforeReply);
                    tracing::debug!(job.id = %request.job_id, "request to publish {}: {answer:?}", request.job_id);
                    Reply::Publish {
                        answer,
                        manifest,
                        ask_for_transfer,
                    }
                }
                _ => continue,
            };
            answers.extend(event.answer(&reply));
        }
        self.0.changes.announce();
        events::send(self.0, answers).await;
        Ok(())
    }

    async fn refuse(&self, delivery: &Delivery, reason: &str, put_away: &PutAway) -> Result<(), Failure> {
        events::refuse(self.0, delivery, reason, put_away).await
    }
}

fn count(answer: &ClaimReply) {
    let label = match answer {
        ClaimReply::Granted(grant) => {
            tracing::info!(
                job.id = %grant.job_id, job.plugin = %grant.plugin, attempt.number = grant.attempt,
                "attempt {} of job {} granted", grant.attempt, grant.job_id
            );
            "granted"
        }
        ClaimReply::Refused { refusal, .. } => match refusal {
            Refusal::Unknown => "unknown",
            Refusal::Stale => {
                counter!(STALE_MESSAGES).increment(1);
                "stale"
            }
            Refusal::NotQueued => "not_queued",
            Refusal::Held => "held",
            Refusal::Cancelled => "cancelled",
            Refusal::PluginStopped => "plugin_stopped",
            Refusal::AutostartOff => "autostart_off",
            Refusal::LimitReached => "limit_reached",
            Refusal::StorageLimitReached => "storage_limit_reached",
            Refusal::QuotaUsedUp => "quota_used_up",
            Refusal::UserNotAllowed => "user_not_allowed",
            Refusal::Other => "other",
        },
        ClaimReply::Other => "other",
    };
    counter!(CLAIMS, "answer" => label).increment(1);
}
