//! Connecting so that a stranger's message can't end the connection.
//!
//! RabbitMQ hands on property and routing key bytes as they were published; AMQP says they are UTF-8 and the client
//! library takes it at its word: one message with a `message_id` in Latin-1 ends the connection, comes back with the
//! next one, and so holds up everything behind it for ever.
//! Here the library reads through a stream that makes such frames readable; below TLS nothing changes.
//!
//! Invariant: a frame that the library can read passes as it is.

mod frame;
mod greeting;
mod stream;

use std::future::Future;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use async_rs::traits::Reactor;
use async_rs::util::RuntimeParts;
use async_rs::{Runtime, Tokio, TokioRuntime};
use futures_util::Stream;
use futures_util::io::{AsyncRead, AsyncWrite};
use lapin::tcp::{AMQPUriTcpExt, AsyncTcpStream, OwnedTLSConfig};
use lapin::uri::AMQPUri;
use lapin::{Connection, ConnectionProperties};

pub use frame::UNREADABLE_HEADER;
use stream::Lenient;

/// Connects as `Connection::connect_uri` does, reading leniently; gives also which broker it is, as it says itself.
///
/// # Errors
/// What the client library says of the address, the network, or the broker's refusal.
pub(super) async fn connect(
    uri: AMQPUri,
    properties: ConnectionProperties,
) -> Result<(Connection, Option<String>), lapin::Error> {
    let greeting = Arc::new(OnceLock::new());
    let heard = Arc::clone(&greeting);
    let tokio = Tokio::current();
    let runtime = Runtime::new(RuntimeParts::new(tokio.clone(), LenientReactor(tokio.clone())));
    let connecting = async move |uri: AMQPUri, _: Runtime<_>| {
        let tokio = TokioRuntime::new(tokio.clone());
        let socket = uri
            .connect_with_config_async(OwnedTLSConfig::default().as_ref(), &tokio)
            .await?;
        Ok(AsyncTcpStream::Plain(Lenient::hearing(socket, heard.clone())))
    };
    let connection = Connection::connector(uri, runtime, connecting, properties).await?;
    let version = greeting.get().and_then(|frame| greeting::broker(frame));
    Ok((connection, version))
}

/// Tokio's reactor, with the lenient stream as its kind of connection.
#[derive(Debug, Clone)]
struct LenientReactor(Tokio);

impl Reactor for LenientReactor {
    type TcpStream = Lenient<AsyncTcpStream<<Tokio as Reactor>::TcpStream>>;
    type Sleep = <Tokio as Reactor>::Sleep;

    /// Never called: the client library is given its stream by [`connect`].
    fn register<H: Read + Write + Send + 'static>(
        &self,
        _socket: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        Err::<Self::TcpStream, _>(io::ErrorKind::Unsupported.into())
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.0.sleep(duration)
    }

    fn interval(&self, duration: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.0.interval(duration)
    }

    fn tcp_connect_addr(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        let connecting = self.0.tcp_connect_addr(address);
        async { Ok(Lenient::new(AsyncTcpStream::Plain(connecting.await?))) }
    }
}
