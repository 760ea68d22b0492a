//! Requests to the coordinator. Nothing else in the command line opens a connection.
//!
//! Invariant: every call ends within [`CALL_TIMEOUT`], and every failure says what went wrong, with whom, and
//! what to do.

mod answer;
mod server;

use std::fmt;
use std::io;
use std::time::Duration;

use anyhow::Context as _;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::{HeaderMap, Response};

pub(crate) use server::Server;

/// Longest time to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest time for a request and its whole answer.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// Most bytes of an answer: a job with 100,000 items has about 30 MB.
const ANSWER_MAX_BYTES: u64 = 256 * 1024 * 1024;
/// Where people come in.
const LOGIN: &str = "/api/v1/login";

/// Why a request has no usable answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Nobody answers at the address.
    #[error(
        "can't reach the coordinator at {server} ({reason}): start it (`cargo xtask up` on a single machine), \
         or name its address with --server or TASKMANAGER_URL"
    )]
    Unreachable {
        /// Whom we tried.
        server: Server,
        /// What the network said.
        reason: String,
    },
    /// The connection was there, the answer did not come.
    #[error("the coordinator at {server} took the request but its answer did not come ({reason})")]
    NoAnswer {
        /// Whom we asked.
        server: Server,
        /// What the network said.
        reason: String,
    },
    /// The coordinator says no.
    #[error("{detail}")]
    Problem {
        /// The HTTP status.
        status: u16,
        /// What the coordinator says: what is wrong, where, what to do.
        detail: String,
    },
    /// Something else listens there, or a coordinator of another release.
    #[error("{server} answered {path} in a way that no coordinator does ({reason}): check --server")]
    Foreign {
        /// Whom we asked.
        server: Server,
        /// What we asked for.
        path: String,
        /// What is odd about the answer.
        reason: String,
    },
}

impl Error {
    /// Whether the same request may succeed a little later: the coordinator restarts, or its database does.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::NoAnswer { .. } => true,
            Self::Problem { status, .. } => matches!(status, 408 | 429 | 500 | 502..=504),
            Self::Foreign { .. } => false,
        }
    }

    /// In a few words what is the matter, for "… does not answer (…)".
    pub(crate) fn reason(&self) -> &str {
        match self {
            Self::Unreachable { reason, .. }
            | Self::NoAnswer { reason, .. }
            | Self::Foreign { reason, .. } => reason,
            Self::Problem { detail, .. } => detail,
        }
    }
}

/// A session as it is sent back; never printed.
struct Session(String);

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session(…)")
    }
}

/// The session that an answer begins; proxies may have set cookies of their own.
fn session(headers: &HeaderMap) -> Option<Session> {
    let cookies = headers.get_all("set-cookie").into_iter();
    cookies
        .filter_map(|cookie| cookie.to_str().ok()?.split(';').next())
        .find(|cookie| cookie.starts_with("taskmanager_session="))
        .map(|cookie| Session(cookie.to_owned()))
}

/// An answer of the coordinator.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The document as it came, for `--json`.
    pub(crate) json: Value,
    /// What a login has the client hold from now on.
    cookie: Option<Session>,
    server: Server,
    path: String,
}

impl Answer {
    /// The document as `T`.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        T::deserialize(&self.json).map_err(|error| Error::Foreign {
            server: self.server.clone(),
            path: self.path.clone(),
            reason: error.to_string(),
        })
    }
}

/// A coordinator to be asked.
pub(crate) struct Client {
    agent: Agent,
    server: Server,
    /// The header to come in with; never printed.
    credentials: Option<(&'static str, String)>,
}

impl Client {
    pub(crate) fn new(server: &Server, token: Option<String>) -> Self {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(CALL_TIMEOUT))
            .user_agent(concat!("taskmanager/", env!("CARGO_PKG_VERSION")));
        if server.is_loopback() {
            // A proxy that the environment names can't reach this machine's own addresses.
            config = config.proxy(None);
        }
        Self {
            agent: config.build().new_agent(),
            server: server.clone(),
            credentials: token.map(|token| ("Authorization", format!("Bearer {token}"))),
        }
    }

