//! A job's whole log as plain text: to read, to search in, to save.

use std::fmt::Write as _;

use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::db::pages::{LogPart, ReadLog};
use crate::http::App;
use crate::http::api::job_id;
use crate::http::problem::Error;

/// Lines in one answer; a longer log goes on under the address in its last line.
const LIMIT: i64 = 20_000;

/// Where to begin.
#[derive(Debug, Deserialize)]
pub(crate) struct LogQuery {
    after: Option<String>,
}

/// `GET /jobs/{id}/log`
pub(crate) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<LogQuery>,
) -> Result<Response, Error> {
    let id = job_id(&id)?;
    let number = query
        .after
        .map_or(Ok(0), |text| text.parse::<i64>())
        .map_err(|_| Error::BadQuery("parameter after must be the number of a line".to_owned()))?;
    let part = LogPart::After {
        number: number.max(0),
        limit: LIMIT,
    };
    let extract = app
        .db
        .run(&ReadLog { id, part })
        .await?
        .ok_or(Error::UnknownJob)?;
    let mut text = String::new();
    for row in &extract.lines {
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{}  {}  {}",
            row.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            row.attempt,
            row.text
        );
    }
    if let Some(last) = extract.lines.last().filter(|last| last.number < extract.total) {
        let _ = writeln!(text, "…  /jobs/{id}/log?after={}", last.number);
    }
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}
