//! `/api/v1/stores`: item stores on workers' storage that no job has, and what people do about them.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;

use super::App;
use super::actions::read;
use super::openapi::Operation;
use super::problem::Error;
use super::who::Who;
use crate::control::StoreAction;
use crate::db::control::StoresOutcome;
use crate::db::stores::{ReadUnknownStores, UnknownStores};

/// What the API says of [`list`].
pub(super) fn describe_list() -> Operation {
    Operation::answering::<UnknownStores>("listUnknownStores")
}

/// `GET /api/v1/stores`
pub(super) async fn list(State(app): State<App>) -> Result<Json<UnknownStores>, Error> {
    Ok(Json(app.db.run(&ReadUnknownStores).await?))
}

/// What the API says of [`act`].
pub(super) fn describe_act() -> Operation {
    Operation::answering::<StoresOutcome>("actOnUnknownStores").with_body::<StoreAction>()
}

/// `POST /api/v1/stores/actions`
pub(super) async fn act(who: Who, State(app): State<App>, body: Bytes) -> Result<Json<StoresOutcome>, Error> {
    let action: StoreAction = read(&body)?;
    action.check().map_err(Error::BadQuery)?;
    let outcome = app.control.act_on_stores(&who.actor, &action).await?;
    outcome.map(Json).ok_or(Error::Forbidden)
}
