//! `/api/v1/accounts`: users and tokens, for administrators' programs.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::App;
use super::actions::read;
use super::openapi::Operation;
use super::problem::{Error, Kind};
use super::who::Who;
use crate::control::AccountAction;
use crate::db::accounts::{AccountOutcome, Accounts, ReadAccounts, WhyNot};

/// What the API says of [`list`].
pub(super) fn describe_list() -> Operation {
    Operation::answering::<Accounts>("listAccounts")
}

/// `GET /api/v1/accounts`
pub(super) async fn list(State(app): State<App>) -> Result<Json<Accounts>, Error> {
    Ok(Json(app.db.run(&ReadAccounts).await?))
}

/// What an action came to.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ActedOnAccount")]
struct Answer {
    #[serde(flatten)]
    outcome: AccountOutcome,
    /// A new token; nobody can read it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

/// What the API says of [`act`].
pub(super) fn describe_act() -> Operation {
    Operation::answering::<Answer>("actOnAccounts")
        .with_body::<AccountAction>()
        .failing(&[Kind::UnknownAccount, Kind::Conflict, Kind::Busy])
}

/// `POST /api/v1/accounts/actions`
pub(super) async fn act(who: Who, State(app): State<App>, body: Bytes) -> Result<Response, Error> {
    let action: AccountAction = read(&body)?;
    action.check().map_err(Error::BadQuery)?;
    let (outcome, token) = app.control.act_on_accounts(&who.actor, &action).await?;
    match outcome {
        AccountOutcome::Forbidden => return Err(Error::Forbidden),
        AccountOutcome::Unknown => return Err(Error::UnknownAccount),
        AccountOutcome::Busy => return Err(Error::Busy),
        AccountOutcome::Refused { why } => return Err(Error::Conflict(why_not(why).to_owned())),
        AccountOutcome::Done | AccountOutcome::Unchanged => {}
    }
    let answer = Answer {
        outcome,
        token: token.map(|token| token.reveal().to_owned()),
    };
    let keep_nothing = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((keep_nothing, Json(answer)).into_response())
}

fn why_not(why: WhyNot) -> &'static str {
    match why {
        WhyNot::NameTaken => "there is a user of that name",
        WhyNot::LastAdmin => "nobody could manage accounts any more: make another administrator first",
    }
}
