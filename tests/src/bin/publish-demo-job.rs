//! Publishes one OCR job as an AMQP message with the fields that a Goobi step sends, and waits for the answer.
//!
//! It stands for any program of a site that speaks AMQP: of this project it uses the names in RabbitMQ and the
//! answer's format, nothing else. Standard output is the job's id.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Parser;
use futures_util::StreamExt;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::FieldTable;
use lapin::uri::AMQPUri;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer};
use serde_json::{Value, json};
use shared::amqp::call;
use shared::amqp::topology::{REPLY_TO, SUBMIT_EXCHANGE};
use shared::message::decode;
use shared::message::submit::SubmitReply;

/// Longest wait for the coordinator's answer; it waits for the database when that is away.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Delivery mode of messages that survive a restart of the broker.
const PERSISTENT: u8 = 2;

/// Publishes one OCR job as a Goobi step would, and prints its id.
#[derive(Debug, Parser)]
#[command(name = "publish-demo-job")]
struct Arguments {
    /// RabbitMQ's address: `amqp://user:password@host:5672/vhost`.
    #[arg(long, env = "AMQP_URL", hide_env_values = true)]
    amqp_url: String,

    /// Folder of page images, absolute.
    #[arg(long)]
    source: String,

    /// Folder for the results, absolute.
    #[arg(long)]
    target: String,

    /// The process's title.
    #[arg(long)]
    title: String,

    /// Languages of the text, as ISO 639-2 codes: ger,lat.
    #[arg(long, default_value = "eng")]
    language: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let said = match run(Arguments::parse()).await {
        Ok(id) => writeln!(std::io::stdout(), "{id}").context("can't write the job's id"),
        Err(error) => Err(error),
    };
    match said {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // When standard error is gone there is nobody left to tell.
            let _ = writeln!(std::io::stderr(), "publish-demo-job: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Publishes the job and gives its id.
async fn run(arguments: Arguments) -> anyhow::Result<String> {
    let uri = arguments.amqp_url.parse::<AMQPUri>();
    let Ok(mut uri) = uri else {
        bail!("AMQP_URL can't be read: use amqp://user:password@host:5672/vhost")
    };
    uri.query.heartbeat.get_or_insert(10);
    let properties = ConnectionProperties::default().with_connection_name("demo submitter".into());
    let at = format!("{}:{}", uri.authority.host, uri.authority.port);
    let connection = call("connecting", Connection::connect_uri(uri, properties))
        .await
        .with_context(|| format!("can't reach RabbitMQ at {at} (AMQP_URL)"))?;
    let channel = call("opening a channel", connection.create_channel()).await?;
    call(
        "asking for confirms",
        channel.confirm_select(ConfirmSelectOptions::default()),
    )
    .await?;
    let options = BasicConsumeOptions {
        no_ack: true,
        ..BasicConsumeOptions::default()
    };
    let answers = call(
        "consuming answers",
        channel.basic_consume(REPLY_TO.into(), "".into(), options, FieldTable::default()),
    )
    .await?;

    let correlation = uuid::Uuid::now_v7().to_string();
    publish(&channel, &job(&arguments), &correlation).await?;
    let reply = tokio::time::timeout(ANSWER_TIMEOUT, answer(answers, &correlation)).await;
    let Ok(reply) = reply else {
        bail!(
            "no answer within {} s: is a coordinator running, and does it reach its database? \
             The message waits in RabbitMQ and is not lost",
            ANSWER_TIMEOUT.as_secs()
        );
    };
    call("closing the connection", connection.close(200, "done".into())).await?;
    match reply? {
        SubmitReply::Accepted { job_id } | SubmitReply::Duplicate { job_id } => Ok(job_id.to_string()),
        SubmitReply::Rejected { reason } => bail!("the job was not accepted: {reason}"),
    }
}

/// What a Goobi step sends.
fn job(arguments: &Arguments) -> Value {
    json!({
        "jobtype": "OCR",
        "templatename": "template.xml",
        "goobiId": "27",
        "stepId": "6519",
        "stepName": "OCR",
        "goobiTitle": arguments.title,
        "sourceDir": arguments.source,
        "targetDir": arguments.target,
        "language": arguments.language,
        "fontType": "antiqua",
        "priority": 5,
        "project": "Demonstration",
    })
}

/// Publishes the message and makes sure that a queue has it.
async fn publish(channel: &Channel, job: &Value, correlation: &str) -> anyhow::Result<()> {
    let properties = BasicProperties::default()
        .with_content_type("application/json".into())
        .with_delivery_mode(PERSISTENT)
        .with_message_id(uuid::Uuid::now_v7().to_string().into())
        .with_correlation_id(correlation.into())
        .with_reply_to(REPLY_TO.into());
    let options = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    let body = job.to_string();
    let sending = channel.basic_publish(
        SUBMIT_EXCHANGE.into(),
        "OCR".into(),
        options,
        body.as_bytes(),
        properties,
    );
    let confirmed = call("publishing", sending).await?;
    let confirmation = call("publishing", confirmed).await.context(
        "the message was not taken (a missing exchange means that no coordinator has ever run here)",
    )?;
    match confirmation {
        Confirmation::Ack(None) => Ok(()),
        Confirmation::Ack(Some(_)) => {
            bail!(
                "no queue is bound to the exchange {SUBMIT_EXCHANGE}: start a coordinator, which declares it"
            )
        }
        Confirmation::Nack(_) | Confirmation::NotRequested => bail!("RabbitMQ could not keep the message"),
    }
}

/// The answer to the message with this correlation id.
async fn answer(mut answers: Consumer, correlation: &str) -> anyhow::Result<SubmitReply> {
    while let Some(delivery) = answers.next().await {
        let delivery = delivery.context("the connection to RabbitMQ broke before the answer came")?;
        let is_ours = delivery
            .properties
            .correlation_id()
            .as_ref()
            .is_some_and(|id| id.as_str() == correlation);
        if is_ours {
            return decode(&delivery.data).context("the coordinator's answer can't be read");
        }
    }
    bail!("the connection to RabbitMQ ended before the answer came")
}
