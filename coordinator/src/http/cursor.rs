//! The keys of list pages as they stand in addresses. Callers must not read them.
//!
//! Invariant: only digits, letters, `-` and `.`, so that they need no escaping anywhere.

use jiff::Timestamp;
use uuid::Uuid;

use crate::db::pages::{HistoryKey, Place, QueueKey};

/// A place in a list as text.
pub(super) fn encode(place: &Place) -> String {
    match place {
        Place::Queue(QueueKey {
            rank,
            priority_negated,
            position,
            id,
        }) => {
            format!("q.{rank}.{priority_negated}.{position}.{}", id.simple())
        }
        Place::History(HistoryKey { finished_at, id }) => {
            format!("h.{}.{}", finished_at.as_microsecond(), id.simple())
        }
    }
}

/// The place that a text names; `None` when it was not made by [`encode`].
pub(super) fn decode(text: &str) -> Option<Place> {
    let parts: Vec<&str> = text.split('.').collect();
    match parts[..] {
        ["q", rank, priority, position, id] => Some(Place::Queue(QueueKey {
            rank: rank.parse().ok()?,
            priority_negated: priority.parse().ok()?,
            position: position.parse().ok()?,
            id: Uuid::try_parse(id).ok()?,
        })),
        ["h", microseconds, id] => Some(Place::History(HistoryKey {
            finished_at: Timestamp::from_microsecond(microseconds.parse().ok()?).ok()?,
            id: Uuid::try_parse(id).ok()?,
        })),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_back() {
        let id = Uuid::from_u128(7);
        let places = [
            Place::Queue(QueueKey {
                rank: 1,
                priority_negated: -10,
                position: 42,
                id,
            }),
            Place::History(HistoryKey {
                finished_at: Timestamp::from_microsecond(1_700_000_000_123_456).unwrap(),
                id,
            }),
        ];
        for place in places {
            let text = encode(&place);
            assert!(
                text.chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-'),
                "{text}"
            );
            assert_eq!(decode(&text), Some(place));
        }
    }

    #[test]
    fn what_was_not_encoded_here_is_refused() {
        for bad in [
            "",
            "q",
            "q.1.2.3",
            "h.x.00000000000000000000000000000007",
            "h.99999999999999999999.7",
            "q.1.-1.1.z",
        ] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
