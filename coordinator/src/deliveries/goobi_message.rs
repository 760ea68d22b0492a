//! The message to Goobi: what a person says about a job, as an entry of its process's journal.

use serde_json::{Map, json};
use shared::message::submit::Token;

use super::GoobiWeb;
use super::allow::host_of;
use super::kind::{Delivery, EndedJob, Kind, Message, NewDelivery, Request};
use crate::control::{Actor, GoobiMessage};

/// `POST` to a process's journal. It is repeated until it was taken, although Goobi does not know a repetition: an entry
/// that stands there twice harms no workflow and tells people the same, and one that never arrives tells them nothing.
#[derive(Debug)]
pub(super) struct ToJournal;

impl Kind for ToJournal {
    fn name(&self) -> &'static str {
        "goobi_message"
    }

    fn repeatable(&self) -> bool {
        true
    }

    /// Nothing: people send it, not the ends of jobs.
    fn due(&self, _job: &EndedJob) -> Option<NewDelivery> {
        None
    }

    fn message(&self, delivery: &Delivery, _token: Option<&Token>) -> Message {
        Message::Post(Request {
            address: delivery.target.clone(),
            headers: Vec::new(),
            secret_headers: Vec::new(),
            to_goobi: true,
            body: delivery.payload.to_string().into_bytes(),
        })
    }
}

/// The delivery of a person's message; `None` where the process is none of Goobi's.
pub fn goobi_message(
    goobi: &GoobiWeb,
    actor: &Actor,
    process: &str,
    message: &GoobiMessage,
) -> Option<(&'static dyn Kind, NewDelivery)> {
    let target = goobi.journal(process)?;
    let host = reqwest::Url::parse(&target).map_or_else(|_| String::new(), |url| host_of(&url));
    let payload = json!({
        "userName": actor.name, "type": message.kind.name(), "message": message.text.as_ref(),
    });
    let new = NewDelivery {
        target,
        host,
        headers: Map::new(),
        payload,
        token: None,
    };
    Some((&ToJournal, new))
}
