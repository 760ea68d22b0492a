//! `/api/v1`: lists, jobs and logs as JSON.

mod model;

use axum::Json;
use axum::extract::{Path, Query, State};
use schemars::JsonSchema;
use serde::Deserialize;
use shared::job::JobId;

use super::language::Locale;
use super::listing::ListQuery;
use super::openapi::Operation;
use super::problem::{Error, Kind};
use super::searching::SearchQuery;
use super::{App, cursor, searching};
use crate::db::pages::{LogPart, ReadJob, ReadLog};
use model::{JobBody, ListBody, LogBody, Summary};

/// Lines of a log in one answer.
const LOG_LIMIT: i64 = 1_000;

/// What the API says of [`list`].
pub(super) fn describe_list() -> Operation {
    Operation::answering::<ListBody>("listJobs")
        .with_query::<ListQuery>()
        .with_query::<SearchQuery>()
        .noting(
            "With `tab`, `plugin`, `limit` and `after` alone it is the list of a tab, with any other parameter a search. \
             Empty values count as absent. For the next part ask with `next` of the answer as `after`, until it is null.",
        )
}

/// `GET /api/v1/jobs`: a list, or a search where its parameters ask for one.
pub(super) async fn list(
    State(app): State<App>,
    locale: Locale,
    Query(query): Query<ListQuery>,
    Query(search): Query<SearchQuery>,
) -> Result<Json<ListBody>, Error> {
    if search.is_search() {
        let found = app.db.run(&search.read(&locale.zone)?).await?;
        return Ok(Json(ListBody {
            jobs: found.jobs.into_iter().map(Summary::from).collect(),
            next: found.next.as_ref().map(searching::encode),
            incomplete: found.incomplete,
        }));
    }
    let list = app.db.run(&query.read()?).await?;
    Ok(Json(ListBody {
        jobs: list.jobs.into_iter().map(Summary::from).collect(),
        next: list.next.as_ref().map(cursor::encode),
        incomplete: false,
    }))
}

/// What the API says of [`job`].
pub(super) fn describe_job() -> Operation {
    Operation::answering::<JobBody>("getJob").failing(&[Kind::UnknownJob])
}

/// `GET /api/v1/jobs/{id}`
pub(super) async fn job(State(app): State<App>, Path(id): Path<String>) -> Result<Json<JobBody>, Error> {
    let read = ReadJob {
        id: job_id(&id)?,
        items_limit: None,
        log_limit: 0,
    };
    let job = app.db.run(&read).await?.ok_or(Error::UnknownJob)?;
    Ok(Json(JobBody::from(job)))
}

/// Which lines of a log are wanted.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct LogQuery {
    /// Where to go on: what the answer before said as `next`; only lines with greater numbers.
    #[serde(default)]
    after: i64,
}

/// What the API says of [`log`].
pub(super) fn describe_log() -> Operation {
    Operation::answering::<LogBody>("getJobLog")
        .with_query::<LogQuery>()
        .failing(&[Kind::UnknownJob])
        .noting("Up to 1000 lines; for those that come later ask with `next` of the answer as `after`.")
}

/// `GET /api/v1/jobs/{id}/log`
pub(super) async fn log(
    State(app): State<App>,
    Path(id): Path<String>,
    query: Result<Query<LogQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<LogBody>, Error> {
    let Query(LogQuery { after }) =
        query.map_err(|_| Error::BadQuery("parameter after must be the number of a line".to_owned()))?;
    let part = LogPart::After {
        number: after.max(0),
        limit: LOG_LIMIT,
    };
    let extract = app
        .db
        .run(&ReadLog {
            id: job_id(&id)?,
            part,
        })
        .await?
        .ok_or(Error::UnknownJob)?;
    Ok(Json(LogBody::new(extract, after)))
}

/// What is no id names no job.
pub(super) fn job_id(text: &str) -> Result<JobId, Error> {
    text.parse().map_err(|_| Error::UnknownJob)
}
