//! Publishing with confirms, from anywhere in the process, over whichever session is up.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel, Confirmation, PublisherConfirm};
use metrics::counter;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::link::Session;
use super::{CALL_TIMEOUT, Error, call};
use crate::metrics::RETURNED_PUBLISHES;

/// Most messages that wait for their confirms at a time, of one call.
const IN_FLIGHT_MAX: usize = 256;
/// How long a publish waits for a connection before it fails.
const CONNECTION_WAIT: Duration = Duration::from_secs(5);

/// A message on its way out.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The exchange; empty for the default one.
    pub exchange: &'static str,
    /// The routing key.
    pub routing_key: String,
    /// The body.
    pub body: Vec<u8>,
    /// Its properties. A mandatory message needs a unique `message_id`: returns are matched by it.
    pub properties: BasicProperties,
    /// Whether reaching no queue counts as failure. Not for reply-to addresses: they are always returned.
    pub mandatory: bool,
}

/// Handle to the publishing connection.
#[derive(Debug, Clone)]
pub struct Publisher {
    current: watch::Receiver<Option<Open>>,
}

/// The other side of a [`Publisher`]: tells it which session is up.
#[derive(Debug, Clone)]
pub struct PublisherSlot {
    slot: Arc<watch::Sender<Option<Open>>>,
}

#[derive(Debug, Clone)]
struct Open {
    channel: Channel,
    over: CancellationToken,
    blocked: watch::Receiver<bool>,
}

/// A publisher without a session yet, and the slot that gives it one.
pub fn publisher() -> (Publisher, PublisherSlot) {
    let (slot, current) = watch::channel(None);
    (Publisher { current }, PublisherSlot { slot: Arc::new(slot) })
}

impl PublisherSlot {
    /// Opens a channel with confirms on `session` and publishes over it from now on. The channel is returned
    /// for consumers that must share it (direct reply-to).
    ///
    /// # Errors
    /// When the broker does not open the channel.
    pub async fn open(&self, session: &Session) -> Result<Channel, Error> {
        let channel = session.channel().await?;
        call(
            "switching on confirms",
            channel.confirm_select(ConfirmSelectOptions::default()),
        )
        .await?;
        Ok(channel)
    }

    /// Lets the publisher use `channel` until the session is over.
    pub fn set(&self, session: &Session, channel: Channel) {
        let open = Open {
            channel,
            over: session.over.clone(),
            blocked: session.blocked.clone(),
        };
        self.slot.send_replace(Some(open));
    }

    /// Takes the channel away again.
    pub fn clear(&self) {
        self.slot.send_replace(None);
    }
}

impl Publisher {
    /// Whether there is a session.
    pub fn connected(&self) -> bool {
        self.current
            .borrow()
            .as_ref()
            .is_some_and(|open| !open.over.is_cancelled())
    }

    /// Whether the broker blocks publishing.
    pub fn blocked(&self) -> bool {
        self.current
            .borrow()
            .as_ref()
            .is_some_and(|open| *open.blocked.borrow())
    }

    /// Whether what is published now has a chance: there is a session, and the broker does not block it.
    pub fn usable(&self) -> bool {
        self.connected() && !self.blocked()
    }

    /// Publishes one message and waits for its confirm.
    ///
    /// # Errors
    /// Whatever kept the broker from confirming it.
    pub async fn publish(&self, message: Outgoing) -> Result<(), Error> {
        self.publish_all(vec![message])
            .await
            .pop()
            .unwrap_or(Err(Error::Disconnected))
    }

    /// Publishes messages with their confirms pipelined; one answer a message, in their order.
    pub async fn publish_all(&self, messages: Vec<Outgoing>) -> Vec<Result<(), Error>> {
        let mut results = Vec::with_capacity(messages.len());
        for portion in messages.chunks(IN_FLIGHT_MAX) {
            results.extend(self.publish_portion(portion).await);
        }
        results
    }

