//! One job with everything that is known of it, unfinished or ended.
//!
//! Invariant: unfinished jobs are looked for first. A job only ever goes from there to history, so one that
//! ends between the two statements is still found.

use jiff::Timestamp;
use serde_json::{Map, Value};
use shared::job::JobId;
use shared::message::manifest::{FileEntry, Manifest};
use shared::message::submit::{SECRET_HIDDEN, mask_address, mask_fields};
use tokio_postgres::Row;
use uuid::Uuid;

use super::deliveries::{self, DeliveryRow};
use super::items::{self, Attempt, Item};
use super::line::{self, AHEAD_OF_ONE};
use super::log::{self, LogExtract, LogPart};
use super::{FINISHED_COLUMNS, JobSummary, UNFINISHED_COLUMNS, finished, first, single, unfinished};
use crate::db::{Error, Transact, Transaction};

/// Everything about a job.
#[derive(Debug, Clone, PartialEq)]
pub struct JobDetail {
    /// The database's clock.
    pub now: Timestamp,
    /// What lists show.
    pub summary: JobSummary,
    /// The job that it does again.
    pub retry_of: Option<JobId>,
    /// The preset that it was submitted with.
    pub template: Option<String>,
    /// The preset's parameters at that time; secrets are masked here and below.
    pub template_parameters: Map<String, Value>,
    /// The step's name.
    pub step_name: Option<String>,
    /// The project.
    pub project: Option<String>,
    /// Input folder.
    pub source: Option<String>,
    /// Output folder.
    pub target: Option<String>,
    /// What the submitter chose.
    pub parameters: Map<String, Value>,
    /// Fields that nobody here knows, as they were sent.
    pub extra: Map<String, Value>,
    /// Whom to tell at the end.
    pub callback_url: Option<String>,
    /// Who submitted it.
    pub submitted_by: String,
    /// The number by which the intranda `TaskManager`'s interfaces know it; none where it is older than these.
    pub itm_id: Option<i64>,
    /// Facts that the plugin reported at the end.
    pub facts: Map<String, Value>,
    /// The files that it publishes; empty before the grant.
    pub outputs: Vec<FileEntry>,
    /// Its items, failed ones first; perhaps not all.
    pub items: Vec<Item>,
    /// How many items have a result.
    pub items_reported: i64,
    /// Its attempts, the newest first.
    pub attempts: Vec<Attempt>,
    /// What other systems are told of its end, in order.
    pub deliveries: Vec<DeliveryRow>,
    /// The end of its log.
    pub log: LogExtract,
}

/// Reads a job; `None` when there is none with this id.
#[derive(Debug, Clone, Copy)]
pub struct ReadJob {
    /// The job.
    pub id: JobId,
    /// Most items to read; none for all.
    pub items_limit: Option<i64>,
    /// Most log lines to read, from the end.
    pub log_limit: i64,
}

impl Transact for ReadJob {
    const NAME: &'static str = "pages.job";
    type Output = Option<JobDetail>;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Option<JobDetail>, Error> {
        let statement = format!(
            "-- pages.job
             SELECT {UNFINISHED_COLUMNS}, p.state AS plugin_state, j.retry_of, '{{}}'::jsonb AS summary,
                    {DETAIL_COLUMNS}
             FROM jobs j
             JOIN plugins p ON p.name = j.plugin
             JOIN job_details d ON d.job_id = j.id
             LEFT JOIN leases l ON l.job_id = j.id
             WHERE j.id = $1"
        );
        if let Some(row) = first(tx, &statement, &[&self.id.0]).await? {
            let mut job = [unfinished(&row)?];
            line::add(tx, &mut job, AHEAD_OF_ONE).await?;
            let [job] = job;
            return self.assemble(tx, &row, job).await.map(Some);
        }
        let statement = format!(
            "-- pages.ended_job
             SELECT {FINISHED_COLUMNS}, retry_of, summary, {DETAIL_COLUMNS}
             FROM job_history h
             WHERE h.id = $1"
        );
        match first(tx, &statement, &[&self.id.0]).await? {
            Some(row) => self.assemble(tx, &row, finished(&row)?).await.map(Some),
            None => Ok(None),
        }
    }
}

/// The same names in `job_details` and `job_history`, and in no table that is joined to them here.
const DETAIL_COLUMNS: &str = "template, template_parameters, step_name, project, source, target, parameters, extra, \
    callback_url, submitted_by, manifest, itm_id";

impl ReadJob {
    async fn assemble(
        &self,
        tx: &Transaction<'_>,
        row: &Row,
        summary: JobSummary,
    ) -> Result<JobDetail, Error> {
        let part = LogPart::Last {
            limit: self.log_limit,
        };
        let manifest = row
            .try_get::<_, Option<Value>>("manifest")?
            .map(serde_json::from_value::<Manifest>);
        let manifest = manifest.transpose().map_err(|_| Error::Inconsistent {
            table: "job_details",
            column: "manifest",
            row: self.id.to_string(),
        })?;
        Ok(JobDetail {
            now: single(tx, "-- pages.now\nSELECT tm_now()", &[]).await?,
            retry_of: row.try_get::<_, Option<Uuid>>("retry_of")?.map(JobId),
            template: row.try_get("template")?,
            template_parameters: without_secrets(row, "template_parameters")?,
            step_name: row.try_get("step_name")?,
            project: row.try_get("project")?,
            source: row.try_get("source")?,
            target: row.try_get("target")?,
            parameters: without_secrets(row, "parameters")?,
            extra: object(row, "extra")?,
            callback_url: row.try_get::<_, Option<&str>>("callback_url")?.map(mask_address),
            submitted_by: row.try_get("submitted_by")?,
            itm_id: row.try_get("itm_id")?,
            facts: without_secrets(row, "summary")?,
            outputs: manifest.map(|manifest| manifest.files).unwrap_or_default(),
            items: items::items(tx, self.id, self.items_limit).await?,
            items_reported: items::count(tx, self.id).await?,
            attempts: items::attempts(tx, self.id).await?,
            deliveries: deliveries::of_job(tx, self.id).await?,
            log: log::read(tx, self.id, summary.submitted_at, part).await?,
            summary,
        })
    }
}

/// When the job was submitted; none when there is no such job.
pub(super) async fn submitted_at(tx: &Transaction<'_>, id: JobId) -> Result<Option<Timestamp>, Error> {
    let unfinished = "-- pages.submitted_at\nSELECT submitted_at FROM jobs WHERE id = $1";
    if let Some(row) = first(tx, unfinished, &[&id.0]).await? {
        return Ok(Some(row.try_get(0)?));
    }
    let ended = "-- pages.ended_submitted_at\nSELECT submitted_at FROM job_history WHERE id = $1";
    Ok(first(tx, ended, &[&id.0])
        .await?
        .map(|row| row.try_get(0))
        .transpose()?)
}

/// A column that holds an object; null counts as an empty one.
fn object(row: &Row, column: &str) -> Result<Map<String, Value>, Error> {
    Ok(match row.try_get::<_, Option<Value>>(column)? {
        Some(Value::Object(map)) => map,
        Some(other) => Map::from_iter([("value".to_owned(), other)]),
        None => Map::new(),
    })
}

/// The same as people and programs may see it: what a plugin needs for its work is nobody else's affair.
fn without_secrets(row: &Row, column: &str) -> Result<Map<String, Value>, Error> {
    let mut object = object(row, column)?;
    mask_fields(&mut object, SECRET_HIDDEN);
    Ok(object)
}
