//! Tickets that can't be accepted, put where a person sees them, with the reason and without their secrets.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use metrics::counter;
use serde_json::Value;
use shared::amqp::Error;
use shared::amqp::publisher::{Outgoing, Publisher};
use shared::amqp::topology::{REASON_HEADER, SUBMIT_REJECTED_QUEUE};
use shared::message::submit::{SECRET_MASK, mask_secrets};
use shared::metrics::SUBMISSIONS_REJECTED;

/// Bytes that are kept of a ticket.
const KEPT_BYTES: usize = 64 * 1024;
/// Characters that are kept of a reason.
const REASON_CHARS: usize = 1_000;
/// So begins every JSON web token.
const JWT_START: &str = "eyJ";

/// Puts a copy into `taskmanager.submit.rejected` and waits until RabbitMQ has it.
pub(super) async fn put_away(
    publisher: &Publisher,
    queue: &str,
    body: &[u8],
    reason: &str,
) -> Result<(), Error> {
    let mut headers = FieldTable::default();
    let mut note = |name: &str, value: String| {
        headers.insert(name.into(), AMQPValue::LongString(value.into()));
    };
    note(REASON_HEADER, reason.chars().take(REASON_CHARS).collect());
    note("x-routing-key", queue.to_owned());
    let mut kept = without_secrets(body);
    if kept.len() > KEPT_BYTES {
        note("x-shortened-from-bytes", kept.len().to_string());
        kept.truncate(KEPT_BYTES);
    }
    let properties = BasicProperties::default()
        .with_delivery_mode(2)
        .with_headers(headers)
        .with_message_id(uuid::Uuid::new_v4().to_string().into());
    publisher
        .publish(Outgoing {
            exchange: "",
            routing_key: SUBMIT_REJECTED_QUEUE.to_owned(),
            body: kept,
            properties,
            mandatory: true,
        })
        .await?;
    counter!(SUBMISSIONS_REJECTED).increment(1);
    tracing::warn!("a ticket from {queue} is put into {SUBMIT_REJECTED_QUEUE}: {reason}");
    Ok(())
}

/// The ticket without what nobody may read: secrets by their names, and tokens wherever they stand.
fn without_secrets(body: &[u8]) -> Vec<u8> {
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(mut document) => {
            mask_secrets(&mut document, SECRET_MASK);
            document.to_string()
        }
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(start) = rest.find(JWT_START) {
        let (before, token) = rest.split_at(start);
        let of_a_token =
            |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_');
        plain.push_str(before);
        plain.push_str(SECRET_MASK);
        rest = token.trim_start_matches(of_a_token);
    }
    plain.push_str(rest);
    plain.into_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_tickets_secrets_are_not_put_away_with_it_whether_it_can_be_read_or_not() {
        let ticket =
            r#"{"stepId": 7, "jwt": "eyJ0.s3cret-_1", "a": [{"restJwt": "s3cret"}, "x eyJ0.s3cret y"]}"#;
        for body in [
            ticket,
            &ticket[..ticket.len() - 3].replace("\"restJwt\": \"s3cret\"", ""),
        ] {
            let kept = String::from_utf8(without_secrets(body.as_bytes())).unwrap();
            assert!(kept.contains("stepId") && kept.contains(" y"), "{kept}");
            assert!(!kept.contains("s3cret"), "{kept}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_put_away(body in prop::collection::vec(any::<u8>(), 0..200), text in "(eyJ|\\PC){0,30}") {
            without_secrets(&body);
            let kept = String::from_utf8(without_secrets(text.as_bytes())).unwrap();
            prop_assert!(!kept.contains(JWT_START));
        }
    }
}
