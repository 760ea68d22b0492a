//! Who sends a request, and whether he is let in to what its route is for.
//!
//! Invariants: every route says what one must be allowed to do to use it, or that anybody may (`routes`); a request
//! gets to its handler only if its sender could do that to anything; whether he may do it to this very thing is decided
//! where it is done ([`crate::control::authorise`]).

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, HeaderValue, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::App;
use super::language::is_fragment;
use super::problem::{Error, is_for_people};
use crate::accounts::Secret;
use crate::control::{Actor, Verb, could};
use crate::db::accounts::{FindSession, FindToken, NoteTurnedAway, SESSION_MAX_SECONDS};

/// Name of the cookie that holds a session's secret.
pub(super) const COOKIE_NAME: &str = "taskmanager_session";

/// How people come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Without a login: whoever reaches this machine's loopback address may do everything.
    Open,
    /// With a name and a password, or a token.
    Login {
        /// The site is served over TLS, so that browsers shall send the session's cookie over nothing else.
        secure: bool,
    },
}

/// Who has sent a request.
#[derive(Debug, Clone)]
pub(super) struct Who {
    pub(super) actor: Actor,
    /// The session, where it is a person in a browser.
    pub(super) session: Option<Uuid>,
}

impl Who {
    /// Whether there is anything that this one may do this to.
    pub(super) fn could(&self, verb: Verb) -> bool {
        could(&self.actor, verb)
    }
}

/// Handlers of routes that let in nobody unknown take it as an argument.
impl<S: Send + Sync> FromRequestParts<S> for Who {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        parts.extensions.get::<Self>().cloned().ok_or(Error::NotLoggedIn)
    }
}

/// Whether a person is logged in at all, for the pages of the door itself.
#[derive(Debug)]
pub(super) struct MaybeWho(pub(super) Option<Who>);

impl FromRequestParts<App> for MaybeWho {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self(recognise(app, &parts.headers).await.ok().flatten()))
    }
}

/// Lets a request through to its handler if its sender could do what the route is for.
pub(super) async fn let_in(
    State((app, verb)): State<(App, Verb)>,
    mut request: Request,
    next: Next,
) -> Response {
    let who = match recognise(&app, request.headers()).await {
        Ok(Some(who)) => who,
        Ok(None) => return to_the_door(request.method(), request.uri(), request.headers()),
        Err(error) => return error.into_response(),
    };
    if !who.could(verb) {
        return turn_away(&app, &who, request.method(), request.uri())
            .await
            .into_response();
    }
    request.extensions_mut().insert(who);
    next.run(request).await
}

async fn recognise(app: &App, headers: &HeaderMap) -> Result<Option<Who>, Error> {
    if app.door == Door::Open {
        return Ok(Some(Who {
            actor: Actor::on_this_machine(),
            session: None,
        }));
    }
    if let Some(token) = bearer(headers) {
        let secret = Secret::sent(token).hash();
        let actor = app.db.run(&FindToken { secret: &secret }).await?;
        return Ok(actor.map(|actor| Who { actor, session: None }));
    }
    let Some(cookie) = cookie(headers) else {
        return Ok(None);
    };
    let secret = Secret::sent(cookie).hash();
    let found = app.db.run(&FindSession { secret: &secret }).await?;
    Ok(found.map(|found| Who {
        actor: found.actor,
        session: Some(found.session),
    }))
}

/// People are led to the login and back; programs and scripts are told.
fn to_the_door(method: &Method, uri: &Uri, headers: &HeaderMap) -> Response {
    if method == Method::GET && is_for_people(method, uri, headers) && !is_fragment(uri) {
        let wanted = uri.path_and_query().map_or("/", |wanted| wanted.as_str());
        let login = format!("/login?next={}", escape(wanted));
        return (StatusCode::SEE_OTHER, [(LOCATION, login)]).into_response();
    }
    Error::NotLoggedIn.into_response()
}

/// Whoever tries what he may never do is in the audit log; who only looks is not.
async fn turn_away(app: &App, who: &Who, method: &Method, uri: &Uri) -> Error {
    if method == Method::GET {
        return Error::Forbidden;
    }
    let note = NoteTurnedAway {
        actor: &who.actor,
        wish: &format!("{method} {}", uri.path()),
    };
    match app.db.run(&note).await {
        Ok(()) => Error::Forbidden,
        Err(error) => error.into(),
    }
}

/// The token of a program.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE_NAME)
        .map(|(_, value)| value)
}

/// What has the browser hold a session's secret from now on; none ends that.
pub(super) fn set_cookie(door: Door, secret: Option<&Secret>) -> HeaderValue {
    let secure = if door == (Door::Login { secure: true }) {
        "; Secure"
    } else {
        ""
    };
    let (value, age) = secret.map_or(("", 0.0), |secret| (secret.reveal(), SESSION_MAX_SECONDS));
    let cookie = format!("{COOKIE_NAME}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}");
    let mut cookie = HeaderValue::try_from(cookie).expect("a secret's digits are plain ASCII");
    cookie.set_sensitive(true);
    cookie
}

/// A text as a value in an address.
pub(super) fn escape(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte);
    text.bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others_and_a_token_behind_its_scheme() {
        let mut headers = HeaderMap::new();
        headers.append(
            COOKIE,
            HeaderValue::from_static("a=b; taskmanager_session=abc; c=d"),
        );
        headers.append(AUTHORIZATION, HeaderValue::from_static("bearer tm_1"));
        assert_eq!((cookie(&headers), bearer(&headers)), (Some("abc"), Some("tm_1")));
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Basic tm_1"));
        assert_eq!(bearer(&headers), None);
    }

    #[test]
    fn a_sessions_cookie_is_for_this_server_alone_and_over_tls_where_there_is_tls() {
        let secret = Secret::generate("");
        let plain = set_cookie(Door::Login { secure: false }, Some(&secret));
        let plain = plain.to_str().unwrap();
        assert!(
            plain.contains("HttpOnly; SameSite=Lax") && !plain.contains("Secure"),
            "{plain}"
        );
        let safe = set_cookie(Door::Login { secure: true }, Some(&secret));
        assert!(safe.to_str().unwrap().ends_with("; Secure"));
        assert!(!format!("{safe:?}").contains(secret.reveal()));
        assert!(
            set_cookie(Door::Open, None)
                .to_str()
                .unwrap()
                .contains("=; Path=/; Max-Age=0")
        );
    }
}
