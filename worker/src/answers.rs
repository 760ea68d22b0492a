//! The connection on which a worker asks and is answered, also with what it has not asked for.

use std::sync::Arc;
use std::time::Duration;

use shared::amqp::Address;
use shared::amqp::link::{self, Session};
use shared::amqp::publisher::PublisherSlot;
use shared::amqp::refusals::Refusals;
use shared::amqp::topology;
use shared::message::reply::{ClaimReply, Grant, Reply};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use crate::claims::Claimer;
use crate::heartbeat;
use crate::requests::Requests;
use crate::running::Running;

/// Pause between two looks whether a coordinator has set RabbitMQ up.
const TOPOLOGY_PAUSE: Duration = Duration::from_secs(1);

/// Where RabbitMQ is, and what it refuses this worker.
#[derive(Debug, Clone)]
pub(crate) struct Broker {
    /// Its address.
    pub(crate) address: Address,
    /// What it has lately refused.
    pub(crate) refusals: Refusals,
}

/// The publishing connection: asks, and receives answers on the same channel.
pub(crate) struct Answers {
    /// Where others find the channel to publish on.
    pub(crate) slot: PublisherSlot,
    /// What is asked.
    pub(crate) requests: Requests,
    /// Told at each new connection.
    pub(crate) connected: Arc<Notify>,
    /// Whose claims are under way.
    pub(crate) claimer: Claimer,
    /// The attempts that obey.
    pub(crate) running: Running,
    /// Cancelled when the worker is to be drained.
    pub(crate) drain: CancellationToken,
    /// Takes grants that nobody waits for any more.
    pub(crate) unwanted: mpsc::UnboundedSender<Grant>,
}

impl Answers {
    /// Runs until `end`; the connection is rebuilt as often as it fails.
    pub(crate) async fn run(self, broker: Broker, end: CancellationToken) {
        let this = &self;
        let serve = |session: Session| {
            let end = end.clone();
            async move {
                if !exchange_is_there(&session, &end).await? {
                    return Ok(());
                }
                let channel = this.slot.open(&session).await?;
                let ready = || {
                    this.slot.set(&session, channel.clone());
                    this.connected.notify_one();
                };
                let result = tokio::select! {
                    result = this.requests.receive(&channel, ready, |reply| this.unclaimed(reply)) => result,
                    () = end.cancelled() => Ok(()),
                };
                this.slot.clear();
                result
            }
        };
        let failed = |error: &shared::amqp::Error| broker.refusals.note(error);
        link::run_telling("publish", &broker.address, &end, serve, failed).await;
    }

    /// What came without being asked for: a control, or an answer that came too late. Of these only a grant matters:
    /// the job has to go back.
    fn unclaimed(&self, reply: Reply) {
        let answers = match reply {
            Reply::Claims { answers } => answers,
            Reply::Control { verdicts, drain } => {
                if drain {
                    heartbeat::told_to_drain(&self.drain);
                }
                for verdict in verdicts {
                    self.running.obey(verdict.claim_id, verdict.verdict);
                }
                return;
            }
            _ => return,
        };
        for answer in answers {
            if let ClaimReply::Granted(grant) = answer
                && !self.claimer.is_pending(grant.claim_id)
                && !self.running.contains(grant.claim_id)
            {
                // The receiver lives as long as the process.
                let _sent = self.unwanted.send(*grant);
            }
        }
    }
}

/// Waits until a coordinator has declared what workers publish to; `false` when `end` came first.
async fn exchange_is_there(session: &Session, end: &CancellationToken) -> Result<bool, shared::amqp::Error> {
    let mut told = false;
    while !topology::events_exchange_exists(session).await? {
        if !told {
            tracing::info!("waiting for a coordinator to set RabbitMQ up");
            told = true;
        }
        tokio::select! {
            () = tokio::time::sleep(TOPOLOGY_PAUSE) => {}
            () = end.cancelled() => return Ok(false),
        }
    }
    Ok(true)
}
