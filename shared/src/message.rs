//! Every message on the wire. One version number for all of them; JSON in UTF-8.
//!
//! | who to whom | type | AMQP |
//! |---|---|---|
//! | submitter → coordinator | [`submit::Submission`] | exchange `taskmanager.submit` |
//! | coordinator → submitter | [`submit::SubmitReply`] | the submission's `reply_to` |
//! | coordinator → worker | [`dispatch::Dispatch`] | exchange `taskmanager.jobs` |
//! | worker → coordinator | [`worker::WorkerMessage`] | exchange `taskmanager.events` |
//! | coordinator → worker | [`reply::Reply`] | direct reply-to |
//! | coordinator → a submission's `callback_url` | [`ended::JobEnded`] | none: HTTP |
//!
//! Golden files in `shared/tests/golden` hold one example of each: a change that alters them alters the protocol.

pub mod dispatch;
pub mod ended;
pub mod goobi;
pub mod itm;
pub mod manifest;
pub mod reply;
pub mod submit;
pub mod taskclient;
pub mod transfer;
pub mod worker;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The protocol version that this build speaks.
pub const VERSION: u16 = 1;

/// The oldest protocol version that this build understands.
pub const VERSION_OLDEST: u16 = 1;

/// A message with the version of the protocol that it follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Versioned{T}"))]
pub struct Versioned<T> {
    /// See [`VERSION`].
    pub version: u16,
    /// The message itself; its fields stand beside the version.
    #[serde(flatten)]
    pub body: T,
}

/// A body that can't be read as the message expected.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not JSON, or not the expected shape.
    #[error("not a readable message")]
    Unreadable(#[source] serde_json::Error),
    /// Written by a process of another release.
    #[error(
        "protocol version {found} is not understood: this build understands {VERSION_OLDEST} to {VERSION}"
    )]
    Version {
        /// The version that the message names.
        found: u16,
    },
}

/// The message as JSON, with this build's version.
///
/// # Panics
/// When the type has map keys that are no texts, which no message has.
pub fn encode<T: Serialize>(body: &T) -> Vec<u8> {
    serde_json::to_vec(&Versioned {
        version: VERSION,
        body,
    })
    .expect("messages have string keys and no failing serializers")
}

/// Reads a message of a version that this build understands.
///
/// # Errors
/// [`DecodeError`] when the bytes are no such message.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    #[derive(Deserialize)]
    struct Peek {
        version: u16,
    }
    let peek: Peek = serde_json::from_slice(bytes).map_err(DecodeError::Unreadable)?;
    if !(VERSION_OLDEST..=VERSION).contains(&peek.version) {
        return Err(DecodeError::Version { found: peek.version });
    }
    serde_json::from_slice::<Versioned<T>>(bytes)
        .map(|message| message.body)
        .map_err(DecodeError::Unreadable)
}
