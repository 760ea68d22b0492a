//! What a job's parameters have to be: JSON Schema (draft 2020-12), from a plugin's workers and from templates.
//!
//! A submitter learns at once what else its job's page would say hours later. Nothing is fetched for a schema, and
//! its patterns can't be made to run for long.
//!
//! Invariant: the work of a check is bounded by the sizes of schema and parameters. So a schema is small and does not
//! refer to itself (a few references, each used twice by the next, find billions of problems), and all problems are
//! looked for only where both are small: the library collects them before the first can be had.

use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;

/// Most problems that are told of one submission.
const PROBLEMS_MAX: usize = 10;
/// Most characters of a description that are told.
const DESCRIPTION_MAX_CHARS: usize = 200;
/// Most bytes of a schema, as JSON.
const BYTES_MAX: usize = 32 * 1024;
/// Most values that a schema consists of.
const NODES_MAX: usize = 1_000;
/// Most values within each other.
const DEPTH_MAX: usize = 64;
/// Problems are told one by one where the values of schema and parameters, multiplied, are no more than this.
const TOLD_MAX: usize = 200_000;

/// A schema that parameters can be checked against.
#[derive(Debug, Clone)]
pub struct ParametersSchema {
    validator: Validator,
    schema: Value,
    nodes: usize,
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
    /// [`WrongSchema`]: it is no JSON Schema, refers to something, or is too large.
    pub fn read(schema: Value) -> Result<Self, WrongSchema> {
        let nodes = bounded(&schema).map_err(|problem| WrongSchema {
            place: String::new(),
            problem,
        })?;
        let read = jsonschema::draft202012::options()
            .with_pattern_options(PatternOptions::regex())
            .build(&schema);
        match read {
            Ok(validator) => Ok(Self {
                validator,
                schema,
                nodes,
            }),
            Err(error) => Err(WrongSchema {
                place: error.instance_path().to_string(),
                problem: error.to_string(),
            }),
        }
    }

    /// What is wrong with these parameters, one sentence a problem; empty when nothing is. No value is repeated, as it
    /// might be a secret.
    pub fn problems(&self, parameters: &Value) -> Vec<String> {
        if self.validator.is_valid(parameters) {
            return Vec::new();
        }
        let values = values(parameters).count();
        if values.saturating_mul(self.nodes) > TOLD_MAX {
            return vec![format!(
                "field \"parameters\": something among its {values} values is not as the schema demands; they are too \
                 many to say what"
            )];
        }
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

/// Checks that a schema refers to nothing and is small; gives the number of its values.
fn bounded(schema: &Value) -> Result<usize, String> {
    let mut nodes = 0;
    for (value, depth) in values(schema) {
        nodes += 1;
        if nodes > NODES_MAX {
            return Err(format!("it has more than {NODES_MAX} values"));
        }
        if depth > DEPTH_MAX {
            return Err(format!("it is nested deeper than {DEPTH_MAX} values"));
        }
        let reference = value.as_object().and_then(|fields| {
            // Also where it is no keyword but a parameter's name, which nobody needs.
            fields
                .keys()
                .find(|name| name.starts_with('$') && name.to_ascii_lowercase().ends_with("ref"))
        });
        if let Some(keyword) = reference {
            return Err(format!(
                "it refers to something by \"{keyword}\": write out what is meant"
            ));
        }
    }
    if schema.to_string().len() > BYTES_MAX {
        return Err(format!("it is longer than {} KiB", BYTES_MAX / 1024));
    }
    Ok(nodes)
}

/// A value and all that is in it, each with its depth.
fn values(root: &Value) -> impl Iterator<Item = (&Value, usize)> {
    let mut rest = vec![(root, 0)];
    std::iter::from_fn(move || {
        let (value, depth) = rest.pop()?;
        match value {
            Value::Array(list) => rest.extend(list.iter().map(|inner| (inner, depth + 1))),
            Value::Object(fields) => rest.extend(fields.values().map(|inner| (inner, depth + 1))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
        Some((value, depth))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

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

    #[test]
    fn a_schema_that_refers_is_refused_as_a_short_one_could_find_billions_of_problems() {
        // Each level finds the problems of the one below it twice.
        let doubled = |level: u32| json!({"allOf": [{"$ref": format!("#/$defs/{level}")}, {"$ref": format!("#/$defs/{level}")}]});
        let mut defs: Map<String, Value> = (1..4)
            .map(|level| (level.to_string(), doubled(level - 1)))
            .collect();
        defs.insert("0".to_owned(), json!({"required": ["x"]}));
        let mut root = doubled(3);
        root["$defs"] = Value::Object(defs);
        for bad in [
            root,
            json!({"properties": {"tree": {"items": {"$ref": "#"}}}}),
            json!({"anyOf": [{"$dynamicRef": "#here"}], "$dynamicAnchor": "here"}),
            // A parameter of that name is none that anybody needs.
            json!({"properties": {"$ref": {"type": "string"}}}),
        ] {
            let refused = ParametersSchema::read(bad.clone());
            let told = refused.map(|_| bad.to_string()).unwrap_err().to_string();
            assert!(told.contains("it refers to something by"), "{told}");
        }
    }

    #[test]
    fn a_schema_is_small_so_that_what_it_finds_is_bounded() {
        let names = |number: usize| -> Vec<String> { (0..number).map(|n| format!("p{n}")).collect() };
        let most = ParametersSchema::read(json!({"required": names(NODES_MAX - 2)})).unwrap();
        assert_eq!(most.problems(&json!({})).len(), PROBLEMS_MAX);
        assert!(most.problems(&json!("none")).is_empty());
        let too_many = ParametersSchema::read(json!({"required": names(NODES_MAX - 1)})).unwrap_err();
        assert!(too_many.to_string().contains("1000 values"), "{too_many}");
        let too_long = ParametersSchema::read(json!({"description": "x".repeat(BYTES_MAX)})).unwrap_err();
        assert!(too_long.to_string().contains("32 KiB"), "{too_long}");
        let mut deep = json!({});
        for _ in 0..100 {
            deep = json!({"items": deep});
        }
        let too_deep = ParametersSchema::read(deep).unwrap_err();
        assert!(too_deep.to_string().contains("deeper"), "{too_deep}");
    }

    #[test]
    fn of_many_values_that_many_rules_refuse_not_every_problem_is_looked_for() {
        let rules = vec![json!(false); NODES_MAX / 2];
        let schema = ParametersSchema::read(json!({"items": {"allOf": rules}})).unwrap();
        assert!(schema.problems(&json!([])).is_empty());
        assert_eq!(schema.problems(&json!([1, 2])).len(), PROBLEMS_MAX);
        let problems = schema.problems(&json!(vec![1; 1000]));
        assert_eq!(problems.len(), 1);
        assert!(problems[0].contains("1001 values"), "{problems:?}");
    }
}
