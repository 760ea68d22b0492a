//! RabbitMQ: names and arguments, roles, connections that rebuild themselves, publishing with confirms.
//!
//! Every process has two connections: one consumes and acknowledges, the other publishes; a memory alarm of the
//! broker freezes the second and leaves the first alone. The client library's own recovery is off: any error
//! drops a connection whole, and [`link::run`] builds a new one.

pub mod lenient;
pub mod link;
pub mod publisher;
pub mod queue_type;
pub mod refusals;
pub mod roles;
pub mod topology;

use std::time::Duration;

use lapin::uri::AMQPUri;

/// Longest wait for one answer of the broker.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// Seconds between heartbeats; a dead broker is noticed after twice that.
const HEARTBEAT_SECONDS: u16 = 10;

/// Something went wrong between this process and RabbitMQ.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The settings are wrong.
    #[error("the RabbitMQ address can't be read: use amqp://user:password@host:5672/vhost")]
    Address,
    /// The broker or the connection refused.
    #[error("RabbitMQ: {action} failed")]
    Broker {
        /// What was tried.
        action: &'static str,
        /// The broker's or the library's reason.
        #[source]
        source: lapin::Error,
    },
    /// No answer in time.
    #[error("RabbitMQ did not answer in time ({action})")]
    Timeout {
        /// What was tried.
        action: &'static str,
    },
    /// There is no connection at the moment.
    #[error("there is no connection to RabbitMQ at the moment")]
    Disconnected,
    /// The broker has raised an alarm and takes no messages.
    #[error("RabbitMQ takes no messages at the moment (memory or disk alarm)")]
    Blocked,
    /// This process could not handle what it had taken, and ended the session so that others get it.
    #[error("messages were given back, as they can't be handled here at the moment")]
    GivenBack,
    /// A published message reached no queue.
    #[error("no queue took the message")]
    Returned,
    /// The broker refused to keep a published message.
    #[error("RabbitMQ could not keep the message")]
    Nack,
}

impl Error {
    /// The broker's own number for why it refused; `None` when it did not refuse.
    pub fn refusal(&self) -> Option<u16> {
        match self {
            Self::Broker { source, .. } => match source.kind() {
                lapin::ErrorKind::ProtocolError(error) => Some(error.get_id()),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Where the broker is and who we are there.
#[derive(Clone)]
pub struct Address {
    uri: AMQPUri,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Address({self})")
    }
}

impl std::fmt::Display for Address {
    /// Host, port and virtual host: no user, no password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let authority = &self.uri.authority;
        write!(
            f,
            "{}:{}, virtual host {}",
            authority.host, authority.port, self.uri.vhost
        )
    }
}

impl Address {
    /// Reads `amqp://user:password@host:port/vhost`, or `amqps://…` for TLS.
    ///
    /// # Errors
    /// [`Error::Address`]; the text itself is not repeated, as it holds a password.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut uri: AMQPUri = text.parse().map_err(|_| Error::Address)?;
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        Ok(Self { uri })
    }

    /// The user that this process is to the broker; workers' routing keys begin with it.
    pub fn user(&self) -> &str {
        &self.uri.authority.userinfo.username
    }
}

/// Waits for one of the library's calls, at most [`CALL_TIMEOUT`].
///
/// # Errors
/// [`Error::Timeout`] or [`Error::Broker`], both with `action`.
pub async fn call<T>(
    action: &'static str,
    call: impl Future<Output = Result<T, lapin::Error>>,
) -> Result<T, Error> {
    match tokio::time::timeout(CALL_TIMEOUT, call).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(source)) => Err(Error::Broker { action, source }),
        Err(_) => Err(Error::Timeout { action }),
    }
}
