//! Reading workers' messages: who sent it is what the broker vouches for, not what the message says.

use lapin::BasicProperties;
use lapin::message::Delivery;
use shared::amqp::Error;
use shared::amqp::publisher::Outgoing;
use shared::amqp::topology::{EVENTS_REJECTED_QUEUE, NAME_PREFIX};
use shared::error::Chain;
use shared::message::reply::Reply;
use shared::message::worker::WorkerMessage;
use shared::message::{decode, encode};

use super::Broker;
use super::batch::Failure;
use super::rejected::PutAway;

/// A worker's message with what is needed to answer it.
pub(super) struct Event<'a> {
    pub(super) message: WorkerMessage,
    /// The RabbitMQ user that sent it, as the broker has checked.
    pub(super) user: &'a str,
    delivery: &'a Delivery,
}

impl Event<'_> {
    /// Where answers go; empty when none is wanted.
    pub(super) fn reply_to(&self) -> &str {
        self.delivery
            .properties
            .reply_to()
            .as_ref()
            .map_or("", |name| name.as_str())
    }

    /// Puts the message where a person sees it, with the reason.
    pub(super) async fn put_away(
        &self,
        broker: &Broker,
        reason: &str,
        put_away: &PutAway,
    ) -> Result<(), Error> {
        put_away
            .put(&broker.publisher, EVENTS_REJECTED_QUEUE, self.delivery, reason)
            .await?;
        Ok(())
    }

    /// The answer as a message; `None` when none is wanted.
    pub(super) fn answer(&self, reply: &Reply) -> Option<Outgoing> {
        let reply_to = self.reply_to();
        if reply_to.is_empty() || reply_to.starts_with(NAME_PREFIX) {
            return None;
        }
        let mut properties = BasicProperties::default();
        if let Some(correlation) = self.delivery.properties.correlation_id() {
            properties = properties.with_correlation_id(correlation.clone());
        }
        Some(Outgoing {
            exchange: "",
            routing_key: reply_to.to_owned(),
            body: encode(reply),
            properties,
            mandatory: false,
        })
    }
}

/// Reads a batch; what can't be understood is put away with the reason.
pub(super) async fn read<'a>(
    broker: &Broker,
    batch: &'a [Delivery],
    put_away: &PutAway,
) -> Result<Vec<Event<'a>>, Error> {
    let mut events = Vec::with_capacity(batch.len());
    for delivery in batch {
        match event(delivery) {
            Ok(event) => events.push(event),
            Err(reason) => {
                put_away
                    .put(&broker.publisher, EVENTS_REJECTED_QUEUE, delivery, &reason)
                    .await?;
            }
        }
    }
    Ok(events)
}

/// Reads one message; the error says what is wrong with it.
pub(super) fn event(delivery: &Delivery) -> Result<Event<'_>, String> {
    let user = delivery
        .properties
        .user_id()
        .as_ref()
        .ok_or("the property user_id is missing: without it nobody vouches for the sender")?
        .as_str();
    let message: WorkerMessage = decode(&delivery.data).map_err(|error| Chain(&error).to_string())?;
    let expected = format!("{user}.{}", message.kind());
    if delivery.routing_key.as_str() != expected {
        return Err(format!("the routing key of this message must be \"{expected}\""));
    }
    Ok(Event {
        message,
        user,
        delivery,
    })
}

/// Puts away a message that the database refuses.
pub(super) async fn refuse(
    broker: &Broker,
    delivery: &Delivery,
    reason: &str,
    put_away: &PutAway,
) -> Result<(), Failure> {
    put_away
        .put(&broker.publisher, EVENTS_REJECTED_QUEUE, delivery, reason)
        .await?;
    Ok(())
}

/// Sends answers. A lost one is no loss: the worker asks again.
pub(super) async fn send(broker: &Broker, answers: Vec<Outgoing>) {
    for result in broker.publisher.publish_all(answers).await {
        if let Err(error) = result {
            tracing::debug!("an answer to a worker could not be sent: {}", Chain(&error));
        }
    }
}
