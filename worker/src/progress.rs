//! How far an attempt has come. Plugins write it, the heartbeat reads it; neither waits for the other.
//!
//! Invariant: an item result or log line stays here until a coordinator has confirmed it, so that a lost
//! heartbeat loses nothing. Log lines are capped: a chatty tool can't fill memory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::counter;
use shared::job::Stage;
use shared::message::worker::{AttemptReport, ItemReport, ItemState, LogLine};
use shared::metrics::WORKER_ITEMS;
use tokio::sync::Notify;

use shared::job::{JobId, Token};
use shared::plugin::PluginName;

use crate::transfer::TransferSlot;

/// Log lines kept of one attempt; later ones are counted, not kept.
const LOG_LINES_MAX: u32 = 10_000;
/// Characters kept of a log line.
const LOG_LINE_CHARS_MAX: usize = 4_000;
/// Log lines sent with one heartbeat.
const LOG_LINES_PER_REPORT: usize = 500;
/// Item results sent with one heartbeat.
const ITEMS_PER_REPORT: usize = 500;

/// Shared handle to an attempt's progress.
#[derive(Debug, Clone)]
pub struct Progress {
    state: Arc<Mutex<State>>,
    changed: Arc<Notify>,
    confirmed: Arc<Notify>,
    transfer: TransferSlot,
}

#[derive(Debug)]
struct State {
    stage: Stage,
    items_done: u32,
    items_failed: u32,
    items_total: u32,
    fraction: Option<f32>,
    bytes: u64,
    detail: String,
    items: Vec<ItemReport>,
    log: Vec<LogLine>,
    log_lines: u32,
    /// For whom its items are counted.
    plugin: Option<PluginName>,
}

impl Progress {
    /// The progress of an attempt that has just begun; `changed` is told when something is worth a heartbeat.
    pub fn new(changed: Arc<Notify>) -> Self {
        let state = State {
            stage: Stage::Started,
            items_done: 0,
            items_failed: 0,
            items_total: 0,
            fraction: None,
            bytes: 0,
            detail: String::new(),
            items: Vec::new(),
            log: Vec::new(),
            log_lines: 0,
            plugin: None,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            changed,
            confirmed: Arc::default(),
            transfer: TransferSlot::default(),
        }
    }

    /// Items that end from now on are counted as this plugin's in the metrics.
    pub fn count_items_of(&self, plugin: &PluginName) {
        self.lock().plugin = Some(plugin.clone());
    }

    /// The attempt goes over to `stage`. When it begins to work, its input is there: others may fetch theirs.
    pub fn stage(&self, stage: Stage) {
        if stage == Stage::Processing {
            self.transfer.give_back();
        }
        self.lock().stage = stage;
        self.changed.notify_one();
    }

    /// Its transfer slot: what it asks for, and what it was told.
    pub fn transfer(&self) -> &TransferSlot {
        &self.transfer
    }

    /// It moves no data any more: another one may.
    pub fn give_back_transfer(&self) {
        if self.transfer.give_back() {
            self.beat();
        }
    }

    /// Something is worth a heartbeat.
    pub fn beat(&self) {
        self.changed.notify_one();
    }

    /// How many items the job has, and how many of them an earlier attempt has done.
    pub fn items(&self, total: u32, done_before: u32) {
        {
            let mut state = self.lock();
            state.items_total = total;
            state.items_done = done_before;
        }
        self.changed.notify_one();
    }

    /// An item has ended. Skipped items count as neither done nor failed.
    pub fn item(&self, item: ItemReport) {
        {
            let mut state = self.lock();
            match item.state {
                ItemState::Done => state.items_done += 1,
                ItemState::Failed => state.items_failed += 1,
                ItemState::Skipped => {}
            }
            if let Some(plugin) = &state.plugin {
                let outcome = item.state.as_str();
                counter!(WORKER_ITEMS, "plugin" => plugin.to_string(), "outcome" => outcome).increment(1);
            }
            state.items.push(item);
        }
        self.changed.notify_one();
    }

    /// A short sentence for the list: "page 42 of 111".
    pub fn detail(&self, detail: impl Into<String>) {
        self.lock().detail = detail.into();
        self.changed.notify_one();
    }

    /// Progress of a job without items, 0.0 to 1.0.
    pub fn fraction(&self, fraction: f32) {
        self.lock().fraction = Some(fraction.clamp(0.0, 1.0));
        self.changed.notify_one();
    }

    /// So many more bytes of input were read.
    pub fn read(&self, bytes: u64) {
        self.lock().bytes += bytes;
    }

