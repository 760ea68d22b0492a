//! Somebody who has stolen a RabbitMQ user's password and tries what can be done with it.
//!
//! Every try has a channel of its own, as the broker closes the one on which it refuses something.

use futures_util::StreamExt;
use lapin::options::{
    BasicConsumeOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueBindOptions,
    QueueDeclareOptions, QueueDeleteOptions, QueuePurgeOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use shared::amqp::topology::{EVENTS_EXCHANGE, REPLY_TO};
use shared::message::reply::Reply;
use shared::message::worker::WorkerMessage;
use shared::message::{decode, encode};

use crate::eventually::LIMIT;
use crate::runtime;

/// A connection with somebody's credentials.
pub struct Stranger {
    connection: Connection,
    user: String,
}

impl std::fmt::Debug for Stranger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stranger")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// What the broker says to a try.
#[derive(Debug)]
pub enum Said {
    /// It let it pass.
    Allowed,
    /// It refused it, with this reason.
    Refused(String),
}

impl Stranger {
    pub(crate) fn connect(user: &str, url: &str) -> Self {
        let connection = runtime::wait(Connection::connect(url, ConnectionProperties::default()));
        Self {
            connection: connection.expect("the credentials are right"),
            user: user.to_owned(),
        }
    }

    /// Tries to come in.
    pub fn try_to_connect(url: &str) -> Said {
        said(Connection::connect(url, ConnectionProperties::default()))
    }

    /// Declares a queue.
    pub fn declare(&self, queue: &str) -> Said {
        let options = QueueDeclareOptions {
            durable: true,
            ..QueueDeclareOptions::default()
        };
        let channel = self.channel();
        said(channel.queue_declare(queue.into(), options, FieldTable::default()))
    }

    /// Deletes a queue.
    pub fn delete(&self, queue: &str) -> Said {
        said(
            self.channel()
                .queue_delete(queue.into(), QueueDeleteOptions::default()),
        )
    }

    /// Empties a queue.
    pub fn purge(&self, queue: &str) -> Said {
        said(
            self.channel()
                .queue_purge(queue.into(), QueuePurgeOptions::default()),
        )
    }

    /// Binds a queue.
    pub fn bind(&self, queue: &str, exchange: &str, key: &str) -> Said {
        let channel = self.channel();
        said(channel.queue_bind(
            queue.into(),
            exchange.into(),
            key.into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        ))
    }

    /// Takes a message out of a queue, or finds it empty; the message goes back at once.
    pub fn read(&self, queue: &str) -> Said {
        said(self.channel().basic_get(queue.into(), BasicGetOptions::default()))
    }

    /// Publishes with a confirm.
    pub fn publish(&self, exchange: &str, key: &str, user_id: Option<&str>) -> Said {
        let channel = self.channel();
        let mut properties = BasicProperties::default();
        if let Some(user) = user_id {
            properties = properties.with_user_id(user.into());
        }
        publish(&channel, exchange, key, properties, b"{}")
    }

    /// Sends a message as a worker would, under its own name, and waits for the answer.
    pub fn ask(&self, message: &WorkerMessage) -> Reply {
        let channel = self.channel();
        let options = BasicConsumeOptions {
            no_ack: true,
            ..BasicConsumeOptions::default()
        };
        let mut answers =
            runtime::wait(channel.basic_consume(REPLY_TO.into(), "".into(), options, FieldTable::default()))
                .expect("answers can be received without a permission");
        let properties = BasicProperties::default()
            .with_user_id(self.user.as_str().into())
            .with_reply_to(REPLY_TO.into())
            .with_correlation_id("1".into());
        let key = format!("{}.{}", self.user, message.kind());
        if let Said::Refused(reason) = publish(&channel, EVENTS_EXCHANGE, &key, properties, &encode(message))
        {
            panic!("a user may speak under its own name: {reason}");
        }
        let delivery = runtime::wait(async { tokio::time::timeout(LIMIT, answers.next()).await })
            .expect("a coordinator answers")
            .expect("the channel lasts")
            .expect("the channel lasts");
        decode(&delivery.data).expect("the answer can be read")
    }

    fn channel(&self) -> Channel {
        runtime::wait(self.connection.create_channel()).expect("anybody may open a channel")
    }
}

fn publish(channel: &Channel, exchange: &str, key: &str, properties: BasicProperties, body: &[u8]) -> Said {
    let options = BasicPublishOptions::default();
    said(async {
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let confirm = channel
            .basic_publish(exchange.into(), key.into(), options, body, properties)
            .await?;
        confirm.await
    })
}

fn said<T>(trying: impl Future<Output = Result<T, lapin::Error>>) -> Said {
    let tried = runtime::wait(async { tokio::time::timeout(LIMIT, trying).await });
    match tried.expect("the broker answers") {
        Ok(_) => Said::Allowed,
        Err(error) => Said::Refused(error.to_string()),
    }
}
