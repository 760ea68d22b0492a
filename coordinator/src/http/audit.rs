//! `/api/v1/audit`, and what an address says about the part of the audit log that is wanted.

use axum::Json;
use axum::extract::{Query, State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::App;
use super::api::job_id;
use super::openapi::Operation;
use super::problem::{Error, Kind};
use crate::db::pages::{AuditRow, ReadAudit};

/// Lines on a page.
const LIMIT: i64 = 100;

/// The query of the audit log's address; empty values count as absent, as forms send them.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(super) struct AuditQuery {
    /// Only what this user, token or program has done.
    #[serde(default)]
    pub(super) actor: String,
    /// Only what concerns this plugin.
    #[serde(default)]
    pub(super) plugin: String,
    /// Only what concerns this job.
    #[serde(default)]
    pub(super) job: String,
    /// Where to go on: what the answer before said as `next`; only lines with smaller numbers.
    #[serde(default)]
    #[schemars(with = "Option<i64>")]
    pub(super) before: String,
}

impl AuditQuery {
    /// The part that the address names.
    pub(super) fn read(&self) -> Result<ReadAudit, Error> {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let before = given(&self.before).map(|text| text.parse()).transpose();
        Ok(ReadAudit {
            actor: given(&self.actor),
            plugin: given(&self.plugin).map(|name| name.to_uppercase()),
            job: given(&self.job).map(|id| job_id(&id)).transpose()?,
            before: before.map_err(|_| {
                Error::BadQuery(
                    "parameter before must be the number of a line: leave it out to begin anew".to_owned(),
                )
            })?,
            limit: LIMIT,
        })
    }
}

/// A part of the audit log.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AuditLog")]
pub(super) struct AuditBody {
    lines: Vec<AuditRow>,
    /// What `before` has to be for the next part; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

/// The number before which the next part begins, if there may be one.
pub(super) fn next(lines: &[AuditRow]) -> Option<i64> {
    let is_full = i64::try_from(lines.len()).is_ok_and(|lines| lines >= LIMIT);
    lines.last().filter(|_| is_full).map(|line| line.id)
}

/// What the API says of [`list`].
pub(super) fn describe_list() -> Operation {
    Operation::answering::<AuditBody>("readAudit")
        .with_query::<AuditQuery>()
        .failing(&[Kind::UnknownJob])
        .noting(
            "Up to 100 lines, the newest first; for older ones ask with `next` of the answer as `before`.",
        )
}

/// `GET /api/v1/audit`
pub(super) async fn list(
    State(app): State<App>,
    Query(query): Query<AuditQuery>,
) -> Result<Json<AuditBody>, Error> {
    let lines = app.db.run(&query.read()?).await?;
    Ok(Json(AuditBody {
        next: next(&lines),
        lines,
    }))
}
