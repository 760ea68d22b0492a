//! The door: logging in and out, and the first administrator's one-time link.
//!
//! Invariant: nothing here tells whether a name exists.

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::Response;
use serde::Deserialize;

use super::layout::Section;
use super::said::see;
use super::{Layout, html};
use crate::accounts::{LoginAnswer, Password, Secret, log_in};
use crate::control::check_name;
use crate::db::accounts::{CheckSetup, LogOut, SetUp};
use crate::db::pages::Tab;
use crate::http::App;
use crate::http::format::fill;
use crate::http::language::Locale;
use crate::http::log_in::browser;
use crate::http::problem::Error;
use crate::http::text::Text;
use crate::http::who::{MaybeWho, Who, set_cookie};

#[derive(Debug, Template)]
#[template(path = "login.html")]
struct LoginPage {
    t: &'static Text,
    layout: Layout,
    /// What is wrong with what was sent; empty at first.
    wrong: String,
    name: String,
    next: String,
}

/// Where to go after the login.
#[derive(Debug, Deserialize)]
pub(crate) struct LoginQuery {
    #[serde(default)]
    next: String,
}

/// `GET /login`
pub(crate) async fn show(
    MaybeWho(who): MaybeWho,
    locale: Locale,
    address: Uri,
    Query(query): Query<LoginQuery>,
) -> Result<Response, Error> {
    if who.is_some() {
        return Ok(see(local(&query.next)));
    }
    login_page(&locale, &address, StatusCode::OK, String::new(), "", &query.next)
}

/// What the login's form sends.
#[derive(Debug, Deserialize)]
pub(crate) struct LoginForm {
    name: String,
    password: Password,
    #[serde(default)]
    next: String,
}

/// `POST /login`
pub(crate) async fn enter(
    State(app): State<App>,
    locale: Locale,
    address: Uri,
    headers: HeaderMap,
    Form(form): Form<LoginForm>,
) -> Result<Response, Error> {
    let passwords = &app.control.passwords;
    let browser = browser(&headers);
    let (status, wrong) = match log_in(&app.db, passwords, &form.name, &form.password, &browser).await? {
        LoginAnswer::In(secret) => return Ok(welcome(&app, &secret, local(&form.next))),
        LoginAnswer::Wrong => (
            StatusCode::UNPROCESSABLE_ENTITY,
            locale.text.login_wrong.to_owned(),
        ),
        LoginAnswer::Wait(seconds) => (
            StatusCode::TOO_MANY_REQUESTS,
            fill(locale.text.login_wait, &[&format!("{:.0}", seconds.ceil())]),
        ),
    };
    login_page(&locale, &address, status, wrong, &form.name, &form.next)
}

/// `POST /logout`
pub(crate) async fn leave(State(app): State<App>, who: Who) -> Result<Response, Error> {
    if let Some(session) = who.session {
        let end = LogOut {
            user: &who.actor.name,
            session: Some(session),
            except: None,
        };
        app.db.run(&end).await?;
    }
    let mut response = see("/login");
    response
        .headers_mut()
        .append(SET_COOKIE, set_cookie(app.door, None));
    Ok(response)
}

fn welcome(app: &App, secret: &Secret, to: &str) -> Response {
    let mut response = see(to);
    let cookie = set_cookie(app.door, Some(secret));
    response.headers_mut().append(SET_COOKIE, cookie);
    response
}

fn login_page(
    locale: &Locale,
    address: &Uri,
    status: StatusCode,
    wrong: String,
    name: &str,
    next: &str,
) -> Result<Response, Error> {
    let page = LoginPage {
        t: locale.text,
        layout: Layout::new(locale, address, None, &[], Section::None, Tab::default()),
        wrong,
        name: name.to_owned(),
        next: next.to_owned(),
    };
    Ok(private(status, html(locale, &page)?))
}

/// An address of this server; whatever else stands there leads to the dashboard.
pub(super) fn local(next: &str) -> &str {
    // Browsers leave out tabs and line ends, and take a backslash for a slash.
    let is_plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_plain && next.starts_with('/') && !next.starts_with("//") {
        next
    } else {
        "/"
    }
}

/// Nobody keeps what was typed.
fn private(status: StatusCode, mut response: Response) -> Response {
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[derive(Debug, Template)]
#[template(path = "setup.html")]
struct SetupPage {
    t: &'static Text,
    layout: Layout,
    wrong: &'static str,
    /// The link leads nowhere any more.
    over: bool,
    name: String,
    code: String,
}

/// The link's code.
#[derive(Debug, Deserialize)]
pub(crate) struct SetupQuery {
    #[serde(default)]
    code: String,
}

/// `GET /setup`
pub(crate) async fn show_setup(
    locale: Locale,
    address: Uri,
    Query(query): Query<SetupQuery>,
) -> Result<Response, Error> {
    setup_page(&locale, &address, "", false, "", query.code)
}

/// What the form of the first administrator sends.
#[derive(Debug, Deserialize)]
pub(crate) struct SetupForm {
    code: String,
    name: String,
    password: Password,
    again: Password,
}

/// `POST /setup`
pub(crate) async fn set_up(
    State(app): State<App>,
    locale: Locale,
    address: Uri,
    headers: HeaderMap,
    Form(form): Form<SetupForm>,
) -> Result<Response, Error> {
    let text = locale.text;
    let wrong = if check_name("name", &form.name).is_err() {
        text.name_rule
    } else if form.password != form.again {
        text.passwords_differ
    } else if form.password.check().is_err() {
        text.password_rule
    } else {
        ""
    };
    if !wrong.is_empty() {
        return setup_page(&locale, &address, wrong, false, &form.name, form.code);
    }
    let secret = Secret::sent(&form.code).hash();
    if !app.db.run(&CheckSetup { secret: &secret }).await? {
        return setup_page(&locale, &address, "", true, &form.name, String::new());
    }
    let hashed = app.control.passwords.hash(&form.password).await;
    let password = hashed.map_err(|_| Error::Busy)?;
    let made = SetUp {
        secret: &secret,
        name: &form.name,
        password: &password,
    };
    if !app.db.run(&made).await? {
        return setup_page(&locale, &address, "", true, &form.name, String::new());
    }
    let form = LoginForm {
        name: form.name,
        password: form.password,
        next: String::new(),
    };
    enter(State(app), locale, address, headers, Form(form)).await
}

fn setup_page(
    locale: &Locale,
    address: &Uri,
    wrong: &'static str,
    over: bool,
    name: &str,
    code: String,
) -> Result<Response, Error> {
    let status = match (over, wrong.is_empty()) {
        (true, _) => StatusCode::GONE,
        (false, false) => StatusCode::UNPROCESSABLE_ENTITY,
        (false, true) => StatusCode::OK,
    };
    let page = SetupPage {
        t: locale.text,
        layout: Layout::new(locale, address, None, &[], Section::None, Tab::default()),
        wrong,
        over,
        name: name.to_owned(),
        code,
    };
    Ok(private(status, html(locale, &page)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_leads_to_an_address_of_this_server_only() {
        assert_eq!(local("/jobs/7?items=all"), "/jobs/7?items=all");
        for elsewhere in [
            "",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/a\r\nb",
            "/\t/evil.example",
            "/ä",
        ] {
            assert_eq!(local(elsewhere), "/", "{elsewhere}");
        }
    }
}
