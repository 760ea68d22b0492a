//! One request to another system, and what came back in a form that may be kept and shown.
//!
//! Invariants: it ends in time whatever the receiver does; what is kept of the answer is short, printable, and holds
//! no secret that was sent.

use std::time::Duration;

use anyhow::Context as _;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use shared::error::Chain;

use super::goobi_web::TOKEN_HEADER;
use super::kind::Request;
use super::{Allowed, Answer, GoobiWeb};

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of an answer that are looked at.
const ANSWER_BYTES: usize = 2_000;
/// Characters of an answer that are kept.
const ANSWER_CHARS: usize = 500;

/// Headers that nobody may see.
type SecretHeaders = Vec<(&'static str, String)>;

/// Sends requests to those who may be called.
#[derive(Debug, Clone)]
pub struct Post {
    allowed: Allowed,
    goobi: Option<GoobiWeb>,
    /// None when nobody may be called.
    client: Option<Client>,
    /// Longest time for a whole request.
    pub timeout: Duration,
}

impl Post {
    /// A sender that allows a request this long in all.
    ///
    /// # Errors
    /// When somebody may be called, and the system has no certificates to know servers by.
    pub fn new(allowed: Allowed, timeout: Duration) -> anyhow::Result<Self> {
        let client = if allowed.is_empty() {
            None
        } else {
            Some(client(timeout)?)
        };
        Ok(Self {
            allowed,
            goobi: None,
            client,
            timeout,
        })
    }

    /// The same with a Goobi that may be told something.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_goobi(self, goobi: Option<GoobiWeb>) -> anyhow::Result<Self> {
        let client = match (self.client, &goobi) {
            (None, Some(_)) => Some(client(self.timeout)?),
            (client, _) => client,
        };
        Ok(Self {
            goobi,
            client,
            ..self
        })
    }

    /// Where a request goes, with what it is let in with there beside its own secrets.
    fn open(&self, request: &Request) -> Result<(Url, SecretHeaders), String> {
        let mut secrets = request.secret_headers.clone();
        if !request.to_goobi {
            // Whom we may call can have changed since the job was accepted.
            return Ok((self.allowed.check(&request.address)?, secrets));
        }
        let Some(goobi) = &self.goobi else {
            return Err("the coordinator has no --goobi-url any more".to_owned());
        };
        let (url, token) = goobi.open(&request.address)?;
        secrets.push((TOKEN_HEADER, token.to_owned()));
        Ok((url, secrets))
    }

    /// Sends it; gives what came back, and that in words.
    pub async fn send(&self, request: &Request) -> (Answer, String) {
        let ((url, secret_headers), client) = match (self.open(request), &self.client) {
            (Ok(opened), Some(client)) => (opened, client),
            (Err(refusal), _) => return (Answer::Impossible, refusal),
            (Ok(_), None) => return (Answer::Impossible, "nobody may be called".to_owned()),
        };
        let mut post = client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .body(request.body.clone());
        for (name, value) in &request.headers {
            let Some((name, value)) = header(name, value) else {
                return (Answer::Impossible, format!("the header {name} can't be sent"));
            };
            post = post.header(name, value);
        }
        for (name, value) in &secret_headers {
            let Some((name, mut value)) = header(name, value) else {
                return (
                    Answer::Impossible,
                    "the token can't be sent as a header".to_owned(),
                );
            };
            value.set_sensitive(true);
            post = post.header(name, value);
        }
        match post.send().await {
            Ok(response) => understand(response, &secret_headers).await,
            Err(error) => {
                let answer = if error.is_connect() {
                    Answer::NotSent
                } else if error.is_builder() {
                    Answer::Impossible
                } else {
                    Answer::Silence
                };
                let said = if error.is_timeout() && answer == Answer::Silence {
                    format!("no answer within {} s", self.timeout.as_secs())
                } else {
                    Chain(&error.without_url()).to_string()
                };
                (answer, shorten(&said))
            }
        }
    }
}

fn client(timeout: Duration) -> anyhow::Result<Client> {
    // Somebody else in this process may have chosen the same one already.
    let _chosen = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .user_agent(concat!("taskmanager/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(timeout)
        .build()
        .context("no HTTP client can be made: are certificates installed (package ca-certificates)?")
}

fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((
        name.parse().ok()?,
        HeaderValue::from_bytes(value.as_bytes()).ok()?,
    ))
}

async fn understand(mut response: Response, secrets: &[(&str, String)]) -> (Answer, String) {
    let status = response.status();
    let retry_after = response.headers().get(RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let mut body = Vec::new();
    while body.len() < ANSWER_BYTES {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk[..chunk.len().min(ANSWER_BYTES - body.len())]),
            // The status has come, and that is what counts.
            Ok(None) | Err(_) => break,
        }
    }
    let mut said = String::from_utf8_lossy(&body).into_owned();
    for (_, secret) in secrets {
        let secret = secret.strip_prefix("Bearer ").unwrap_or(secret);
        said = said.replace(secret, "(secret)");
    }
    let answer = Answer::Status {
        code: status.as_u16(),
        retry_after: retry_after.map(Duration::from_secs),
    };
    (answer, shorten(&format!("{status} {said}")))
}

/// On one line, printable, and not too long.
fn shorten(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    let line = words.join(" ");
    if line.chars().count() <= ANSWER_CHARS {
        return line;
    }
    line.chars().take(ANSWER_CHARS).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_an_answer_is_one_short_printable_line() {
        assert_eq!(
            shorten("500 Internal\r\n\tServer\0 Error "),
            "500 Internal Server Error"
        );
        let long = shorten(&"ä".repeat(5_000));
        assert_eq!(long.chars().count(), ANSWER_CHARS + 1);
        assert!(long.ends_with('…'));
    }
}
