//! `/account`: a person's own password and sessions.

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::Uri;
use axum::response::Response;
use serde::Deserialize;
use uuid::Uuid;

use super::layout::Section;
use super::said::see;
use super::{Layout, html};
use crate::accounts::Password;
use crate::control::{OwnAccountAction, OwnAccountOutcome};
use crate::db::accounts::{KnownSession, ReadSessions};
use crate::db::pages::{Tab, WithMenu};
use crate::http::App;
use crate::http::format::{Time, fill};
use crate::http::language::Locale;
use crate::http::problem::Error;
use crate::http::text::Text;
use crate::http::who::Who;

#[derive(Debug, Template)]
#[template(path = "account.html")]
struct Page {
    t: &'static Text,
    layout: Layout,
    wrong: String,
    said: &'static str,
    /// There is an account; without a login there is none.
    has_account: bool,
    sessions: Vec<SessionRow>,
}

#[derive(Debug)]
struct SessionRow {
    id: Uuid,
    browser: String,
    since: Time,
    seen: Time,
    is_this: bool,
}

/// What became of a form.
#[derive(Debug, Deserialize)]
pub(crate) struct AccountQuery {
    said: Option<String>,
}

/// `GET /account`
pub(crate) async fn show(
    State(app): State<App>,
    who: Who,
    locale: Locale,
    address: Uri,
    Query(query): Query<AccountQuery>,
) -> Result<Response, Error> {
    let said = match query.said.as_deref() {
        Some("password") => locale.text.said_password,
        _ => "",
    };
    page(&app, &who, &locale, &address, String::new(), said).await
}

/// What a form of the page sends.
#[derive(Debug, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Wish {
    /// Another password.
    ChangePassword {
        /// The one so far.
        now: Password,
        /// The new one.
        new: Password,
        /// The new one, once more.
        again: Password,
    },
    /// End a session.
    EndSession {
        /// Which.
        session: Uuid,
    },
    /// End all sessions but this one.
    EndOtherSessions,
}

/// `POST /account/actions`
pub(crate) async fn act(
    State(app): State<App>,
    who: Who,
    locale: Locale,
    address: Uri,
    Form(wish): Form<Wish>,
) -> Result<Response, Error> {
    // A token is nobody's account, whatever it is called.
    let Some(session) = who.session else {
        return Err(Error::Forbidden);
    };
    let action = match wish {
        Wish::EndSession { session } => OwnAccountAction::EndSession { session },
        Wish::EndOtherSessions => OwnAccountAction::EndOtherSessions,
        Wish::ChangePassword { new, again, .. } if new != again => {
            let wrong = locale.text.passwords_differ.to_owned();
            return page(&app, &who, &locale, &address, wrong, "").await;
        }
        Wish::ChangePassword { now, new, .. } => OwnAccountAction::ChangePassword { now, new },
    };
    let wrong = if action.check().is_err() {
        locale.text.password_rule.to_owned()
    } else {
        match app
            .control
            .act_on_own_account(&who.actor, session, &action)
            .await?
        {
            OwnAccountOutcome::Done if matches!(action, OwnAccountAction::ChangePassword { .. }) => {
                return Ok(see("/account?said=password"));
            }
            OwnAccountOutcome::Done => return Ok(see("/account")),
            OwnAccountOutcome::WrongPassword => locale.text.login_wrong.to_owned(),
            OwnAccountOutcome::Wait { seconds } => {
                fill(locale.text.login_wait, &[&format!("{:.0}", seconds.ceil())])
            }
            OwnAccountOutcome::Busy => return Err(Error::Busy),
        }
    };
    page(&app, &who, &locale, &address, wrong, "").await
}

async fn page(
    app: &App,
    who: &Who,
    locale: &Locale,
    address: &Uri,
    wrong: String,
    said: &'static str,
) -> Result<Response, Error> {
    let user = &who.actor.name;
    let (menu, sessions) = app.db.run(&WithMenu(ReadSessions { user })).await?;
    let row = |session: KnownSession| SessionRow {
        is_this: who.session == Some(session.id),
        id: session.id,
        browser: session.browser,
        since: locale.moment(session.created_at),
        seen: locale.moment(session.seen_at),
    };
    let page = Page {
        t: locale.text,
        layout: Layout::new(locale, address, Some(who), &menu, Section::None, Tab::default()),
        wrong,
        said,
        has_account: who.session.is_some(),
        sessions: sessions.into_iter().map(row).collect(),
    };
    html(locale, &page)
}
