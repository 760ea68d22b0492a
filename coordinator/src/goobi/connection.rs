//! One connection to Goobi's message broker.
//!
//! Invariants: every wait is bounded; a broker that falls silent is noticed by its heart-beats, and one that has none is
//! not used; nothing here connects again by itself.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use uuid::Uuid;

use super::config::Broker;
use super::frame::{Decoder, Frame, Malformed};

/// Longest wait for a connection, and for the answer to a frame.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// How often each side is to be heard of.
const BEAT: Duration = Duration::from_secs(10);
/// Bytes that are read at once.
const READ_BYTES: usize = 16 * 1024;
/// Characters that are shown of what a broker says.
const SAID_CHARS: usize = 300;

/// Why a connection can't be used, or used no longer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The network.
    #[error("{action} failed")]
    Network {
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// It took too long.
    #[error("{0} took longer than {seconds} s", seconds = CALL_TIMEOUT.as_secs())]
    Slow(&'static str),
    /// The broker says no.
    #[error("the broker refuses it: {0}")]
    Refused(String),
    /// The broker has ended the connection.
    #[error("the broker has closed the connection")]
    Closed,
    /// The broker was not heard of.
    #[error("the broker has fallen silent")]
    Silent,
    /// The broker does not tell that it lives.
    #[error(
        "the broker has no heart-beats (STOMP 1.2): they have to be on, or nobody would notice that it is gone"
    )]
    NoBeats,
    /// It is no STOMP.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

/// A connection that the broker has accepted.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    decoder: Decoder,
    buffer: Vec<u8>,
    /// Frames that were read and that nobody has looked at.
    read: VecDeque<Frame>,
    /// Frames that came while a receipt was waited for.
    waiting: VecDeque<Frame>,
    /// How often we have to be heard of; none when the broker does not care.
    beat: Option<Duration>,
    silent_after: Duration,
    last_heard: Instant,
    last_sent: Instant,
}

impl Connection {
    /// Connects and identifies itself.
    pub(super) async fn open(broker: &Broker) -> Result<Self, Error> {
        let address = &broker.address;
        let action = "connecting";
        let stream = timeout(
            CALL_TIMEOUT,
            TcpStream::connect((address.host.as_str(), address.port)),
        )
        .await
        .map_err(|_| Error::Slow(action))?
        .map_err(|source| Error::Network { action, source })?;
        let mut connection = Self {
            stream,
            decoder: Decoder::default(),
            buffer: vec![0; READ_BYTES],
            read: VecDeque::new(),
            waiting: VecDeque::new(),
            beat: None,
            silent_after: CALL_TIMEOUT,
            last_heard: Instant::now(),
            last_sent: Instant::now(),
        };
        let every = BEAT.as_millis();
        let connect = Frame::new(
            "CONNECT",
            &[
                ("accept-version", "1.2"),
                ("host", address.vhost.as_deref().unwrap_or(&address.host)),
                ("login", &broker.user),
                ("passcode", &broker.password),
                ("heart-beat", &format!("{every},{every}")),
            ],
        );
        connection.send(&connect).await?;
        let answer = timeout(CALL_TIMEOUT, connection.receive())
            .await
            .map_err(|_| Error::Slow("signing in"))??;
        if answer.command != "CONNECTED" {
            return Err(refusal(&answer));
        }
        connection.agree_on_beats(&answer)?;
        Ok(connection)
    }

    /// Each side says how often it can send, and how often it wants to hear of the other: the slower pace counts.
    fn agree_on_beats(&mut self, connected: &Frame) -> Result<(), Error> {
        let beats = connected
            .header("heart-beat")
            .and_then(|beats| beats.split_once(','));
        let millis = |text: &str| text.trim().parse().map(Duration::from_millis).unwrap_or_default();
        let (theirs, ours) = beats.map_or_else(Default::default, |(can, wants)| (millis(can), millis(wants)));
        if theirs.is_zero() {
            return Err(Error::NoBeats);
        }
        self.silent_after = theirs.max(BEAT) * 2;
        // Half of it, as the broker's patience may end exactly then.
        self.beat = (!ours.is_zero()).then(|| ours.max(BEAT) / 2);
        Ok(())
    }

