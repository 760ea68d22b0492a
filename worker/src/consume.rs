//! Taking messages: one loop a plugin, so that no plugin ever waits for another.
//!
//! A message is taken only for a free slot. With no slot free for a moment the consumer is cancelled and what
//! it holds goes back, so that this worker hoards nothing.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::try_join_all;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions,
    BasicRejectOptions,
};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer};
use shared::amqp::link::Session;
use shared::amqp::topology::is_not_found;
use shared::amqp::{Error, call};
use shared::error::Chain;
use shared::failpoint::{self, Failpoint};
use shared::job::decide::Refusal;
use shared::lifecycle::Lifecycle;
use shared::message::decode;
use shared::message::dispatch::Dispatch;
use shared::message::reply::ClaimReply;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::attempt::{Slot, Workshop};
use crate::claims::Claimer;
use crate::plugin::Plugin;
use crate::standing::Standing;

/// With no free slot for this long, waiting messages go back to their queue.
const HOARD_MAX: Duration = Duration::from_millis(200);
/// Pause before a queue that no coordinator has made yet is looked for again.
const QUEUE_PAUSE: Duration = Duration::from_secs(1);

/// A plugin and its slots on this worker.
#[derive(Debug, Clone)]
pub struct Bench {
    /// The plugin.
    pub plugin: Arc<dyn Plugin>,
    /// Its slots.
    pub slots: Arc<Semaphore>,
    /// How many slots there are.
    pub size: u16,
    /// Whether coordinators let this worker serve it.
    pub standing: Standing,
}

/// Takes messages for all plugins.
#[derive(Debug, Clone)]
pub struct Intake {
    /// The plugins.
    pub benches: Vec<Bench>,
    /// Asks for jobs.
    pub claimer: Claimer,
    /// Runs them.
    pub workshop: Workshop,
    /// Where attempts are spawned.
    pub lifecycle: Lifecycle,
}

impl Intake {
    /// Serves one session until it is over or the process stops.
    ///
    /// # Errors
    /// When the connection fails.
    pub async fn serve(&self, session: Session) -> Result<(), Error> {
        try_join_all(
            self.benches
                .iter()
                .map(|bench| self.serve_plugin(&session, bench)),
        )
        .await?;
        Ok(())
    }

