//! What a job's parameters have to be: JSON Schema (draft 2020-12), from a plugin's workers and from templates.
//!
//! A submitter learns at once what else its job's page would say hours later. Nothing is fetched for a schema, and
//! its patterns can't be made to run for long.

use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;

/// Most problems that are told of one submission.
const PROBLEMS_MAX: usize = 10;
/// Most characters of a description that are told.
const DESCRIPTION_MAX_CHARS: usize = 200;

/// A schema that parameters can be checked against.
#[derive(Debug, Clone)]
pub struct ParametersSchema {
    validator: Validator,
    schema: Value,
}

/// A schema that is none.
#[derive(Debug, thiserror::Error)]
#[error("its JSON Schema is wrong at \"{place}\": {problem}")]
pub struct WrongSchema {
    place: String,
    problem: String,
}

impl ParametersSchema {
    /// Reads a schema.
    ///
    /// # Errors
    /// [`WrongSchema`]: it is no JSON Schema, or refers to something elsewhere.
    pub fn read(schema: Value) -> Result<Self, WrongSchema> {
        let read = jsonschema::draft202012::options()
            .with_pattern_options(PatternOptions::regex())
            .build(&schema);
        match read {
            Ok(validator) => Ok(Self { validator, schema }),
            Err(error) => Err(WrongSchema {
                place: error.instance_path().to_string(),
                problem: error.to_string(),
            }),
        }
    }

    /// What is wrong with these parameters, one sentence a problem; empty when nothing is. No value is repeated, as it
    /// might be a secret.
    pub fn problems(&self, parameters: &Value) -> Vec<String> {
        let errors = self.validator.iter_errors(parameters);
        errors.take(PROBLEMS_MAX).map(|error| self.tell(&error)).collect()
    }

    fn tell(&self, error: &ValidationError<'_>) -> String {
        let path = error.instance_path().to_string();
        let Some(path) = path.strip_prefix('/') else {
            return format!("field \"parameters\": {}", error.masked_with("it"));
        };
        let name = path.split('/').next().unwrap_or(path);
        let problem = match self.description(name) {
            Some(description) => format!("must be {description}"),
            None => error.masked_with("its value").to_string(),
        };
        format!("parameter \"{}\": {problem}", path.replace('/', "."))
    }

    fn description(&self, name: &str) -> Option<String> {
        let description = self.schema.get("properties")?.get(name)?.get("description")?;
        Some(
            description
                .as_str()?
                .chars()
                .take(DESCRIPTION_MAX_CHARS)
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> ParametersSchema {
        ParametersSchema::read(json!({
            "type": "object",
            "properties": {
                "items": {"type": "integer", "minimum": 0, "description": "a whole number"},
                "size": {"type": "object", "properties": {"width": {"type": "integer"}}},
            },
            "required": ["quality"],
        }))
        .unwrap()
    }

    #[test]
    fn all_that_is_wrong_is_told_by_name_and_no_value_is_repeated() {
        let problems = schema().problems(&json!({"items": "hunter2", "size": {"width": "hunter2"}}));
        assert_eq!(
            problems,
            [
                "field \"parameters\": \"quality\" is a required property",
                "parameter \"items\": must be a whole number",
                "parameter \"size.width\": its value is not of type \"integer\"",
            ]
        );
    }

    #[test]
    fn parameters_that_the_schema_does_not_name_are_nobodys_business() {
        assert_eq!(schema().problems(&json!({"quality": 3, "other": [1]})), [""; 0]);
    }

    #[test]
    fn a_schema_that_is_none_or_lies_elsewhere_or_looks_behind_itself_is_refused() {
        for bad in [
            json!({"type": "nothing"}),
            json!({"$ref": "http://elsewhere.example.org/schema.json"}),
            json!({"$ref": "file:///etc/passwd"}),
            json!({"pattern": "(a+)+(?=b)\\1"}),
        ] {
            assert!(ParametersSchema::read(bad.clone()).is_err(), "{bad}");
        }
    }
}
