//! A network that misbehaves on purpose: a TCP proxy on loopback between one client program and one server.
//!
//! ```text
//!  client ──► Proxy ──► server      Mode::Pass        bytes go
//!                                   Mode::Stall       bytes are kept, and go on when it ends; no end is told either
//!                                   Mode::Cut         connections are closed, new ones at once
//!                                   Mode::Reset       the same with RST
//!                                   Mode::Blackhole   connections are taken, and what they say is swallowed
//!  cut_after_commits(n)             the answer to the next n COMMITs is cut off: the client can't know
//! ```
//!
//! **Invariant**: a byte stream never has a hole. A connection of which something was swallowed is closed when
//! [`Mode::Blackhole`] ends.
//!
//! Each direction of each connection has a thread of its own; there are dozens of connections, not thousands.

mod messages;
mod pump;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;

use crate::{Error, ports};

/// What the network does to the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It carries them.
    Pass,
    /// It keeps them for later.
    Stall,
    /// It closes every connection.
    Cut,
    /// It resets every connection.
    Reset,
    /// It takes them and loses them.
    Blackhole,
}

/// What is spoken through the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    /// Anything.
    Bytes,
    /// PostgreSQL's, by clients that ask for no encryption.
    Postgres,
}

/// A proxy before one server. Dropping it closes all its connections.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    network: Arc<Network>,
}

#[derive(Debug)]
struct Network {
    server: SocketAddr,
    protocol: Protocol,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    mode: Mode,
    commits_to_cut: u32,
    commits_cut: u32,
    connections: BTreeMap<u64, Arc<Connection>>,
    accepted: u64,
    ended: bool,
}

#[derive(Debug)]
struct Connection {
    client: TcpStream,
    server: TcpStream,
    closed: AtomicBool,
    /// Something of it was swallowed.
    holed: AtomicBool,
}

impl Proxy {
    /// Before a PostgreSQL server on this port of this machine.
    ///
    /// # Errors
    /// [`Error::NoPort`] or [`Error::Control`] when there is no port to listen on.
    pub fn before_postgres(port: u16) -> Result<Self, Error> {
        Self::start(port, Protocol::Postgres)
    }

    /// Before any server on this port of this machine.
    ///
    /// # Errors
    /// As for [`Proxy::before_postgres`].
    pub fn before(port: u16) -> Result<Self, Error> {
        Self::start(port, Protocol::Bytes)
    }

