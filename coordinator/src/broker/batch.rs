//! Consuming a queue in batches: whatever is at hand becomes one transaction.
//!
//! Invariants: a batch is acknowledged as a whole after its handler has committed; a batch that the database
//! can't take now is tried again, and given back after some seconds; one bad message is found by halving and never blocks the others.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use futures_util::{FutureExt, StreamExt};
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use shared::amqp::link::Session;
use shared::amqp::{self, call};
use shared::error::Chain;
use shared::failpoint::{self, Failpoint};
use shared::lifecycle::finish_soon;
use shared::mutant::{self, Mutant};
use tokio_util::sync::CancellationToken;

use super::rejected::PutAway;
use crate::db;
use crate::intake;

/// Most messages of one batch, and so most that a consumer holds.
const BATCH_MAX: u16 = 200;
/// Pause before a batch is tried again that could not be handled.
const RETRY_PAUSE: Duration = Duration::from_millis(500);
/// A batch that can't be handled for this long goes back: another coordinator may be better off.
const GIVE_BACK_AFTER: Duration = Duration::from_secs(5);
/// How long a batch in hand may take once the process is to stop. Dropping it is safe: nothing is acknowledged.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a batch could not be handled.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The database or the broker; trying again helps.
    #[error("the messages can't be handled at the moment")]
    Later(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database refuses what one of the messages says.
    #[error("the database refuses a message")]
    BadData(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<db::Error> for Failure {
    fn from(error: db::Error) -> Self {
        if error.is_bad_data() {
            Self::BadData(Box::new(error))
        } else {
            Self::Later(Box::new(error))
        }
    }
}

impl From<intake::Error> for Failure {
    fn from(error: intake::Error) -> Self {
        match error {
            intake::Error::Database(error) => error.into(),
        }
    }
}

impl From<amqp::Error> for Failure {
    fn from(error: amqp::Error) -> Self {
        Self::Later(Box::new(error))
    }
}

/// What is done with a queue's messages.
pub(super) trait Handler {
    /// Where tests have a coordinator die when messages are handled and not acknowledged.
    const BEFORE_ACK: Failpoint;

    /// Handles the messages and answers them; after success they are acknowledged. May see a message again, with
    /// the same `put_away`.
    async fn handle(&self, batch: &[Delivery], put_away: &PutAway) -> Result<(), Failure>;

    /// Puts away a message that the database refuses, with the reason.
    async fn refuse(&self, delivery: &Delivery, reason: &str, put_away: &PutAway) -> Result<(), Failure>;
}

/// Consumes `queue` until the session is over or `stop`.
pub(super) async fn consume<H: Handler>(
    session: &Session,
    queue: &'static str,
    handler: H,
    stop: &CancellationToken,
) -> Result<(), amqp::Error> {
    let channel = session.channel().await?;
    call(
        "limiting deliveries",
        channel.basic_qos(BATCH_MAX, BasicQosOptions::default()),
    )
    .await?;
    let consuming = channel.basic_consume(
        queue.into(),
        "".into(),
        BasicConsumeOptions::default(),
        FieldTable::default(),
    );
    let mut consumer = call("consuming a queue", consuming).await?;
    loop {
        let first = tokio::select! {
            delivery = consumer.next() => delivery,
            () = stop.cancelled() => return Ok(()),
        };
        let mut batch = Vec::new();
        let mut next = Some(first);
        while let Some(delivery) = next {
            let delivery =
                delivery
                    .ok_or(amqp::Error::Disconnected)?
                    .map_err(|source| amqp::Error::Broker {
                        action: "consuming a queue",
                        source,
                    })?;
            batch.push(delivery);
            next = if batch.len() < BATCH_MAX.into() {
                consumer.next().now_or_never()
            } else {
                None
            };
        }
        let last = batch.last().expect("a batch begins with a message");
        let acknowledge = || last.acker.ack(BasicAckOptions { multiple: true });
        let too_early = mutant::is_active(Mutant::AckBeforeCommit);
        if too_early {
            call("acknowledging", acknowledge()).await?;
        }
        match finish_soon(stop, PATIENCE, settle(&handler, &batch, queue, session, stop)).await {
            Some(Settled::Handled) => {}
            Some(Settled::Stuck) => return Err(amqp::Error::GivenBack),
            Some(Settled::Stopped) | None => return Ok(()),
        }
        failpoint::reach(H::BEFORE_ACK);
        if !too_early {
            call("acknowledging", acknowledge()).await?;
        }
    }
}

/// What became of a batch.
enum Settled {
    /// It is to be acknowledged.
    Handled,
    /// It could not be handled for too long.
    Stuck,
    /// The process stops, or the session is over.
    Stopped,
}

/// Handles the batch, and tries again for a while where that fails.
async fn settle(
    handler: &impl Handler,
    batch: &[Delivery],
    queue: &str,
    session: &Session,
    stop: &CancellationToken,
) -> Settled {
    let began = Instant::now();
    let mut parts = VecDeque::from([batch]);
    let put_away = PutAway::default();
    let mut troubled = false;
    while let Some(part) = parts.pop_front() {
        let failure = match handler.handle(part, &put_away).await {
            Ok(()) => {
                if troubled {
                    tracing::info!("messages of {queue} are handled again");
                    troubled = false;
                }
                continue;
            }
            Err(Failure::BadData(error)) if part.len() == 1 => {
                let reason = format!("the database refuses it: {}", Chain(error.as_ref()));
                match handler.refuse(&part[0], &reason, &put_away).await {
                    Ok(()) => continue,
                    Err(failure) => failure,
                }
            }
            Err(Failure::BadData(_)) => {
                let (left, right) = part.split_at(part.len() / 2);
                parts.push_front(right);
                parts.push_front(left);
                continue;
            }
            Err(failure) => failure,
        };
        parts.push_front(part);
        // Where the session has ended with it, its end is told, and the messages go to whoever consumes next.
        tokio::select! {
            () = tokio::time::sleep(RETRY_PAUSE) => {}
            () = session.over.cancelled() => return Settled::Stopped,
            () = stop.cancelled() => return Settled::Stopped,
        }
        if !troubled {
            tracing::warn!("{} messages of {queue} wait: {}", part.len(), Chain(&failure));
            troubled = true;
        }
        if began.elapsed() > GIVE_BACK_AFTER {
            return Settled::Stuck;
        }
    }
    Settled::Handled
}
