//! Who has done what: the audit log, the newest first.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use shared::job::JobId;
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::rows;
use crate::db::{Error, Transact, Transaction};

/// What of the audit log is wanted.
#[derive(Debug, Clone, Default)]
pub struct ReadAudit {
    /// Only this one's doing.
    pub actor: Option<String>,
    /// Only what concerns this plugin and its jobs.
    pub plugin: Option<String>,
    /// Only what concerns this job.
    pub job: Option<JobId>,
    /// Only lines older than this one.
    pub before: Option<i64>,
    /// Most lines.
    pub limit: i64,
}

/// A line of the audit log.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AuditRow {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// The action as it was asked for.
    pub details: Value,
    /// With which plugin.
    pub plugin: Option<String>,
    /// With which job.
    pub job_id: Option<JobId>,
    /// With which worker.
    pub worker_id: Option<String>,
    /// With which user or token.
    pub account: Option<String>,
    /// What came of it: `done`, `unchanged`, `refused`, `forbidden`.
    pub outcome: String,
}

impl Transact for ReadAudit {
    const NAME: &'static str = "pages.audit";
    type Output = Vec<AuditRow>;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Vec<AuditRow>, Error> {
        let rows = rows(
            tx,
            "-- pages.audit
             SELECT id, at, actor, action, details, plugin, job_id, worker_id, account, outcome FROM audit_log
             WHERE ($1::text IS NULL OR actor = $1) AND ($2::text IS NULL OR plugin = $2)
                 AND ($3::uuid IS NULL OR job_id = $3) AND ($4::bigint IS NULL OR id < $4)
             ORDER BY id DESC LIMIT $5",
            &[
                &self.actor,
                &self.plugin,
                &self.job.map(|id| id.0),
                &self.before,
                &self.limit,
            ],
        )
        .await?;
        rows.iter()
            .map(|row| {
                let details: Json<Value> = row.try_get("details")?;
                Ok(AuditRow {
                    id: row.try_get("id")?,
                    at: row.try_get("at")?,
                    actor: row.try_get("actor")?,
                    action: row.try_get("action")?,
                    details: details.0,
                    plugin: row.try_get("plugin")?,
                    job_id: row.try_get::<_, Option<Uuid>>("job_id")?.map(JobId),
                    worker_id: row.try_get("worker_id")?,
                    account: row.try_get("account")?,
                    outcome: row.try_get("outcome")?,
                })
            })
            .collect()
    }
}