    fn start(server: u16, protocol: Protocol) -> Result<Self, Error> {
        let port = ports::free_port()?;
        let refused = |source| Error::Control {
            name: "a fault proxy".into(),
            action: "start",
            source,
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(refused)?;
        let network = Arc::new(Network {
            server: (Ipv4Addr::LOCALHOST, server).into(),
            protocol,
            state: Mutex::new(State {
                mode: Mode::Pass,
                commits_to_cut: 0,
                commits_cut: 0,
                connections: BTreeMap::new(),
                accepted: 0,
                ended: false,
            }),
            changed: Condvar::new(),
        });
        let accepting = Arc::clone(&network);
        thread::Builder::new()
            .name("fault-proxy".into())
            .spawn(move || accept(&listener, &accepting))
            .map_err(refused)?;
        Ok(Self { port, network })
    }

    /// The port that clients connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on it does this.
    pub fn set(&self, mode: Mode) {
        let mut state = self.network.state();
        state.mode = mode;
        state.connections.retain(|_, connection| {
            match mode {
                Mode::Cut => connection.close(),
                Mode::Reset => connection.reset(),
                Mode::Pass | Mode::Stall if connection.holed.load(Ordering::Relaxed) => connection.close(),
                Mode::Pass | Mode::Stall | Mode::Blackhole => return true,
            }
            false
        });
        drop(state);
        self.network.changed.notify_all();
    }

    /// Closes the connection of each of the next `count` COMMITs when the server has answered it and the client has not
    /// heard of that. Concerns proxies before PostgreSQL only.
    pub fn cut_after_commits(&self, count: u32) {
        self.network.state().commits_to_cut = count;
    }

    /// How many answers to a COMMIT were cut off so far.
    pub fn commits_cut(&self) -> u32 {
        self.network.state().commits_cut
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.network.state().ended = true;
        self.set(Mode::Cut);
        // Wakes the thread that accepts; where nothing can connect it has ended already.
        let _woken = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

/// How long it may take to reach the server, which is on this machine; a frozen one has a full backlog.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

fn accept(listener: &TcpListener, network: &Arc<Network>) {
    for client in listener.incoming() {
        if network.state().ended {
            return;
        }
        if let Ok(client) = client {
            let network = Arc::clone(network);
            // Without a thread the connection is closed, which is a fault like any other.
            let _started = thread::Builder::new().spawn(move || serve(client, &network));
        }
    }
}

fn serve(client: TcpStream, network: &Arc<Network>) {
    match network.state().mode {
        Mode::Cut => return,
        Mode::Reset => return without_farewell(&client),
        Mode::Pass | Mode::Stall | Mode::Blackhole => {}
    }
    let Ok(server) = TcpStream::connect_timeout(&network.server, CONNECT_LIMIT) else {
        return;
    };
    pump::prepare(&client);
    pump::prepare(&server);
    let connection = Arc::new(Connection {
        client,
        server,
        closed: AtomicBool::new(false),
        holed: AtomicBool::new(false),
    });
    let mut state = network.state();
    if matches!(state.mode, Mode::Cut | Mode::Reset) {
        return connection.close();
    }
    state.accepted += 1;
    let number = state.accepted;
    state.connections.insert(number, Arc::clone(&connection));
    drop(state);
    let (back_network, back) = (Arc::clone(network), Arc::clone(&connection));
    let started = thread::Builder::new().spawn(move || {
        pump::from_server(&back_network, &back);
        back_network.state().connections.remove(&number);
    });
    if started.is_err() {
        connection.close();
    }
    pump::from_client(network, &connection);
    network.state().connections.remove(&number);
}

/// Has the stream end with RST instead of FIN once its last handle is closed.
fn without_farewell(stream: &TcpStream) {
    // Where the kernel refuses, the connection still ends.
    let _set = set_socket_linger(stream, Some(Duration::ZERO));
}

impl Connection {
    fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        for stream in [&self.client, &self.server] {
            // One that is closed already is what is wanted.
            let _shut = stream.shutdown(std::net::Shutdown::Both);
        }
    }

    fn reset(&self) {
        self.closed.store(true, Ordering::Relaxed);
        for stream in [&self.client, &self.server] {
            without_farewell(stream);
            // Wakes whoever reads, and sends nothing: the RST comes with the end of the last handle.
            let _shut = stream.shutdown(std::net::Shutdown::Read);
        }
    }
}

impl Network {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits as long as bytes of this connection are to be kept; tells what becomes of them.
    fn fate(&self, connection: &Connection) -> Fate {
        let mut state = self.state();
        loop {
            if connection.closed.load(Ordering::Relaxed) {
                return Fate::Closed;
            }
            match state.mode {
                Mode::Pass => return Fate::Carried,
                Mode::Cut | Mode::Reset => return Fate::Closed,
                Mode::Blackhole => {
                    connection.holed.store(true, Ordering::Relaxed);
                    return Fate::Swallowed;
                }
                Mode::Stall => {
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    /// Whether this answer to a COMMIT is one to be cut off.
    fn cuts_this_commit(&self) -> bool {
        let mut state = self.state();
        let cuts = state.commits_to_cut > 0;
        if cuts {
            state.commits_to_cut -= 1;
            state.commits_cut += 1;
        }
        cuts
    }
}

/// What becomes of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Carried,
    Swallowed,
    Closed,
}
