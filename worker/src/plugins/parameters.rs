//! Reading a job's parameters: the template's win over the submitter's, and a wrong one is a permanent failure
//! that says which, never a guess.

use serde_json::{Map, Value, json};
use shared::message::reply::Grant;

use crate::plugin::AttemptError;

const NUMBER: &str = "a whole number";
const FLAG: &str = "true or false";

/// What counts for a job.
#[derive(Debug)]
pub(super) struct Parameters {
    values: Map<String, Value>,
}

impl Parameters {
    pub(super) fn of(grant: &Grant) -> Self {
        let mut values = grant.parameters.clone();
        values.extend(
            grant
                .template
                .iter()
                .flat_map(|template| template.parameters.clone()),
        );
        Self { values }
    }

    /// The value of this name; `null` counts as none.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name).filter(|value| !value.is_null())
    }

    /// A whole number, also when it was sent as text.
    pub(super) fn number(&self, name: &str, default: u32) -> Result<u32, AttemptError> {
        let read = |value: &Value| match value {
            Value::String(text) => text.trim().parse().ok(),
            // Some write whole numbers as 5.0, and JSON Schema takes that for one.
            Value::Number(number) => {
                let text = number.to_string();
                text.strip_suffix(".0").unwrap_or(&text).parse().ok()
            }
            _ => None,
        };
        match self.get(name) {
            None => Ok(default),
            Some(value) => read(value).ok_or_else(|| wrong(name, value, NUMBER)),
        }
    }

    /// True or false, also when it was sent as text.
    pub(super) fn flag(&self, name: &str) -> Result<bool, AttemptError> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::String(text)) if text == "true" => Ok(true),
            Some(Value::String(text)) if text == "false" => Ok(false),
            Some(value) => Err(wrong(name, value, FLAG)),
        }
    }
}

/// JSON Schema of what [`Parameters::number`] reads.
pub(super) fn number_schema() -> Value {
    json!({
        "type": ["integer", "string", "null"],
        "minimum": 0,
        "maximum": u32::MAX,
        "pattern": r"^\s*\+?[0-9]{1,9}\s*$",
        "description": NUMBER,
    })
}

/// JSON Schema of what [`Parameters::flag`] reads.
pub(super) fn flag_schema() -> Value {
    json!({"enum": [true, false, "true", "false", null], "description": FLAG})
}

/// The failure for a value that is not what it should be.
pub(super) fn wrong(name: &str, value: &Value, expected: &str) -> AttemptError {
    let shown: String = value.to_string().chars().take(100).collect();
    AttemptError::permanent(format!("parameter \"{name}\" is {shown}, but must be {expected}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parameters(values: &Value) -> Parameters {
        Parameters {
            values: values.as_object().unwrap().clone(),
        }
    }

    #[test]
    fn numbers_and_flags_may_be_sent_as_text_and_nothing_else_is_guessed() {
        let given =
            parameters(&json!({"a": 3, "b": "4", "c": -1, "d": "yes", "e": true, "f": "false", "g": null}));
        assert_eq!(
            (given.number("a", 0), given.number("b", 0), given.number("g", 7)),
            (Ok(3), Ok(4), Ok(7))
        );
        assert!(given.number("c", 0).is_err() && given.number("e", 0).is_err());
        assert_eq!(
            (given.flag("e"), given.flag("f"), given.flag("none")),
            (Ok(true), Ok(false), Ok(false))
        );
        let refused = given.flag("d").unwrap_err().to_string();
        assert_eq!(refused, "parameter \"d\" is \"yes\", but must be true or false");
    }

    fn any_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (0..=u64::from(u32::MAX) + 1).prop_map(Value::from),
            "[ ]{0,2}[+-]?[0-9]{0,9}[ x]?".prop_map(Value::from),
            "[5-9][0-9]{9,20}".prop_map(Value::from),
            (-5..=5_i8).prop_map(|number| Value::from(f64::from(number))),
            any::<f64>()
                .prop_filter("not minus nothing", |number| *number != 0.0)
                .prop_map(Value::from),
            "true|false|True|yes|1|".prop_map(Value::from),
            Just(json!([1])),
            Just(json!({"a": 1})),
        ]
    }

    proptest! {
        #[test]
        fn a_schema_allows_what_is_read_and_nothing_else(value in any_value()) {
            let given = parameters(&json!({"it": value}));
            let number = jsonschema::is_valid(&number_schema(), &value);
            prop_assert_eq!(number, given.number("it", 0).is_ok());
            prop_assert_eq!(jsonschema::is_valid(&flag_schema(), &value), given.flag("it").is_ok());
        }
    }
}
