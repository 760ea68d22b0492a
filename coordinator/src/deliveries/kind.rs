//! What a kind of delivery is: which ended jobs have one, and the message that it becomes.
//!
//! A new kind is a file beside `callback.rs` and a line in [`KINDS`].

use serde_json::{Map, Value};
use shared::job::JobId;
use shared::message::ended::JobEnded;
use shared::message::goobi::Command;
use shared::message::submit::{CallbackWhen, Token};
use uuid::Uuid;

use super::callback::Callback;
use super::goobi::{GoobiJournal, GoobiStep};
use super::goobi_message::ToJournal;

/// Every kind. A job's deliveries are made, and so sent, in this order.
pub const KINDS: [&dyn Kind; 4] = [&Callback, &GoobiJournal, &GoobiStep, &ToJournal];

/// A job that ends, with all that a kind may need to know.
#[derive(Debug, Clone)]
pub struct EndedJob {
    /// What receivers are told.
    pub ended: JobEnded,
    /// What the submitter chose.
    pub parameters: Map<String, Value>,
    /// Whom the submitter wants to be told.
    pub callback_url: Option<String>,
    /// At which ends.
    pub callback_when: CallbackWhen,
    /// The callback's secret, encrypted.
    pub callback_token: Option<String>,
}

/// A delivery that is to be recorded with the end of its job.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDelivery {
    /// Where to.
    pub target: String,
    /// Its host, with a port that is not the usual one.
    pub host: String,
    /// Headers beside those of the kind; no secrets.
    pub headers: Map<String, Value>,
    /// What is told.
    pub payload: Value,
    /// The secret, encrypted.
    pub token: Option<String>,
}

/// A delivery whose time has come.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Its id, the same for each try.
    pub id: Uuid,
    /// The job.
    pub job_id: JobId,
    /// The kind's name.
    pub kind: String,
    /// Where to.
    pub target: String,
    /// Its host.
    pub host: String,
    /// Headers beside those of the kind.
    pub headers: Map<String, Value>,
    /// What is told.
    pub payload: Value,
    /// The secret, encrypted.
    pub token: Option<String>,
    /// A repetition does no harm.
    pub repeatable: bool,
    /// Which try this is, from 1.
    pub tries: i32,
    /// Since when it is tried, seconds.
    pub trying_seconds: f64,
    /// Which try of which coordinator this is.
    pub lease_id: Uuid,
}

/// An HTTP request.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where to.
    pub address: String,
    /// Headers that may be seen.
    pub headers: Vec<(String, String)>,
    /// Headers that nobody may see.
    pub secret_headers: Vec<(&'static str, String)>,
    /// It goes to the Goobi of the settings, with its token, and to nobody else.
    pub to_goobi: bool,
    /// The body, JSON.
    pub body: Vec<u8>,
}

/// What a delivery becomes, by the way that it goes.
#[derive(Debug, Clone)]
pub enum Message {
    /// Over HTTP.
    Post(Request),
    /// Into Goobi's queue; or why it can't be sent.
    ToGoobi(Result<Command, String>),
}

/// A kind of delivery.
pub trait Kind: Sync {
    /// Its name in the database, in metrics and in the API.
    fn name(&self) -> &'static str;

    /// Whether the receiver can bear the same delivery twice. One that can't is sent once; if it is not clear whether
    /// that was taken, a person is asked.
    fn repeatable(&self) -> bool;

    /// What is to be told of a job that ends; `None` when nothing is.
    fn due(&self, job: &EndedJob) -> Option<NewDelivery>;

    /// The message that tells it.
    fn message(&self, delivery: &Delivery, token: Option<&Token>) -> Message;
}

/// All that is to be told of a job that ends, in order.
pub fn due(job: &EndedJob) -> Vec<(&'static dyn Kind, NewDelivery)> {
    KINDS
        .into_iter()
        .filter_map(|kind| Some((kind, kind.due(job)?)))
        .collect()
}

/// The kind of this name; `None` for one of a newer release.
pub fn of_name(name: &str) -> Option<&'static dyn Kind> {
    KINDS.into_iter().find(|kind| kind.name() == name)
}
