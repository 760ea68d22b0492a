//! `POST /api/v1/jobs`: the same submission as on AMQP, through the same intake.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use shared::job::JobId;
use shared::message::submit::{BODY_MAX_BYTES, Submission, SubmitReply};
use shared::message::{VERSION, Versioned};

use super::App;
use super::problem::Error;

/// A submission with the same key is the same job.
const KEY_HEADER: &str = "idempotency-key";

/// `POST /api/v1/jobs`
pub(super) async fn submit(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Error> {
    let body = body.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Error::TooLarge {
                limit: BODY_MAX_BYTES,
            }
        } else {
            Error::Incomplete
        }
    })?;
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
    let reply = app.intake.submit(submission, "http", Vec::new()).await?;
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
