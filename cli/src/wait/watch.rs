//! What is known of one job that is waited for, and whether that has changed.

use std::time::Duration;

use super::pace::{Estimate, Pace};
use crate::api::Summary;

/// A job that is waited for.
#[derive(Debug)]
pub(super) struct Watch {
    id: String,
    last: Option<Summary>,
    pace: Pace,
}

/// How a job is at the moment.
#[derive(Debug, Clone)]
pub(super) struct Update {
    /// The job.
    pub(super) job: Summary,
    /// How fast it goes, once that can be said.
    pub(super) estimate: Option<Estimate>,
    /// Whether there is anything that was not there at the last look.
    pub(super) changed: bool,
}

impl Watch {
    pub(super) fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            last: None,
            pace: Pace::default(),
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The job as it was at the last look.
    pub(super) fn last(&self) -> Option<&Summary> {
        self.last.as_ref()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.last.as_ref().is_some_and(Summary::has_ended)
    }

    /// Takes note of how the job is at the time `at` since the waiting began.
    pub(super) fn observe(&mut self, at: Duration, job: Summary) -> Update {
        if job.state == "PROCESSING" {
            self.pace.observe(at, job.items_finished());
        } else {
            self.pace.reset();
        }
        let changed = self.last.as_ref().is_none_or(|last| differs(last, &job));
        let estimate = self.pace.estimate(at, job.items_total);
        self.last = Some(job.clone());
        Update {
            job,
            estimate,
            changed,
        }
    }
}

/// Whether a person would want a line about it. The percentage counts only where there are no items to count.
fn differs(before: &Summary, now: &Summary) -> bool {
    let items = |job: &Summary| (job.items_done, job.items_failed, job.items_total);
    let percent_differs = (before.percent.floor() - now.percent.floor()).abs() >= 1.0;
    before.state != now.state
        || items(before) != items(now)
        || before.waits_for != now.waits_for
        || (now.items_total == 0 && (percent_differs || before.detail != now.detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(state: &str, items_done: u64, items_total: u64) -> Summary {
        Summary {
            state: state.to_owned(),
            items_done,
            items_total,
            ..Summary::default()
        }
    }

    #[test]
    fn the_same_again_is_no_change_and_everything_worth_a_line_is() {
        let mut watch = Watch::new("a");
        let mut changed = |job: Summary| watch.observe(Duration::ZERO, job).changed;
        assert!(changed(job("QUEUED", 0, 0)));
        assert!(!changed(job("QUEUED", 0, 0)));
        assert!(changed(Summary {
            waits_for: Some("a worker".to_owned()),
            ..job("QUEUED", 0, 0)
        }));
        assert!(changed(job("PROCESSING", 0, 0)));
        assert!(changed(Summary {
            percent: 1.5,
            ..job("PROCESSING", 0, 0)
        }));
        assert!(!changed(Summary {
            percent: 1.9,
            ..job("PROCESSING", 0, 0)
        }));
        assert!(changed(job("PROCESSING", 0, 4)));
        assert!(!changed(Summary {
            percent: 20.0,
            ..job("PROCESSING", 0, 4)
        }));
        assert!(changed(job("PROCESSING", 1, 4)));
        assert!(changed(Summary {
            items_failed: 1,
            ..job("PROCESSING", 1, 4)
        }));
    }

    #[test]
    fn waiting_between_two_attempts_does_not_slow_the_pace() {
        let mut watch = Watch::new("a");
        let mut estimate = |at, job| watch.observe(Duration::from_secs(at), job).estimate;
        estimate(0, job("PROCESSING", 0, 4));
        assert!(estimate(2, job("PROCESSING", 1, 4)).is_some());
        assert_eq!(estimate(3, job("QUEUED", 1, 4)), None);
        assert_eq!(estimate(600, job("PROCESSING", 1, 4)), None);
        let again = estimate(602, job("PROCESSING", 2, 4)).unwrap();
        assert!((again.per_minute - 30.0).abs() < 0.01, "{again:?}");
    }
}
