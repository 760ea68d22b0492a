//! The command line of `TaskClient`, with which steps of Goobi hand jobs to the intranda `TaskManager`.
//!
//! Invariant: one pure function reads it, wherever the words come from (a process's arguments, a ticket's script); it
//! never guesses, and tells all problems at once.

use serde_json::{Map, Value};

use super::submit::Rejection;
use crate::job::Priority;

#[cfg(test)]
mod tests;

/// Most characters of a word that is repeated to its writer.
const SHOWN_MAX_CHARS: usize = 60;

/// The job type that `-ocr` stands for.
const OCR: &str = "OCR";

/// What an option is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning<'a> {
    /// The address of the service.
    Address,
    /// The same, for a job of type OCR.
    AddressForOcr,
    /// A whole number from 0 to 10.
    Priority,
    /// A text, as this field of a submission.
    Field(&'a str),
}

/// The step stays open although the job was accepted; without a value.
const KEEP_OPEN: [&str; 2] = ["-e", "--returnError"];

/// The options that have a value, by all their names.
const OPTIONS: [(&str, Meaning<'static>); 16] = [
    ("-itm", Meaning::Address),
    ("-ocr", Meaning::AddressForOcr),
    ("-p", Meaning::Priority),
    ("-gid", Meaning::Field("goobiId")),
    ("-i", Meaning::Field("postOCR")),
    ("-T", Meaning::Field("goobiTitle")),
    ("--title", Meaning::Field("goobiTitle")),
    ("-t", Meaning::Field("jobtype")),
    ("--jobtype", Meaning::Field("jobtype")),
    ("-n", Meaning::Field("templatename")),
    ("--templatename", Meaning::Field("templatename")),
    ("-s", Meaning::Field("sourceDir")),
    ("--source", Meaning::Field("sourceDir")),
    ("-d", Meaning::Field("targetDir")),
    ("--destination", Meaning::Field("targetDir")),
    ("-f", Meaning::Field("fontType")),
];

/// What a command line asks for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Call {
    /// Where to: the service's address.
    pub address: Option<String>,
    /// The workflow's step is to stay open although the job was accepted.
    pub keep_open: bool,
    /// The submission, in the intranda `TaskManager`'s names.
    pub fields: Map<String, Value>,
}

/// Reads the words after the program's name. `-jar FILE`, and what only concerns Java before it, are passed over, so
/// that a site may put another program in the place of `java` and leave the rest.
///
/// # Errors
/// A [`Rejection`] that names every problem found.
pub fn read(words: &[String]) -> Result<Call, Rejection> {
    let mut reading = Reading::default();
    let mut rest = without_java(words);
    while let [word, after @ ..] = rest {
        rest = after;
        let (name, attached) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value)),
            _ => (word.as_str(), None),
        };
        if KEEP_OPEN.contains(&word.as_str()) {
            reading.call.keep_open = true;
            continue;
        }
        let Some(meaning) = meaning(name) else {
            reading.unknown(word);
            continue;
        };
        let value = match (attached, after) {
            (Some(value), _) => value,
            // An option in its place: the value's variable was empty, and nobody has quoted it.
            (None, [value, after @ ..]) if !is_option(value) => {
                rest = after;
                value
            }
            (None, _) => {
                reading.problem(format!("option {name} has no value"));
                continue;
            }
        };
        reading.take(meaning, name, value);
    }
    reading.finish()
}

/// Whether a script's first word, and where that is Java its file, name `TaskClient`; then the words after the program.
pub fn of_script(script: &[String]) -> Option<&[String]> {
    let (program, words) = script.split_first()?;
    let is_java_with_taskclient =
        || file_name(program) == "java" && words.iter().any(|word| file_name(word) == "TaskClient.jar");
    (file_name(program) == "taskclient" || is_java_with_taskclient()).then_some(words)
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn without_java(words: &[String]) -> &[String] {
    let of_java = |word: &&String| word.starts_with("-X") || word.starts_with("-D");
    match &words[words.iter().take_while(of_java).count()..] {
        [jar, _, rest @ ..] if jar == "-jar" => rest,
        _ => words,
    }
}

/// What an option means; `None` for what is none.
fn meaning(name: &str) -> Option<Meaning<'_>> {
    let known = OPTIONS.iter().find(|(known, _)| *known == name);
    known
        .map(|(_, meaning)| *meaning)
        .or_else(|| of_plugin(name).map(Meaning::Field))
}

/// The field of a plugin's own option: `tv_r` for `-tv_r`.
fn of_plugin(name: &str) -> Option<&str> {
    let field = name.strip_prefix('-')?;
    let well_formed = field.starts_with(|first: char| first.is_ascii_alphabetic())
        && field.contains('_')
        && field
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '_');
    well_formed.then_some(field)
}

fn is_option(word: &str) -> bool {
    let name = word.split_once('=').map_or(word, |(name, _)| name);
    KEEP_OPEN.contains(&word)
        || meaning(word).is_some()
        || (name.starts_with("--") && meaning(name).is_some())
}

/// A word as it may stand in a sentence.
fn shown(word: &str) -> String {
    let plain = |character: char| if character.is_control() { ' ' } else { character };
    let mut text: String = word.chars().take(SHOWN_MAX_CHARS).map(plain).collect();
    if word.chars().nth(SHOWN_MAX_CHARS).is_some() {
        text.push('…');
    }
    format!("\"{text}\"")
}

/// What was read so far.
#[derive(Debug, Default)]
struct Reading {
    call: Call,
    problems: Vec<String>,
}

impl Reading {
    fn problem(&mut self, problem: String) {
        self.problems.push(problem);
    }

    fn unknown(&mut self, word: &str) {
        let word_shown = shown(word);
        self.problem(if word.starts_with('-') {
            format!("option {word_shown} is unknown")
        } else {
            format!("{word_shown} belongs to no option: put values with spaces into quotes")
        });
    }

    /// Takes an option's value; an empty one counts as absent, as a workflow's unset variables arrive that way.
    fn take(&mut self, meaning: Meaning<'_>, name: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        match meaning {
            Meaning::Address => self.address(name, value),
            Meaning::AddressForOcr => {
                self.address(name, value);
                self.set("jobtype", name, OCR.into());
            }
            Meaning::Priority => match value.trim().parse::<i64>().map(Priority::try_from) {
                Ok(Ok(priority)) => self.set("priority", name, priority.get().into()),
                _ => self.problem(format!(
                    "option {name} is {}: use a whole number from 0 to 10",
                    shown(value)
                )),
            },
            Meaning::Field(field) => self.set(field, name, value.into()),
        }
    }

    fn address(&mut self, name: &str, value: &str) {
        match &self.call.address {
            Some(other) if other != value => {
                self.problem(format!(
                    "option {name} names another address than the one before: name one"
                ));
            }
            _ => self.call.address = Some(value.to_owned()),
        }
    }

    fn set(&mut self, field: &str, name: &str, value: Value) {
        match self.call.fields.get(field) {
            Some(other) if *other != value => {
                self.problem(format!(
                    "option {name} says {value}, but {other} is said already: say it once"
                ));
            }
            _ => {
                self.call.fields.insert(field.to_owned(), value);
            }
        }
    }

    fn finish(self) -> Result<Call, Rejection> {
        if self.problems.is_empty() {
            Ok(self.call)
        } else {
            Err(Rejection::new(self.problems.join("; ")))
        }
    }
}
