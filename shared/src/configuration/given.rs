//! What somebody has given for a setting, in words for the parser.

use std::ffi::{OsStr, OsString};

use clap::{Arg, ArgAction, Command};
use toml::Value;

use super::complaint;

/// Yes, as people write it into variables.
const YES: [&str; 6] = ["1", "true", "t", "yes", "y", "on"];
/// No.
const NO: [&str; 6] = ["0", "false", "f", "no", "n", "off"];

/// An option as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wish {
    /// Without its dashes; it is one that there is.
    pub(super) option: String,
    pub(super) value: Option<String>,
}

/// Where something was given; the first counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Typed,
    Variable,
    File,
}

/// All that counts of what was given for a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) option: String,
    place: Place,
    /// How the place is told.
    told: String,
    /// What is wrong with it before the parser sees it.
    wrong: Option<&'static str>,
    /// Each a value; none where a switch is off. `None` for a switch that is on, or an option without its value.
    values: Vec<Option<String>>,
}

/// The options among the words of a command line, each with its value.
pub(super) fn wishes(options: &Command, words: &[OsString], problems: &mut Vec<String>) -> Vec<Wish> {
    let mut wishes = Vec::new();
    let mut words = words.iter().enumerate().peekable();
    while let Some((at, word)) = words.next() {
        // Neither is shown: it may be the value of something else.
        let Some(word) = word.to_str() else {
            problems.push(format!("word {} is no UTF-8", at + 1));
            continue;
        };
        let Some(rest) = word.strip_prefix("--") else {
            problems.push(format!("word {} belongs to no option", at + 1));
            continue;
        };
        let (option, value) = rest
            .split_once('=')
            .map_or((rest, None), |(option, value)| (option, Some(value.to_owned())));
        let argument = options
            .get_arguments()
            .find(|argument| argument.get_long() == Some(option));
        let value = value.or_else(|| {
            if argument.is_some_and(is_switch) {
                return None;
            }
            let (_, next) =
                words.next_if(|(_, next)| next.to_str().is_some_and(|next| !next.starts_with("--")))?;
            next.to_str().map(str::to_owned)
        });
        if argument.is_some() {
            wishes.push(Wish {
                option: option.to_owned(),
                value,
            });
        } else {
            let unknown = options
                .clone()
                .try_get_matches_from([options.get_name(), &format!("--{option}")]);
            problems.extend(unknown.err().map(|error| complaint(&error)));
        }
    }
    wishes
}

fn is_switch(argument: &Arg) -> bool {
    matches!(argument.get_action(), ArgAction::SetTrue)
}

fn takes_many(argument: &Arg) -> bool {
    matches!(argument.get_action(), ArgAction::Append)
}

/// The parts of a text where the setting takes many; an empty part is none.
fn divide(argument: &Arg, text: &str) -> Vec<Option<String>> {
    match argument.get_value_delimiter() {
        Some(delimiter) => text
            .split(delimiter)
            .filter(|part| !part.is_empty())
            .map(|part| Some(part.to_owned()))
            .collect(),
        None => vec![Some(text.to_owned())],
    }
}

/// Whether a switch is on.
fn switch(text: &str) -> Result<Vec<Option<String>>, &'static str> {
    let word = text.to_lowercase();
    if YES.contains(&word.as_str()) {
        Ok(vec![None])
    } else if NO.contains(&word.as_str()) {
        Ok(Vec::new())
    } else {
        Err("it is neither true nor false")
    }
}

impl Given {
    fn new(
        option: &str,
        place: Place,
        told: String,
        values: Result<Vec<Option<String>>, &'static str>,
    ) -> Self {
        Self {
            option: option.to_owned(),
            place,
            told,
            wrong: values.as_ref().err().copied(),
            values: values.unwrap_or_default(),
        }
    }

    /// What was typed for one option.
    pub(super) fn of_wishes(argument: &Arg, option: &str, wishes: &[&Wish]) -> Self {
        let values = if wishes.len() > 1 && !takes_many(argument) {
            Err("it is given more than once")
        } else {
            let parts = |wish: &&Wish| {
                wish.value
                    .as_deref()
                    .map_or(vec![None], |text| divide(argument, text))
            };
            Ok(wishes.iter().flat_map(parts).collect())
        };
        Self::new(option, Place::Typed, format!("--{option}"), values)
    }

    /// A variable's text.
    pub(super) fn of_variable(argument: &Arg, option: &str, name: &str, text: &OsStr) -> Self {
        let values = match text.to_str() {
            None => Err("it is no UTF-8"),
            Some(text) if is_switch(argument) => switch(text),
            Some(text) => Ok(divide(argument, text)),
        };
        Self::new(option, Place::Variable, name.to_owned(), values)
    }

    /// A value of the file: a text, a number or a truth; a list of these for a setting that takes many.
    pub(super) fn of_value(argument: &Arg, option: &str, file: &str, value: &Value) -> Self {
        let values = match value {
            Value::Array(values) if takes_many(argument) => {
                values.iter().map(|value| plain(value).map(Some)).collect()
            }
            Value::Array(_) => Err("it takes one value and no list"),
            value if is_switch(argument) => plain(value).and_then(|text| switch(&text)),
            value => plain(value).map(|text| vec![Some(text)]),
        };
        Self::new(option, Place::File, format!("{file}, {option}"), values)
    }

    /// Whether the same setting was given in another way in a place that goes before this one's: `X` outdoes `X-file`.
    pub(super) fn is_outdone_by(&self, all: &[Self]) -> bool {
        let direct = self.option.strip_suffix("-file");
        all.iter()
            .any(|other| Some(other.option.as_str()) == direct && other.place < self.place)
    }

    /// Its words for the parser.
    ///
    /// # Errors
    /// All that is wrong with it, taken by itself.
    pub(super) fn judge(&self, parser: &Command) -> Result<Vec<String>, Vec<String>> {
        if let Some(wrong) = self.wrong {
            return Err(vec![format!("{}: {wrong}", self.told)]);
        }
        let (mut tokens, mut problems) = (Vec::new(), Vec::new());
        for value in &self.values {
            let token = match value {
                Some(value) => format!("--{}={value}", self.option),
                None => format!("--{}", self.option),
            };
            let read = parser.clone().try_get_matches_from([parser.get_name(), &token]);
            match read {
                Ok(_) => tokens.push(token),
                Err(error) => problems.push(self.tell(&complaint(&error), value.as_deref())),
            }
        }
        if problems.is_empty() {
            Ok(tokens)
        } else {
            Err(problems)
        }
    }

    fn tell(&self, complaint: &str, value: Option<&str>) -> String {
        // An address with a password under the wrong name, perhaps.
        let complaint = match value {
            Some(value) if value.contains('@') => complaint.replace(value, "…"),
            _ => complaint.to_owned(),
        };
        match self.place {
            Place::Typed => complaint,
            Place::Variable | Place::File => format!("{}: {complaint}", self.told),
        }
    }
}

/// A value of the file as text.
fn plain(value: &Value) -> Result<String, &'static str> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(number.to_string()),
        Value::Boolean(truth) => Ok(truth.to_string()),
        Value::Array(_) | Value::Datetime(_) | Value::Table(_) => {
            Err("it is no text, no number, and neither true nor false")
        }
    }
}
