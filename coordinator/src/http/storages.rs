//! `/api/v1/storages`: the storages whose use is limited, and what people do with one.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

use super::App;
use super::actions::read;
use super::openapi::Operation;
use super::problem::{Error, Kind};
use super::who::Who;
use crate::control::StorageAction;
use crate::db::control::StorageOutcome;
use crate::db::pages::{KnownStorage, ReadStorages};

/// The storages, by path.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Storages")]
pub(super) struct StoragesBody {
    storages: Vec<StorageBody>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Storage")]
struct StorageBody {
    path: String,
    title: Option<String>,
    running: i64,
    running_max: Option<i64>,
    transfers: i64,
    transfers_max: Option<i64>,
}

impl From<KnownStorage> for StorageBody {
    fn from(storage: KnownStorage) -> Self {
        Self {
            path: storage.path,
            title: storage.title,
            running: storage.running,
            running_max: storage.running_max,
            transfers: storage.transfers,
            transfers_max: storage.transfers_max,
        }
    }
}

/// What the API says of [`list`].
pub(super) fn describe_list() -> Operation {
    Operation::answering::<StoragesBody>("listStorages")
}

/// `GET /api/v1/storages`
pub(super) async fn list(State(app): State<App>) -> Result<Json<StoragesBody>, Error> {
    let storages = app.db.run(&ReadStorages).await?;
    Ok(Json(StoragesBody {
        storages: storages.into_iter().map(StorageBody::from).collect(),
    }))
}

/// What the API says of [`act`].
pub(super) fn describe_act() -> Operation {
    Operation::answering::<StorageOutcome>("actOnStorage")
        .with_body::<StorageAction>()
        .failing(&[Kind::UnknownStorage])
}

/// `POST /api/v1/storages/actions`
pub(super) async fn act(
    who: Who,
    State(app): State<App>,
    body: Bytes,
) -> Result<Json<StorageOutcome>, Error> {
    let action: StorageAction = read(&body)?;
    let action = action.checked().map_err(Error::BadQuery)?;
    match app.control.act_on_storage(&who.actor, &action).await? {
        StorageOutcome::Forbidden => Err(Error::Forbidden),
        StorageOutcome::Unknown => Err(Error::UnknownStorage),
        done @ (StorageOutcome::Done | StorageOutcome::Unchanged) => Ok(Json(done)),
    }
}
