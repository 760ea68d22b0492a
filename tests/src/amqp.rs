//! What any program of a site can do with RabbitMQ: publish, wait for an answer, look into a queue.
//!
//! Each value has a connection of its own, so a test that has killed the broker just makes a new one.

use futures_util::StreamExt;
use lapin::message::BasicGetMessage;
use lapin::options::{
    BasicConsumeOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeleteOptions,
    QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions, QueuePurgeOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer};
use serde_json::Value;
use shared::amqp::topology::{REASON_HEADER, REPLY_TO, SUBMIT_EXCHANGE};
use shared::job::JobId;
use shared::message::decode;
use shared::message::submit::SubmitReply;

use crate::eventually::{LIMIT, eventually};
use crate::runtime;

/// A connection of a program that is none of the project's.
pub struct Amqp {
    // Ends with the last handle: kept as long as the channel is used.
    _connection: Connection,
    channel: Channel,
    answers: Consumer,
    user: String,
}

impl std::fmt::Debug for Amqp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Amqp")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// A message to be published.
#[derive(Debug, Clone)]
pub struct Message {
    /// The body.
    pub body: Vec<u8>,
    /// Everything else; an answer is asked for in any case.
    pub properties: BasicProperties,
}

impl Message {
    /// A persistent message with this body.
    pub fn new(body: impl Into<Vec<u8>>) -> Self {
        let properties = BasicProperties::default()
            .with_content_type("application/json".into())
            .with_delivery_mode(2);
        Self {
            body: body.into(),
            properties,
        }
    }

    /// The same with other properties.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(BasicProperties) -> BasicProperties) -> Self {
        self.properties = change(self.properties);
        self
    }
}

impl From<&Value> for Message {
    fn from(body: &Value) -> Self {
        Self::new(body.to_string())
    }
}

/// A message that was put away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Why.
    pub reason: String,
    /// What it was, as far as it was kept.
    pub body: Vec<u8>,
}

impl Amqp {
    pub(crate) fn connect(url: &str) -> Self {
        let uri: lapin::uri::AMQPUri = url.parse().expect("the broker's address can be read");
        let user = uri.authority.userinfo.username.clone();
        runtime::wait(async {
            let connection = Connection::connect_uri(uri, ConnectionProperties::default())
                .await
                .expect("RabbitMQ takes a connection");
            let channel = connection.create_channel().await.expect("a channel");
            channel
                .confirm_select(ConfirmSelectOptions::default())
                .await
                .expect("confirms");
            let options = BasicConsumeOptions {
                no_ack: true,
                ..BasicConsumeOptions::default()
            };
            let answers = channel
                .basic_consume(REPLY_TO.into(), "".into(), options, FieldTable::default())
                .await
                .expect("answers can be received");
            Self {
                _connection: connection,
                channel,
                answers,
                user,
            }
        })
    }

    /// The user that this connection is.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Publishes, and makes sure that a queue has it.
    pub fn publish(&self, exchange: &str, key: &str, message: Message) {
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let confirmation = self.confirmed(exchange, key, options, message);
        assert!(
            matches!(confirmation, Confirmation::Ack(None)),
            "no queue took the message for {exchange}: {confirmation:?}"
        );
    }

    /// Says something to an address for answers. Behind it there is no queue that could be asked for.
    pub fn tell(&self, address: &str, body: &[u8]) {
        let options = BasicPublishOptions::default();
        let confirmation = self.confirmed("", address, options, Message::new(body));
        assert!(matches!(confirmation, Confirmation::Ack(_)), "{confirmation:?}");
    }

    fn confirmed(
        &self,
        exchange: &str,
        key: &str,
        options: BasicPublishOptions,
        message: Message,
    ) -> Confirmation {
        runtime::wait(async {
            self.channel
                .basic_publish(
                    exchange.into(),
                    key.into(),
                    options,
                    &message.body,
                    message.properties,
                )
                .await
                .expect("a message can be published")
                .await
                .expect("RabbitMQ confirms")
        })
    }

