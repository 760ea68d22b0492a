//! The smallest HTTP client that health checks and RabbitMQ's management need: one request to 127.0.0.1, HTTP/1.0.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// How long connecting may take: a listening loopback port answers at once.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);

/// How long the answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// The most that is read of an answer, in bytes; a status page is far smaller.
const ANSWER_SIZE: u64 = 1024 * 1024;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code, such as 200.
    pub status: u16,
    /// What follows the headers.
    pub body: String,
}

/// `GET` of a path on 127.0.0.1.
///
/// # Errors
/// Any I/O error; `InvalidData` when the answer is not HTTP.
pub fn get(port: u16, path: &str) -> io::Result<Answer> {
    request(port, "GET", path, None)
}

/// `GET` of a path on 127.0.0.1 with a name and a password (basic authentication).
///
/// # Errors
/// As for [`get`].
pub fn get_as(port: u16, path: &str, user: &str, password: &str) -> io::Result<Answer> {
    request(port, "GET", path, Some((user, password)))
}

/// `PUT` of a path on 127.0.0.1 without a body, with a name and a password (basic authentication).
///
/// # Errors
/// As for [`get`].
pub fn put_as(port: u16, path: &str, user: &str, password: &str) -> io::Result<Answer> {
    request(port, "PUT", path, Some((user, password)))
}

fn request(port: u16, method: &str, path: &str, login: Option<(&str, &str)>) -> io::Result<Answer> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, CONNECT_LIMIT)?;
    stream.set_read_timeout(Some(ANSWER_LIMIT))?;
    stream.set_write_timeout(Some(ANSWER_LIMIT))?;
    let login = login.map_or_else(String::new, |(user, password)| {
        format!(
            "Authorization: Basic {}\r\n",
            base64(format!("{user}:{password}").as_bytes())
        )
    });
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: {address}\r\n{login}Content-Length: 0\r\nConnection: close\r\n\r\n"
    )?;
    let mut bytes = Vec::new();
    stream.take(ANSWER_SIZE).read_to_end(&mut bytes)?;
    parse(&String::from_utf8_lossy(&bytes))
}

fn parse(text: &str) -> io::Result<Answer> {
    let invalid = || io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP");
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(invalid)?;
    let status = head
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.split(' ').nth(1))
        .and_then(|code| code.trim().parse().ok())
        .ok_or_else(invalid)?;
    Ok(Answer {
        status,
        body: body.to_owned(),
    })
}

/// Base 64 as in RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let encode = |chunk: &[u8]| {
        let bits = (0..3).fold(0_usize, |bits, at| {
            bits << 8 | usize::from(chunk.get(at).copied().unwrap_or(0))
        });
        (0..4)
            .map(move |at| bits >> (18 - 6 * at) & 63)
            .map(|digit| char::from(DIGITS[digit]))
            .collect::<Vec<_>>()
    };
    bytes
        .chunks(3)
        .flat_map(|chunk| {
            let mut digits = encode(chunk);
            digits.truncate(chunk.len() + 1);
            digits.resize(4, '=');
            digits
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_matches_the_examples_of_the_rfc() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }

    #[test]
    fn an_answer_is_taken_apart_into_status_and_body() {
        let answer = parse("HTTP/1.1 503 Service Unavailable\r\nA: b\r\n\r\nno broker").unwrap();
        assert_eq!(
            answer,
            Answer {
                status: 503,
                body: "no broker".into()
            }
        );
    }

    #[test]
    fn nonsense_is_an_error() {
        assert!(parse("SSH-2.0-OpenSSH").is_err());
        assert!(parse("HTTP/1.1 many\r\n\r\n").is_err());
    }
}
