//! What a person tells Goobi about a job: an entry of its process's journal.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most characters of an entry.
const TEXT_MAX: usize = 4_000;

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GoobiMessage {
    /// How Goobi shows it.
    #[serde(rename = "type")]
    pub kind: MessageType,
    /// What is said.
    pub text: MessageText,
}

/// The types of entries that people write; Goobi knows no others that are theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageType {
    /// Something went wrong.
    Error,
    /// Something may go wrong.
    Warn,
    /// For everybody's information.
    Info,
    /// For those who look for a mistake.
    Debug,
    /// A remark of a person's.
    User,
    /// Stands out.
    Important,
}

impl MessageType {
    /// All of them, in Goobi's order.
    pub const ALL: [Self; 6] = [
        Self::Error,
        Self::Warn,
        Self::Info,
        Self::Debug,
        Self::User,
        Self::Important,
    ];

    /// Goobi's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::User => "user",
            Self::Important => "important",
        }
    }
}

/// A text that a journal can hold: there is something in it, it is not too long, and every character is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct MessageText(String);

/// A text that a journal can't hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "field \"text\" must have 1 to {TEXT_MAX} characters, and none that control something but ends of lines"
)]
pub struct InvalidText;

impl TryFrom<String> for MessageText {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, InvalidText> {
        let text = text.replace("\r\n", "\n").trim().to_owned();
        let fits = (1..=TEXT_MAX).contains(&text.chars().count());
        let is_text = text
            .chars()
            .all(|character| !character.is_control() || matches!(character, '\n' | '\t'));
        if fits && is_text {
            Ok(Self(text))
        } else {
            Err(InvalidText)
        }
    }
}

impl From<MessageText> for String {
    fn from(text: MessageText) -> Self {
        text.0
    }
}

impl AsRef<str> for MessageText {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::JobAction;

    #[test]
    fn a_message_has_one_of_goobis_types_and_a_text_that_a_journal_can_hold() {
        let read = |kind: &str, text: &str| {
            let action = serde_json::json!({"action": "message_goobi", "type": kind, "text": text});
            serde_json::from_value::<JobAction>(action)
        };
        for kind in MessageType::ALL {
            let message = GoobiMessage {
                kind,
                text: MessageText("zwei\nZeilen".to_owned()),
            };
            assert_eq!(
                read(kind.name(), " zwei\r\nZeilen ").unwrap(),
                JobAction::MessageGoobi(message)
            );
        }
        assert!(read("info", &"ä".repeat(TEXT_MAX)).is_ok());
        for (kind, text) in [
            ("status", "a"),
            ("Info", "a"),
            ("info", " \n "),
            ("info", "a\0b"),
            ("info", "a\u{1b}[31m"),
            ("info", &"ä".repeat(TEXT_MAX + 1)),
        ] {
            assert!(read(kind, text).is_err(), "{kind} {text:?}");
        }
    }
}