    /// Submits a message and waits for the answer.
    pub fn ask(&mut self, message: impl Into<Message>) -> SubmitReply {
        let mut message = message.into();
        let correlation = uuid::Uuid::new_v4().to_string();
        message.properties = message
            .properties
            .with_reply_to(REPLY_TO.into())
            .with_correlation_id(correlation.as_str().into());
        self.publish(SUBMIT_EXCHANGE, "any.key", message);
        runtime::wait(async {
            let answer = async {
                while let Some(delivery) = self.answers.next().await {
                    let delivery = delivery.expect("the connection lasts");
                    let id = delivery.properties.correlation_id();
                    if id.as_ref().is_some_and(|id| id.as_str() == correlation) {
                        return decode(&delivery.data).expect("the answer can be read");
                    }
                }
                panic!("the connection ended before the answer came");
            };
            tokio::time::timeout(LIMIT, answer)
                .await
                .expect("the coordinator answers a submission")
        })
    }

    /// Submits a job that has to be accepted.
    pub fn submit(&mut self, job: &Value) -> JobId {
        match self.ask(job) {
            SubmitReply::Accepted { job_id } => job_id,
            other => panic!("{job} was not accepted: {other:?}"),
        }
    }

    /// Takes the oldest message of a queue, once there is one.
    pub fn next(&self, queue: &str) -> Vec<u8> {
        eventually(LIMIT, &format!("a message in {queue}"), || {
            self.take(queue).ok_or_else(|| "the queue is empty".to_owned())
        })
        .data
        .clone()
    }

    /// Takes the oldest message of a queue of rejected ones, once there is one.
    pub fn rejected(&self, queue: &str) -> Rejected {
        let message = eventually(LIMIT, &format!("a message in {queue}"), || {
            self.take(queue).ok_or_else(|| "the queue is empty".to_owned())
        });
        let headers = message.properties.headers().as_ref();
        let reason = match headers.and_then(|headers| headers.inner().get(REASON_HEADER)) {
            Some(AMQPValue::LongString(reason)) => reason.to_string(),
            other => panic!("the header {REASON_HEADER} is {other:?}"),
        };
        Rejected {
            reason,
            body: message.data.clone(),
        }
    }

    /// How many messages are ready in a queue.
    pub fn depth(&self, queue: &str) -> u32 {
        self.find_depth(queue).expect("the queue is there")
    }

    /// The same for a queue that may be missing; then RabbitMQ closes the channel, and this is of no more use.
    pub fn find_depth(&self, queue: &str) -> Option<u32> {
        let passive = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        let found = runtime::wait(
            self.channel
                .queue_declare(queue.into(), passive, FieldTable::default()),
        );
        found.ok().map(|found| found.message_count())
    }

    /// Deletes a queue with all that is in it.
    pub fn delete_queue(&self, queue: &str) {
        runtime::wait(
            self.channel
                .queue_delete(queue.into(), QueueDeleteOptions::default()),
        )
        .expect("a queue can be deleted");
    }

    /// Empties a queue.
    pub fn purge_queue(&self, queue: &str) {
        runtime::wait(
            self.channel
                .queue_purge(queue.into(), QueuePurgeOptions::default()),
        )
        .expect("a queue can be purged");
    }

    /// Deletes an exchange.
    pub fn delete_exchange(&self, exchange: &str) {
        runtime::wait(
            self.channel
                .exchange_delete(exchange.into(), ExchangeDeleteOptions::default()),
        )
        .expect("an exchange can be deleted");
    }

    /// Makes a durable queue with these arguments.
    pub fn declare_queue(&self, queue: &str, arguments: &[(&str, AMQPValue)]) {
        let options = QueueDeclareOptions {
            durable: true,
            ..QueueDeclareOptions::default()
        };
        let mut table = FieldTable::default();
        for (name, value) in arguments {
            table.insert((*name).into(), value.clone());
        }
        runtime::wait(self.channel.queue_declare(queue.into(), options, table))
            .expect("a queue can be declared");
    }

    /// Makes a queue that has what an exchange gets under keys of this pattern, as long as this connection is there.
    pub fn listen(&self, exchange: &str, pattern: &str) -> String {
        let options = QueueDeclareOptions {
            exclusive: true,
            ..QueueDeclareOptions::default()
        };
        let queue = runtime::wait(
            self.channel
                .queue_declare("".into(), options, FieldTable::default()),
        )
        .expect("a queue can be declared");
        let queue = queue.name().to_string();
        runtime::wait(self.channel.queue_bind(
            queue.as_str().into(),
            exchange.into(),
            pattern.into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        ))
        .expect("a queue can be bound");
        queue
    }

    fn take(&self, queue: &str) -> Option<BasicGetMessage> {
        runtime::wait(
            self.channel
                .basic_get(queue.into(), BasicGetOptions { no_ack: true }),
        )
        .expect("the queue is there")
    }
}
