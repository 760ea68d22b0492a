//! The submission: one canonical format, with the names that Goobi and the intranda TaskManager use as aliases.
//!
//! `docs/protocol.md` describes every field. Reading never guesses: a wrong type, a wrong encoding or two names
//! with different values for one field are problems, and all problems of a message are told at once.

mod fields;
mod secrets;
#[cfg(test)]
mod tests;
mod token;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::job::{JobId, Priority};
use crate::plugin::PluginName;
use fields::Fields;
pub use secrets::{SECRET_HIDDEN, SECRET_KEPT, SECRET_MASK, mask_address, mask_fields, mask_secrets};
pub use token::{Token, TokenHeader};

/// Most bytes that a submission may have.
pub const BODY_MAX_BYTES: usize = 256 * 1024;

/// Most characters of a title or a path.
const TEXT_MAX_CHARS: usize = 4_000;

/// Most characters of an identifier or a project: they stand in indexes, whose entries are limited.
const ID_MAX_CHARS: usize = 200;

/// At which ends of a job its submitter is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CallbackWhen {
    /// However it ends; the body says how.
    #[default]
    Ended,
    /// When it is DONE only: for receivers that take the call itself for success, as those of the intranda
    /// `TaskManager` do.
    Done,
}

impl CallbackWhen {
    /// The name in messages and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Done => "done",
        }
    }

    /// Whether it is [`Self::Ended`], which is not written.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_usual(&self) -> bool {
        *self == Self::Ended
    }
}

/// A job as its submitter describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Submission {
    /// The job type. Alias `jobtype`.
    pub plugin: PluginName,
    /// A preset on the server. Alias `templatename`; an ending `.xml` is dropped.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub template: Option<String>,
    /// What people call the job. Aliases `goobiTitle`, `titleprefix`; the process id where none is given.
    pub title: String,
    /// 0 to 10, higher first; the plugin's default where none is given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub priority: Option<Priority>,
    /// Not before this point in time (RFC 3339, with its offset). Alias `startAt`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub start_at: Option<Timestamp>,
    /// The workflow's process. Alias `goobiId`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub process_id: Option<String>,
    /// The workflow's step. Aliases `stepId`, `postOCR`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub step_id: Option<String>,
    /// The step's name. Alias `stepName`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub step_name: Option<String>,
    /// The project that the process belongs to. Alias `projectname`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub project: Option<String>,
    /// Input folder, absolute. Alias `sourceDir`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<String>,
    /// Output folder, absolute. Alias `targetDir`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub target: Option<String>,
    /// The plugin's parameters. `language` and `fontType` (as `font_type`) may also stand outside.
    #[serde(skip_serializing_if = "Map::is_empty", default)]
    pub parameters: Map<String, Value>,
    /// Whom to tell when the job has ended. Alias `callbackUrl`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub callback_url: Option<String>,
    /// At which ends. Where nothing is said: at each for `callback_url`, at DONE only for `callbackUrl`.
    #[serde(skip_serializing_if = "CallbackWhen::is_usual", default)]
    pub callback_when: CallbackWhen,
    /// The secret that the callback identifies itself with. Fields `token`, `goobiToken`, `jwt`.
    #[serde(skip)]
    pub token: Option<Token>,
    /// Submissions with the same key are one job. Alias `idempotencyKey`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub idempotency_key: Option<String>,
    /// Fields that nobody here knows, as they were sent; secrets masked.
    #[serde(skip_serializing_if = "Map::is_empty", default)]
    pub extra: Map<String, Value>,
}

/// What a submitter is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum SubmitReply {
    /// Recorded: it will not be lost.
    Accepted {
        /// The new job.
        job_id: JobId,
    },
    /// The same submission had been accepted before.
    Duplicate {
        /// The job that it became then.
        job_id: JobId,
    },
    /// Not accepted.
    Rejected {
        /// What is wrong and what to do.
        reason: String,
    },
}

/// Why a submission can't be accepted, in words for the person who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Rejection {
    /// What is wrong, where, and what to do; several problems are joined by "; ".
    pub reason: String,
}

impl Rejection {
    /// A rejection for one reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
        }
    }
}

impl Submission {
    /// Reads a submission in the canonical format or in the dialects of Goobi and ITM.
    ///
    /// # Errors
    /// A [`Rejection`] that names every problem found.
    pub fn parse(body: &[u8]) -> Result<Self, Rejection> {
        Self::from_json(read_json(body)?)
    }

