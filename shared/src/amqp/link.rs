//! A connection that is always being kept up: connect, serve, and on any error drop everything and begin again.

use std::future::Future;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use lapin::{Connection, ConnectionProperties, Event};
use metrics::counter;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Address, CALL_TIMEOUT, Error, call, lenient};
use crate::error::Chain;
use crate::metrics::BROKER_RECONNECTS;

/// First pause after a failed connection; doubled each time.
const PAUSE_FIRST: Duration = Duration::from_millis(200);
/// Longest pause between two tries.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// A session that lasted this long starts the pauses anew.
const SESSION_GOOD: Duration = Duration::from_secs(10);

/// The broker's number for a wrong password or a missing permission.
pub const ACCESS_REFUSED: u16 = 403;

/// One life of a connection.
#[derive(Debug, Clone)]
pub struct Session {
    /// The connection.
    pub connection: std::sync::Arc<Connection>,
    /// Which broker it is: product and version as it says itself.
    pub version: Option<std::sync::Arc<str>>,
    /// Cancelled when the session is over, whoever noticed it; cancel it to end the session.
    pub over: CancellationToken,
    /// Whether the broker blocks publishing at the moment.
    pub blocked: watch::Receiver<bool>,
}

impl Session {
    /// A new channel.
    ///
    /// # Errors
    /// When the broker does not give one in time.
    pub async fn channel(&self) -> Result<lapin::Channel, Error> {
        call("opening a channel", self.connection.create_channel()).await
    }
}

/// Keeps a connection up until `stop`: connects, runs `serve` with the session, and begins again when `serve`
/// ends or the connection fails. `serve` has to end soon after its session is over.
pub async fn run<F, Fut>(name: &'static str, address: &Address, stop: &CancellationToken, serve: F)
where
    F: FnMut(Session) -> Fut,
    Fut: Future<Output = Result<(), Error>>,
{
    run_telling(name, address, stop, serve, |_| {}).await;
}

/// The same, and tells `failed` why a connection could not be made or has ended, and which permissions are missing.
pub async fn run_telling<F, Fut>(
    name: &'static str,
    address: &Address,
    stop: &CancellationToken,
    mut serve: F,
    failed: impl Fn(&Error),
) where
    F: FnMut(Session) -> Fut,
    Fut: Future<Output = Result<(), Error>>,
{
    let failed = &failed;
    let mut pause = PAUSE_FIRST;
    let mut first = true;
    while !stop.is_cancelled() {
        if !first {
            counter!(BROKER_RECONNECTS, "connection" => name).increment(1);
        }
        first = false;
        let started = Instant::now();
        match session(name, address, stop, &mut serve, failed).await {
            Ok(()) if stop.is_cancelled() => break,
            Ok(()) => tracing::info!("connection {name} to RabbitMQ ended"),
            Err(error) => {
                tracing::warn!("connection {name} to RabbitMQ at {address}: {}", Chain(&error));
                failed(&error);
            }
        }
        if started.elapsed() > SESSION_GOOD {
            pause = PAUSE_FIRST;
        }
        tokio::select! {
            () = tokio::time::sleep(jittered(pause)) => {}
            () = stop.cancelled() => {}
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

async fn session<F, Fut>(
    name: &'static str,
    address: &Address,
    stop: &CancellationToken,
    serve: &mut F,
    failed: &impl Fn(&Error),
) -> Result<(), Error>
where
    F: FnMut(Session) -> Fut,
    Fut: Future<Output = Result<(), Error>>,
{
    let properties =
        ConnectionProperties::default().with_connection_name(format!("taskmanager {name}").into());
    let connecting = call("connecting", lenient::connect(address.uri.clone(), properties));
    let connection = tokio::select! {
        connection = connecting => connection?,
        () = stop.cancelled() => return Ok(()),
    };
    let (connection, version) = connection;
    tracing::info!(
        "connection {name} to RabbitMQ at {address} is up ({})",
        version
            .as_deref()
            .unwrap_or("it does not say which version it is")
    );
    let (blocked, blocked_watch) = watch::channel(false);
    let over = CancellationToken::new();
    let mut events = Box::pin(connection.events_listener());
    let session = Session {
        connection: std::sync::Arc::new(connection),
        version: version.map(Into::into),
        over: over.clone(),
        blocked: blocked_watch,
    };
    let watch_events = async {
        while let Some(event) = events.next().await {
            match event {
                Event::ConnectionBlocked(reason) => {
                    tracing::warn!("RabbitMQ takes no messages: {reason}");
                    blocked.send_replace(true);
                }
                Event::ConnectionUnblocked => {
                    tracing::info!("RabbitMQ takes messages again");
                    blocked.send_replace(false);
                }
                // A channel's error is also told here; it is its user's to handle.
                Event::Error(source) if session.connection.status().connected() => {
                    tracing::debug!("a channel of connection {name} failed: {source}");
                    let error = Error::Broker {
                        action: "using a channel",
                        source,
                    };
                    if error.refusal() == Some(ACCESS_REFUSED) {
                        failed(&error);
                    }
                }
                Event::Error(source) => {
                    return Err(Error::Broker {
                        action: "staying connected",
                        source,
                    });
                }
                _ => {}
            }
        }
        Err(Error::Disconnected)
    };
    let result = {
        let _ended = over.clone().drop_guard();
        tokio::select! {
            result = serve(session.clone()) => result,
            result = watch_events => result,
            () = over.cancelled() => Err(Error::Disconnected),
        }
    };
    // A polite end where the broker still listens; it must not delay ours where it does not.
    let closing = session.connection.close(200, "bye".into());
    if let Ok(Err(error)) = tokio::time::timeout(CALL_TIMEOUT / 5, closing).await {
        tracing::debug!("closing connection {name}: {}", Chain(&error));
    }
    result
}

/// Somewhere between half of `pause` and all of it, so that many processes do not come back in step.
fn jittered(pause: Duration) -> Duration {
    let random = u32::from(uuid::Uuid::new_v4().as_bytes()[0]);
    pause / 2 + pause / 2 * random / 255
}