    /// The same coordinator, asked by a person: begins a session.
    pub(crate) fn log_in(&self, name: &str, password: &str) -> anyhow::Result<Self> {
        let body = serde_json::to_vec(&json!({"name": name, "password": password}))?;
        let stranger = Self {
            agent: self.agent.clone(),
            server: self.server.clone(),
            credentials: None,
        };
        let cookie = stranger
            .post(LOGIN, &body, &[])?
            .cookie
            .context("the coordinator's answer has no session")?;
        Ok(Self {
            credentials: Some(("Cookie", cookie.0)),
            ..stranger
        })
    }

    /// The coordinator's address.
    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    fn is_a_persons(&self) -> bool {
        self.credentials
            .as_ref()
            .is_some_and(|(name, _)| *name == "Cookie")
    }

    /// Asks for `path`.
    pub(crate) fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, Error> {
        let mut request = self
            .agent
            .get(self.server.url(path))
            .query_pairs(query.iter().copied());
        if let Some((name, value)) = &self.credentials {
            request = request.header(*name, value);
        }
        self.finish(path, request.call())
    }

    /// Posts a JSON document.
    pub(crate) fn post(&self, path: &str, body: &[u8], headers: &[(&str, &str)]) -> Result<Answer, Error> {
        let mut request = self
            .agent
            .post(self.server.url(path))
            .content_type("application/json");
        let own = self
            .credentials
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        for (name, value) in headers.iter().copied().chain(own) {
            request = request.header(name, value);
        }
        self.finish(path, request.send(body))
    }

    fn finish(&self, path: &str, sent: Result<Response<ureq::Body>, ureq::Error>) -> Result<Answer, Error> {
        let mut response = sent.map_err(|error| self.failed(&error))?;
        let status = response.status().as_u16();
        let cookie = session(response.headers());
        let body = response
            .body_mut()
            .with_config()
            .limit(ANSWER_MAX_BYTES)
            .read_to_vec()
            .map_err(|error| Error::NoAnswer {
                server: self.server.clone(),
                reason: describe(&error),
            })?;
        let foreign = |reason| Error::Foreign {
            server: self.server.clone(),
            path: path.to_owned(),
            reason,
        };
        let json = answer::read(status, &body).map_err(|unusable| match unusable {
            answer::Unusable::Problem(detail) if status == 401 && path != LOGIN && !self.is_a_persons() => {
                Error::Problem {
                    status,
                    detail: format!(
                        "{detail}: put it into TASKMANAGER_TOKEN, or its file into TASKMANAGER_TOKEN_FILE"
                    ),
                }
            }
            answer::Unusable::Problem(detail) => Error::Problem { status, detail },
            answer::Unusable::Foreign(reason) => foreign(reason),
        })?;
        Ok(Answer {
            json,
            cookie,
            server: self.server.clone(),
            path: path.to_owned(),
        })
    }

    fn failed(&self, error: &ureq::Error) -> Error {
        let server = self.server.clone();
        let reason = describe(error);
        if never_connected(error) {
            Error::Unreachable { server, reason }
        } else {
            Error::NoAnswer { server, reason }
        }
    }
}

/// Whether nothing of the request can have arrived.
fn never_connected(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::Io(error) => matches!(
            error.kind(),
            io::ErrorKind::ConnectionRefused
                | io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
                | io::ErrorKind::NetworkDown
                | io::ErrorKind::AddrNotAvailable
        ),
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => true,
        ureq::Error::Timeout(at) => matches!(at, ureq::Timeout::Resolve | ureq::Timeout::Connect),
        _ => false,
    }
}

/// The failure in words that a person understands.
pub(crate) fn describe(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            "connection refused".into()
        }
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the connection was closed".into()
        }
        ureq::Error::Io(error) => error.to_string(),
        ureq::Error::Timeout(ureq::Timeout::Connect) => {
            format!("no connection within {} s", CONNECT_TIMEOUT.as_secs())
        }
        ureq::Error::Timeout(_) => format!("no answer within {} s", CALL_TIMEOUT.as_secs()),
        other => other.to_string(),
    }
}
