//! `POST /api/v1/jobs` and `/api/v1/jobs/batch`: the same submissions as on AMQP, through the same intake.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::job::JobId;
use shared::message::submit::{BODY_MAX_BYTES, Submission, SubmitReply};
use shared::message::{VERSION, Versioned};

use super::App;
use super::openapi::Operation;
use super::problem::{Error, Kind};
use super::who::Who;
use crate::control::{Object, Verb, authorise};
use crate::intake::{Incoming, rejected};

/// A submission with the same key is the same job.
const KEY_HEADER: &str = "idempotency-key";

/// Most jobs of one batch.
const BATCH_MAX: usize = 200;
/// Most bytes of one batch.
pub(super) const BATCH_MAX_BYTES: usize = 8 * 1024 * 1024;

/// Several submissions.
#[derive(Debug, Deserialize, JsonSchema)]
struct Batch {
    #[schemars(with = "Vec<Submission>", length(max = BATCH_MAX))]
    jobs: Vec<Value>,
}

/// What became of each, in their order.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct BatchReply {
    replies: Vec<SubmitReply>,
}

/// What the API says of [`submit`].
pub(super) fn describe_submit() -> Operation {
    Operation::new("submitJob")
        .with_body::<Submission>()
        .with_key()
        .with_answer::<Versioned<SubmitReply>>(StatusCode::CREATED, "A new job, which will not be lost.")
        .with_answer::<Versioned<SubmitReply>>(StatusCode::OK, "It had been submitted before: that job.")
        .with_location()
        .failing(&[Kind::Rejected])
        .noting(
            "The names that Goobi and the intranda TaskManager use are understood, too; fields that nobody knows are kept.",
        )
}

/// `POST /api/v1/jobs`
pub(super) async fn submit(
    who: Who,
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Error> {
    let body = whole(body, BODY_MAX_BYTES)?;
    let mut submission = Submission::parse(&body).map_err(|rejection| Error::Rejected(rejection.reason))?;
    if let Some(key) = key_in_header(&headers)? {
        match &submission.idempotency_key {
            Some(other) if *other != key => {
                let reason = "header Idempotency-Key and field \"idempotency_key\" differ: send one of them";
                return Err(Error::Rejected(reason.to_owned()));
            }
            _ => submission.idempotency_key = Some(key),
        }
    }
    may_submit(&who, &submission)?;
    let reply = app.intake.submit(incoming(&who, submission)).await?;
    let (status, job_id) = match &reply {
        SubmitReply::Accepted { job_id } => (StatusCode::CREATED, *job_id),
        SubmitReply::Duplicate { job_id } => (StatusCode::OK, *job_id),
        SubmitReply::Rejected { reason } => return Err(Error::Rejected(reason.clone())),
    };
    let body = Json(Versioned {
        version: VERSION,
        body: reply,
    });
    Ok((status, [(LOCATION, address(job_id))], body).into_response())
}

/// What the API says of [`submit_batch`].
pub(super) fn describe_submit_batch() -> Operation {
    Operation::answering::<Versioned<BatchReply>>("submitJobs")
        .with_body::<Batch>()
        .with_key()
        .failing(&[Kind::Rejected])
        .noting("Each job is answered for itself, in their order: one that is refused holds up no other.")
}

/// `POST /api/v1/jobs/batch`
pub(super) async fn submit_batch(
    who: Who,
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Versioned<BatchReply>>, Error> {
    let body = whole(body, BATCH_MAX_BYTES)?;
    let batch: Batch = serde_json::from_slice(&body).map_err(|error| {
        Error::Rejected(format!(
            "the body must be {{\"jobs\": [{{\"plugin\": …}}, …]}}: {error}"
        ))
    })?;
    if batch.jobs.len() > BATCH_MAX {
        return Err(Error::Rejected(format!(
            "there are {} jobs in the batch; at most {BATCH_MAX} are accepted at once",
            batch.jobs.len()
        )));
    }
    let key = key_in_header(&headers)?;
    let mut replies: Vec<Option<SubmitReply>> = Vec::new();
    let mut readable = Vec::new();
    for (place, document) in batch.jobs.into_iter().enumerate() {
        match Submission::from_json(document) {
            Ok(mut submission) => {
                if let (None, Some(key)) = (&submission.idempotency_key, &key) {
                    submission.idempotency_key = Some(format!("{key}:{place}"));
                }
                may_submit(&who, &submission)?;
                readable.push(incoming(&who, submission));
                replies.push(None);
            }
            Err(rejection) => replies.push(Some(rejected(rejection.reason))),
        }
    }
    let mut recorded = app.intake.submit_all(readable).await?.into_iter();
    let replies = replies.into_iter().map(|reply| {
        reply.unwrap_or_else(|| {
            recorded
                .next()
                .expect("each submission that could be read has its reply")
        })
    });
    Ok(Json(Versioned {
        version: VERSION,
        body: BatchReply {
            replies: replies.collect(),
        },
    }))
}

/// Refuses who may not submit jobs of this plugin.
pub(super) fn may_submit(who: &Who, submission: &Submission) -> Result<(), Error> {
    let plugin = Object::Plugin(submission.plugin.as_str());
    if authorise(&who.actor, Verb::Submit, plugin) {
        Ok(())
    } else {
        Err(Error::Forbidden)
    }
}

fn incoming(who: &Who, submission: Submission) -> Incoming {
    Incoming {
        submission,
        submitted_by: format!("http: {}", who.actor.name),
        keys: Vec::new(),
        told_by_goobis_queue: false,
    }
}

/// A body that has arrived whole and is not too large.
pub(super) fn whole(body: Result<Bytes, BytesRejection>, limit: usize) -> Result<Bytes, Error> {
    body.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Error::TooLarge { limit }
        } else {
            Error::Incomplete
        }
    })
}

/// The address of a job in the API.
fn address(id: JobId) -> String {
    format!("/api/v1/jobs/{id}")
}

fn key_in_header(headers: &HeaderMap) -> Result<Option<String>, Error> {
    headers
        .get(KEY_HEADER)
        .map(|value| {
            value.to_str().map(str::to_owned).map_err(|_| {
                Error::Rejected("header Idempotency-Key has characters other than ASCII".to_owned())
            })
        })
        .transpose()
        .map(|key| key.filter(|key| !key.is_empty()))
}
