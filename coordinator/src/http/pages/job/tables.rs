//! The rows of the tables on a job's page: items, attempts, log lines, outputs.

use jiff::Timestamp;
use shared::message::manifest::FileEntry;
use shared::message::worker::ItemState;

use crate::db::pages::{Attempt, Item, LogRow};
use crate::http::format::{Time, fill};
use crate::http::language::Locale;
use crate::http::pages::part::{Badge, Tone, Trouble};
use crate::http::text::Text;

/// An item (page).
#[derive(Debug)]
pub(super) struct ItemRow {
    pub(super) position: i32,
    pub(super) name: String,
    pub(super) badge: Badge,
    pub(super) failed: bool,
    pub(super) duration: String,
    pub(super) attempt: i32,
    pub(super) trouble: Option<Trouble>,
}

impl ItemRow {
    pub(super) fn new(locale: &Locale, item: &Item) -> Self {
        let (tone, label) = match item.state {
            ItemState::Done => (Tone::Good, locale.text.item_done),
            ItemState::Failed => (Tone::Bad, locale.text.item_failed),
            ItemState::Skipped => (Tone::Off, locale.text.item_skipped),
        };
        Self {
            position: item.position,
            name: item.name.clone(),
            badge: Badge::new(tone, label),
            failed: item.state == ItemState::Failed,
            duration: locale.milliseconds(item.duration_ms),
            attempt: item.attempt,
            trouble: item.error.as_deref().map(|error| Trouble::new(locale, error)),
        }
    }
}

/// A run of the job.
#[derive(Debug)]
pub(super) struct AttemptRow {
    pub(super) number: i32,
    pub(super) badge: Badge,
    pub(super) worker: String,
    pub(super) started: Time,
    pub(super) ended: Option<Time>,
    pub(super) duration: String,
    pub(super) trouble: Option<Trouble>,
    /// Exit code, and whether trying again helps.
    pub(super) remark: String,
}

impl AttemptRow {
    pub(super) fn new(locale: &Locale, attempt: &Attempt, now: Timestamp) -> Self {
        let text = locale.text;
        let class = match attempt.error_class.as_deref() {
            Some("permanent") => Some(text.permanent.to_owned()),
            Some(_) => Some(text.retryable.to_owned()),
            None => None,
        };
        let exit_code = attempt.exit_code.map(|code| fill(text.exit_code, &[&code]));
        let remark: Vec<String> = exit_code.into_iter().chain(class).collect();
        Self {
            number: attempt.attempt,
            badge: outcome(attempt, text),
            worker: attempt.worker_id.clone(),
            started: locale.time(attempt.started_at, now),
            ended: attempt.ended_at.map(|at| locale.time(at, now)),
            duration: locale.duration(attempt.started_at, attempt.ended_at.unwrap_or(now)),
            trouble: attempt.error.as_deref().map(|error| Trouble::new(locale, error)),
            remark: remark.join(", "),
        }
    }
}

/// How a run stands or has ended.
pub(super) fn outcome(attempt: &Attempt, text: &Text) -> Badge {
    let (tone, label) = match attempt.outcome.as_deref() {
        None => (Tone::Run, text.outcome_running),
        Some("done") => (Tone::Good, text.outcome_done),
        Some("interrupted") => (Tone::Hold, text.outcome_interrupted),
        Some("cancelled") => (Tone::Off, text.outcome_cancelled),
        Some("lost") => (Tone::Bad, text.outcome_lost),
        Some(_) => (Tone::Bad, text.outcome_failed),
    };
    Badge::new(tone, label)
}

/// A line of the log.
#[derive(Debug)]
pub(super) struct LogLine {
    pub(super) number: i64,
    /// The attempt's number where its lines begin.
    pub(super) begins_attempt: Option<i32>,
    pub(super) clock: String,
    pub(super) text: String,
}

/// The lines of a log; where more than one attempt wrote, each one's beginning is marked.
pub(super) fn log(locale: &Locale, rows: &[LogRow]) -> Vec<LogLine> {
    let several = rows.first().map(|row| row.attempt) != rows.last().map(|row| row.attempt);
    let mut before = None;
    rows.iter()
        .map(|row| {
            let begins = several && before != Some(row.attempt);
            before = Some(row.attempt);
            LogLine {
                number: row.number,
                begins_attempt: begins.then_some(row.attempt),
                clock: locale.clock(row.at),
                text: row.text.clone(),
            }
        })
        .collect()
}

/// A file that the job leaves.
#[derive(Debug)]
pub(super) struct OutputRow {
    pub(super) path: String,
    pub(super) size: String,
}

impl OutputRow {
    pub(super) fn new(locale: &Locale, file: &FileEntry) -> Self {
        Self {
            path: file.path.clone(),
            size: locale.bytes(i64::try_from(file.size).unwrap_or(i64::MAX)),
        }
    }
}
