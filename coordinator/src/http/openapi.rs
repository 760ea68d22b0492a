//! `GET /api/v1/openapi.json`: the API describes itself, as OpenAPI 3.1.
//!
//! Invariant: the document is made from the routes' own list and from the types that handlers read and write, so that
//! it can leave out no route and no field; what it says of statuses is held against every answer of the HTTP tests.

mod operation;
mod responses;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use axum::Json;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::routes::{Route, routes};
use crate::control::{Actor, Role, could};
pub use operation::Operation;

/// The version of OpenAPI.
const OPENAPI: &str = "3.1.0";

/// Where schemas stand in the document.
const SCHEMAS: &str = "/components/schemas";

/// The document never changes while the process lives.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| document(&routes()));

/// What the API says of [`show`].
pub(super) fn described() -> Operation {
    Operation::answering::<Map<String, Value>>("describeApi")
}

/// `GET /api/v1/openapi.json`
pub(super) async fn show() -> Json<&'static Value> {
    Json(&DOCUMENT)
}

/// Schemas of what is read and of what is written: a field that may be left out in one is always there in the other.
struct Schemas {
    read: SchemaGenerator,
    written: SchemaGenerator,
}

impl Schemas {
    fn new() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = SCHEMAS.into();
                settings.meta_schema = None;
            })
        };
        Self {
            read: settings().for_deserialize().into_generator(),
            written: settings().for_serialize().into_generator(),
        }
    }

    /// All that were referred to, by name.
    fn finish(mut self) -> Map<String, Value> {
        let mut all = self.read.take_definitions(true);
        for (name, schema) in self.written.take_definitions(true) {
            let former = all.insert(name.clone(), schema.clone());
            assert!(
                former.is_none_or(|former| former == schema),
                "{name} is read and written in different shapes: give one of them another name"
            );
        }
        all
    }
}

/// The document of those routes that have a description.
pub(super) fn document(routes: &[Route]) -> Value {
    let mut schemas = Schemas::new();
    let mut paths = Map::new();
    for route in routes {
        let Some(operation) = &route.operation else {
            continue;
        };
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_lowercase()] = describe(route, operation, &mut schemas);
    }
    json!({
        "openapi": OPENAPI,
        "info": {
            "title": "Task manager",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "Fields are added to answers, never changed: ignore those that you do not know. \
                Every failure is a problem (RFC 9457).",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas.finish(),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A program's token, which an administrator makes.",
                },
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": super::who::COOKIE_NAME,
                    "description": "A person's session, which the login begins.",
                },
            },
        },
    })
}

fn describe(route: &Route, operation: &Operation, schemas: &mut Schemas) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "summary": route.what,
        "tags": [route.path.split('/').nth(3).unwrap_or_default()],
        "responses": responses::of(route, operation, &mut schemas.written),
        "security": [],
    });
    let mut sentences = vec![operation.note.to_owned()];
    if let Some(verb) = route.needs {
        let may = |role: &Role| could(&Actor::with(String::new(), *role), verb);
        let roles: Vec<&str> = Role::ALL.into_iter().filter(may).map(Role::name).collect();
        sentences.push(format!("Who may: {}.", roles.join(", ")));
        described["x-needs"] = json!(verb.name());
        described["x-roles"] = json!(roles);
        described["security"] = json!([{"token": []}, {"session": []}]);
    }
    described["description"] = sentences.join(" ").trim().into();
    let parameters = parameters(route, operation, schemas);
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    if let Some(shape) = operation.body {
        let schema = shape(&mut schemas.read);
        described["requestBody"] = json!({
            "required": true,
            "content": {"application/json": {"schema": schema}},
        });
    }
    described
}

fn parameters(route: &Route, operation: &Operation, schemas: &mut Schemas) -> Vec<Value> {
    let in_path = route.path.split('/').filter_map(|part| {
        let name = part.strip_prefix('{')?.strip_suffix('}')?;
        let is_job = route.path.starts_with("/api/v1/jobs/");
        let schema = if is_job {
            json!({"type": "string", "format": "uuid"})
        } else {
            json!({"type": "string", "minLength": 1})
        };
        Some(json!({"name": name, "in": "path", "required": true, "schema": schema}))
    });
    let mut all: Vec<Value> = in_path.collect();
    let mut seen = BTreeSet::new();
    for shape in &operation.queries {
        let structure = shape(&mut schemas.read).to_value();
        let fields = structure["properties"].as_object().cloned().unwrap_or_default();
        // Two structures may read one parameter: the first one describes it.
        all.extend(
            fields
                .into_iter()
                .filter(|(name, _)| seen.insert(name.clone()))
                .map(|(name, schema)| in_query(&name, schema)),
        );
    }
    if operation.takes_key {
        all.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "schema": {"type": "string"},
            "description": "Submissions with the same key are one job: send it again with its key if no answer has come.",
        }));
    }
    all
}

/// A field of a structure as a parameter, which is left out where it says nothing.
fn in_query(name: &str, mut schema: Value) -> Value {
    let description = schema["description"].take();
    if let Some(fields) = schema.as_object_mut() {
        fields.remove("description");
        fields.remove("default");
        if let Some(Value::Array(types)) = fields.get_mut("type") {
            types.retain(|name| name != "null");
            if let [single] = &types[..] {
                let single = single.clone();
                fields.insert("type".to_owned(), single);
            }
        }
    }
    json!({"name": name, "in": "query", "description": description, "schema": schema})
}
