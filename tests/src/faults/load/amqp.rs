//! Submits over RabbitMQ. After any trouble the connection is given up and made anew.

use std::future::Future;

use futures_util::StreamExt;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer};
use serde_json::Value;
use shared::amqp::topology::{REPLY_TO, SUBMIT_EXCHANGE};
use shared::message::decode;

use super::{Answer, PATIENCE, Submitter};
use crate::runtime;

/// A submitter's way to the broker.
pub(super) struct Link {
    url: String,
    answered: bool,
    open: Option<Open>,
}

struct Open {
    // Ends with the last handle.
    _connection: Connection,
    channel: Channel,
    answers: Consumer,
}

impl Link {
    /// To the broker at `url`; either asks for answers, or relies on confirms.
    pub(super) fn new(url: &str, answered: bool) -> Self {
        Self {
            url: url.to_owned(),
            answered,
            open: None,
        }
    }
}

impl Submitter for Link {
    fn submit(&mut self, body: &Value) -> Result<Answer, String> {
        let answered = self.answered;
        runtime::wait(async {
            // Whatever goes wrong, the connection is dropped with what was taken out.
            let mut open = match self.open.take() {
                Some(open) => open,
                None => in_time(connect(&self.url)).await?,
            };
            let answer = in_time(submit(&mut open, body, answered)).await?;
            self.open = Some(open);
            Ok(answer)
        })
    }
}

async fn in_time<T>(what: impl Future<Output = Result<T, lapin::Error>>) -> Result<T, String> {
    match tokio::time::timeout(PATIENCE, what).await {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(_) => Err("it took too long".to_owned()),
    }
}

async fn connect(url: &str) -> Result<Open, lapin::Error> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let options = BasicConsumeOptions {
        no_ack: true,
        ..BasicConsumeOptions::default()
    };
    let answers = channel
        .basic_consume(REPLY_TO.into(), "".into(), options, FieldTable::default())
        .await?;
    Ok(Open {
        _connection: connection,
        channel,
        answers,
    })
}

async fn submit(open: &mut Open, body: &Value, answered: bool) -> Result<Answer, lapin::Error> {
    let correlation = uuid::Uuid::new_v4().to_string();
    let mut properties = BasicProperties::default()
        .with_content_type("application/json".into())
        .with_delivery_mode(2)
        .with_correlation_id(correlation.as_str().into());
    if answered {
        properties = properties.with_reply_to(REPLY_TO.into());
    }
    let options = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    let confirmation = open
        .channel
        .basic_publish(
            SUBMIT_EXCHANGE.into(),
            "faults".into(),
            options,
            body.to_string().as_bytes(),
            properties,
        )
        .await?
        .await?;
    if !matches!(confirmation, Confirmation::Ack(None)) {
        return Err(std::io::Error::other("no queue took it").into());
    }
    if !answered {
        return Ok(Answer::Acknowledged(None));
    }
    while let Some(delivery) = open.answers.next().await {
        let delivery = delivery?;
        let id = delivery.properties.correlation_id();
        if id.as_ref().is_some_and(|id| id.as_str() == correlation) {
            return decode(&delivery.data)
                .map(|reply: shared::message::submit::SubmitReply| reply.into())
                .map_err(|error| std::io::Error::other(error.to_string()).into());
        }
    }
    Err(std::io::Error::other("the connection has ended").into())
}
