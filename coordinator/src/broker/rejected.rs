//! Putting a message that can't be understood where a person can see it, with the reason.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::types::{AMQPValue, FieldTable};
use shared::amqp::Error;
use shared::amqp::lenient::UNREADABLE_HEADER;
use shared::amqp::publisher::{Outgoing, Publisher};
use shared::amqp::topology::REASON_HEADER;
use shared::failpoint::{self, Failpoint};

/// Bytes that are kept of a rejected message: enough to recognise it, too few to fill the broker.
const KEPT_BYTES: usize = 64 * 1024;
/// Characters that are kept of a reason.
const REASON_CHARS: usize = 1_000;

/// The messages of one batch that are put away already: a batch may be handled several times.
#[derive(Debug, Default)]
pub(super) struct PutAway {
    done: Mutex<HashSet<u64>>,
}

impl PutAway {
    /// Copies the message to the default exchange's `queue` and waits until the broker has it, unless that was
    /// done before. Tells whether it was done now.
    pub(super) async fn put(
        &self,
        publisher: &Publisher,
        queue: &'static str,
        delivery: &Delivery,
        reason: &str,
    ) -> Result<bool, Error> {
        if self.done().contains(&delivery.delivery_tag) {
            return Ok(false);
        }
        publisher.publish(copy(queue, delivery, reason)).await?;
        failpoint::reach(Failpoint::PutAwayBeforeAck);
        tracing::warn!("message from {} put into {queue}: {reason}", delivery.routing_key);
        self.done().insert(delivery.delivery_tag);
        Ok(true)
    }

    fn done(&self) -> MutexGuard<'_, HashSet<u64>> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn copy(queue: &'static str, delivery: &Delivery, reason: &str) -> Outgoing {
    let mut headers = FieldTable::default();
    let mut note = |name: &str, value: String| {
        headers.insert(name.into(), AMQPValue::LongString(value.into()));
    };
    note(REASON_HEADER, reason.chars().take(REASON_CHARS).collect());
    note("x-routing-key", delivery.routing_key.to_string());
    if let Some(user) = delivery.properties.user_id() {
        note("x-user-id", user.to_string());
    }
    if delivery.data.len() > KEPT_BYTES {
        note("x-shortened-from-bytes", delivery.data.len().to_string());
    }
    let sent = delivery.properties.headers().as_ref();
    if let Some(unreadable) = sent.and_then(|headers| headers.inner().get(UNREADABLE_HEADER)) {
        headers.insert(UNREADABLE_HEADER.into(), unreadable.clone());
    }
    let mut properties = BasicProperties::default()
        .with_delivery_mode(2)
        .with_headers(headers)
        // Returns are matched by message id: it must be ours, not the stranger's.
        .with_message_id(uuid::Uuid::new_v4().to_string().into());
    if let Some(kind) = delivery.properties.content_type() {
        properties = properties.with_content_type(kind.clone());
    }
    let body = delivery.data[..delivery.data.len().min(KEPT_BYTES)].to_vec();
    Outgoing {
        exchange: "",
        routing_key: queue.to_owned(),
        body,
        properties,
        mandatory: true,
    }
}
