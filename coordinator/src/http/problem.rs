//! Every failure of a request, as a page for people, as problem+json (RFC 9457) for programs, and beneath `/itm` as the
//! intranda TaskManager says it.
//!
//! Invariants: what went wrong inside is logged here, once, and never shown; whatever part of the server refuses
//! a request (router, timeout, CSRF check, a panic), its answer gets one of these forms.

mod kind;

use axum::extract::Request;
use axum::http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use shared::error::Chain;
use tower_http::csrf::ProtectionError;

use super::language::Locale;
use super::{itm, pages};
use crate::{db, intake};
pub(super) use kind::Kind;

/// How soon somebody may try again when the database was away, seconds.
const RETRY_SECONDS: &str = "5";

/// Why a request gets no proper answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// No route has this address.
    #[error("nothing has this address")]
    UnknownAddress,
    /// No job has this id.
    #[error("no job has this id")]
    UnknownJob,
    /// No plugin has this name.
    #[error("no plugin has this name; workers announce theirs when they start")]
    UnknownPlugin,
    /// No worker has this id.
    #[error("no worker has this id: `taskmanager worker list` names them")]
    UnknownWorker,
    /// No storage has this path.
    #[error("no storage has this path: `taskmanager storage list` names them")]
    UnknownStorage,
    /// No user or token is meant.
    #[error("there is no such user or token")]
    UnknownAccount,
    /// It can't be done with the job as it is; the text says why.
    #[error("{0}")]
    Conflict(String),
    /// Whoever asks may not do that.
    #[error("you may not do that")]
    Forbidden,
    /// Nobody knows who asks.
    #[error("log in, or send a token: Authorization: Bearer tm_…")]
    NotLoggedIn,
    /// This is nobody's name and password; nobody is told which of them is wrong.
    #[error("name and password do not match")]
    WrongLogin,
    /// Too many passwords wait to be looked at.
    #[error("too many log in at this moment: try again in some seconds")]
    Busy,
    /// The query can't be understood; the text says which part and what would be right.
    #[error("{0}")]
    BadQuery(String),
    /// A submission was refused; the text says why.
    #[error("{0}")]
    Rejected(String),
    /// A body is larger than submissions may be.
    #[error("the body is larger than {limit} bytes: pass folders, not contents")]
    TooLarge {
        /// Most bytes.
        limit: usize,
    },
    /// The body did not arrive whole.
    #[error("the body did not arrive whole: send it again")]
    Incomplete,
    /// The request names another host.
    #[error("this server answers only to localhost, 127.0.0.1 and [::1]: use one of these names")]
    ForeignHost,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] db::Error),
    /// A page could not be written.
    #[error(transparent)]
    Template(#[from] askama::Error),
}

impl From<intake::Error> for Error {
    fn from(error: intake::Error) -> Self {
        match error {
            intake::Error::Database(error) => Self::Database(error),
        }
    }
}

/// What is told about a failure, whatever the form.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) kind: Kind,
    /// What is wrong, where, and what to do, in English; for programs.
    pub(super) detail: String,
}

/// A failure as programs are told of it (RFC 9457).
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(super) struct Body<'a> {
    #[serde(rename = "type")]
    type_uri: &'static str,
    /// What kind of failure it is.
    title: &'static str,
    /// The answer's status.
    status: u16,
    /// What is wrong, where, and what to do.
    detail: &'a str,
}

/// What the form of an answer depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// For people.
    Page,
    /// For programs.
    Json,
    /// For programs that believe to speak to the intranda `TaskManager`.
    Itm,
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::UnknownAddress => Kind::UnknownAddress,
            Error::UnknownJob => Kind::UnknownJob,
            Error::UnknownPlugin => Kind::UnknownPlugin,
            Error::UnknownWorker => Kind::UnknownWorker,
            Error::UnknownStorage => Kind::UnknownStorage,
            Error::UnknownAccount => Kind::UnknownAccount,
            Error::Conflict(_) => Kind::Conflict,
            Error::Forbidden => Kind::Forbidden,
            Error::NotLoggedIn | Error::WrongLogin => Kind::NotLoggedIn,
            Error::Busy => Kind::Busy,
            Error::BadQuery(_) | Error::Incomplete => Kind::BadRequest,
            Error::Rejected(_) => Kind::Rejected,
            Error::TooLarge { .. } => Kind::TooLarge,
            Error::ForeignHost => Kind::ForeignHost,
            Error::Database(error) => {
                tracing::warn!("a request failed: {}", Chain(error));
                Kind::of_database(error)
            }
            Error::Template(error) => {
                tracing::error!("a page could not be written: {}", Chain(error));
                Kind::Internal
            }
        };
        let detail = match error {
            Error::Database(_) | Error::Template(_) => kind.detail().to_owned(),
            told => told.to_string(),
        };
        Self { kind, detail }
    }
}

