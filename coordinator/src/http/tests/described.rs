//! Every answer of an API route that a test gets is held against what the API's own document says of it.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use jsonschema::Validator;
use serde_json::{Value, json};

use super::*;
use crate::http::openapi::document;

/// The document, once for all tests.
pub(super) static DOCUMENT: LazyLock<Value> = LazyLock::new(|| document(&routes()));

/// Validators are slow to make: one for each route and status.
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// Fails if the document does not say that this request may be answered so. Requests to other routes than the API's
/// are not looked at.
pub(super) fn check(method: &Method, address: &str, answer: &Answer) {
    let path = address.split('?').next().unwrap_or_default();
    let Some(template) = template(path) else { return };
    let operation = &DOCUMENT["paths"][template][method.as_str().to_lowercase()];
    if operation.is_null() {
        return;
    }
    let name = format!("{method} {template} {}", answer.status.as_u16());
    let described = &operation["responses"][answer.status.as_str()];
    assert!(described.is_object(), "{name} is not described: {}", answer.body);
    let kind = answer.header(CONTENT_TYPE);
    let content = &described["content"][kind];
    assert!(content.is_object(), "{name} is not described as {kind}");
    for header in described["headers"]
        .as_object()
        .into_iter()
        .flat_map(|all| all.keys())
    {
        assert!(answer.headers.contains_key(header), "{name} lacks {header}");
    }
    let validator = Arc::clone(
        VALIDATORS
            .lock()
            .unwrap()
            .entry(name.clone())
            .or_insert_with(|| Arc::new(validator(&content["schema"]))),
    );
    let problems: Vec<String> = validator
        .iter_errors(&answer.json())
        .map(|error| format!("{} {error}", error.instance_path()))
        .collect();
    assert!(problems.is_empty(), "{name}: {problems:#?}\n{}", answer.body);
}

/// A schema of the document, with those that it refers to.
pub(super) fn validator(schema: &Value) -> Validator {
    let whole = json!({"allOf": [schema], "components": DOCUMENT["components"]});
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&whole)
        .unwrap_or_else(|error| panic!("{error}: {schema}"))
}

/// The path of the document that an address is meant by: one without parameters goes first.
fn template(path: &str) -> Option<&'static String> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    paths
        .keys()
        .filter(|template| {
            template.split('/').count() == path.split('/').count()
                && template
                    .split('/')
                    .zip(path.split('/'))
                    .all(|(wanted, given)| wanted == given || wanted.starts_with('{'))
        })
        .min_by_key(|template| template.matches('{').count())
}
