//! How fast items are done, and how long the rest will take. Times are those since the waiting began: the
//! clocks of two hosts are never compared.

use std::collections::VecDeque;
use std::time::Duration;

/// Only this much of the past counts, so that a slow hour in the morning does not colour the afternoon.
const WINDOW: Duration = Duration::from_mins(10);

/// The moments at which the number of finished items changed.
#[derive(Debug, Clone, Default)]
pub(super) struct Pace {
    samples: VecDeque<Sample>,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Duration,
    finished: u64,
}

/// What can be said of the pace.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimate {
    /// Items a minute.
    pub(super) per_minute: f64,
    /// Until the last item is finished.
    pub(super) left: Duration,
}

impl Pace {
    /// Notes how many items were finished at the time `at`.
    pub(super) fn observe(&mut self, at: Duration, finished: u64) {
        match self.samples.back() {
            Some(last) if last.finished == finished => return,
            // Another attempt began with fewer: what was before says nothing about it.
            Some(last) if last.finished > finished => self.samples.clear(),
            _ => {}
        }
        self.samples.push_back(Sample { at, finished });
        while self.samples.len() > 2 && self.samples.get(1).is_some_and(|second| second.at + WINDOW < at) {
            self.samples.pop_front();
        }
    }

    /// Forgets everything: the job waits, or does something other than its items.
    pub(super) fn reset(&mut self) {
        self.samples.clear();
    }

    /// The pace at the time `now` of a job with `total` items; `None` until one was seen to finish.
    pub(super) fn estimate(&self, now: Duration, total: u64) -> Option<Estimate> {
        let (first, last) = (self.samples.front()?, self.samples.back()?);
        let items = to_float(last.finished - first.finished);
        let remaining = to_float(total.saturating_sub(last.finished));
        let took = last.at.checked_sub(first.at)?.as_secs_f64();
        if items < 1.0 || took <= 0.0 {
            return None;
        }
        let since_last = now.saturating_sub(last.at).as_secs_f64();
        let per_item = took / items;
        let (per_second, left) = if since_last <= per_item {
            (items / took, remaining * per_item - since_last)
        } else {
            // The next item is overdue: it may come at any moment, and the pace sinks meanwhile.
            let slower = items / (took + since_last);
            (slower, (remaining - 1.0).max(0.0) / slower)
        };
        Some(Estimate {
            per_minute: per_second * 60.0,
            left: Duration::try_from_secs_f64(left.max(0.0)).unwrap_or(Duration::MAX),
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "no job has 2^52 pages")]
fn to_float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn nothing_is_guessed_before_an_item_was_seen_to_finish() {
        let mut pace = Pace::default();
        pace.observe(at(0), 0);
        assert_eq!(pace.estimate(at(5), 4), None);
    }

    #[test]
    fn two_pages_in_four_seconds_are_thirty_a_minute_and_four_seconds_left() {
        let mut pace = Pace::default();
        pace.observe(at(0), 0);
        pace.observe(at(2), 1);
        pace.observe(at(4), 2);
        let estimate = pace.estimate(at(4), 4).unwrap();
        assert!((estimate.per_minute - 30.0).abs() < 0.01, "{estimate:?}");
        assert_eq!(estimate.left, at(4));
        assert_eq!(pace.estimate(at(5), 4).unwrap().left, at(3));
    }

    #[test]
    fn an_overdue_item_lowers_the_pace_and_raises_the_rest() {
        let mut pace = Pace::default();
        pace.observe(at(0), 0);
        pace.observe(at(10), 10);
        let (soon, late) = (
            pace.estimate(at(20), 20).unwrap(),
            pace.estimate(at(100), 20).unwrap(),
        );
        assert!(
            late.per_minute < soon.per_minute && late.left > soon.left,
            "{soon:?} {late:?}"
        );
    }

    #[test]
    fn pages_that_were_there_before_do_not_count() {
        let mut pace = Pace::default();
        pace.observe(at(0), 100);
        pace.observe(at(60), 101);
        assert!((pace.estimate(at(60), 200).unwrap().per_minute - 1.0).abs() < 0.01);
    }

    #[test]
    fn an_attempt_that_begins_anew_begins_a_new_reckoning() {
        let mut pace = Pace::default();
        pace.observe(at(0), 0);
        pace.observe(at(1), 50);
        pace.observe(at(2), 3);
        assert_eq!(pace.estimate(at(2), 100), None);
    }

    #[test]
    fn the_distant_past_is_forgotten() {
        let mut pace = Pace::default();
        pace.observe(at(0), 0);
        for minute in 1..=60 {
            let finished = if minute <= 30 {
                minute
            } else {
                30 + (minute - 30) * 10
            };
            pace.observe(at(minute * 60), finished);
        }
        assert!((pace.estimate(at(3_600), 1_000).unwrap().per_minute - 10.0).abs() < 0.01);
    }
}
