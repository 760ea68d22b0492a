//! Taking known fields out of a submission's object under any of their names, and collecting what is wrong.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::secrets::mask_fields;
use super::{CallbackWhen, ID_MAX_CHARS, SECRET_MASK, TEXT_MAX_CHARS, Token};
use crate::job::Priority;
use crate::message::{VERSION, VERSION_OLDEST};
use crate::plugin::PluginName;

/// The fields that were not taken yet, and the problems found so far.
pub(super) struct Fields {
    rest: Map<String, Value>,
    problems: Vec<String>,
}

impl Fields {
    pub(super) fn new(object: Map<String, Value>) -> Self {
        Self {
            rest: object,
            problems: Vec::new(),
        }
    }

    /// What nobody has taken, secrets masked, and all problems.
    pub(super) fn finish(mut self) -> (Map<String, Value>, Vec<String>) {
        mask_fields(&mut self.rest, SECRET_MASK);
        (self.rest, self.problems)
    }

    /// The callback's secret, which also stays where it is, to be masked.
    pub(super) fn token(&self) -> Option<Token> {
        Token::find(&self.rest)
    }

    /// At which ends the submitter is told; to be asked for before the callback's address is taken, whose name tells
    /// whose custom holds.
    pub(super) fn callback_when(&mut self) -> CallbackWhen {
        let by_custom = if self.rest.contains_key("callback_url") || !self.rest.contains_key("callbackUrl") {
            CallbackWhen::Ended
        } else {
            CallbackWhen::Done
        };
        match self.text(&["callback_when", "callbackWhen"]).as_deref() {
            None => by_custom,
            Some("ended") => CallbackWhen::Ended,
            Some("done") => CallbackWhen::Done,
            Some(_) => {
                self.problem("field \"callback_when\" must be \"ended\" (however the job ends) or \"done\"");
                by_custom
            }
        }
    }

    pub(super) fn problem(&mut self, problem: impl Into<String>) {
        self.problems.push(problem.into());
    }

    pub(super) fn version(&mut self) {
        match self.rest.remove("version") {
            None => {}
            Some(version) => match version.as_u64() {
                Some(n) if (u64::from(VERSION_OLDEST)..=u64::from(VERSION)).contains(&n) => {}
                _ => self.problem(format!(
                    "field \"version\" is {version}: this server understands {VERSION_OLDEST} to {VERSION}"
                )),
            },
        }
    }

    pub(super) fn plugin(&mut self) -> Option<PluginName> {
        let Some(name) = self.text(&["plugin", "jobtype"]) else {
            if self.problems.is_empty() {
                self.problem("field \"plugin\" (or \"jobtype\") is missing");
            }
            return None;
        };
        name.parse()
            .map_err(|error| self.problem(format!("field \"plugin\": {error}")))
            .ok()
    }

    pub(super) fn priority(&mut self) -> Option<Priority> {
        let value = self.take(&["priority"])?;
        let number = match &value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let Some(number) = number else {
            self.problem(format!(
                "field \"priority\" is {value}: use a whole number from 0 to 10"
            ));
            return None;
        };
        Priority::try_from(number)
            .map_err(|error| self.problem(format!("field \"priority\": {error}")))
            .ok()
    }

    /// The parameters object, with `language` and `fontType` from outside it.
    pub(super) fn parameters(&mut self) -> Map<String, Value> {
        let mut parameters = match self.take(&["parameters"]) {
            None => Map::new(),
            Some(Value::Object(map)) => map,
            Some(_) => {
                self.problem("field \"parameters\" must be an object");
                Map::new()
            }
        };
        for (name, aliases) in [
            ("language", &["language"][..]),
            ("font_type", &["font_type", "fontType"][..]),
        ] {
            if let Some(value) = self.take(aliases) {
                parameters.entry(name).or_insert(value);
            }
        }
        parameters
    }

    /// A text of limited length.
    pub(super) fn text(&mut self, names: &[&str]) -> Option<String> {
        self.text_up_to(TEXT_MAX_CHARS, names)
    }

    /// A point in time.
    pub(super) fn time(&mut self, names: &[&str]) -> Option<Timestamp> {
        let text = self.text(names)?;
        let time = text.parse();
        if time.is_err() {
            self.problem(format!(
                "field \"{}\" is no point in time: write it as 2026-12-24T22:00:00+01:00",
                names[0]
            ));
        }
        time.ok()
    }

    /// An identifier of another system: a text or a whole number.
    pub(super) fn id(&mut self, names: &[&str]) -> Option<String> {
        match names.iter().find_map(|name| self.rest.get(*name)) {
            Some(Value::Number(_)) => self.take(names).map(|number| number.to_string()),
            _ => self.text_up_to(ID_MAX_CHARS, names),
        }
    }

    /// A text that stands in an index.
    pub(super) fn short_text(&mut self, names: &[&str]) -> Option<String> {
        self.text_up_to(ID_MAX_CHARS, names)
    }

    fn text_up_to(&mut self, max: usize, names: &[&str]) -> Option<String> {
        match self.take(names)? {
            Value::String(text) if text.chars().count() <= max => Some(text),
            Value::String(_) => {
                self.problem(format!("field \"{}\" is longer than {max} characters", names[0]));
                None
            }
            _ => {
                self.problem(format!("field \"{}\" must be a text", names[0]));
                None
            }
        }
    }

    /// Takes a field under each of its names; empty and null count as absent, as a workflow's unset variables
    /// arrive that way.
    fn take(&mut self, names: &[&str]) -> Option<Value> {
        let mut found: Option<(&str, Value)> = None;
        for name in names {
            let Some(value) = self.rest.remove(*name) else {
                continue;
            };
            if value.is_null() || value.as_str() == Some("") {
                continue;
            }
            match &found {
                None => found = Some((name, value)),
                Some((first, other)) if *other != value => {
                    let problem = format!("fields \"{first}\" and \"{name}\" mean the same but differ");
                    self.problems.push(problem);
                }
                Some(_) => {}
            }
        }
        found.map(|(_, value)| value)
    }
}
