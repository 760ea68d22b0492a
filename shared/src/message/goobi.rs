//! Goobi's own message queues: the tickets that it hands out, and the commands that it takes.
//!
//! Invariants: a ticket is read by a pure function that never fails, as whoever wrote a bad one has to be told, too;
//! a command is checked before it leaves, since one that Goobi does not understand ends the thread that reads them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::submit::{Rejection, Submission, Token, TokenHeader};
use super::taskclient;

#[cfg(test)]
mod tests;

/// Most characters of a journal's entry.
const CONTENT_MAX_CHARS: usize = 2_000;
/// Who stands in the journal.
const ISSUER: &str = "taskmanager";

/// A step of a process in Goobi.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// The process.
    pub process_id: i32,
    /// The step.
    pub step_id: i32,
}

/// A step that somebody outside Goobi is to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Ticket {
    /// Whose it is; `None` where that can't be read.
    pub step: Option<Step>,
    /// The step's name.
    pub step_name: Option<String>,
    /// By which Goobi knows who may end the step.
    pub jwt: Option<Token>,
    /// The job, or why it is none.
    pub job: Result<Submission, Rejection>,
}

impl Ticket {
    /// Reads a ticket's body.
    pub fn read(body: &[u8]) -> Self {
        match serde_json::from_slice(body) {
            Ok(Value::Object(ticket)) => Self::of(&ticket),
            Ok(_) => Self::unreadable("the ticket must be a JSON object".to_owned()),
            Err(error) => Self::unreadable(format!("the ticket is not valid JSON: {error}")),
        }
    }

    /// One of which nothing is known.
    pub fn unreadable(why: String) -> Self {
        Self {
            step: None,
            step_name: None,
            jwt: None,
            job: Err(Rejection::new(why)),
        }
    }

    fn of(ticket: &Map<String, Value>) -> Self {
        let id = |name| id(ticket.get(name));
        let text = |name| {
            ticket
                .get(name)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        let step = match (id("processId"), id("stepId")) {
            (Some(process_id), Some(step_id)) => Some(Step { process_id, step_id }),
            _ => None,
        };
        let jwt = text("jwt").map(|secret| Token {
            field: "jwt".to_owned(),
            header: TokenHeader::Jwt,
            secret: secret.to_owned(),
        });
        let mut ticket = Self {
            job: job(ticket, step.as_ref(), text("stepName"), jwt.as_ref()),
            step,
            step_name: text("stepName").map(str::to_owned),
            jwt,
        };
        if let Ok(job) = &mut ticket.job {
            job.token.clone_from(&ticket.jwt);
        }
        ticket
    }
}

/// A number by which Goobi knows something.
fn id(value: Option<&Value>) -> Option<i32> {
    let number = value?.as_i64()?;
    i32::try_from(number).ok().filter(|number| *number > 0)
}

fn job(
    ticket: &Map<String, Value>,
    step: Option<&Step>,
    step_name: Option<&str>,
    jwt: Option<&Token>,
) -> Result<Submission, Rejection> {
    let mut problems = Vec::new();
    if step.is_none() {
        problems.push("fields \"processId\" and \"stepId\" must be whole numbers".to_owned());
    }
    if jwt.is_none() {
        problems.push("field \"jwt\" is missing: without it the step can't be ended".to_owned());
    }
    let fields = match call(ticket.get("scripts")) {
        Ok(fields) => fields,
        Err(rejection) => {
            problems.push(rejection.reason);
            Map::new()
        }
    };
    let (Some(step), true) = (step, problems.is_empty()) else {
        return Err(Rejection::new(problems.join("; ")));
    };
    let mut fields = fields;
    fields.insert("process_id".to_owned(), step.process_id.to_string().into());
    fields.insert("step_id".to_owned(), step.step_id.to_string().into());
    if let Some(name) = step_name {
        fields.insert("step_name".to_owned(), name.into());
    }
    // As bytes, so that everything is checked that is checked of others.
    Submission::parse(Value::Object(fields).to_string().as_bytes())
}

/// The fields of the only script's call of `taskclient`.
fn call(scripts: Option<&Value>) -> Result<Map<String, Value>, Rejection> {
    let scripts: Vec<Vec<String>> = scripts
        .and_then(|scripts| Vec::deserialize(scripts).ok())
        .ok_or_else(|| Rejection::new("field \"scripts\" must be a list of lists of texts"))?;
    let [script] = scripts.as_slice() else {
        return Err(Rejection::new(format!(
            "the step has {} scripts: it must have one, which calls taskclient",
            scripts.len()
        )));
    };
    let words = taskclient::of_script(script).ok_or_else(|| {
        Rejection::new("the step's script does not call taskclient: no other program is started")
    })?;
    let call = taskclient::read(words)?;
    if let Some(field) = call.fields.keys().find(|field| field.starts_with("callback_")) {
        return Err(Rejection::new(format!(
            "option -{field} can't be used here: Goobi is told on its own queue"
        )));
    }
    Ok(call.fields)
}

/// What an entry of the journal is; Goobi knows no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogType {
    /// Something failed.
    Error,
    /// Something to know.
    Info,
}

/// What becomes of the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NewStatus {
    /// It is closed, and the next one begins.
    Done,
    /// A person has to look.
    Error,
}

/// What Goobi is told, but for the `jwt`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Command {
    /// Writes into the process's journal.
    AddToProcessJournal {
        /// Where.
        #[serde(flatten)]
        step: Step,
        /// Who says it.
        issuer: String,
        /// How it is meant.
        log_type: LogType,
        /// What is said.
        content: String,
    },
    /// Ends the step.
    ChangeStep {
        /// Which.
        #[serde(flatten)]
        step: Step,
        /// Its name.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        step_name: Option<String>,
        /// How.
        new_status: NewStatus,
        /// Pages, for Goobi's statistics.
        number_of_objects: i32,
    },
}

impl Command {
    /// An entry of the journal.
    pub fn journal(step: Step, log_type: LogType, content: &str) -> Self {
        let mut shortened: String = content.chars().take(CONTENT_MAX_CHARS).collect();
        if content.chars().nth(CONTENT_MAX_CHARS).is_some() {
            shortened.push('…');
        }
        Self::AddToProcessJournal {
            step,
            issuer: ISSUER.to_owned(),
            log_type,
            content: shortened,
        }
    }

    /// The message, with the secret that Goobi wants to see.
    ///
    /// # Errors
    /// What is wrong, in words: Goobi must not get it.
    pub fn signed(&self, jwt: &str) -> Result<Vec<u8>, String> {
        let (Self::AddToProcessJournal { step, .. } | Self::ChangeStep { step, .. }) = self;
        if step.process_id <= 0 || step.step_id <= 0 {
            return Err("process and step must be positive numbers".to_owned());
        }
        if jwt.trim().is_empty() {
            return Err("the ticket's jwt is missing".to_owned());
        }
        match self {
            Self::AddToProcessJournal { content, .. } if content.trim().is_empty() => {
                return Err("an entry of the journal must not be empty".to_owned());
            }
            Self::ChangeStep {
                number_of_objects, ..
            } if *number_of_objects < 0 => {
                return Err("the number of objects must not be negative".to_owned());
            }
            _ => {}
        }
        let mut document = serde_json::to_value(self).map_err(|error| error.to_string())?;
        document["jwt"] = jwt.into();
        Ok(document.to_string().into_bytes())
    }
}
