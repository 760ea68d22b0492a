//! What a route may answer, by status: its own answers, and every failure that can come, as a problem.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::operation::{Answer, Operation};
use crate::http::problem::{self, Kind};
use crate::http::routes::Route;

/// All that a route may answer.
pub(super) fn of(route: &Route, operation: &Operation, schemas: &mut SchemaGenerator) -> Map<String, Value> {
    let mut all: BTreeMap<String, Value> = operation
        .answers
        .iter()
        .map(|answer| (answer.status.as_str().to_owned(), proper(answer, schemas)))
        .collect();
    let mut failures: BTreeMap<StatusCode, Vec<Kind>> = BTreeMap::new();
    for kind in every_failure(route, operation) {
        failures.entry(kind.status()).or_default().push(kind);
    }
    for (status, kinds) in failures {
        all.insert(status.as_str().to_owned(), failed(status, &kinds, schemas));
    }
    all.into_iter().collect()
}

/// The failures of this route: those that it names, and those that what it takes and needs brings with it.
fn every_failure(route: &Route, operation: &Operation) -> Vec<Kind> {
    let mut all = vec![Kind::ForeignHost, Kind::Timeout, Kind::Internal];
    if route.needs.is_some() {
        all.extend([
            Kind::NotLoggedIn,
            Kind::Forbidden,
            Kind::DatabaseAway,
            Kind::DatabaseFull,
        ]);
    }
    if route.path.contains('{') || !operation.queries.is_empty() || operation.body.is_some() {
        all.push(Kind::BadRequest);
    }
    if operation.body.is_some() {
        all.push(Kind::TooLarge);
    }
    if route.method != Method::GET {
        all.push(Kind::CrossSite);
    }
    all.extend(operation.failures);
    all
}

fn proper(answer: &Answer, schemas: &mut SchemaGenerator) -> Value {
    let schema = (answer.shape)(schemas);
    let mut described = json!({
        "description": answer.what,
        "content": {"application/json": {"schema": schema}},
    });
    if answer.has_location {
        described["headers"] = json!({
            "Location": {"description": "Where the job is.", "required": true, "schema": {"type": "string"}},
        });
    }
    described
}

fn failed(status: StatusCode, kinds: &[Kind], schemas: &mut SchemaGenerator) -> Value {
    let told: Vec<String> = kinds
        .iter()
        .map(|kind| format!("{}: {}.", kind.title(), kind.detail()))
        .collect();
    let mut described = json!({
        "description": told.join(" "),
        "content": {"application/problem+json": {"schema": schemas.subschema_for::<problem::Body<'_>>()}},
    });
    let header = match status {
        StatusCode::SERVICE_UNAVAILABLE => {
            Some(("Retry-After", "After how many seconds to try again.", "integer"))
        }
        StatusCode::UNAUTHORIZED => Some(("WWW-Authenticate", "How to come in.", "string")),
        _ => None,
    };
    if let Some((name, what, kind)) = header {
        described["headers"] =
            json!({name: {"description": what, "required": true, "schema": {"type": kind}}});
    }
    described
}
