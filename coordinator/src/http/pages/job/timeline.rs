//! What has happened to a job, from its submission to its end or to what comes next, as one list in the order of time.

use jiff::Timestamp;
use shared::job::JobState;

use super::tables::outcome;
use crate::db::pages::JobDetail;
use crate::http::format::{Time, fill};
use crate::http::language::Locale;
use crate::http::pages::part::{Badge, Tone, Trouble};
use crate::http::text::job_page;

/// Something that has happened, or will.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) at: Time,
    pub(super) badge: Badge,
    /// What more there is to say.
    pub(super) words: String,
    pub(super) trouble: Option<Trouble>,
}

/// All that is known. When a job went back to its queue between two attempts is not recorded; the end of the one and the
/// beginning of the other say it.
pub(super) fn events(locale: &Locale, job: &JobDetail) -> Vec<Event> {
    let text = locale.text;
    let words = job_page::Text::of(locale.language);
    let summary = &job.summary;
    let mut events: Vec<(Timestamp, Event)> = Vec::new();
    let mut add = |at: Timestamp, badge: Badge, words: String, trouble: Option<Trouble>| {
        let event = Event {
            at: locale.time(at, job.now),
            badge,
            words,
            trouble,
        };
        events.push((at, event));
    };
    add(
        summary.submitted_at,
        Badge::new(Tone::Wait, text.submitted),
        fill(words.by, &[&job.submitted_by]),
        None,
    );
    // They are read the newest first.
    for attempt in job.attempts.iter().rev() {
        add(
            attempt.started_at,
            Badge::new(Tone::Run, text.started),
            fill(words.attempt_on, &[&attempt.attempt, &attempt.worker_id]),
            None,
        );
        if let Some(ended_at) = attempt.ended_at {
            let trouble = attempt.error.as_deref().map(|error| Trouble::new(locale, error));
            let number = fill(words.attempt_number, &[&attempt.attempt]);
            add(ended_at, outcome(attempt, text), number, trouble);
        }
    }
    if let Some(waiting) = &job.summary.waiting {
        let retry = fill(words.retry_of_all, &[&waiting.failures, &waiting.retries_max]);
        let retry = if waiting.failures > 0 {
            retry
        } else {
            String::new()
        };
        match (waiting.state, waiting.run_at) {
            (JobState::Queued, _) => {
                add(
                    waiting.queued_at,
                    Badge::new(Tone::Wait, text.state_queued),
                    retry,
                    None,
                );
            }
            (JobState::Scheduled, Some(run_at)) => {
                add(run_at, Badge::new(Tone::Wait, words.will_start), retry, None);
            }
            _ => {}
        }
    }
    if let Some(finished_at) = summary.finished_at {
        let badge = Badge::of_job(summary.state, text);
        let state = crate::http::wait::in_words(summary.state, text).to_owned();
        add(finished_at, badge, state, None);
    }
    events.sort_by_key(|(at, _)| *at);
    events.into_iter().map(|(_, event)| event).collect()
}
