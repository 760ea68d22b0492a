//! Plugin names, and the queue name derived from them (the only place that does so).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Most characters that a plugin's name may have.
const LENGTH_MAX: usize = 40;

/// The name of a plugin (job type): `OCR`, `SHELL`, `JP2`.
///
/// Capital letters, digits, `_` and `-`, beginning with a letter; lower case is accepted and raised, because
/// Goobi's samples write both (`SHELL`, `jp2validate`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct PluginName(String);

impl PluginName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The routing key of this plugin's messages on the jobs exchange.
    pub fn routing_key(&self) -> String {
        self.0.to_lowercase()
    }

    /// The queue that this plugin's jobs wait in.
    pub fn queue(&self) -> String {
        format!("taskmanager.jobs.{}", self.routing_key())
    }
}

/// A text that can't be a plugin's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a plugin name: use up to 40 letters, digits, _ and -, beginning with a letter")]
pub struct InvalidPluginName(String);

impl FromStr for PluginName {
    type Err = InvalidPluginName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.to_ascii_uppercase();
        let legal = name.len() <= LENGTH_MAX
            && name.starts_with(|c: char| c.is_ascii_uppercase())
            && name
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_' || c == '-');
        if legal {
            Ok(Self(name))
        } else {
            Err(InvalidPluginName(text.chars().take(60).collect()))
        }
    }
}

impl TryFrom<String> for PluginName {
    type Error = InvalidPluginName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<PluginName> for String {
    fn from(name: PluginName) -> Self {
        name.0
    }
}

impl fmt::Display for PluginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_raised_to_capitals_and_give_the_queue() {
        let name: PluginName = "jp2validate".parse().unwrap();
        assert_eq!(name.as_str(), "JP2VALIDATE");
        assert_eq!(name.queue(), "taskmanager.jobs.jp2validate");
    }

    #[test]
    fn names_that_could_reach_another_queue_are_refused() {
        for bad in [
            "",
            "1A",
            "a.b",
            "a b",
            "a#",
            "ä",
            "taskmanager.results",
            &"A".repeat(41),
        ] {
            assert!(bad.parse::<PluginName>().is_err(), "{bad}");
        }
    }
}
