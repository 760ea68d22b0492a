//! `/api/v1/audit`, and what an address says about the part of the audit log that is wanted.

use axum::Json;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};

use super::App;
use super::api::job_id;
use super::problem::Error;
use crate::db::pages::{AuditRow, ReadAudit};

/// Lines on a page.
const LIMIT: i64 = 100;

/// The query of the audit log's address; empty values count as absent, as forms send them.
#[derive(Debug, Default, Deserialize)]
pub(super) struct AuditQuery {
    #[serde(default)]
    pub(super) actor: String,
    #[serde(default)]
    pub(super) plugin: String,
    #[serde(default)]
    pub(super) job: String,
    #[serde(default)]
    pub(super) before: String,
}

impl AuditQuery {
    /// The part that the address names.
    pub(super) fn read(&self) -> Result<ReadAudit, Error> {
        let given = |text: &str| Some(text.trim().replace('\0', "")).filter(|text| !text.is_empty());
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
#[derive(Debug, Serialize)]
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
