//! Submissions by message: read, record as one batch, answer, and only then acknowledge.

use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::types::ShortString;
use metrics::counter;
use shared::amqp::lenient::UNREADABLE_HEADER;
use shared::amqp::publisher::Outgoing;
use shared::amqp::topology::{NAME_PREFIX, SUBMIT_REJECTED_QUEUE};
use shared::error::Chain;
use shared::failpoint::Failpoint;
use shared::message::encode;
use shared::message::submit::{Rejection, Submission, SubmitReply};
use shared::metrics::SUBMISSIONS_REJECTED;

use super::Broker;
use super::batch::{Failure, Handler};
use super::rejected::PutAway;
use crate::intake::Incoming;

pub(super) struct Submissions<'a>(pub(super) &'a Broker);

impl Handler for Submissions<'_> {
    const BEFORE_ACK: Failpoint = Failpoint::SubmitBeforeAck;

    async fn handle(&self, batch: &[Delivery], put_away: &PutAway) -> Result<(), Failure> {
        let mut read: Vec<Result<Incoming, Rejection>> = batch.iter().map(incoming).collect();
        let readable: Vec<Incoming> = read
            .iter()
            .filter_map(|read| read.as_ref().ok())
            .cloned()
            .collect();
        let mut checked = self.0.intake.check_all(readable).await?.into_iter();
        let mut jobs = Vec::new();
        let mut answers = Vec::new();
        let mut accepted = Vec::new();
        // Refused ones first: after the commit nothing may fail that would have the batch recorded once more.
        for (delivery, read) in batch.iter().zip(read.drain(..)) {
            match read.and_then(|_| checked.next().expect("each readable message was checked")) {
                Ok(job) => {
                    jobs.push(job);
                    accepted.push(delivery);
                }
                Err(rejection) => {
                    let reason = rejection.reason;
                    self.put_away(delivery, &reason, put_away).await?;
                    answers.extend(answer(delivery, &SubmitReply::Rejected { reason }));
                }
            }
        }
        let replies = self.0.intake.record(&jobs).await?;
        for (delivery, reply) in accepted.into_iter().zip(replies) {
            answers.extend(answer(delivery, &reply));
        }
        // A lost answer is no loss: the submitter repeats the message and is told the same job.
        for result in self.0.publisher.publish_all(answers).await {
            if let Err(error) = result {
                tracing::warn!("a submitter's answer could not be sent: {}", Chain(&error));
            }
        }
        Ok(())
    }

    async fn refuse(&self, delivery: &Delivery, reason: &str, put_away: &PutAway) -> Result<(), Failure> {
        self.put_away(delivery, reason, put_away).await?;
        let reply = SubmitReply::Rejected {
            reason: reason.to_owned(),
        };
        if let Some(answer) = answer(delivery, &reply) {
            self.0.publisher.publish(answer).await?;
        }
        Ok(())
    }
}

impl Submissions<'_> {
    async fn put_away(&self, delivery: &Delivery, reason: &str, put_away: &PutAway) -> Result<(), Failure> {
        if put_away
            .put(&self.0.publisher, SUBMIT_REJECTED_QUEUE, delivery, reason)
            .await?
        {
            counter!(SUBMISSIONS_REJECTED).increment(1);
        }
        Ok(())
    }
}

fn incoming(delivery: &Delivery) -> Result<Incoming, Rejection> {
    if has_unreadable_properties(delivery) {
        return Err(Rejection::new(
            "the message's AMQP properties (message_id, correlation_id, names of headers, …) can't be read: \
             all of them must be UTF-8",
        ));
    }
    if let Some(encoding) = delivery.properties.content_encoding()
        && !matches!(
            encoding.as_str().to_ascii_lowercase().as_str(),
            "" | "utf-8" | "utf8" | "identity"
        )
    {
        return Err(Rejection::new(format!(
            "content encoding \"{encoding}\" is not understood: send plain JSON in UTF-8"
        )));
    }
    let submission = Submission::parse(&delivery.data)?;
    let user = delivery
        .properties
        .user_id()
        .as_ref()
        .map_or("unnamed", |user| user.as_str());
    let message_id = delivery.properties.message_id().as_ref().map(ShortString::as_str);
    if message_id.is_some_and(|id| id.contains('\0')) {
        return Err(Rejection::new(
            "the property message_id contains a NUL character; remove it",
        ));
    }
    Ok(Incoming {
        submission,
        submitted_by: format!("amqp:{user}"),
        keys: message_id
            .map(|id| format!("amqp:{user}:{id}"))
            .into_iter()
            .collect(),
        told_by_goobis_queue: false,
    })
}

fn has_unreadable_properties(delivery: &Delivery) -> bool {
    let headers = delivery.properties.headers().as_ref();
    headers.is_some_and(|headers| headers.contains_key(UNREADABLE_HEADER))
}

fn answer(delivery: &Delivery, reply: &SubmitReply) -> Option<Outgoing> {
    let reply_to = delivery.properties.reply_to().as_ref()?;
    if reply_to.as_str().is_empty() || reply_to.as_str().starts_with(NAME_PREFIX) {
        // Our own queues are not for strangers to write to through us.
        return None;
    }
    let mut properties = BasicProperties::default().with_content_type("application/json".into());
    if let Some(correlation) = delivery.properties.correlation_id() {
        properties = properties.with_correlation_id(correlation.clone());
    }
    Some(Outgoing {
        exchange: "",
        routing_key: reply_to.to_string(),
        body: encode(reply),
        properties,
        mandatory: false,
    })
}
