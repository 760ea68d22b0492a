//! `/api/v1/recovery`: what a database that was put back from a copy does not know, and what a person does about it.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use shared::message::worker::Check;

use super::App;
use super::openapi::Operation;
use super::problem::Error;
use super::who::Who;
use crate::db::recovery::{ReadRecovery, Recovery, RecoveryAction, Restore};

/// What the API says of [`report`].
pub(super) fn describe_report() -> Operation {
    Operation::answering::<Recovery>("readRecovery")
}

/// `GET /api/v1/recovery`
pub(super) async fn report(State(app): State<App>) -> Result<Json<Recovery>, Error> {
    Ok(Json(app.db.run(&ReadRecovery).await?))
}

/// What the API says of [`act`].
pub(super) fn describe_act() -> Operation {
    Operation::answering::<Recovery>("actOnRecovery").with_body::<RecoveryAction>()
}

/// `POST /api/v1/recovery/actions`
pub(super) async fn act(who: Who, State(app): State<App>, body: Bytes) -> Result<Json<Recovery>, Error> {
    let action: RecoveryAction = serde_json::from_slice(&body)
        .map_err(|error| Error::BadQuery(format!("the body can't be understood: {error}")))?;
    let report = app.control.recover(&who.actor, action).await?;
    report.map(Json).ok_or(Error::Forbidden)
}

/// The doctor's line about it.
pub(super) fn check(restore: Option<&Restore>) -> Check {
    let (ok, message) = match restore {
        None => (true, "it is the one that was written to last".to_owned()),
        Some(restore) => (
            false,
            format!(
                "this database was put back from a copy of about {} ({}), and all plugins were stopped: \
                 `taskmanager recover` says what that means, `taskmanager recover --apply` ends this notice, then \
                 start the plugins",
                restore.from, restore.how
            ),
        ),
    };
    Check {
        name: "database restore".to_owned(),
        ok,
        message,
    }
}
