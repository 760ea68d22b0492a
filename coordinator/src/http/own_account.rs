//! `/api/v1/account`: who asks, and a person's own password and sessions.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::App;
use super::actions::read;
use super::openapi::Operation;
use super::problem::{Error, Kind};
use super::who::Who;
use crate::control::{OwnAccountAction, OwnAccountOutcome, Role};
use crate::db::accounts::ReadSessions;

/// Whoever asks.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OwnAccount")]
pub(super) struct AccountBody {
    /// The name that the audit log keeps.
    name: String,
    role: Role,
    /// With which plugins, if not with all.
    plugins: Option<Vec<String>>,
    /// There is a password and there are sessions: a person has logged in. A token has none.
    has_account: bool,
    /// The browsers in which the person is logged in, the last used first.
    sessions: Vec<SessionBody>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Session")]
struct SessionBody {
    /// By which it is ended.
    id: Uuid,
    /// What the browser calls itself.
    browser: String,
    created_at: Timestamp,
    /// When it was last used, to the minute.
    seen_at: Timestamp,
    /// It is the one that asks.
    is_this: bool,
}

/// What the API says of [`show`].
pub(super) fn describe_show() -> Operation {
    Operation::answering::<AccountBody>("getOwnAccount")
}

/// `GET /api/v1/account`
pub(super) async fn show(who: Who, State(app): State<App>) -> Result<Json<AccountBody>, Error> {
    let user = &who.actor.name;
    let sessions = if who.session.is_some() {
        app.db.run(&ReadSessions { user }).await?
    } else {
        Vec::new()
    };
    let sessions = sessions.into_iter().map(|session| SessionBody {
        is_this: who.session == Some(session.id),
        id: session.id,
        browser: session.browser,
        created_at: session.created_at,
        seen_at: session.seen_at,
    });
    Ok(Json(AccountBody {
        has_account: who.session.is_some(),
        sessions: sessions.collect(),
        name: who.actor.name,
        role: who.actor.role,
        plugins: who.actor.plugins,
    }))
}

/// What the API says of [`act`].
pub(super) fn describe_act() -> Operation {
    Operation::answering::<OwnAccountOutcome>("actOnOwnAccount")
        .with_body::<OwnAccountAction>()
        .failing(&[Kind::Conflict, Kind::Busy])
        .noting("For people who have logged in: a token has neither a password nor sessions.")
}

/// `POST /api/v1/account/actions`
pub(super) async fn act(
    who: Who,
    State(app): State<App>,
    body: Bytes,
) -> Result<Json<OwnAccountOutcome>, Error> {
    let action: OwnAccountAction = read(&body)?;
    action.check().map_err(Error::BadQuery)?;
    let Some(session) = who.session else {
        return Err(Error::Conflict(
            "only a person who has logged in has a password and sessions: log in with POST /api/v1/login, and send \
             the session's cookie"
                .to_owned(),
        ));
    };
    match app
        .control
        .act_on_own_account(&who.actor, session, &action)
        .await?
    {
        done @ OwnAccountOutcome::Done => Ok(Json(done)),
        OwnAccountOutcome::WrongPassword => Err(Error::Conflict(
            "field \"now\" is not the password so far: nothing was changed".to_owned(),
        )),
        OwnAccountOutcome::Wait { seconds } => Err(too_many_tries(seconds)),
        OwnAccountOutcome::Busy => Err(Error::Busy),
    }
}

/// Says when the next try with a password is looked at.
pub(super) fn too_many_tries(seconds: f64) -> Error {
    Error::Conflict(format!(
        "there were too many tries lately: try again in {:.0} seconds",
        seconds.ceil()
    ))
}
