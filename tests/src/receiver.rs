//! A stand-in for Goobi, Kitodo or whoever wants to be told: an HTTP server that answers as the test says.
//!
//! Invariant: a request counts as received before it is answered, and what is received is kept as it came.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::Value;

use crate::eventually::{LIMIT, eventually};

/// How it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manner {
    /// With this status and this text.
    Status(u16, String),
    /// Not at all, until it is told another manner.
    Hang,
    /// With a redirect to this address.
    Redirect(String),
}

/// A request as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// `POST /goobi/done HTTP/1.1`.
    pub line: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Value,
}

impl Received {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(known, _)| known == name);
        header.map(|(_, value)| value.as_str())
    }
}

#[derive(Debug, Default)]
struct Shared {
    manner: Mutex<Option<Manner>>,
    changed: Condvar,
    received: Mutex<Vec<Received>>,
}

/// A receiver; it is away until it is started.
#[derive(Debug)]
pub struct Receiver {
    port: u16,
    shared: Arc<Shared>,
    listening: bool,
}

impl Receiver {
    /// One that nobody can connect to yet.
    pub fn away() -> Self {
        Self {
            port: launcher::free_port().expect("a free port"),
            shared: Arc::default(),
            listening: false,
        }
    }

    /// One that answers from the beginning.
    pub fn answering(manner: Manner) -> Self {
        let mut receiver = Self::away();
        receiver.answer(manner);
        receiver
    }

    /// Host and port.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// An address of it.
    pub fn address(&self) -> String {
        format!("http://{}/goobi/done", self.host())
    }

    /// From now on it answers like this; also those that hang.
    pub fn answer(&mut self, manner: Manner) {
        *lock(&self.shared.manner) = Some(manner);
        self.shared.changed.notify_all();
        if !self.listening {
            self.listening = true;
            let listener = TcpListener::bind(self.host()).expect("the port is still free");
            let shared = Arc::clone(&self.shared);
            thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    let shared = Arc::clone(&shared);
                    thread::spawn(move || serve(stream, &shared));
                }
            });
        }
    }

    /// What has come so far.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.shared.received).clone()
    }

    /// Waits until so many requests have come.
    pub fn wait_for(&self, number: usize) -> Vec<Received> {
        eventually(LIMIT, &format!("{number} requests"), || {
            let received = self.received();
            if received.len() >= number {
                Ok(received)
            } else {
                Err(format!("{received:?}"))
            }
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers one request and closes; a client that has gone away is no matter.
fn serve(mut stream: TcpStream, shared: &Shared) {
    let Some(received) = read(&stream) else {
        return;
    };
    lock(&shared.received).push(received);
    let hangs = |manner: &mut Option<Manner>| *manner == Some(Manner::Hang);
    let manner = shared.changed.wait_while(lock(&shared.manner), hangs);
    let manner = manner.unwrap_or_else(PoisonError::into_inner).clone();
    let (status, location, text) = match manner {
        Some(Manner::Status(status, text)) => (status, String::new(), text),
        Some(Manner::Redirect(to)) => (302, format!("Location: {to}\r\n"), String::new()),
        Some(Manner::Hang) | None => return,
    };
    let length = text.len();
    let answer = format!(
        "HTTP/1.1 {status} said\r\n{location}Content-Length: {length}\r\nConnection: close\r\n\r\n{text}"
    );
    if stream.write_all(answer.as_bytes()).is_ok() {
        // It has closed already, perhaps.
        let _closed = stream.shutdown(Shutdown::Write);
    }
}

fn read(stream: &TcpStream) -> Option<Received> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        match header.trim_end().split_once(": ") {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.to_owned())),
            None => break,
        }
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Received {
        line: line.trim_end().to_owned(),
        headers,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    })
}
