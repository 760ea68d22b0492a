//! RabbitMQ's management API, as far as users need it.
//!
//! Invariant: every call ends within [`CALL_TIMEOUT`]; a failure says who refused what; no password is ever shown.

use std::time::Duration;

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use ureq::Agent;
use ureq::http::{Request, Response};

use super::passwords::Password;
use crate::client::{Server, describe};

/// Longest time for a request and its whole answer.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// The API, as an administrator.
#[derive(Debug)]
pub(super) struct Management {
    agent: Agent,
    server: Server,
    administrator: String,
    authorization: String,
}

impl Management {
    pub(super) fn new(server: &Server, administrator: &str, password: &Password) -> Self {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(CALL_TIMEOUT));
        if server.is_loopback() {
            // A proxy that the environment names can't reach this machine's own addresses.
            config = config.proxy(None);
        }
        let login = STANDARD.encode(format!("{administrator}:{}", password.reveal()));
        Self {
            agent: config.build().new_agent(),
            server: server.clone(),
            administrator: administrator.to_owned(),
            authorization: format!("Basic {login}"),
        }
    }

    /// The document at a path of these parts; `None` where there is none.
    pub(super) fn get(&self, parts: &[&str]) -> anyhow::Result<Option<Value>> {
        let request = self.request("GET", parts).body(())?;
        let mut response = self.checked(parts, self.agent.run(request))?;
        if response.status() == 404 {
            return Ok(None);
        }
        let document = response.body_mut().read_json().with_context(|| {
            format!(
                "{} answers in a way that RabbitMQ's management API does not: check --management-url",
                self.server
            )
        })?;
        Ok(Some(document))
    }

    /// Puts a document there.
    pub(super) fn put(&self, parts: &[&str], document: &Value) -> anyhow::Result<()> {
        let request = self
            .request("PUT", parts)
            .header("Content-Type", "application/json")
            .body(document.to_string())?;
        let response = self.checked(parts, self.agent.run(request))?;
        if response.status() == 404 {
            bail!("{} has no {}", self.server, parts.join(" "));
        }
        Ok(())
    }

    fn request(&self, method: &str, parts: &[&str]) -> ureq::http::request::Builder {
        let parts: Vec<String> = parts.iter().map(|part| encoded(part)).collect();
        Request::builder()
            .method(method)
            .uri(self.server.url(&format!("/api/{}", parts.join("/"))))
            .header("Authorization", &self.authorization)
    }

    /// The response, where it is one that says yes or "there is no such thing".
    fn checked(
        &self,
        parts: &[&str],
        sent: Result<Response<ureq::Body>, ureq::Error>,
    ) -> anyhow::Result<Response<ureq::Body>> {
        let Self {
            server,
            administrator,
            ..
        } = self;
        let mut response = match sent {
            Ok(response) => response,
            Err(error) => bail!(
                "can't reach RabbitMQ's management API at {server} ({}): is the plugin rabbitmq_management \
                 enabled, and is --management-url right?",
                describe(&error)
            ),
        };
        match response.status().as_u16() {
            200..=299 | 404 => Ok(response),
            401 => bail!(
                "RabbitMQ at {server} does not know the administrator \"{administrator}\" with this password, \
                 or the user has not the tag administrator"
            ),
            status => {
                let said = response.body_mut().read_to_string().unwrap_or_default();
                bail!(
                    "RabbitMQ at {server} refuses {} ({status}): {said}",
                    parts.join(" ")
                )
            }
        }
    }
}

/// A name as one segment of a path.
pub(super) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_whatever_is_in_them() {
        assert_eq!(encoded("/"), "%2F");
        assert_eq!(encoded("a b/ä"), "a%20b%2F%C3%A4");
    }
}