impl Problem {
    /// A failure that brings nothing of its own.
    pub(super) fn of(kind: Kind) -> Self {
        Self {
            detail: kind.detail().to_owned(),
            kind,
        }
    }

    /// The answer for programs.
    fn into_json(self) -> Response {
        let status = self.kind.status();
        let body = Body {
            type_uri: "about:blank",
            title: self.kind.title(),
            status: status.as_u16(),
            detail: &self.detail,
        };
        let body = serde_json::to_vec(&body).expect("texts and a number have no failing serializers");
        let mut response = (
            status,
            [(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))],
            body,
        )
            .into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from_static(RETRY_SECONDS));
        }
        if status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        response
    }

    /// The answer as the intranda `TaskManager` gives it.
    fn into_itm(self) -> Response {
        let mut response = (self.kind.status(), itm::refusal(&self.detail)).into_response();
        if self.kind.status() == StatusCode::SERVICE_UNAVAILABLE {
            let headers = response.headers_mut();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_SECONDS));
        }
        response
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Problem::from(self).into_json()
    }
}

/// For addresses that no route has.
pub(super) async fn unknown_address() -> Error {
    Error::UnknownAddress
}

/// Gives every failure its form.
pub(super) async fn present(request: Request, next: Next) -> Response {
    let locale = Locale::of(request.uri(), request.headers());
    let form = form(request.method(), request.uri(), request.headers());
    let (method, address) = (request.method().clone(), request.uri().clone());
    let response = next.run(request).await;
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let told = response.extensions().get::<Problem>().cloned();
    let is_formed = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind == "application/json" || kind == "text/html; charset=utf-8");
    let problem = match told {
        Some(problem) => problem,
        // A page's, a probe's or the doctor's own answer, which only has an unhappy status.
        None if is_formed => return response,
        None => {
            let kind = match response.extensions().get::<ProtectionError>() {
                Some(_) => Kind::CrossSite,
                None => Kind::of_status(status),
            };
            Problem::of(kind)
        }
    };
    // Whoever comes to a form's address by a link, in the other language for instance, means the form's page.
    if form == Form::Page && problem.kind == Kind::WrongMethod && method == Method::GET {
        return pages::forms::page_of(&address);
    }
    let mut formed = match form {
        Form::Page => pages::failure::show(&locale, &method, &address, &problem),
        Form::Json => problem.into_json(),
        Form::Itm => problem.into_itm(),
    };
    *formed.status_mut() = status;
    for (name, value) in response.headers() {
        // `Allow`, `Retry-After` and the like stay; what described the former body goes.
        if name != CONTENT_TYPE && name != CONTENT_LENGTH && !formed.headers().contains_key(name) {
            formed.headers_mut().insert(name.clone(), value.clone());
        }
    }
    formed
}

/// For whom the answer is.
fn form(method: &Method, uri: &Uri, headers: &HeaderMap) -> Form {
    if uri.path().starts_with("/itm/") {
        Form::Itm
    } else if is_for_people(method, uri, headers) {
        Form::Page
    } else {
        Form::Json
    }
}

/// Whether a browser shows the answer to a person.
pub(super) fn is_for_people(method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
    let for_programs = ["/api/", "/events", "/healthz", "/readyz", "/metrics", "/assets/"];
    let accepts_html = headers
        .get_all(ACCEPT)
        .iter()
        .any(|accept| accept.to_str().is_ok_and(|accept| accept.contains("text/html")));
    accepts_html
        && (method == Method::GET || method == Method::HEAD || method == Method::POST)
        && !for_programs.iter().any(|prefix| uri.path().starts_with(prefix))
}
