//! The chart's settings: each is explained once, in values.yaml; schema and README say the same.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use launcher::workspace;
use serde_json::Value;

use crate::chart::{chart, rendered};

/// Where the README's table begins and ends.
const MARKS: [&str; 2] = ["<!-- made from values.yaml -->\n", "<!-- until here -->\n"];

/// What values.yaml says of each setting, by its path.
fn comments() -> BTreeMap<String, String> {
    let text = fs::read_to_string(chart().join("values.yaml")).unwrap();
    let (mut comments, mut path, mut said) = (BTreeMap::new(), Vec::new(), None);
    for line in text.lines() {
        let content = line.trim_start();
        if let Some(comment) = content.strip_prefix("# -- ") {
            said = Some(comment.to_owned());
            continue;
        }
        if let Some((key, _)) = content.split_once(':').filter(|(key, _)| is_a_key(key)) {
            path.truncate((line.len() - content.len()) / 2);
            path.push(key);
            if let Some(comment) = said.take() {
                comments.insert(path.join("."), comment);
            }
        }
        said = None;
    }
    comments
}

fn is_a_key(text: &str) -> bool {
    text.chars().all(char::is_alphanumeric) && text.starts_with(char::is_lowercase)
}

/// The settings with their defaults, by their paths: whatever is no group of others.
fn settings(value: &Value, path: &str, found: &mut Vec<(String, Value)>) {
    match value.as_object() {
        Some(group) if !group.is_empty() && !path.ends_with(".resources") => {
            for (key, value) in group {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                settings(value, &path, found);
            }
        }
        _ => found.push((path.to_owned(), value.clone())),
    }
}

fn all_settings() -> Vec<(String, Value)> {
    let mut found = Vec::new();
    settings(&rendered().defaults, "", &mut found);
    assert!(found.len() > 90, "{}", found.len());
    found
}

fn schema() -> Value {
    serde_json::from_str(&fs::read_to_string(chart().join("values.schema.json")).unwrap()).unwrap()
}

/// The part of the schema that a path leads to.
fn in_schema<'a>(schema: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(schema, |at, key| &at["properties"][key])
}

#[test]
fn every_setting_is_explained_and_the_schema_says_the_same() {
    let (comments, schema) = (comments(), schema());
    for (path, _) in all_settings() {
        let comment = comments
            .get(&path)
            .unwrap_or_else(|| panic!("values.yaml says nothing of {path}"));
        assert_eq!(
            in_schema(&schema, &path)["description"],
            comment.as_str(),
            "{path}"
        );
    }
}

#[test]
fn the_schema_knows_no_setting_that_there_is_not_and_lets_no_other_in() {
    let (schema, defaults) = (schema(), &rendered().defaults);
    let mut open = Vec::new();
    look(&schema, "", &mut open);
    assert_eq!(open, [""; 0], "these have no description, or let anything in");
    let pool = &schema["$defs"]["pool"]["properties"];
    for key in defaults["workerDefaults"].as_object().unwrap().keys() {
        assert!(pool[key].is_object(), "a pool can't set {key}");
    }
    for key in schema["properties"].as_object().unwrap().keys() {
        assert!(
            defaults.get(key).is_some() || key == "global",
            "{key} is no setting"
        );
    }
}

/// Collects what has no description, and objects with named fields that take others as well.
fn look(schema: &Value, path: &str, open: &mut Vec<String>) {
    if let Some(fields) = schema["properties"].as_object() {
        if schema["additionalProperties"] != false {
            open.push(path.to_owned());
        }
        for (key, field) in fields {
            let path = format!("{path}.{key}");
            if field["description"].as_str().is_none_or(str::is_empty) {
                open.push(path.clone());
            }
            look(field, &path, open);
        }
    }
    if let Some(parts) = schema["$defs"].as_object() {
        for (key, part) in parts {
            look(part, key, open);
            look(&part["items"], key, open);
        }
    }
}

/// The README's part that is made from values.yaml.
fn table() -> String {
    let comments = comments();
    let mut table = String::from("| setting | default | what it means |\n|---|---|---|\n");
    for (path, default) in all_settings() {
        let default = match (path.as_str(), &default) {
            ("workerPools" | "templates.toml", _) => "see values.yaml".to_owned(),
            (_, Value::String(text)) if text.is_empty() => String::new(),
            (_, default) => format!("`{default}`"),
        };
        writeln!(table, "| `{path}` | {default} | {} |", comments[&path]).unwrap();
    }
    table.push_str(
        "\nFields of a pool: those of `workerDefaults`, and\n\n| field | what it means |\n|---|---|\n",
    );
    let schema = schema();
    for field in ["name", "user", "plugins"] {
        let said = &schema["$defs"]["pool"]["properties"][field]["description"];
        writeln!(table, "| `{field}` | {} |", said.as_str().unwrap()).unwrap();
    }
    table
}

#[test]
fn the_readme_is_made_from_the_values() {
    let file = workspace().join("helm/README.md");
    let text = fs::read_to_string(&file).unwrap();
    let [begin, end] = MARKS.map(|mark| text.find(mark).unwrap());
    let expected = format!("{}{}\n{}\n{}", &text[..begin], MARKS[0], table(), &text[end..]);
    if text != expected {
        let made = workspace().join("target/helm-README.md");
        fs::write(&made, expected).unwrap();
        panic!(
            "helm/README.md is not what values.yaml says: cp {} {}",
            made.display(),
            file.display()
        );
    }
}
