//! Carries bytes of one direction of one connection, until either side or the network ends it.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::messages::Messages;
use super::{Connection, Fate, Network, Protocol};

/// How long one write may wait before it is looked whether the connection still exists.
const WRITE_TURN: Duration = Duration::from_millis(200);

/// Makes a stream ready to be carried.
pub(super) fn prepare(stream: &TcpStream) {
    // Without these it is slower, or notices its end later; it works all the same.
    let _set = stream.set_nodelay(true);
    let _set = stream.set_write_timeout(Some(WRITE_TURN));
}

/// What the client says.
pub(super) fn from_client(network: &Network, connection: &Connection) {
    pump(network, connection, &connection.client, &connection.server, None);
}

/// What the server says; of PostgreSQL message by message.
pub(super) fn from_server(network: &Network, connection: &Connection) {
    let messages = (network.protocol == Protocol::Postgres).then(Messages::default);
    pump(
        network,
        connection,
        &connection.server,
        &connection.client,
        messages,
    );
}

fn pump(
    network: &Network,
    connection: &Connection,
    mut from: &TcpStream,
    to: &TcpStream,
    mut messages: Option<Messages>,
) {
    let mut buffer = [0; 16 * 1024];
    loop {
        let read = from.read(&mut buffer).unwrap_or(0);
        match network.fate(connection) {
            // The end is swallowed as well; the connection is closed when the mode ends.
            Fate::Swallowed if read == 0 => return,
            Fate::Swallowed => continue,
            Fate::Closed => return,
            Fate::Carried if read == 0 => return connection.close(),
            Fate::Carried => {}
        }
        let bytes = &buffer[..read];
        let carried = match &mut messages {
            None => write(connection, to, bytes),
            Some(messages) => {
                let (complete, cut) = messages.take(bytes, || network.cuts_this_commit());
                let written = write(connection, to, &complete);
                if cut {
                    return connection.close();
                }
                written
            }
        };
        if carried.is_err() {
            return connection.close();
        }
    }
}

/// Writes all of it, for as long as the connection exists.
fn write(connection: &Connection, mut to: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match to.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error)
                if error.kind() == io::ErrorKind::WouldBlock
                    && !connection.closed.load(Ordering::Relaxed) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
