//! Connections of clients: how many there may be, and how long one may say nothing.
//!
//! Invariants: a client that sends nothing, half a head, or reads nothing of its answer is ended (half a body: by the
//! routes' own limit of time); however many come, descriptors remain for the database and the broker; a stop ends all of
//! them within seconds.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Pause after a connection could not be taken: mostly for want of descriptors, which others give back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);
/// Pause before it is said once more that all connections are in use.
const TELL_AGAIN: Duration = Duration::from_mins(1);
/// How long a shutdown waits for requests that are under way.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// What clients may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Most connections at a time; others wait to be taken.
    pub(super) connections: usize,
    /// Longest time until a request's head is whole, the pause before it included.
    pub(super) head: Duration,
    /// Longest time in which a client takes nothing of an answer.
    pub(super) unread: Duration,
}

impl Default for Limits {
    /// Below the 1024 descriptors that a process commonly may have; a browser asks again without being asked when an
    /// idle connection has ended.
    fn default() -> Self {
        Self {
            connections: 800,
            head: Duration::from_secs(30),
            unread: Duration::from_secs(30),
        }
    }
}

/// Serves until `stop`; then ends within seconds, whatever clients do.
pub(super) async fn serve(listener: TcpListener, router: Router, limits: Limits, stop: CancellationToken) {
    let room = Arc::new(Semaphore::new(limits.connections));
    let open = GracefulShutdown::new();
    let served = TaskTracker::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.head);
    let mut told: Option<Instant> = None;
    loop {
        if room.available_permits() == 0 && told.is_none_or(|at| at.elapsed() > TELL_AGAIN) {
            tracing::warn!(
                "{} connections are open, and others wait: who opens so many?",
                limits.connections
            );
            told = Some(Instant::now());
        }
        let taken = async {
            let permit = Arc::clone(&room).acquire_owned().await;
            (permit, accept(&listener).await)
        };
        let (permit, stream) = tokio::select! {
            taken = taken => taken,
            () = stop.cancelled() => break,
        };
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(limits.unread));
        let stream = TokioIo::new(Box::pin(stream));
        let service = TowerToHyperService::new(router.clone());
        let connection = open.watch(http.serve_connection(stream, service));
        served.spawn(async move {
            // A client that goes away, or is ended, is no news.
            if let Err(error) = connection.await {
                tracing::debug!("a connection ended: {error}");
            }
            drop(permit);
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN_TIMEOUT, open.shutdown())
        .await
        .is_err()
    {
        tracing::warn!(
            "requests under way were cut off after {} s",
            DRAIN_TIMEOUT.as_secs()
        );
    }
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                tracing::warn!("a connection can't be taken: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Whether the client has gone before it was taken.
fn is_the_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset
    )
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const LONG: Duration = Duration::from_hours(1);
    /// Nothing comes within this, where nothing may come at all.
    const MOMENT: Duration = Duration::from_millis(200);
    /// Bytes.
    const LONGER_THAN_ANY_BUFFER: usize = 64 << 20;
    /// Within this a connection that is ended has ended.
    const LIMIT: Duration = Duration::from_secs(20);
    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: test\r\n\r\n";

    async fn served(limits: Limits) -> (SocketAddr, CancellationToken) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let router = Router::new()
            .route("/", get(|| async { "hello" }))
            .route("/long", get(|| async { vec![0_u8; LONGER_THAN_ANY_BUFFER] }));
        TaskTracker::new().spawn(serve(listener, router, limits, stop.clone()));
        (address, stop)
    }

    async fn ask(client: &mut TcpStream) {
        client.write_all(REQUEST).await.unwrap();
    }

    async fn hears(client: &mut TcpStream) {
        let mut answer = String::new();
        while !answer.ends_with("hello") {
            let byte = client.read_u8().await.unwrap();
            answer.push(char::from(byte));
        }
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    async fn is_ended(mut client: TcpStream) {
        let mut rest = Vec::new();
        // Whether with an answer, an end or a reset: it is over.
        let over = tokio::time::timeout(LIMIT, client.read_to_end(&mut rest)).await;
        assert!(over.is_ok(), "the connection is still there");
    }

    #[tokio::test]
    async fn whoever_sends_nothing_or_half_a_request_is_ended() {
        let limits = Limits {
            connections: 10,
            head: Duration::from_millis(50),
            unread: LONG,
        };
        let (address, _stop) = served(limits).await;
        is_ended(TcpStream::connect(address).await.unwrap()).await;
        let mut half = TcpStream::connect(address).await.unwrap();
        half.write_all(&REQUEST[..10]).await.unwrap();
        is_ended(half).await;
        let mut idle = TcpStream::connect(address).await.unwrap();
        ask(&mut idle).await;
        hears(&mut idle).await;
        is_ended(idle).await;
    }

    #[tokio::test]
    async fn as_many_clients_are_served_as_may_be_and_others_wait_for_them() {
        let limits = Limits {
            connections: 1,
            head: LONG,
            unread: LONG,
        };
        let (address, _stop) = served(limits).await;
        let mut first = TcpStream::connect(address).await.unwrap();
        ask(&mut first).await;
        hears(&mut first).await;
        let mut second = TcpStream::connect(address).await.unwrap();
        ask(&mut second).await;
        let early = tokio::time::timeout(MOMENT, second.read_u8()).await;
        assert!(early.is_err(), "it was served beside the first one: {early:?}");
        drop(first);
        hears(&mut second).await;
    }

    #[tokio::test]
    async fn whoever_reads_nothing_of_its_answer_is_ended_and_others_are_served() {
        let limits = Limits {
            connections: 1,
            head: LONG,
            unread: Duration::from_millis(50),
        };
        let (address, _stop) = served(limits).await;
        let mut deaf = TcpStream::connect(address).await.unwrap();
        deaf.write_all(b"GET /long HTTP/1.1\r\nhost: test\r\n\r\n")
            .await
            .unwrap();
        let mut next = TcpStream::connect(address).await.unwrap();
        ask(&mut next).await;
        let served = tokio::time::timeout(LIMIT, hears(&mut next)).await;
        assert!(served.is_ok(), "the first one keeps its connection");
        drop(deaf);
    }

    #[tokio::test]
    async fn idle_connections_end_with_the_server() {
        let limits = Limits {
            connections: 10,
            head: LONG,
            unread: LONG,
        };
        let (address, stop) = served(limits).await;
        let mut idle = TcpStream::connect(address).await.unwrap();
        ask(&mut idle).await;
        hears(&mut idle).await;
        stop.cancel();
        is_ended(idle).await;
    }
}
