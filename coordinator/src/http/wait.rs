//! A job's state in words, and why an unfinished one does not run yet.

use shared::job::{JobState, ShownState};

use super::format::fill;
use super::language::{Language, Locale};
use super::text::Text;
use crate::db::pages::{JobSummary, PluginState, Waiting};

/// The reason for waiting; `None` for a job that runs or has ended.
pub(super) fn reason(locale: &Locale, job: &JobSummary) -> Option<String> {
    reason_of(locale, &job.plugin, job.waiting.as_ref()?)
}

/// The reason in English, as the API gives it.
pub(super) fn reason_in_english(job: &JobSummary) -> Option<String> {
    reason(&english(), job)
}

fn english() -> Locale {
    Locale {
        zone: jiff::tz::TimeZone::UTC,
        ..Locale::new(Language::English)
    }
}

fn reason_of(locale: &Locale, plugin: &str, waiting: &Waiting) -> Option<String> {
    let (text, now) = (locale.text, waiting.now);
    if waiting.state.is_running() {
        let now = in_words(ShownState::As(waiting.state), text);
        return waiting
            .cancel_requested
            .then(|| fill(text.wait_cancel_running, &[&now]));
    }
    Some(if waiting.cancel_requested {
        text.wait_cancel.to_owned()
    } else if waiting.held {
        text.wait_held.to_owned()
    } else if waiting.plugin_state != PluginState::Running {
        let sentence = match waiting.plugin_state {
            PluginState::Stopping => text.wait_plugin_stopping,
            PluginState::Running | PluginState::Stopped => text.wait_plugin_stopped,
        };
        fill(sentence, &[&plugin])
    } else {
        match (waiting.state, waiting.run_at) {
            (JobState::Scheduled, Some(at)) if waiting.failures > 0 => {
                let (retry, retries) = (i64::from(waiting.failures), i64::from(waiting.retries_max));
                let at = locale.time(at, now);
                fill(
                    text.wait_retry,
                    &[&locale.number(retry), &locale.number(retries), &at.short()],
                )
            }
            (JobState::Scheduled, Some(at)) => fill(text.wait_scheduled, &[&locale.time(at, now).short()]),
            (JobState::Blocked, _) => text.wait_blocked.to_owned(),
            _ if waiting.quota_used_up => fill(text.wait_quota, &[&plugin]),
            _ if !waiting.starts => text.wait_autostart.to_owned(),
            _ if waiting.slots == 0 => fill(text.wait_no_worker, &[&plugin]),
            _ => match &waiting.full_storage {
                Some(full) => {
                    let (running, most) = (locale.number(full.running), locale.number(full.running_max));
                    fill(text.wait_storage, &[&full.path, &running, &most])
                }
                None => in_line(locale, waiting),
            },
        }
    })
}

/// A job's state in words.
pub(super) fn in_words(state: ShownState, text: &Text) -> &'static str {
    match state {
        ShownState::Paused => text.state_paused,
        ShownState::As(state) => match state {
            JobState::Blocked => text.state_blocked,
            JobState::Scheduled => text.state_scheduled,
            JobState::Queued => text.state_queued,
            JobState::Started => text.state_started,
            JobState::WaitingForUpload => text.state_waiting_for_upload,
            JobState::Upload => text.state_upload,
            JobState::Processing => text.state_processing,
            JobState::Download => text.state_download,
            JobState::Done => text.state_done,
            JobState::Error => text.state_error,
            JobState::Cancelled => text.state_cancelled,
        },
    }
}

