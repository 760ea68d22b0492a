//! `POST …/actions`: what people do with jobs and plugins, through [`crate::control`].

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use shared::job::JobId;

use super::App;
use super::api::job_id;
use super::openapi::Operation;
use super::problem::{Error, Kind};
use super::who::Who;
use crate::control::{JobAction, JobFilter, PluginAction, PluginsOutcome};
use crate::db::control::{FIND_MAX, JobOutcome, WhyNot};

/// What the API says of [`on_job`].
pub(super) fn describe_on_job() -> Operation {
    Operation::answering::<JobOutcome>("actOnJob")
        .with_body::<JobAction>()
        .failing(&[Kind::UnknownJob, Kind::Conflict])
        .noting("To delete a job one needs `delete_jobs`.")
}

/// `POST /api/v1/jobs/{id}/actions`
pub(super) async fn on_job(
    who: Who,
    State(app): State<App>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<JobOutcome>, Error> {
    let id = job_id(&id)?;
    let action: JobAction = read(&body)?;
    let summary = app.control.act_on_jobs(&who.actor, &[id], &action).await?;
    match summary.outcomes.first().map(|(_, outcome)| *outcome) {
        Some(outcome @ (JobOutcome::Done | JobOutcome::Retried { .. } | JobOutcome::Unchanged)) => {
            Ok(Json(outcome))
        }
        Some(JobOutcome::Refused { why }) => Err(Error::Conflict(why_not(why).to_owned())),
        Some(JobOutcome::Forbidden) => Err(Error::Forbidden),
        Some(JobOutcome::Unknown) | None => Err(Error::UnknownJob),
    }
}

/// An action on several jobs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ActionOnJobs")]
pub(super) struct BulkBody {
    /// On which.
    jobs: JobFilter,
    /// What.
    what: JobAction,
    /// Do nothing, only say how many jobs are meant.
    #[serde(default)]
    dry_run: bool,
}

/// What an action on several jobs came to.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(rename = "ActedOnJobs")]
pub(super) struct BulkAnswer {
    /// How many jobs are meant at this moment: those that are named, or those that the filter finds.
    found: usize,
    /// With how many it was done.
    done: usize,
    /// With how many it was so already.
    unchanged: usize,
    /// With how many it can't be done, by reason.
    refused: BTreeMap<&'static str, usize>,
    /// How many the asker may not touch.
    forbidden: usize,
    /// How many there are not.
    unknown: usize,
    /// New jobs, for a retry.
    new_jobs: Vec<JobId>,
    /// There may be more: as many were found as one request acts on.
    more: bool,
}

/// What the API says of [`on_jobs`].
pub(super) fn describe_on_jobs() -> Operation {
    Operation::answering::<BulkAnswer>("actOnJobs")
        .with_body::<BulkBody>()
        .noting(
            "On the jobs that are named, or that a filter finds; where `more` is true, ask again. \
             With `dry_run` nothing is done, and `found` says how many jobs are meant. To delete jobs one needs `delete_jobs`.",
        )
}

/// `POST /api/v1/jobs/actions`
pub(super) async fn on_jobs(
    who: Who,
    State(app): State<App>,
    body: Bytes,
) -> Result<Json<BulkAnswer>, Error> {
    let BulkBody { jobs, what, dry_run } = read(&body)?;
    if jobs.is_empty() {
        return Err(Error::BadQuery(
            "field \"jobs\" names no jobs: give ids, a plugin, states or a part of the title".to_owned(),
        ));
    }
    let found = app.control.find_jobs(&who.actor, &jobs, &what).await?;
    let found = found.ok_or(Error::Forbidden)?;
    let mut answer = BulkAnswer {
        found: found.len(),
        more: found.len() >= FIND_MAX,
        ..BulkAnswer::default()
    };
    if dry_run {
        return Ok(Json(answer));
    }
    let summary = app.control.act_on_jobs(&who.actor, &found, &what).await?;
    for (_, outcome) in summary.outcomes {
        match outcome {
            JobOutcome::Done => answer.done += 1,
            JobOutcome::Retried { new_job } => {
                answer.done += 1;
                answer.new_jobs.push(new_job);
            }
            JobOutcome::Unchanged => answer.unchanged += 1,
            JobOutcome::Refused { why } => *answer.refused.entry(why_not(why)).or_default() += 1,
            JobOutcome::Forbidden => answer.forbidden += 1,
            JobOutcome::Unknown => answer.unknown += 1,
        }
    }
    Ok(Json(answer))
}

/// What the API says of [`on_plugin`].
pub(super) fn describe_on_plugin() -> Operation {
    Operation::answering::<PluginsOutcome>("actOnPlugin")
        .with_body::<PluginAction>()
        .failing(&[Kind::UnknownPlugin])
        .noting("For settings and page contracts one needs `configure`.")
}

/// `POST /api/v1/plugins/{name}/actions`
pub(super) async fn on_plugin(
    who: Who,
    State(app): State<App>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<PluginsOutcome>, Error> {
    on_plugins(&app, &who, Some(&name.to_uppercase()), &body).await
}

/// What the API says of [`on_all_plugins`].
pub(super) fn describe_on_all_plugins() -> Operation {
    Operation::answering::<PluginsOutcome>("actOnPlugins")
        .with_body::<PluginAction>()
        .noting(
            "One has to be allowed to do it to all; for settings and page contracts one needs `configure`.",
        )
}

/// `POST /api/v1/plugins/actions`
pub(super) async fn on_all_plugins(
    who: Who,
    State(app): State<App>,
    body: Bytes,
) -> Result<Json<PluginsOutcome>, Error> {
    on_plugins(&app, &who, None, &body).await
}

async fn on_plugins(
    app: &App,
    who: &Who,
    plugin: Option<&str>,
    body: &[u8],
) -> Result<Json<PluginsOutcome>, Error> {
    let action: PluginAction = read(body)?;
    if let PluginAction::Configure(settings) = &action {
        settings.check().map_err(Error::BadQuery)?;
    }
    match app.control.act_on_plugins(&who.actor, plugin, &action).await? {
        PluginsOutcome::Forbidden => Err(Error::Forbidden),
        PluginsOutcome::Unknown => Err(Error::UnknownPlugin),
        done @ PluginsOutcome::Done { .. } => Ok(Json(done)),
    }
}

pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body)
        .map_err(|error| Error::BadQuery(format!("the body can't be understood: {error}")))
}

/// Why something can't be done, in words.
fn why_not(why: WhyNot) -> &'static str {
    match why {
        WhyNot::TooLate => "too late: its outputs are being published",
        WhyNot::BeingCancelled => "it is being cancelled",
        WhyNot::Blocked => "it waits for other jobs",
        WhyNot::HasEnded => "it has ended",
        WhyNot::NotEnded => "it has not ended yet",
        WhyNot::Running => "it does not wait in its queue",
        WhyNot::WasCancelled => "a cancelled job is not retried: submit it again",
        WhyNot::WasRetried => "it was retried before: retry the last of its retries",
        WhyNot::RetryUnfinished => "its retry has not ended yet",
        WhyNot::NoProcess => "it has no process in Goobi",
        WhyNot::NoGoobi => "the coordinator has no --goobi-url and --goobi-token-file",
        WhyNot::SubmittedAgain => "its workflow has submitted it again, and that job has not ended yet",
    }
}
