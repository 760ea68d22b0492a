//! The secret that a callback identifies itself with, on its way from the submission to the encrypted column.
//!
//! Invariant: it is never serialised with the submission and never printed, so that no log, page or copy of the
//! message can hold it by accident.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The names of a callback's token, the one that counts first; compared without regard to capitals. What is behind
/// them is the header that the receiver looks for.
const TOKEN_FIELDS: [(&str, TokenHeader); 3] = [
    ("token", TokenHeader::Token),
    ("goobitoken", TokenHeader::Jwt),
    ("jwt", TokenHeader::Jwt),
];

/// The header beside `Authorization` that a token is sent in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenHeader {
    /// `token`: a fixed secret of the site.
    Token,
    /// `jwt`: one that Goobi has signed for this step.
    Jwt,
}

impl TokenHeader {
    /// The header's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Jwt => "jwt",
        }
    }
}

/// A callback's token.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// The field that it was sent in.
    pub field: String,
    /// The header that it goes into.
    pub header: TokenHeader,
    /// The secret itself.
    pub secret: String,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token(in {:?}, secret)", self.header.name())
    }
}

impl Token {
    /// Finds the token among a submission's further fields.
    pub(super) fn find(fields: &Map<String, Value>) -> Option<Self> {
        TOKEN_FIELDS.iter().find_map(|(name, header)| {
            let (field, value) = fields
                .iter()
                .find(|(field, _)| field.eq_ignore_ascii_case(name))?;
            let secret = value.as_str().map(str::trim).filter(|text| !text.is_empty())?;
            Some(Self {
                field: field.clone(),
                header: *header,
                secret: secret.to_owned(),
            })
        })
    }
}
