//! The submission that the flags describe, in the canonical format.

use std::path::Path;

use anyhow::{Context, bail};
use serde_json::{Map, Value, json};
use shared::location::Location;

use super::Arguments;

/// `NAME=VALUE`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parameter {
    name: String,
    value: Value,
}

/// Reads `NAME=VALUE`; the value is JSON where it can be read as JSON, else a text.
pub(super) fn parameter(text: &str) -> Result<Parameter, String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok(Parameter {
            name: name.to_owned(),
            value: serde_json::from_str(value).unwrap_or_else(|_| Value::from(value)),
        }),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

/// The document to send.
pub(super) fn of(arguments: &Arguments) -> anyhow::Result<Vec<u8>> {
    let mut parameters = Map::new();
    let flags = [
        ("language", &arguments.language),
        ("font_type", &arguments.font_type),
    ];
    let named = flags
        .into_iter()
        .filter_map(|(name, value)| Some((name, Value::from(value.as_deref()?))));
    let free = arguments
        .parameters
        .iter()
        .map(|parameter| (parameter.name.as_str(), parameter.value.clone()));
    for (name, value) in named.chain(free) {
        if parameters.insert(name.to_owned(), value).is_some() {
            bail!("parameter \"{name}\" is given twice");
        }
    }
    let document = json!({
        "version": 1,
        "plugin": arguments.plugin,
        "template": arguments.template,
        "title": arguments.title,
        "source": arguments.source.as_deref().map(absolute).transpose()?,
        "target": arguments.target.as_deref().map(absolute).transpose()?,
        "priority": arguments.priority,
        "start_at": arguments.start_at,
        "process_id": arguments.process_id,
        "step_id": arguments.step_id,
        "project": arguments.project,
        "idempotency_key": arguments.key,
        "parameters": parameters,
    });
    let Value::Object(mut document) = document else {
        unreachable!("built as an object just above")
    };
    document.retain(|_, value| !value.is_null() && value.as_object().is_none_or(|map| !map.is_empty()));
    serde_json::to_vec(&document).context("can't write the job as JSON")
}

/// A folder counts from the current one; a place on object storage has its whole name.
fn absolute(path: &Path) -> anyhow::Result<String> {
    if let Some(objects) = path.to_str().filter(|text| Location::is_on_objects(text)) {
        return Ok(objects.to_owned());
    }
    let path = std::path::absolute(path).with_context(|| format!("folder \"{}\"", path.display()))?;
    match path.to_str() {
        Some(text) => Ok(text.to_owned()),
        None => bail!("folder \"{}\" is not named in UTF-8: rename it", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::{Cli, Command};

    fn document(flags: &[&str]) -> anyhow::Result<Value> {
        let line = ["taskmanager", "submit"].iter().chain(flags);
        let Command::Submit(arguments) = Cli::try_parse_from(line)?.command else {
            unreachable!()
        };
        Ok(serde_json::from_slice(&of(&arguments)?)?)
    }

    #[test]
    fn every_flag_arrives_under_its_canonical_name() {
        let flags = [
            "-t",
            "OCR",
            "-n",
            "gothic",
            "-T",
            "Kochbuch",
            "-s",
            "/in",
            "-d",
            "/out",
            "-p",
            "7",
            "--process-id",
            "27",
            "--step-id",
            "6519",
            "--project",
            "P",
            "--language",
            "ger,lat",
            "--font-type",
            "fracture",
            "--key",
            "k1",
            "--param",
            "dpi=300",
        ];
        assert_eq!(
            document(&flags).unwrap(),
            json!({
                "version": 1, "plugin": "OCR", "template": "gothic", "title": "Kochbuch", "source": "/in",
                "target": "/out", "priority": 7, "process_id": "27", "step_id": "6519", "project": "P",
                "idempotency_key": "k1",
                "parameters": {"language": "ger,lat", "font_type": "fracture", "dpi": 300}
            })
        );
    }

    #[test]
    fn what_is_not_given_is_not_sent() {
        assert_eq!(
            document(&["-t", "NOOP", "-T", "x"]).unwrap(),
            json!({"version": 1, "plugin": "NOOP", "title": "x"})
        );
    }

    #[test]
    fn a_relative_folder_counts_from_the_current_one() {
        let here = std::env::current_dir().unwrap();
        let document = document(&["-t", "OCR", "-T", "x", "-s", "images"]).unwrap();
        assert_eq!(document["source"], here.join("images").to_str().unwrap());
    }

    #[test]
    fn a_place_on_object_storage_is_sent_as_it_is_written() {
        let flags = [
            "-t",
            "OCR",
            "-T",
            "x",
            "-s",
            "s3://scans/27",
            "-d",
            "s3://scans/27/ocr",
        ];
        let document = document(&flags).unwrap();
        assert_eq!(document["source"], "s3://scans/27");
        assert_eq!(document["target"], "s3://scans/27/ocr");
    }

    #[test]
    fn parameter_values_are_json_where_they_can_be() {
        let value = |text: &str| parameter(text).unwrap().value;
        assert_eq!(value("a=85"), json!(85));
        assert_eq!(value("a=[1,\"b\"]"), json!([1, "b"]));
        assert_eq!(value("a=\"85\""), json!("85"));
        assert_eq!(value("a=ger,lat"), json!("ger,lat"));
        assert_eq!(value("a=007"), json!("007"));
        assert_eq!(value("a=b=c"), json!("b=c"));
        assert_eq!(value("a="), json!(""));
        assert!(parameter("a").is_err() && parameter("=a").is_err());
    }

    #[test]
    fn a_parameter_given_twice_is_refused() {
        let error = document(&[
            "-t",
            "OCR",
            "-T",
            "x",
            "--language",
            "ger",
            "--param",
            "language=eng",
        ])
        .unwrap_err();
        assert_eq!(error.to_string(), "parameter \"language\" is given twice");
    }

    #[test]
    fn wrong_combinations_are_refused_before_anything_is_sent() {
        let refused = [
            &["-T", "x"][..],
            &["-t", "OCR"],
            &["--file", "a.json", "-t", "OCR", "-T", "x"],
            &["--file", "-", "--param", "a=1"],
            &["-t", "OCR", "-T", "x", "-p", "11"],
            &["-t", "OCR", "-T", "x", "--timeout", "5"],
        ];
        for flags in refused {
            assert!(document(flags).is_err(), "{flags:?}");
        }
    }
}
