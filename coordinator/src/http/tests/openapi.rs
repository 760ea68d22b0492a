//! The document that the API describes itself with: it has every route, and says of each what holds.

use serde::de::DeserializeOwned;
use serde_json::json;

use super::described::{DOCUMENT, validator};
use super::*;
use crate::control::{Actor, JobAction, PluginAction, Role, StorageAction, could};
use crate::http::actions::read as read_body;

/// Methods and paths of the document.
fn operations() -> Vec<(String, String)> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let mut all: Vec<(String, String)> = paths
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys();
            methods.map(move |method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    all.sort();
    all
}

fn operation(route: &Route) -> &'static serde_json::Value {
    &DOCUMENT["paths"][route.path][route.method.as_str().to_lowercase()]
}

fn api_routes() -> Vec<Route> {
    let is_api = |route: &Route| route.kind == Kind::Api;
    routes().into_iter().filter(is_api).collect()
}

#[tokio::test]
async fn everybody_gets_the_document() {
    let mut app = app(away::nowhere());
    app.door = Door::Login { secure: true };
    let answer = ask(&router(app), "/api/v1/openapi.json").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json(), *DOCUMENT);
}

#[test]
fn each_route_of_the_api_stands_in_the_document_and_nothing_else_does() {
    let mut wanted: Vec<(String, String)> = api_routes()
        .iter()
        .map(|route| (route.method.to_string(), route.path.to_owned()))
        .collect();
    wanted.sort();
    assert_eq!(operations(), wanted);
}

#[test]
fn each_route_says_who_may_use_it_and_how_one_comes_in() {
    for route in api_routes() {
        let described = operation(&route);
        let Some(verb) = route.needs else {
            assert_eq!(described["security"], json!([]), "{}", route.path);
            continue;
        };
        assert_eq!(described["security"], json!([{"token": []}, {"session": []}]));
        assert_eq!(described["x-needs"], verb.name());
        let said = described["x-roles"].as_array().unwrap();
        for role in Role::ALL {
            let may = could(&Actor::with(String::new(), role), verb);
            let is_said = said.iter().any(|name| name == role.name());
            assert_eq!(is_said, may, "{} {:?}", route.path, role);
        }
        for failure in ["401", "403", "503"] {
            assert!(described["responses"][failure].is_object(), "{}", route.path);
        }
    }
}

#[test]
fn each_operation_has_a_name_of_its_own_and_each_parameter_of_a_path_is_described() {
    let mut ids: Vec<&str> = Vec::new();
    for route in api_routes() {
        let described = operation(&route);
        ids.push(described["operationId"].as_str().unwrap());
        let in_path = described["parameters"].as_array().into_iter().flatten();
        let in_path = in_path.filter(|parameter| parameter["in"] == "path");
        assert_eq!(in_path.count(), route.path.matches('{').count(), "{}", route.path);
        let takes = described["requestBody"].is_object();
        assert_eq!(takes, route.method == Method::POST, "{}", route.path);
    }
    ids.sort_unstable();
    let before = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), before);
}

#[test]
fn each_body_that_a_route_understands_is_described() {
    for route in api_routes() {
        let schema = &operation(&route)["requestBody"]["content"]["application/json"]["schema"];
        if schema.is_null() {
            continue;
        }
        let body: serde_json::Value = serde_json::from_str(sample_body(&route)).unwrap();
        let problems: Vec<String> = validator(schema)
            .iter_errors(&body)
            .map(|error| error.to_string())
            .collect();
        assert!(problems.is_empty(), "{}: {problems:?}", route.path);
        assert!(
            !validator(schema).is_valid(&json!([])),
            "{}: anything is a body",
            route.path
        );
    }
}

/// Whether a route's own reader takes a body, after its schema has said the same.
fn takes<T: DeserializeOwned>(path: &str, body: &serde_json::Value) -> bool {
    let described = &DOCUMENT["paths"][path]["post"]["requestBody"];
    let is_described = validator(&described["content"]["application/json"]["schema"]).is_valid(body);
    let is_read = read_body::<T>(body.to_string().as_bytes()).is_ok();
    assert_eq!(is_described, is_read, "{path}: {body}");
    is_read
}

#[test]
fn the_schema_of_a_body_takes_what_its_reader_takes_and_refuses_what_it_refuses() {
    let plugin = |body| takes::<PluginAction>("/api/v1/plugins/{name}/actions", &body);
    assert!(plugin(
        json!({"action": "configure", "running_max": null, "lease_seconds": 60})
    ));
    assert!(plugin(
        json!({"action": "quota", "pages_total": 5, "period": "year"})
    ));
    assert!(plugin(
        json!({"action": "stop", "resume_at": "2026-11-22T08:00:00Z"})
    ));
    assert!(!plugin(json!({"action": "configure", "running_most": 4})));
    assert!(!plugin(json!({"action": "configure", "lease_seconds": "long"})));
    assert!(!plugin(json!({"action": "pause"})));
    assert!(!plugin(json!({"action": "start", "at": "2026-11-22T08:00:00Z"})));
    let job = |body| takes::<JobAction>("/api/v1/jobs/{id}/actions", &body);
    assert!(job(
        json!({"action": "message_goobi", "type": "info", "text": "a"})
    ));
    assert!(job(json!({"action": "set_priority", "priority": 10})));
    assert!(job(json!({"action": "retry"})));
    assert!(!job(json!({"action": "set_priority", "priority": 11})));
    assert!(!job(json!({"action": "set_priority"})));
    assert!(job(json!({"action": "cancel"})));
    assert!(!job(json!({"action": "cancel", "why": "wrong volume"})));
    assert!(!job(json!({"action": "move", "to": "left"})));
    let storage = |body| takes::<StorageAction>("/api/v1/storages/actions", &body);
    assert!(storage(
        json!({"action": "set", "path": "/data", "running_max": null})
    ));
    assert!(!storage(json!({"action": "set"})));
}
