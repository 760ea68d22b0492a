//! Names and arguments of everything in RabbitMQ. Only coordinators declare; nothing else spells a name.
//!
//! Queues carry no arguments but their type and number of priorities: a changed argument would be refused by
//! the broker, so time-outs and limits are policies or message properties.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, ExchangeKind};

use super::link::Session;
use super::queue_type::QueueType;
use super::{Error, call};
use crate::error::Chain;
use crate::plugin::PluginName;

/// Jobs come in here (topic; the routing key is the submitter's to choose).
pub const SUBMIT_EXCHANGE: &str = "taskmanager.submit";
/// Submissions wait here.
pub const SUBMIT_QUEUE: &str = "taskmanager.submit";
/// Submissions that could not be accepted, with the header [`REASON_HEADER`].
pub const SUBMIT_REJECTED_QUEUE: &str = "taskmanager.submit.rejected";
/// Dispatches go out here (direct; the key is the plugin's).
pub const JOBS_EXCHANGE: &str = "taskmanager.jobs";
/// What workers send (topic; key `<rabbitmq user>.<kind>`).
pub const EVENTS_EXCHANGE: &str = "taskmanager.events";
/// Claims and requests to publish.
pub const CLAIMS_QUEUE: &str = "taskmanager.claims";
/// Heartbeats, announcements, and the coordinators' probes.
pub const HEARTBEATS_QUEUE: &str = "taskmanager.heartbeats";
/// Results.
pub const RESULTS_QUEUE: &str = "taskmanager.results";
/// Events for anybody (topic; key `job.<plugin>.<state>`).
pub const NOTIFICATIONS_EXCHANGE: &str = "taskmanager.notifications";
/// What came to the events exchange and could not be understood, with the header [`REASON_HEADER`].
pub const EVENTS_REJECTED_QUEUE: &str = "taskmanager.events.rejected";
/// Why a message was rejected.
pub const REASON_HEADER: &str = "x-reason";
/// RabbitMQ's pseudo queue for answers.
pub const REPLY_TO: &str = "amq.rabbitmq.reply-to";
/// The prefix of all names here; replies never go to queues that have it.
pub const NAME_PREFIX: &str = "taskmanager.";

/// The kinds of messages that workers send to the events exchange; coordinators send probes.
pub const WORKER_KINDS: [&str; 5] = ["claim", "publish", "heartbeat", "announce", "result"];

/// What the broker answers when something exists that is not as declared.
const PRECONDITION_FAILED: u16 = 406;

/// Queues of the events exchange and the kinds of messages that each takes.
const EVENT_QUEUES: [(&str, &[&str]); 3] = [
    (CLAIMS_QUEUE, &["claim", "publish"]),
    (HEARTBEATS_QUEUE, &["heartbeat", "announce", "probe"]),
    (RESULTS_QUEUE, &["result"]),
];

/// Declares everything that does not depend on plugins. A queue that exists with other arguments is used as it is;
/// gives those with what the broker says of them.
///
/// # Errors
/// When the broker refuses anything else, for example because a permission is missing.
pub async fn declare_fixed(session: &Session, queue_type: QueueType) -> Result<Vec<OtherArguments>, Error> {
    let mut channel = session.channel().await?;
    let exchanges = [
        (SUBMIT_EXCHANGE, ExchangeKind::Topic),
        (JOBS_EXCHANGE, ExchangeKind::Direct),
        (EVENTS_EXCHANGE, ExchangeKind::Topic),
        (NOTIFICATIONS_EXCHANGE, ExchangeKind::Topic),
    ];
    for (name, kind) in exchanges {
        let options = ExchangeDeclareOptions {
            durable: true,
            ..ExchangeDeclareOptions::default()
        };
        let declaring = channel.exchange_declare(name.into(), kind, options, FieldTable::default());
        call("declaring an exchange", declaring).await?;
    }
    let mut others = Vec::new();
    let queues = [SUBMIT_QUEUE, SUBMIT_REJECTED_QUEUE, EVENTS_REJECTED_QUEUE];
    for queue in queues.into_iter().chain(EVENT_QUEUES.map(|(queue, _)| queue)) {
        match declare_queue(&channel, queue, queue_type.arguments()).await {
            Err(error) if is_refused_with(&error, PRECONDITION_FAILED) => {
                others.push(OtherArguments::of(queue, &error));
                // The refusal has closed the channel.
                channel = session.channel().await?;
            }
            declared => declared?,
        }
    }
    bind(&channel, SUBMIT_QUEUE, SUBMIT_EXCHANGE, "#").await?;
    for (queue, kinds) in EVENT_QUEUES {
        for kind in kinds {
            bind(&channel, queue, EVENTS_EXCHANGE, &format!("#.{kind}")).await?;
        }
    }
    call("closing a channel", channel.close(200, "done".into())).await?;
    Ok(others)
}

