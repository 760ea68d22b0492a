//! What the doctor says of messages that could not be understood or accepted, and wait for a person.

use shared::amqp::topology::{EVENTS_REJECTED_QUEUE, SUBMIT_REJECTED_QUEUE};
use shared::message::worker::Check;

use super::passed;
use crate::broker::Rejected;

/// The check. A hint, no fault: the system works, and only a person can say whether somebody still needs them.
pub(super) fn check(rejected: Rejected) -> Check {
    let look = "the header x-reason of each says why (RabbitMQ's page of the queue, \"Get messages\"); mend their sender, \
                then empty the queue";
    let mut hints = Vec::new();
    if rejected.submissions > 0 {
        hints.push(format!(
            "{} refused submissions wait in {SUBMIT_REJECTED_QUEUE}",
            rejected.submissions
        ));
    }
    if rejected.events > 0 {
        hints.push(format!(
            "{} messages that workers have no right to send, or of a form that nobody knows, wait in \
             {EVENTS_REJECTED_QUEUE}: does --worker-user name each worker's user and plugins?",
            rejected.events
        ));
    }
    let message = if hints.is_empty() {
        "none waits for a person".to_owned()
    } else {
        format!("hint: {}; {look}", hints.join("; "))
    };
    passed("broker rejected messages", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejected_messages_are_a_hint_that_names_their_queue_and_what_to_do() {
        let hint = |submissions, events| check(Rejected { submissions, events }).message;
        assert_eq!(hint(0, 0), "none waits for a person");
        let submissions = hint(3, 0);
        assert!(submissions.starts_with("hint: 3 refused submissions wait in taskmanager.submit.rejected;"));
        assert!(submissions.contains("x-reason") && !submissions.contains("events"));
        let both = hint(3, 1);
        assert!(
            both.contains("1 messages that workers") && both.contains("--worker-user"),
            "{both}"
        );
    }
}