    /// A line for the job's log.
    pub fn log(&self, text: impl AsRef<str>) {
        let mut state = self.lock();
        state.log_lines = state.log_lines.saturating_add(1);
        let number = state.log_lines;
        let text = match number {
            1..LOG_LINES_MAX => text
                .as_ref()
                .replace('\0', "\u{fffd}")
                .chars()
                .take(LOG_LINE_CHARS_MAX)
                .collect(),
            LOG_LINES_MAX => format!("(the log ends here: only {LOG_LINES_MAX} lines are kept)"),
            _ => return,
        };
        state.log.push(LogLine { number, text });
    }

    /// What the next heartbeat says, with all that is not yet confirmed (in portions).
    pub fn report(&self, job_id: JobId, token: Token) -> AttemptReport {
        let state = self.lock();
        AttemptReport {
            job_id,
            attempt: token.attempt,
            claim_id: token.claim_id,
            stage: state.stage,
            percent: state.percent(),
            items_done: state.items_done,
            items_failed: state.items_failed,
            items_total: state.items_total,
            bytes: state.bytes,
            detail: state.detail.clone(),
            transfer: self.transfer.asked(),
            items: state.items.iter().take(ITEMS_PER_REPORT).cloned().collect(),
            log: state.log.iter().take(LOG_LINES_PER_REPORT).cloned().collect(),
        }
    }

    /// A coordinator has recorded `report`: its items and log lines need not be sent again. Tells whether
    /// more are waiting.
    pub fn confirmed(&self, report: &AttemptReport) -> bool {
        let mut state = self.lock();
        let items = report.items.len().min(state.items.len());
        state.items.drain(..items);
        let last = report.log.last().map_or(0, |line| line.number);
        state.log.retain(|line| line.number > last);
        self.confirmed.notify_waiters();
        !state.items.is_empty() || !state.log.is_empty()
    }

    /// Waits until what is not confirmed fits into one report.
    pub async fn nearly_confirmed(&self) {
        loop {
            let confirmed = self.confirmed.notified();
            {
                let state = self.lock();
                if state.items.len() <= ITEMS_PER_REPORT && state.log.len() <= LOG_LINES_PER_REPORT {
                    return;
                }
            }
            self.changed.notify_one();
            confirmed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state stays sound even when a plugin panicked while holding the lock: every change is one step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a percentage needs no more than 24 bits"
    )]
    fn percent(&self) -> f32 {
        match self.fraction {
            Some(fraction) => fraction * 100.0,
            None if self.items_total == 0 => 0.0,
            None => {
                let ended = self.items_done.saturating_add(self.items_failed);
                (ended as f32 / self.items_total as f32 * 100.0).min(100.0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;
    use shared::job::ClaimId;

    use super::*;

    fn item(name: &str) -> ItemReport {
        ItemReport {
            name: name.to_owned(),
            position: 1,
            state: ItemState::Done,
            files: Vec::new(),
            duration_ms: 1,
            error: None,
        }
    }

    #[test]
    fn what_is_not_confirmed_is_reported_again() {
        let progress = Progress::new(Arc::default());
        let (job, token) = (
            JobId::generate(),
            Token {
                attempt: 1,
                claim_id: ClaimId::generate(),
            },
        );
        progress.items(4, 1);
        progress.item(item("1.jpg"));
        progress.log("first");
        let lost = progress.report(job, token);
        progress.item(item("2.jpg"));
        let second = progress.report(job, token);
        assert_eq!(second.items.len(), 2);
        assert_eq!(second.items_done, 3);
        assert!((second.percent - 75.0).abs() < 0.01);
        assert!(progress.confirmed(&lost), "one item is still waiting");
        assert_eq!(progress.report(job, token).items[0].name, "2.jpg");
        assert!(progress.report(job, token).log.is_empty());
    }

    #[test]
    fn items_are_counted_for_their_plugin_as_they_end() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let progress = Progress::new(Arc::default());
        progress.count_items_of(&"OCR".parse().unwrap());
        metrics::with_local_recorder(&recorder, || {
            progress.item(item("1.jpg"));
            progress.item(ItemReport {
                state: ItemState::Failed,
                ..item("2.jpg")
            });
        });
        let text = recorder.handle().render();
        for outcome in ["done", "failed"] {
            let line = format!("{WORKER_ITEMS}{{plugin=\"OCR\",outcome=\"{outcome}\"}} 1");
            assert!(text.contains(&line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn a_chatty_tool_can_not_fill_memory() {
        let progress = Progress::new(Arc::default());
        for _ in 0..LOG_LINES_MAX + 100 {
            progress.log("x".repeat(LOG_LINE_CHARS_MAX + 1));
        }
        let state = progress.lock();
        assert_eq!(u32::try_from(state.log.len()), Ok(LOG_LINES_MAX));
        assert!(state.log[0].text.len() == LOG_LINE_CHARS_MAX);
        assert!(state.log.last().unwrap().text.contains("only 10000 lines"));
    }
}
