//! `/accounts`: users and tokens, for administrators.

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, Uri};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::layout::{Section, SystemPage};
use super::part::{Badge, Tone};
use super::said::see;
use super::{Layout, html};
use crate::control::{AccountAction, Role};
use crate::db::accounts::{AccountOutcome, KnownToken, KnownUser, ReadAccounts, WhyNot};
use crate::db::pages::{Tab, WithMenu};
use crate::http::App;
use crate::http::format::{Time, fill};
use crate::http::language::Locale;
use crate::http::problem::Error;
use crate::http::text::Text;
use crate::http::who::Who;

#[derive(Debug, Template)]
#[template(path = "accounts.html")]
struct Page {
    t: &'static Text,
    layout: Layout,
    /// What became of a form; empty when none was sent.
    said: String,
    refused: bool,
    /// A token that has just been made.
    token: Option<String>,
    users: Vec<UserRow>,
    tokens: Vec<TokenRow>,
    /// Roles of people and of programs, with their words.
    roles_of_people: Vec<RoleChoice>,
    roles: Vec<RoleChoice>,
}

#[derive(Debug, Clone, Copy)]
struct RoleChoice {
    name: &'static str,
    word: &'static str,
}

#[derive(Debug)]
struct UserRow {
    name: String,
    role: RoleChoice,
    plugins: String,
    /// The plugins as its field takes them; empty for all.
    own_plugins: String,
    sure_remove: String,
    disabled: bool,
    badge: Badge,
    since: Time,
    seen: Option<Time>,
}

#[derive(Debug)]
struct TokenRow {
    id: Uuid,
    title: String,
    role: RoleChoice,
    plugins: String,
    badge: Badge,
    made_by: String,
    until: Time,
    seen: Option<Time>,
}

/// What became of a form.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct AccountsQuery {
    said: Option<String>,
}

/// `GET /accounts`
pub(crate) async fn show(
    State(app): State<App>,
    who: Who,
    locale: Locale,
    address: Uri,
    Query(query): Query<AccountsQuery>,
) -> Result<Response, Error> {
    let (said, refused) = sentence(query.said.as_deref(), locale.text);
    page(&app, &who, &locale, &address, said.to_owned(), refused, None).await
}

/// `POST /accounts/actions`
pub(crate) async fn act(
    State(app): State<App>,
    who: Who,
    locale: Locale,
    address: Uri,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Error> {
    let action = read(fields)?;
    if let Err(wrong) = action.check() {
        return page(&app, &who, &locale, &address, wrong, true, None).await;
    }
    let (outcome, token) = app.control.act_on_accounts(&who.actor, &action).await?;
    let word = match outcome {
        AccountOutcome::Forbidden => return Err(Error::Forbidden),
        AccountOutcome::Busy => return Err(Error::Busy),
        AccountOutcome::Unknown => "unknown",
        AccountOutcome::Refused {
            why: WhyNot::NameTaken,
        } => "name_taken",
        AccountOutcome::Refused {
            why: WhyNot::LastAdmin,
        } => "last_admin",
        AccountOutcome::Done | AccountOutcome::Unchanged => "done",
    };
    let Some(token) = token else {
        return Ok(see(&format!("/accounts?said={word}")));
    };
    // Not by a redirect, whose address is kept in many places.
    let token = Some(token.reveal().to_owned());
    let mut response = page(&app, &who, &locale, &address, String::new(), false, token).await?;
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The action that the fields say; empty ones count as absent.
fn read(fields: Vec<(String, String)>) -> Result<AccountAction, Error> {
    let mut said = Map::new();
    for (name, value) in fields.into_iter().filter(|(_, value)| !value.trim().is_empty()) {
        let value = match name.as_str() {
            "plugins" => value
                .split(',')
                .map(|plugin| Value::from(plugin.trim().to_uppercase()))
                .filter(|plugin| plugin != "")
                .collect(),
            "days" => value
                .trim()
                .parse::<u32>()
                .map_or(Value::String(value), Value::from),
            _ => Value::String(value),
        };
        if said.insert(name.clone(), value).is_some() {
            return Err(Error::BadQuery(format!("the form has \"{name}\" twice")));
        }
    }
    serde_json::from_value(Value::Object(said))
        .map_err(|error| Error::BadQuery(format!("the form can't be understood: {error}")))
}

fn sentence(word: Option<&str>, text: &Text) -> (&'static str, bool) {
    match word {
        Some("done") => (text.said_account_done, false),
        Some("unknown") => (text.said_unknown_account, true),
        Some("name_taken") => (text.said_name_taken, true),
        Some("last_admin") => (text.said_last_admin, true),
        _ => ("", false),
    }
}

async fn page(
    app: &App,
    who: &Who,
    locale: &Locale,
    address: &Uri,
    said: String,
    refused: bool,
    token: Option<String>,
) -> Result<Response, Error> {
    let text = locale.text;
    let (menu, accounts) = app.db.run(&WithMenu(ReadAccounts)).await?;
    let section = Section::System(SystemPage::Accounts);
    let choice = |role: Role| RoleChoice {
        name: role.name(),
        word: word(role, text),
    };
    let page = Page {
        t: text,
        layout: Layout::new(locale, address, Some(who), &menu, section, Tab::default()),
        said,
        refused,
        token,
        users: accounts
            .users
            .into_iter()
            .map(|user| UserRow::new(locale, user))
            .collect(),
        tokens: accounts
            .tokens
            .into_iter()
            .map(|token| TokenRow::new(locale, token))
            .collect(),
        roles_of_people: Role::OF_PEOPLE.map(choice).into(),
        roles: Role::ALL.map(choice).into(),
    };
    html(locale, &page)
}

fn word(role: Role, text: &Text) -> &'static str {
    match role {
        Role::Submitter => text.role_submitter,
        Role::Viewer => text.role_viewer,
        Role::Operator => text.role_operator,
        Role::Admin => text.role_admin,
    }
}

fn plugins_in_words(plugins: Option<Vec<String>>, text: &Text) -> String {
    plugins.map_or_else(|| text.all_plugins.to_owned(), |plugins| plugins.join(", "))
}

impl UserRow {
    fn new(locale: &Locale, user: KnownUser) -> Self {
        let text = locale.text;
        Self {
            role: RoleChoice {
                name: user.role.name(),
                word: word(user.role, text),
            },
            own_plugins: user
                .plugins
                .as_ref()
                .map_or_else(String::new, |plugins| plugins.join(", ")),
            plugins: plugins_in_words(user.plugins, text),
            sure_remove: fill(text.sure_remove_user, &[&user.name]),
            disabled: user.disabled,
            badge: if user.disabled {
                Badge::new(Tone::Hold, text.disabled)
            } else {
                Badge::new(Tone::Good, text.active)
            },
            since: locale.dated(user.created_at),
            seen: user.seen_at.map(|at| locale.dated(at)),
            name: user.name,
        }
    }
}

impl TokenRow {
    fn new(locale: &Locale, token: KnownToken) -> Self {
        let text = locale.text;
        Self {
            id: token.id,
            role: RoleChoice {
                name: token.role.name(),
                word: word(token.role, text),
            },
            plugins: plugins_in_words(token.plugins, text),
            badge: if token.expired {
                Badge::new(Tone::Off, text.expired)
            } else {
                Badge::new(Tone::Good, text.active)
            },
            made_by: token.made_by,
            until: locale.dated(token.expires_at),
            seen: token.seen_at.map(|at| locale.dated(at)),
            title: token.title,
        }
    }
}