    async fn serve_plugin(&self, session: &Session, bench: &Bench) -> Result<(), Error> {
        let stop = &self.lifecycle.stop;
        let queue = bench.plugin.offer().name.queue();
        let mut told = false;
        loop {
            if !bench.standing.may_try(stop).await {
                return Ok(());
            }
            let Some(permit) = acquire(&bench.slots, stop).await else {
                return Ok(());
            };
            let channel = session.channel().await?;
            match start_consumer(&channel, &queue, bench.size).await {
                Ok(consumer) => {
                    if self.take(&channel, consumer, bench, permit).await?.is_stopped() {
                        return Ok(());
                    }
                }
                Err(error) if is_not_found(&error) => {
                    if !told {
                        tracing::info!(
                            "queue {queue} is not there yet: waiting for a coordinator to make it"
                        );
                        told = true;
                    }
                    tokio::select! {
                        () = tokio::time::sleep(QUEUE_PAUSE) => {}
                        () = stop.cancelled() => return Ok(()),
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes messages while there are free slots; begins with one in hand.
    async fn take(
        &self,
        channel: &Channel,
        mut consumer: Consumer,
        bench: &Bench,
        permit: OwnedSemaphorePermit,
    ) -> Result<Taken, Error> {
        let stop = &self.lifecycle.stop;
        let mut permit = permit;
        loop {
            let delivery = tokio::select! {
                biased;
                () = stop.cancelled() => {
                    drop(permit);
                    put_back(channel, consumer).await?;
                    return Ok(Taken::Stopped);
                }
                () = bench.standing.refused() => {
                    drop(permit);
                    put_back(channel, consumer).await?;
                    return Ok(Taken::NotAllowed);
                }
                delivery = consumer.next() => delivery,
            };
            // The stream of a deleted queue ends without an error: look for the queue anew.
            let Some(delivery) = delivery else {
                return Ok(Taken::QueueGone);
            };
            let delivery = delivery.map_err(|source| Error::Broker {
                action: "consuming a plugin's queue",
                source,
            })?;
            self.begin(delivery, bench, permit);
            permit = match tokio::time::timeout(HOARD_MAX, acquire(&bench.slots, stop)).await {
                Ok(Some(permit)) => permit,
                Ok(None) => {
                    put_back(channel, consumer).await?;
                    return Ok(Taken::Stopped);
                }
                Err(_) => {
                    put_back(channel, consumer).await?;
                    let Some(permit) = acquire(&bench.slots, stop).await else {
                        return Ok(Taken::Stopped);
                    };
                    consumer =
                        start_consumer(channel, &bench.plugin.offer().name.queue(), bench.size).await?;
                    permit
                }
            };
        }
    }

    fn begin(&self, delivery: Delivery, bench: &Bench, permit: OwnedSemaphorePermit) {
        let dispatch: Dispatch = match decode(&delivery.data) {
            Ok(dispatch) => dispatch,
            Err(error) => {
                tracing::warn!(
                    "a message in the plugin's queue can't be understood: {}",
                    Chain(&error)
                );
                self.lifecycle.spawn_short(async move {
                    let options = BasicRejectOptions { requeue: false };
                    settle("rejecting a message", delivery.acker.reject(options)).await;
                });
                return;
            }
        };
        let intake = self.clone();
        let plugin = Arc::clone(&bench.plugin);
        let standing = bench.standing.clone();
        self.lifecycle.spawn_short(async move {
            failpoint::reach(Failpoint::MessageBeforeClaim);
            let reply = intake.claimer.claim(&dispatch, &intake.lifecycle.stop).await;
            let refused = matches!(
                &reply,
                Some((
                    ClaimReply::Refused {
                        refusal: Refusal::UserNotAllowed,
                        ..
                    },
                    _
                ))
            );
            if refused {
                // Before the message goes back, so that it is not taken again at once.
                standing.refuse(&plugin.offer().name);
            }
            let Some((reply, _pending)) = reply.filter(|_| !refused) else {
                let options = BasicNackOptions {
                    requeue: true,
                    ..BasicNackOptions::default()
                };
                settle("giving a message back", delivery.acker.nack(options)).await;
                return;
            };
            if matches!(reply, ClaimReply::Granted(_)) {
                standing.allow(&plugin.offer().name);
            }
            failpoint::reach(Failpoint::AnswerBeforeAck);
            // On either answer the message has served: from a grant on the lease counts.
            settle(
                "acknowledging a message",
                delivery.acker.ack(BasicAckOptions::default()),
            )
            .await;
            match reply {
                ClaimReply::Granted(grant) => {
                    failpoint::reach(Failpoint::AckBeforeAttempt);
                    if intake.workshop.run(*grant, plugin).await == Slot::Quarantined {
                        permit.forget();
                        return;
                    }
                }
                ClaimReply::Refused { refusal, .. } => {
                    tracing::debug!(job.id = %dispatch.job_id, "claim refused: {refusal:?}");
                }
                ClaimReply::Other => unreachable!("who claims is given answers only"),
            }
            drop(permit);
        });
    }
}

/// Why taking messages ended.
#[derive(Debug, PartialEq, Eq)]
enum Taken {
    /// The process stops.
    Stopped,
    /// There is no such queue any more.
    QueueGone,
    /// Coordinators do not let this worker have its messages.
    NotAllowed,
}

impl Taken {
    fn is_stopped(&self) -> bool {
        *self == Self::Stopped
    }
}

async fn acquire(slots: &Arc<Semaphore>, stop: &CancellationToken) -> Option<OwnedSemaphorePermit> {
    tokio::select! {
        permit = Arc::clone(slots).acquire_owned() => permit.ok(),
        () = stop.cancelled() => None,
    }
}

async fn start_consumer(channel: &Channel, queue: &str, prefetch: u16) -> Result<Consumer, Error> {
    call(
        "limiting deliveries",
        channel.basic_qos(prefetch, BasicQosOptions::default()),
    )
    .await?;
    let options = BasicConsumeOptions::default();
    call(
        "consuming a plugin's queue",
        channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()),
    )
    .await
}

/// Cancels the consumer and gives back what it holds.
async fn put_back(channel: &Channel, mut consumer: Consumer) -> Result<(), Error> {
    call(
        "cancelling a consumer",
        channel.basic_cancel(consumer.tag(), BasicCancelOptions::default()),
    )
    .await?;
    while let Some(delivery) = consumer.next().await {
        let delivery = delivery.map_err(|source| Error::Broker {
            action: "giving messages back",
            source,
        })?;
        let options = BasicNackOptions {
            requeue: true,
            ..BasicNackOptions::default()
        };
        settle("giving a message back", delivery.acker.nack(options)).await;
    }
    Ok(())
}

/// A message whose connection is gone is delivered anew by the broker: nothing is to be done about that here.
async fn settle(action: &'static str, settling: impl Future<Output = Result<bool, lapin::Error>>) {
    match call(action, settling).await {
        Ok(true) => {}
        Ok(false) => tracing::debug!("{action}: the message is no longer ours"),
        Err(error) => tracing::debug!("{}", Chain(&error)),
    }
}