    /// Sends a frame.
    pub(super) async fn send(&mut self, frame: &Frame) -> Result<(), Error> {
        self.write(&frame.encode()).await
    }

    /// Sends a frame and waits until the broker confirms it.
    pub(super) async fn confirmed(&mut self, mut frame: Frame) -> Result<(), Unconfirmed> {
        let receipt = Uuid::new_v4().to_string();
        frame.headers.push(("receipt".to_owned(), receipt.clone()));
        // A part of it may have arrived, but no frame that is not whole counts.
        self.send(&frame).await.map_err(Unconfirmed::Not)?;
        let answer = async {
            loop {
                let frame = self.receive().await.map_err(Unconfirmed::Perhaps)?;
                let is_ours = frame.header("receipt-id") == Some(&receipt);
                match frame.command.as_str() {
                    "RECEIPT" if is_ours => return Ok(()),
                    "ERROR" if is_ours => return Err(Unconfirmed::Not(refusal(&frame))),
                    "ERROR" => return Err(Unconfirmed::Perhaps(refusal(&frame))),
                    _ => self.waiting.push_back(frame),
                }
            }
        };
        match timeout(CALL_TIMEOUT, answer).await {
            Ok(answer) => answer,
            Err(_) => Err(Unconfirmed::Perhaps(Error::Slow(
                "waiting for the broker's receipt",
            ))),
        }
    }

    /// The next message. Dropping it while it waits loses nothing.
    pub(super) async fn next(&mut self) -> Result<Frame, Error> {
        let frame = match self.waiting.pop_front() {
            Some(frame) => frame,
            None => self.receive().await?,
        };
        match frame.command.as_str() {
            "ERROR" => Err(refusal(&frame)),
            _ => Ok(frame),
        }
    }

    /// Does something else meanwhile, and stays connected.
    pub(super) async fn beating<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Error> {
        tokio::pin!(work);
        loop {
            let next_beat = self.next_beat();
            tokio::select! {
                done = &mut work => {
                    // Nobody has listened meanwhile.
                    self.last_heard = Instant::now();
                    return Ok(done);
                }
                () = sleep_until(next_beat) => self.write(b"\n").await?,
            }
        }
    }

    async fn receive(&mut self) -> Result<Frame, Error> {
        loop {
            if let Some(frame) = self.read.pop_front() {
                return Ok(frame);
            }
            let (next_beat, silent) = (self.next_beat(), self.last_heard + self.silent_after);
            tokio::select! {
                read = self.stream.read(&mut self.buffer) => {
                    let action = "reading";
                    let read = read.map_err(|source| Error::Network { action, source })?;
                    if read == 0 {
                        return Err(Error::Closed);
                    }
                    self.last_heard = Instant::now();
                    self.read.extend(self.decoder.push(&self.buffer[..read])?);
                }
                () = sleep_until(next_beat) => self.write(b"\n").await?,
                () = sleep_until(silent) => return Err(Error::Silent),
            }
        }
    }

    fn next_beat(&self) -> Instant {
        self.last_sent + self.beat.unwrap_or(Duration::from_hours(24))
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let action = "sending";
        self.last_sent = Instant::now();
        timeout(CALL_TIMEOUT, self.stream.write_all(bytes))
            .await
            .map_err(|_| Error::Slow(action))?
            .map_err(|source| Error::Network { action, source })
    }
}

/// Why a frame is not known to have been taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unconfirmed {
    /// It was certainly not.
    #[error(transparent)]
    Not(Error),
    /// Perhaps it was.
    #[error(transparent)]
    Perhaps(Error),
}

fn refusal(frame: &Frame) -> Error {
    let body = String::from_utf8_lossy(&frame.body);
    let text = format!("{} {body}", frame.header("message").unwrap_or(&frame.command));
    let plain: String = text
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    Error::Refused(words.join(" ").chars().take(SAID_CHARS).collect())
}
