//! The keys that a submission is recognised by when it comes again.

use shared::message::submit::Submission;

use crate::db::submit::Key;

/// The submitter's own key, or the one that its words give, and the others; each once.
pub(super) fn all_keys(submission: &Submission, others: Vec<String>) -> Vec<Key> {
    let chosen = submission
        .idempotency_key
        .as_ref()
        .map(|key| format!("key:{}:{key}", submission.plugin));
    // A submitter that names a key decides by itself what a repetition is.
    let derived = if chosen.is_none() {
        submission.derived_key()
    } else {
        None
    };
    let lasting = chosen.into_iter().chain(others).map(|text| Key {
        text,
        ends_with_job: false,
    });
    let mut keys: Vec<Key> = lasting
        .chain(derived.map(|text| Key {
            text,
            ends_with_job: true,
        }))
        .collect();
    keys.sort();
    keys.dedup();
    keys
}
