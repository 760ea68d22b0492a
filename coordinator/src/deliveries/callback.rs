//! The callback: the address that a submission names is told how its job has ended.

use serde_json::Map;
use shared::job::JobState;
use shared::message::submit::{CallbackWhen, Token};
use shared::message::{VERSION, Versioned};

use super::allow::host_of;
use super::goobi::is_goobis;
use super::kind::{Delivery, EndedJob, Kind, Message, NewDelivery, Request};

/// The parameter that Goobi's OCR step wants back as a header.
const FONT_TYPE: &str = "font_type";
/// That header, as the intranda `TaskManager` calls it.
const JOB_TYPE_HEADER: &str = "jobType";
/// The header by which a receiver knows a repetition.
const ID_HEADER: &str = "Idempotency-Key";

/// `POST` to a submission's `callback_url`. Repeating it does no harm: it carries its id, and says what is, not what to
/// do.
#[derive(Debug)]
pub(super) struct Callback;

impl Kind for Callback {
    fn name(&self) -> &'static str {
        "callback"
    }

    fn repeatable(&self) -> bool {
        true
    }

    fn due(&self, job: &EndedJob) -> Option<NewDelivery> {
        let target = job.callback_url.clone().filter(|url| !is_goobis(url))?;
        if job.callback_when == CallbackWhen::Done && job.ended.state != JobState::Done {
            return None;
        }
        // What is no address by now is given up by the sender, in sight of everybody.
        let host = reqwest::Url::parse(&target).map_or_else(|_| String::new(), |url| host_of(&url));
        let font_type = job.parameters.get(FONT_TYPE).filter(|value| value.is_string());
        let payload = Versioned {
            version: VERSION,
            body: &job.ended,
        };
        Some(NewDelivery {
            target,
            host,
            headers: font_type
                .map(|font| (JOB_TYPE_HEADER.to_owned(), font.clone()))
                .into_iter()
                .collect::<Map<_, _>>(),
            payload: serde_json::to_value(payload).expect("an ended job is plain data"),
            token: job.callback_token.clone(),
        })
    }

    fn message(&self, delivery: &Delivery, token: Option<&Token>) -> Message {
        let further = delivery
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        let mut headers: Vec<(String, String)> = further.collect();
        headers.push((ID_HEADER.to_owned(), delivery.id.to_string()));
        let secret_headers = token.map(|token| {
            [
                ("Authorization", format!("Bearer {}", token.secret)),
                (token.header.name(), token.secret.clone()),
            ]
        });
        Message::Post(Request {
            address: delivery.target.clone(),
            headers,
            secret_headers: secret_headers.into_iter().flatten().collect(),
            to_goobi: false,
            body: delivery.payload.to_string().into_bytes(),
        })
    }
}
