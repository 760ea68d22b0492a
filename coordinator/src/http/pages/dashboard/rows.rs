//! The rows of the dashboard's tables.

use super::standing;
use crate::control::Actor;
use crate::db::pages::{JobSummary, Overview, PluginRow};
use crate::http::format::{Time, fill};
use crate::http::language::{Language, Locale};
use crate::http::pages::bulk::RowControls;
use crate::http::pages::part::{self, Badge, Progress, Trouble};

/// A job in a list.
#[derive(Debug)]
pub(super) struct JobRow {
    pub(super) id: String,
    pub(super) title: String,
    /// Process and step, or nothing.
    pub(super) origin: String,
    pub(super) plugin: String,
    pub(super) badge: Badge,
    pub(super) progress: Progress,
    /// What is being done, or why nothing is.
    pub(super) note: String,
    pub(super) priority: i16,
    pub(super) bytes: String,
    pub(super) submitted: Time,
    pub(super) started: Option<Time>,
    pub(super) finished: Option<Time>,
    pub(super) duration: String,
    pub(super) trouble: Option<Trouble>,
    pub(super) row: RowControls,
}

impl JobRow {
    pub(super) fn new(locale: &Locale, actor: &Actor, job: &JobSummary, overview: &Overview) -> Self {
        let now = overview.now;
        let time = |at| locale.time(at, now);
        let process = job.process_id.as_ref().map(|id| fill(locale.text.process, &[id]));
        let step = job.step_id.as_ref().map(|id| fill(locale.text.step, &[id]));
        let origin: Vec<String> = process.into_iter().chain(step).collect();
        Self {
            id: job.id.to_string(),
            title: job.title.clone(),
            origin: origin.join(" · "),
            plugin: job.plugin.clone(),
            badge: Badge::of_job(job.state, locale.text),
            progress: Progress::of(job, locale),
            note: part::note(locale, job),
            priority: job.priority,
            bytes: if job.bytes > 0 {
                locale.bytes(job.bytes)
            } else {
                "–".to_owned()
            },
            submitted: time(job.submitted_at),
            started: job.started_at.map(time),
            finished: job.finished_at.map(time),
            duration: match (job.started_at, job.finished_at) {
                (Some(from), Some(to)) => locale.duration(from, to),
                _ => "–".to_owned(),
            },
            trouble: job.error.as_deref().map(|error| Trouble::new(locale, error)),
            row: RowControls::of(actor, job),
        }
    }
}

/// A plugin's queue.
#[derive(Debug)]
pub(super) struct QueueRow {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) badge: Badge,
    /// Since when, by whom and why it is stopped; empty while it runs.
    pub(super) standing: String,
    pub(super) waiting: String,
    pub(super) running: String,
    pub(super) slots: String,
    pub(super) workers: String,
    /// Jobs wait for a worker that is not there.
    pub(super) lacks_worker: bool,
    pub(super) longest_wait: String,
}

impl QueueRow {
    pub(super) fn new(locale: &Locale, plugin: &PluginRow, overview: &Overview) -> Self {
        let of_plugin = overview.standings.of(&plugin.name);
        Self {
            name: plugin.name.clone(),
            title: match locale.language {
                Language::English => plugin.title_en.clone(),
                Language::German => plugin.title_de.clone(),
            },
            badge: standing::badge(locale, plugin.state),
            standing: standing::facts(locale, plugin.state, of_plugin, overview.now),
            waiting: locale.number(plugin.waiting()),
            running: locale.number(plugin.running()),
            slots: locale.number(plugin.slots),
            workers: locale.number(plugin.workers),
            lacks_worker: plugin.workers == 0 && plugin.waiting() > 0,
            longest_wait: longest_wait(locale, plugin.oldest_queued_seconds),
        }
    }
}

/// Whole seconds: a wait of less than one is none.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the age of a job in seconds fits many times over"
)]
fn longest_wait(locale: &Locale, seconds: f64) -> String {
    match seconds as i64 {
        0 => "–".to_owned(),
        seconds => locale.milliseconds(seconds * 1000),
    }
}
