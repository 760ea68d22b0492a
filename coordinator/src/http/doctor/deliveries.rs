//! What the doctor says of messages that receivers have not taken.

use shared::message::worker::Check;

use super::{failed, passed};
use crate::db::pages::DeliveryFigures;

/// The check: what was given up waits for a person.
pub(super) fn check(figures: &DeliveryFigures) -> Check {
    let name = "deliveries";
    let pending: i64 = figures.pending.iter().map(|(_, number)| number).sum();
    match (figures.troubled, figures.troubled_job) {
        (1.., Some(job)) => failed(
            name,
            format!(
                "messages to other systems that were given up or may not have arrived: {}; the page of job {job} \
                 says why; then `taskmanager send-again {job}`",
                figures.troubled
            ),
        ),
        _ if figures.retried > 0 => passed(
            name,
            format!(
                "hint: {} of {pending} messages were not taken yet and are tried again: is their receiver well?",
                figures.retried
            ),
        ),
        _ => passed(name, format!("to be delivered: {pending}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deliveries_that_were_given_up_are_a_finding_and_those_that_wait_a_hint() {
        let figures = |retried, troubled| DeliveryFigures {
            pending: vec![("callback".to_owned(), 3)],
            retried,
            troubled,
            troubled_job: (troubled > 0).then(shared::job::JobId::generate),
        };
        assert_eq!(check(&figures(0, 0)).message, "to be delivered: 3");
        let hint = check(&figures(2, 0));
        assert!(hint.ok && hint.message.starts_with("hint: 2 of 3"), "{hint:?}");
        let finding = check(&figures(2, 1));
        assert!(
            !finding.ok && finding.message.contains("taskmanager send-again"),
            "{finding:?}"
        );
    }
}