    /// Reads a submission from JSON that has been decoded already.
    ///
    /// # Errors
    /// A [`Rejection`] that names every problem found.
    pub fn from_json(document: Value) -> Result<Self, Rejection> {
        let Value::Object(object) = document else {
            return Err(Rejection::new(
                "the message must be a JSON object such as {\"plugin\":\"OCR\", …}",
            ));
        };
        let mut fields = Fields::new(object);
        fields.version();
        let plugin = fields.plugin();
        let template = fields
            .text(&["template", "templatename"])
            .map(|name| name.strip_suffix(".xml").unwrap_or(&name).to_owned());
        let process_id = fields.id(&["process_id", "goobiId"]);
        let step_id = fields.id(&["step_id", "stepId", "postOCR"]);
        // ITM's callers use `title` for other things (a callback address), so Goobi's title goes first.
        let title = fields.text(&["goobiTitle"]).or_else(|| fields.text(&["title"]));
        let title = title.or_else(|| fields.text(&["titleprefix"]));
        let title = title.or_else(|| process_id.as_ref().map(|id| format!("process {id}")));
        if title.is_none() {
            fields.problem("field \"title\" (or \"goobiTitle\") is missing");
        }
        let priority = fields.priority();
        let start_at = fields.time(&["start_at", "startAt"]);
        let step_name = fields.text(&["step_name", "stepName"]);
        let project = fields.short_text(&["project", "projectname"]);
        let source = fields.text(&["source", "sourceDir"]);
        let target = fields.text(&["target", "targetDir"]);
        let callback_when = fields.callback_when();
        let callback_url = fields.text(&["callback_url", "callbackUrl"]);
        let idempotency_key = fields.text(&["idempotency_key", "idempotencyKey"]);
        let parameters = fields.parameters();
        let token = fields.token();
        let (extra, problems) = fields.finish();
        match (plugin, title) {
            (Some(plugin), Some(title)) if problems.is_empty() => Ok(Self {
                plugin,
                template,
                title,
                priority,
                start_at,
                process_id,
                step_id,
                step_name,
                project,
                source,
                target,
                parameters,
                callback_url,
                callback_when,
                token,
                idempotency_key,
                extra,
            }),
            _ => Err(Rejection::new(problems.join("; "))),
        }
    }

    /// The key that two submissions of one workflow step share while the first is unfinished; `None` where the
    /// submission does not say which step it belongs to.
    pub fn derived_key(&self) -> Option<String> {
        Some(derived_key(StepOfWorkflow {
            plugin: self.plugin.as_str(),
            process_id: self.process_id.as_deref()?,
            step_id: self.step_id.as_deref()?,
            template: self.template.as_deref(),
            target: self.target.as_deref(),
        }))
    }
}

/// What a workflow's step is told by.
#[derive(Debug, Clone, Copy)]
pub struct StepOfWorkflow<'a> {
    /// The plugin's name.
    pub plugin: &'a str,
    /// The process.
    pub process_id: &'a str,
    /// Its step.
    pub step_id: &'a str,
    /// The template, where one is named.
    pub template: Option<&'a str>,
    /// The folder of the outputs, where one is named.
    pub target: Option<&'a str>,
}

/// The key that all jobs of one workflow step have while they are unfinished.
pub fn derived_key(step: StepOfWorkflow<'_>) -> String {
    let parts = [
        step.plugin,
        step.process_id,
        step.step_id,
        step.template.unwrap_or(""),
        step.target.unwrap_or(""),
    ];
    // JSON keeps the parts apart whatever characters they contain; the digest keeps the key short enough for
    // an index whatever their lengths.
    let text = Value::from(parts.to_vec()).to_string();
    let start = "derived:".to_owned();
    Sha256::digest(text)
        .iter()
        .fold(start, |key, byte| key + &format!("{byte:02x}"))
}

/// Decodes a submission's bytes, with a reason that a person understands when that fails.
fn read_json(body: &[u8]) -> Result<Value, Rejection> {
    if body.len() > BODY_MAX_BYTES {
        return Err(Rejection::new(format!(
            "the message has {} bytes; at most {BODY_MAX_BYTES} are accepted (pass folders, not contents)",
            body.len()
        )));
    }
    let text = std::str::from_utf8(body).map_err(|error| {
        let at = error.valid_up_to();
        Rejection::new(format!(
            "the message is not UTF-8: byte 0x{:02x} at position {at}; send JSON encoded as UTF-8",
            body.get(at).copied().unwrap_or_default()
        ))
    })?;
    let document = serde_json::from_str(text)
        .map_err(|error| Rejection::new(format!("the message is not valid JSON: {error}")))?;
    if has_nul(&document) {
        return Err(Rejection::new(
            "the message contains a NUL character (\\u0000); remove it",
        ));
    }
    Ok(document)
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(has_nul),
        Value::Object(map) => map
            .iter()
            .any(|(key, value)| key.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
