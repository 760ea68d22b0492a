//! The rows of the table of what other systems are told.

use jiff::Timestamp;

use crate::db::pages::DeliveryRow as Delivery;
use crate::http::format::{Time, fill};
use crate::http::language::Locale;
use crate::http::pages::part::{Badge, Tone, Trouble};

/// A message to another system.
#[derive(Debug)]
pub(super) struct DeliveryRow {
    pub(super) id: String,
    /// What it is.
    pub(super) kind: String,
    pub(super) target: String,
    /// What a person has said; empty where nobody has.
    pub(super) said: String,
    pub(super) badge: Badge,
    /// What came back.
    pub(super) answer: Option<Trouble>,
    /// What is to be done about it; empty where nothing is.
    pub(super) advice: &'static str,
    pub(super) tries: i32,
    /// The last try.
    pub(super) tried: Option<Time>,
    /// What comes next, or when it was over.
    pub(super) next: String,
}

impl DeliveryRow {
    pub(super) fn new(locale: &Locale, row: &Delivery, now: Timestamp) -> Self {
        let text = locale.text;
        let (tone, label) = match row.state.as_str() {
            "pending" => (Tone::Wait, text.delivery_pending),
            "delivered" => (Tone::Good, text.delivery_delivered),
            "unclear" => (Tone::Bad, text.delivery_unclear),
            _ => (Tone::Bad, text.delivery_failed),
        };
        let advice = match row.state.as_str() {
            "failed" => text.delivery_failed_more,
            "unclear" => text.delivery_unclear_more,
            _ => "",
        };
        let next = row.next_try_at.map_or_else(String::new, |at| {
            if at <= now {
                text.delivery_now.to_owned()
            } else {
                fill(text.delivery_next, &[&locale.clock(at)])
            }
        });
        Self {
            id: row.id.to_string(),
            kind: match row.kind.as_str() {
                "callback" => text.delivery_callback.to_owned(),
                "goobi_message" => text.delivery_goobi_message.to_owned(),
                "goobi_journal" => text.delivery_goobi_journal.to_owned(),
                "goobi_step" => text.delivery_goobi_step.to_owned(),
                other => other.to_owned(),
            },
            target: row.target.clone(),
            said: row.said.clone().unwrap_or_default(),
            badge: Badge::new(tone, label),
            answer: row
                .last_answer
                .as_deref()
                .map(|error| Trouble::new(locale, error)),
            advice,
            tries: row.tries,
            tried: row.last_try_at.map(|at| locale.time(at, now)),
            next,
        }
    }
}