fn in_line(locale: &Locale, waiting: &Waiting) -> String {
    if let Some(most) = waiting.running_max.filter(|most| waiting.running >= *most) {
        let (place, running) = (locale.number(waiting.ahead + 1), locale.number(waiting.running));
        return fill(locale.text.wait_limit, &[&place, &running, &locale.number(most)]);
    }
    let (running, slots) = (locale.number(waiting.running), locale.number(waiting.slots));
    if waiting.ahead_is_capped {
        fill(
            locale.text.wait_far_back,
            &[&locale.number(waiting.ahead), &running, &slots],
        )
    } else if waiting.ahead == 0 {
        fill(locale.text.wait_next, &[&running, &slots])
    } else {
        fill(
            locale.text.wait_in_line,
            &[&locale.number(waiting.ahead + 1), &running, &slots],
        )
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::db::pages::FullStorage;

    fn queued() -> Waiting {
        Waiting {
            now: Timestamp::UNIX_EPOCH,
            state: JobState::Queued,
            held: false,
            cancel_requested: false,
            plugin_state: PluginState::Running,
            run_at: None,
            failures: 0,
            retries_max: 3,
            starts: true,
            quota_used_up: false,
            running_max: None,
            full_storage: None,
            queued_at: Timestamp::UNIX_EPOCH,
            ahead: 2,
            ahead_is_capped: false,
            running: 4,
            slots: 4,
        }
    }

    fn told(waiting: &Waiting) -> Option<String> {
        reason_of(&english(), "OCR", waiting)
    }

    #[test]
    fn a_queued_job_tells_its_place_and_how_busy_the_workers_are() {
        assert_eq!(
            told(&queued()).unwrap(),
            "Number 3 in line; 4 of 4 slots are in use"
        );
        let next = Waiting {
            ahead: 0,
            running: 0,
            ..queued()
        };
        assert_eq!(told(&next).unwrap(), "Next in line; 0 of 4 slots are in use");
        let far = Waiting {
            ahead: 1_000,
            ahead_is_capped: true,
            ..queued()
        };
        assert!(
            told(&far)
                .unwrap()
                .starts_with("More than 1,000 jobs are before it")
        );
    }

    #[test]
    fn what_keeps_a_job_from_starting_is_named_before_its_place() {
        let cases = [
            (Waiting { slots: 0, ..queued() }, "No worker for OCR is running"),
            (
                Waiting {
                    held: true,
                    slots: 0,
                    ..queued()
                },
                "held",
            ),
            (
                Waiting {
                    plugin_state: PluginState::Stopped,
                    ..queued()
                },
                "OCR is stopped",
            ),
            (
                Waiting {
                    plugin_state: PluginState::Stopping,
                    ..queued()
                },
                "OCR is being stopped",
            ),
            (
                Waiting {
                    cancel_requested: true,
                    held: true,
                    ..queued()
                },
                "cancelled",
            ),
            (
                Waiting {
                    state: JobState::Blocked,
                    ..queued()
                },
                "other jobs",
            ),
            (
                Waiting {
                    state: JobState::Scheduled,
                    run_at: Some(Timestamp::UNIX_EPOCH),
                    ..queued()
                },
                "Starts at 00:00",
            ),
            (
                Waiting {
                    state: JobState::Scheduled,
                    run_at: Some(Timestamp::UNIX_EPOCH),
                    failures: 2,
                    ..queued()
                },
                "Retry 2 of 3 at 00:00",
            ),
            (
                Waiting {
                    starts: false,
                    slots: 0,
                    ..queued()
                },
                "do not start by themselves",
            ),
            (
                Waiting {
                    quota_used_up: true,
                    ..queued()
                },
                "page contract of OCR is used up",
            ),
            (
                Waiting {
                    running_max: Some(4),
                    ..queued()
                },
                "Number 3 in line; limit: 4 of 4 running",
            ),
            (
                Waiting {
                    full_storage: Some(FullStorage {
                        path: "/data".to_owned(),
                        running: 4,
                        running_max: 4,
                    }),
                    running_max: Some(4),
                    ..queued()
                },
                "Waits for storage /data: 4 of 4 jobs use it",
            ),
        ];
        for (waiting, words) in cases {
            let reason = told(&waiting).unwrap();
            assert!(reason.contains(words), "{reason} lacks {words}");
        }
    }

    #[test]
    fn a_running_job_waits_for_nothing_unless_it_is_to_be_cancelled() {
        let running = Waiting {
            state: JobState::Processing,
            ..queued()
        };
        assert_eq!(told(&running), None);
        assert!(
            told(&Waiting {
                cancel_requested: true,
                ..running
            })
            .is_some()
        );
    }
}