/// A queue that somebody has made with other arguments than ours. The broker changes none of them; the queue has to be
/// deleted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OtherArguments {
    /// The queue.
    pub queue: String,
    /// What the broker says.
    pub said: String,
}

impl OtherArguments {
    fn of(queue: &str, error: &Error) -> Self {
        Self {
            queue: queue.to_owned(),
            said: Chain(error).to_string(),
        }
    }

    /// What a person has to do about it.
    pub fn advice(&self) -> String {
        let queue = &self.queue;
        let waiting = if queue == SUBMIT_QUEUE {
            "once it is empty, as submissions that wait there would be lost"
        } else {
            "nothing is lost by that, what it held is sent again"
        };
        format!(
            "delete it (rabbitmqctl delete_queue {queue}), and it is made anew as it should be: {waiting}"
        )
    }
}

/// Whether a coordinator has declared the exchange that workers publish to.
///
/// # Errors
/// When the broker can't be asked.
pub async fn events_exchange_exists(session: &Session) -> Result<bool, Error> {
    let channel = session.channel().await?;
    let passive = ExchangeDeclareOptions {
        passive: true,
        ..ExchangeDeclareOptions::default()
    };
    let asking = channel.exchange_declare(
        EVENTS_EXCHANGE.into(),
        ExchangeKind::Topic,
        passive,
        FieldTable::default(),
    );
    match call("looking at an exchange", asking).await {
        Ok(()) => {
            call("closing a channel", channel.close(200, "done".into())).await?;
            Ok(true)
        }
        Err(error) if is_not_found(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Declares a plugin's queue, unless it is there; tells when it is there with other arguments.
///
/// # Errors
/// When the broker refuses for any other reason.
pub async fn declare_plugin_queue(
    session: &Session,
    plugin: &PluginName,
    queue_type: QueueType,
) -> Result<Option<OtherArguments>, Error> {
    let mut channel = session.channel().await?;
    let other = match declare_queue(&channel, &plugin.queue(), queue_type.plugin_arguments()).await {
        Err(error) if is_refused_with(&error, PRECONDITION_FAILED) => {
            // The refusal has closed the channel.
            channel = session.channel().await?;
            Some(OtherArguments::of(&plugin.queue(), &error))
        }
        declared => {
            declared?;
            None
        }
    };
    bind(&channel, &plugin.queue(), JOBS_EXCHANGE, &plugin.routing_key()).await?;
    call("closing a channel", channel.close(200, "done".into())).await?;
    Ok(other)
}

/// What a queue holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// Messages ready to be delivered.
    pub ready: u32,
    /// Consumers.
    pub consumers: u32,
}

/// What `queue` holds; `None` when there is no such queue.
///
/// # Errors
/// When the broker can't be asked.
pub async fn depth(session: &Session, queue: &str) -> Result<Option<Depth>, Error> {
    // A missing queue closes the channel that asked, so each question has a channel of its own.
    let channel = session.channel().await?;
    let passive = QueueDeclareOptions {
        passive: true,
        ..QueueDeclareOptions::default()
    };
    let asking = channel.queue_declare(queue.into(), passive, FieldTable::default());
    match call("looking at a queue", asking).await {
        Ok(found) => {
            let depth = Depth {
                ready: found.message_count(),
                consumers: found.consumer_count(),
            };
            call("closing a channel", channel.close(200, "done".into())).await?;
            Ok(Some(depth))
        }
        Err(error) if is_not_found(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the broker said that there is no such queue or exchange.
pub fn is_not_found(error: &Error) -> bool {
    const NOT_FOUND: u16 = 404;
    is_refused_with(error, NOT_FOUND)
}

fn is_refused_with(error: &Error, code: u16) -> bool {
    error.refusal() == Some(code)
}

async fn declare_queue(channel: &Channel, name: &str, arguments: FieldTable) -> Result<(), Error> {
    let options = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    call(
        "declaring a queue",
        channel.queue_declare(name.into(), options, arguments),
    )
    .await?;
    Ok(())
}

async fn bind(channel: &Channel, queue: &str, exchange: &str, key: &str) -> Result<(), Error> {
    let binding = channel.queue_bind(
        queue.into(),
        exchange.into(),
        key.into(),
        QueueBindOptions::default(),
        FieldTable::default(),
    );
    call("binding a queue", binding).await
}
