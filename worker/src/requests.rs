//! Asking coordinators: a request goes out on the publishing connection, its answer comes back to the same channel.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use lapin::options::BasicConsumeOptions;
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, Channel};
use shared::amqp::publisher::{Outgoing, Publisher};
use shared::amqp::topology::{EVENTS_EXCHANGE, REPLY_TO};
use shared::amqp::{self, call};
use shared::error::Chain;
use shared::failpoint::{self, Failpoint};
use shared::message::reply::Reply;
use shared::message::worker::WorkerMessage;
use shared::message::{decode, encode};
use tokio::sync::oneshot;
use uuid::Uuid;

/// How long an answer is waited for before the request is repeated.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// A claim or heartbeat that no coordinator took for this long, milliseconds, is worth nothing any more.
const EXPIRATION_MS: &str = "20000";

/// Why there was no answer. In each case the request may or may not have arrived: repeat it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be sent.
    #[error("the request could not be sent")]
    Send(#[from] amqp::Error),
    /// Nobody answered in time.
    #[error("no coordinator answered within {} s", ANSWER_TIMEOUT.as_secs())]
    NoAnswer,
}

/// Sends requests and hands answers to those who wait for them.
#[derive(Debug, Clone)]
pub struct Requests {
    publisher: Publisher,
    user: String,
    waiting: Arc<Mutex<HashMap<String, oneshot::Sender<Reply>>>>,
}

impl Requests {
    /// Requests over `publisher`, as the RabbitMQ user `user`.
    pub fn new(publisher: Publisher, user: impl Into<String>) -> Self {
        Self {
            publisher,
            user: user.into(),
            waiting: Arc::default(),
        }
    }

    /// Whether there is a connection to ask over.
    pub fn connected(&self) -> bool {
        self.publisher.connected()
    }

    /// Asks once and waits for the answer.
    ///
    /// # Errors
    /// When there was no answer in time.
    pub async fn ask(&self, message: &WorkerMessage) -> Result<Reply, Error> {
        let correlation = Uuid::new_v4().to_string();
        let (sender, receiver) = oneshot::channel();
        self.lock().insert(correlation.clone(), sender);
        let _forget = Forget {
            requests: self,
            correlation: &correlation,
        };
        self.publisher
            .publish(self.outgoing(message, &correlation))
            .await?;
        if let Some(point) = before_answer(message) {
            failpoint::reach(point);
        }
        match tokio::time::timeout(ANSWER_TIMEOUT, receiver).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(_)) | Err(_) => Err(Error::NoAnswer),
        }
    }

    fn outgoing(&self, message: &WorkerMessage, correlation: &str) -> Outgoing {
        let mut properties = BasicProperties::default()
            .with_content_type("application/json".into())
            .with_user_id(self.user.as_str().into())
            .with_reply_to(REPLY_TO.into())
            .with_correlation_id(correlation.into())
            .with_message_id(correlation.into());
        properties = match message {
            WorkerMessage::Result(_) => properties.with_delivery_mode(2),
            _ => properties.with_expiration(EXPIRATION_MS.into()),
        };
        Outgoing {
            exchange: EVENTS_EXCHANGE,
            routing_key: format!("{}.{}", self.user, message.kind()),
            body: encode(message),
            properties,
            mandatory: true,
        }
    }

    /// Receives answers on `channel` until it ends. Answers that nobody waits for any more go to `unclaimed`.
    ///
    /// # Errors
    /// When the channel fails.
    pub async fn receive(
        &self,
        channel: &Channel,
        ready: impl FnOnce(),
        mut unclaimed: impl FnMut(Reply),
    ) -> Result<(), amqp::Error> {
        let options = BasicConsumeOptions {
            no_ack: true,
            ..BasicConsumeOptions::default()
        };
        let consuming = channel.basic_consume(REPLY_TO.into(), "".into(), options, FieldTable::default());
        let mut replies = call("receiving answers", consuming).await?;
        ready();
        while let Some(delivery) = replies.next().await {
            let delivery = delivery.map_err(|source| amqp::Error::Broker {
                action: "receiving answers",
                source,
            })?;
            let reply: Reply = match decode(&delivery.data) {
                Ok(reply) => reply,
                Err(error) => {
                    tracing::warn!("an answer can't be understood: {}", Chain(&error));
                    continue;
                }
            };
            let correlation = delivery
                .properties
                .correlation_id()
                .as_ref()
                .map(ShortString::as_str);
            let waiting = correlation.and_then(|id| self.lock().remove(id));
            match waiting.map(|waiting| waiting.send(reply.clone())) {
                Some(Ok(())) => {}
                Some(Err(_)) | None => unclaimed(reply),
            }
        }
        Err(amqp::Error::Disconnected)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, oneshot::Sender<Reply>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nobody waits any more, however the waiting ended.
struct Forget<'a> {
    requests: &'a Requests,
    correlation: &'a str,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.requests.lock().remove(self.correlation);
    }
}

/// Where tests have a worker die when its question is on the way.
fn before_answer(message: &WorkerMessage) -> Option<Failpoint> {
    match message {
        WorkerMessage::Claim(_) => Some(Failpoint::ClaimBeforeAnswer),
        WorkerMessage::Publish(_) => Some(Failpoint::AskingBeforeAnswer),
        WorkerMessage::Result(_) => Some(Failpoint::ResultBeforeAnswer),
        _ => None,
    }
}
