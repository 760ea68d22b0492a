//! STOMP 1.2 on the wire: bytes become frames, frames become bytes.
//!
//! Invariants: no bytes make it panic; what is held is bounded whatever comes, since of a body that is too large only
//! the beginning is kept and headers that nobody here asks for are passed over; the frame behind one that is too large
//! is read as well as any other.

#[cfg(test)]
mod tests;

/// Bytes of a body that are kept.
pub(super) const BODY_MAX_BYTES: usize = 512 * 1024;
/// Most bytes of a command, and of one line of the head that are kept.
const LINE_MAX_BYTES: usize = 8 * 1024;
/// The headers that are kept of what comes.
const KEPT: [&str; 12] = [
    "ack",
    "amqp-message-id",
    "content-length",
    "heart-beat",
    "message",
    "message-id",
    "receipt-id",
    "redelivered",
    "server",
    "session",
    "subscription",
    "version",
];

/// A message of the protocol.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Frame {
    /// `MESSAGE`, `SEND`, …
    pub(super) command: String,
    /// Names and values; of several with one name the first counts.
    pub(super) headers: Vec<(String, String)>,
    /// What it carries.
    pub(super) body: Vec<u8>,
    /// How many bytes of the body were not kept.
    pub(super) lost: u64,
}

/// What is no STOMP. The connection can't be used any longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    /// The command is longer than any.
    #[error("the other side does not speak STOMP")]
    Command,
    /// A content-length is no number.
    #[error("a frame's content-length is no number")]
    Length,
    /// A body has no end where its length says so.
    #[error("a frame does not end where its content-length says")]
    End,
}

impl Frame {
    /// A frame without a body.
    pub(super) fn new(command: &str, headers: &[(&str, &str)]) -> Self {
        Self {
            command: command.to_owned(),
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: Vec::new(),
            lost: 0,
        }
    }

    /// The value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str())
    }

    /// As it is sent. A body's length is told only where it has to be: `ActiveMQ` takes a body without one for a text.
    pub(super) fn encode(&self) -> Vec<u8> {
        let escaped = has_escapes(&self.command);
        let mut bytes = self.command.clone().into_bytes();
        bytes.push(b'\n');
        for (name, value) in &self.headers {
            for (text, end) in [(name, b':'), (value, b'\n')] {
                if escaped {
                    escape(text, &mut bytes);
                } else {
                    bytes.extend(text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')));
                }
                bytes.push(end);
            }
        }
        if self.body.contains(&0) {
            bytes.extend(format!("content-length:{}\n", self.body.len()).bytes());
        }
        bytes.push(b'\n');
        bytes.extend(&self.body);
        bytes.push(0);
        bytes
    }
}

/// Whether headers of such a frame are escaped; the first ones of a connection are as in version 1.0.
fn has_escapes(command: &str) -> bool {
    !matches!(command, "CONNECT" | "CONNECTED")
}

fn escape(text: &str, bytes: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b'\r' => bytes.extend(b"\\r"),
            b'\n' => bytes.extend(b"\\n"),
            b':' => bytes.extend(b"\\c"),
            b'\\' => bytes.extend(b"\\\\"),
            other => bytes.push(other),
        }
    }
}

/// What is no escape stays as it is: others write headers, and a mistake of theirs must not end the connection.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        match characters.next() {
            Some('r') => plain.push('\r'),
            Some('n') => plain.push('\n'),
            Some('c') => plain.push(':'),
            Some('\\') => plain.push('\\'),
            other => {
                plain.push('\\');
                plain.extend(other);
            }
        }
    }
    plain
}

/// Where in a frame the next byte belongs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum At {
    /// Between frames, where empty lines are heart-beats.
    #[default]
    Between,
    Command,
    Header,
    /// In a body of which so many bytes are to come.
    Counted(u64),
    /// In a body that ends with the first zero byte.
    UntilZero,
    /// Behind a body whose length was told.
    End,
}

/// Reads frames out of bytes that come in pieces.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    at: At,
    line: Vec<u8>,
    frame: Frame,
}

impl Decoder {
    /// Takes the next bytes; gives the frames that they complete.
    ///
    /// # Errors
    /// When they are no STOMP.
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> Result<Vec<Frame>, Malformed> {
        let mut frames = Vec::new();
        while let [first, rest @ ..] = bytes {
            match self.at {
                At::Between => {
                    if !matches!(first, b'\n' | b'\r') {
                        self.at = At::Command;
                        continue;
                    }
                    bytes = rest;
                }
                At::Command | At::Header => {
                    bytes = rest;
                    if *first == b'\n' {
                        self.end_line()?;
                    } else if self.line.len() < LINE_MAX_BYTES {
                        self.line.push(*first);
                    } else if self.at == At::Command {
                        return Err(Malformed::Command);
                    }
                }
                At::Counted(0) => self.at = At::End,
                At::Counted(missing) => {
                    let part = usize::try_from(missing).unwrap_or(usize::MAX).min(bytes.len());
                    self.keep(&bytes[..part]);
                    self.at = At::Counted(missing - part as u64);
                    bytes = &bytes[part..];
                }
                At::UntilZero => {
                    let part = bytes.iter().position(|byte| *byte == 0);
                    self.keep(&bytes[..part.unwrap_or(bytes.len())]);
                    bytes = &bytes[part.unwrap_or(bytes.len())..];
                    if part.is_some() {
                        self.at = At::End;
                    }
                }
                At::End if *first == 0 => {
                    bytes = rest;
                    self.at = At::Between;
                    frames.push(std::mem::take(&mut self.frame));
                }
                At::End => return Err(Malformed::End),
            }
        }
        Ok(frames)
    }

    /// How much is held.
    #[cfg(test)]
    fn held(&self) -> usize {
        let headers = self.frame.headers.iter();
        self.line.len()
            + self.frame.body.len()
            + headers
                .map(|(name, value)| name.len() + value.len())
                .sum::<usize>()
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = BODY_MAX_BYTES - self.frame.body.len();
        let kept = bytes.len().min(room);
        self.frame.body.extend_from_slice(&bytes[..kept]);
        self.frame.lost += (bytes.len() - kept) as u64;
    }

    fn end_line(&mut self) -> Result<(), Malformed> {
        let line = std::mem::take(&mut self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        let text = String::from_utf8_lossy(line);
        if self.at == At::Command {
            self.frame.command = text.into_owned();
            self.at = At::Header;
        } else if text.is_empty() {
            self.at = match self.frame.header("content-length") {
                None => At::UntilZero,
                Some(length) => At::Counted(length.trim().parse().map_err(|_| Malformed::Length)?),
            };
        } else if let Some((name, value)) = text.split_once(':')
            && KEPT.contains(&name)
            && self.frame.header(name).is_none()
        {
            let value = if has_escapes(&self.frame.command) {
                unescape(value)
            } else {
                value.to_owned()
            };
            self.frame.headers.push((name.to_owned(), value));
        }
        Ok(())
    }
}
