//! `POST /api/v1/login`: a person comes in by name and password, as on the page, for a program that he or she uses.
//!
//! Invariant: nothing here tells whether a name exists.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{SET_COOKIE, USER_AGENT};
use axum::response::{IntoResponse as _, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::App;
use super::actions::read;
use super::openapi::Operation;
use super::own_account::too_many_tries;
use super::problem::{Error, Kind};
use super::who::{Door, set_cookie};
use crate::accounts::{LoginAnswer, Password, log_in};

/// Who wants to come in.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "Login")]
#[serde(deny_unknown_fields)]
struct LoginBody {
    name: String,
    password: Password,
}

/// What became of it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
enum LoginOutcome {
    /// A session has begun; the cookie that comes with this answer is its secret.
    In,
}

/// What the API says of [`enter`].
pub(super) fn describe() -> Operation {
    Operation::answering::<LoginOutcome>("logIn")
        .with_body::<LoginBody>()
        .failing(&[
            Kind::NotLoggedIn,
            Kind::Conflict,
            Kind::DatabaseAway,
            Kind::DatabaseFull,
        ])
        .noting(
            "For people: begins a session like the login page's, and sets its cookie. End it with \
             `end_session` when it is no longer needed. Programs of their own use a token.",
        )
}

/// `POST /api/v1/login`
pub(super) async fn enter(
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Error> {
    let LoginBody { name, password } = read(&body)?;
    if app.door == Door::Open {
        return Err(Error::Conflict(
            "nobody logs in here: this coordinator lets everybody in (--without-login)".to_owned(),
        ));
    }
    let passwords = &app.control.passwords;
    match log_in(&app.db, passwords, &name, &password, &browser(&headers)).await? {
        LoginAnswer::In(secret) => {
            let cookie = set_cookie(app.door, Some(&secret));
            Ok(([(SET_COOKIE, cookie)], Json(LoginOutcome::In)).into_response())
        }
        LoginAnswer::Wrong => Err(Error::WrongLogin),
        LoginAnswer::Wait(seconds) => Err(too_many_tries(seconds)),
    }
}

/// What the browser or program calls itself.
pub(super) fn browser(headers: &HeaderMap) -> String {
    headers.get(USER_AGENT).map_or_else(String::new, |name| {
        String::from_utf8_lossy(name.as_bytes()).replace('\0', "")
    })
}
