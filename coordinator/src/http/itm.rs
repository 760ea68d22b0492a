//! `/itm/service`: jobs from programs that believe to speak to the intranda `TaskManager`, through the one intake.
//!
//! Invariant: whatever happens, the answer is one that such programs understand; a status below 400 says that the job
//! is being done.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use shared::error::Chain;
use shared::job::JobId;
use shared::message::itm::ItmReply;
use shared::message::submit::{BODY_MAX_BYTES, Submission, SubmitReply};

use super::health;
use super::problem::Error;
use super::submit::{may_submit, whole};
use super::who::Who;
use super::{App, Kind, Route};
use crate::control::Verb;
use crate::db::itm::ReadItmId;
use crate::intake::Incoming;

/// The addresses beneath `/itm`.
pub(super) fn routes() -> [Route; 2] {
    let service = |method, what, needs, handler| Route {
        method,
        path: "/itm/service",
        kind: Kind::Itm,
        what,
        needs,
        operation: None,
        handler,
    };
    let submits = "submits a job as to the intranda TaskManager";
    [
        service(Method::POST, submits, Some(Verb::Submit), post(submit)),
        service(Method::GET, "whether it is well", None, get(health)),
    ]
}

/// `POST /itm/service`
async fn submit(
    who: Who,
    State(app): State<App>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<ItmReply>, Error> {
    let body = whole(body, BODY_MAX_BYTES)?;
    let submission = Submission::parse(&body).map_err(|rejection| Error::Rejected(rejection.reason))?;
    may_submit(&who, &submission)?;
    let incoming = Incoming {
        submission,
        submitted_by: format!("itm: {}", who.actor.name),
        keys: Vec::new(),
        told_by_goobis_queue: false,
    };
    let reply = match app.intake.submit(incoming).await? {
        SubmitReply::Accepted { job_id } => ItmReply::accepted(job_id, number(&app, job_id).await),
        SubmitReply::Duplicate { job_id } => ItmReply::known_already(job_id, number(&app, job_id).await),
        SubmitReply::Rejected { reason } => return Err(Error::Rejected(reason)),
    };
    Ok(Json(reply))
}

/// `GET /itm/service`: whether a submission would be recorded now, for everybody, as with the other probes. RabbitMQ may
/// be away meanwhile.
async fn health(State(app): State<App>) -> Response {
    let checks = [
        health::schema(&app),
        health::database(&app).await,
        health::database_has_room(&app).await,
    ];
    let problems = checks.into_iter().filter(|check| !check.ok);
    let problems: Vec<String> = problems.map(|check| check.message).collect();
    if problems.is_empty() {
        Json(ItmReply::well()).into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, refusal(&problems.join("; "))).into_response()
    }
}

/// An answer to what is not accepted.
pub(super) fn refusal(why: &str) -> Json<ItmReply> {
    Json(ItmReply::refused(why))
}

/// The job's number. The job is recorded, so that a database that fails just now costs the number only.
async fn number(app: &App, job: JobId) -> Option<i64> {
    match app.db.run(&ReadItmId { job }).await {
        Ok(number) => number,
        Err(error) => {
            tracing::warn!(job.id = %job, "job {job} is answered without its number: {}", Chain(&error));
            None
        }
    }
}