    async fn publish_portion(&self, messages: &[Outgoing]) -> Vec<Result<(), Error>> {
        let open = match self.open().await {
            Ok(open) => open,
            Err(_) if self.blocked() => return messages.iter().map(|_| Err(Error::Blocked)).collect(),
            Err(_) => return messages.iter().map(|_| Err(Error::Disconnected)).collect(),
        };
        let mut pending: Vec<Result<PublisherConfirm, Error>> = Vec::with_capacity(messages.len());
        for message in messages {
            pending.push(if open.over.is_cancelled() {
                Err(Error::Disconnected)
            } else if *open.blocked.borrow() {
                Err(Error::Blocked)
            } else {
                let sent = open.send(message).await;
                if sent.is_err() {
                    open.give_up();
                }
                sent
            });
        }
        // One deadline for all: a broker that has stopped confirming is not waited for message by message.
        let deadline = Instant::now() + CALL_TIMEOUT;
        let mut returned: HashSet<String> = HashSet::new();
        let mut results = Vec::with_capacity(messages.len());
        for confirm in pending {
            results.push(match confirm {
                Ok(confirm) => open.confirmed(confirm, deadline, &mut returned).await,
                Err(error) => Err(error),
            });
        }
        // Returns hang on the wrong confirm when the broker confirms several at once: match by message id.
        for (message, result) in messages.iter().zip(&mut results) {
            let id = message.properties.message_id().as_ref().map(ShortString::as_str);
            if result.is_ok() && id.is_some_and(|id| returned.contains(id)) {
                counter!(RETURNED_PUBLISHES).increment(1);
                *result = Err(Error::Returned);
            }
        }
        results
    }

    /// The session's channel; waits a little where there is none.
    async fn open(&self) -> Result<Open, Error> {
        let mut current = self.current.clone();
        let usable = |open: &Option<Open>| {
            open.as_ref()
                .is_some_and(|open| !open.over.is_cancelled() && !*open.blocked.borrow())
        };
        let waited = tokio::time::timeout(CONNECTION_WAIT, current.wait_for(usable)).await;
        match waited {
            Ok(Ok(open)) => open.clone().ok_or(Error::Disconnected),
            Ok(Err(_)) | Err(_) => Err(Error::Disconnected),
        }
    }
}

impl Open {
    async fn send(&self, message: &Outgoing) -> Result<PublisherConfirm, Error> {
        let options = BasicPublishOptions {
            mandatory: message.mandatory,
            ..BasicPublishOptions::default()
        };
        let sending = self.channel.basic_publish(
            message.exchange.into(),
            message.routing_key.as_str().into(),
            options,
            &message.body,
            message.properties.clone(),
        );
        call("publishing", sending).await
    }

    async fn confirmed(
        &self,
        confirm: PublisherConfirm,
        deadline: Instant,
        returned: &mut HashSet<String>,
    ) -> Result<(), Error> {
        let waited = tokio::select! {
            waited = tokio::time::timeout_at(deadline, confirm) => waited,
            () = self.over.cancelled() => return Err(Error::Disconnected),
        };
        match waited {
            Ok(Ok(Confirmation::Ack(message))) => {
                if let Some(id) = message.and_then(|m| m.delivery.properties.message_id().clone()) {
                    returned.insert(id.to_string());
                }
                Ok(())
            }
            Ok(Ok(Confirmation::Nack(_))) => Err(Error::Nack),
            Ok(Ok(Confirmation::NotRequested)) => unreachable!("confirms were switched on with the channel"),
            Ok(Err(source)) => {
                self.give_up();
                Err(Error::Broker {
                    action: "confirming a message",
                    source,
                })
            }
            Err(_) if *self.blocked.borrow() => Err(Error::Blocked),
            Err(_) => {
                self.give_up();
                Err(Error::Timeout {
                    action: "confirming a message",
                })
            }
        }
    }

    /// A connection that fails once is not trusted again, except that an alarm only makes it wait.
    fn give_up(&self) {
        if !*self.blocked.borrow() {
            self.over.cancel();
        }
    }
}
