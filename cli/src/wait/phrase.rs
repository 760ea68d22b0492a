//! What is said about a job that is waited for.

use serde_json::{Value, json};

use super::pace::Estimate;
use super::watch::{Update, Watch};
use crate::api::Summary;
use crate::text::{self, printable};

/// How the job is, in one line: "2 of 4 pages, 31 pages/min, about 4 s left".
pub(super) fn progress(update: &Update) -> String {
    sentence(update, true)
}

fn sentence(update: &Update, with_percent: bool) -> String {
    let job = &update.job;
    let mut parts = Vec::new();
    if job.items_total > 0 {
        parts.push(pages(job));
    } else if with_percent && job.percent >= 1.0 && !job.has_ended() {
        parts.push(text::percent(job.percent));
    }
    if let Some(estimate) = &update.estimate {
        parts.push(pace(estimate));
        if job.items_finished() < job.items_total {
            parts.push(format!("about {} left", text::roughly(estimate.left)));
        }
    }
    let reason = job
        .waits_for
        .as_deref()
        .or(job.detail.as_deref().filter(|_| job.items_total == 0));
    parts.extend(reason.map(printable).filter(|reason| !reason.is_empty()));
    let said = parts.join(", ");
    match (job.state.as_str(), said.is_empty()) {
        ("PROCESSING", false) => said,
        (state, true) => printable(state),
        (state, false) => format!("{}: {said}", printable(state)),
    }
}

/// What stands beside a bar, which shows the percentage itself: [`progress`] and what the plugin says that it is
/// doing.
pub(super) fn beside_bar(update: &Update) -> String {
    let detail = update.job.detail.as_deref().map(printable).unwrap_or_default();
    let said = sentence(update, false);
    if detail.is_empty() || update.job.items_total == 0 || update.job.has_ended() {
        said
    } else {
        format!("{said} · {detail}")
    }
}

/// The last line about a job that ended well: "DONE: 4 of 4 pages in 8.4 s".
pub(super) fn ending(job: &Summary) -> String {
    let took = job
        .started_at
        .zip(job.finished_at)
        .and_then(|(start, end)| text::between(start, end));
    let took = took.map(text::duration);
    match (job.items_total > 0, took) {
        (true, Some(took)) => format!("{}: {} in {took}", job.state, pages(job)),
        (true, None) => format!("{}: {}", job.state, pages(job)),
        (false, Some(took)) => format!("{} in {took}", job.state),
        (false, None) => job.state.clone(),
    }
}

/// Why a job that did not end well ended, in one line.
pub(super) fn bad_end(job: &Summary) -> String {
    let name = format!("{} job \"{}\" ({})", job.plugin, job.title, job.id);
    match (job.state.as_str(), job.error_line()) {
        ("CANCELLED", None) => format!("{name} was cancelled"),
        ("CANCELLED", Some(why)) => format!("{name} was cancelled: {why}"),
        (state, None) => format!("{name} ended in {state}; see `taskmanager show {} --log`", job.id),
        (state, Some(why)) => format!("{name} ended in {state}: {why}"),
    }
}

/// Which jobs have not ended yet: "job … is PROCESSING (2 of 4 pages)".
pub(super) fn unfinished(watches: &[Watch]) -> String {
    let waiting: Vec<String> = watches
        .iter()
        .filter(|watch| !watch.has_ended())
        .map(|watch| match watch.last() {
            Some(job) if job.items_total > 0 => {
                format!("job {} is {} ({})", watch.id(), job.state, pages(job))
            }
            Some(job) => format!("job {} is {}", watch.id(), job.state),
            None => format!("job {} could not be asked for", watch.id()),
        })
        .collect();
    waiting.join(", ")
}

/// The update for programs.
pub(super) fn document(update: &Update) -> Value {
    let job = &update.job;
    let rounded = |number: f64| (number * 10.0).round() / 10.0;
    json!({
        "id": job.id,
        "plugin": job.plugin,
        "title": job.title,
        "state": job.state,
        "percent": rounded(job.percent),
        "items_done": job.items_done,
        "items_failed": job.items_failed,
        "items_total": job.items_total,
        "items_per_minute": update.estimate.map(|estimate| rounded(estimate.per_minute)),
        "seconds_left": update.estimate.map(|estimate| rounded(estimate.left.as_secs_f64())),
        "detail": job.detail,
        "waits_for": job.waits_for,
        "error": job.error,
    })
}

fn pages(job: &Summary) -> String {
    let all = text::count(job.items_total, "page", "pages");
    match job.items_failed {
        0 => format!("{} of {all}", job.items_done),
        failed => format!("{} of {all} ({failed} failed)", job.items_done),
    }
}

fn pace(estimate: &Estimate) -> String {
    let per_minute = estimate.per_minute;
    if per_minute >= 9.95 {
        format!("{per_minute:.0} pages/min")
    } else {
        format!("{per_minute:.1} pages/min")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn update(state: &str, rest: Summary) -> Update {
        Update {
            job: Summary {
                state: state.to_owned(),
                ..rest
            },
            estimate: None,
            changed: true,
        }
    }

    fn four_pages(items_done: u64) -> Summary {
        Summary {
            id: "0198".to_owned(),
            plugin: "OCR".to_owned(),
            title: "Kochbuch".to_owned(),
            items_done,
            items_total: 4,
            detail: Some("page 3 of 4".to_owned()),
            ..Summary::default()
        }
    }

    fn at_pace(per_minute: f64, left: u64, update: Update) -> Update {
        Update {
            estimate: Some(Estimate {
                per_minute,
                left: Duration::from_secs(left),
            }),
            ..update
        }
    }

    #[test]
    fn progress_names_pages_pace_and_rest() {
        let half = at_pace(31.2, 4, update("PROCESSING", four_pages(2)));
        assert_eq!(progress(&half), "2 of 4 pages, 31 pages/min, about 4 s left");
        assert_eq!(
            beside_bar(&half),
            "2 of 4 pages, 31 pages/min, about 4 s left · page 3 of 4"
        );
        let slow = at_pace(0.64, 7_800, update("PROCESSING", four_pages(1)));
        assert_eq!(
            progress(&slow),
            "1 of 4 pages, 0.6 pages/min, about 2 h 10 min left"
        );
    }

    #[test]
    fn failed_pages_are_told_and_a_finished_job_has_no_time_left() {
        let failed = Summary {
            items_failed: 1,
            ..four_pages(3)
        };
        let all = at_pace(31.2, 0, update("PROCESSING", failed));
        assert_eq!(progress(&all), "3 of 4 pages (1 failed), 31 pages/min");
    }

    #[test]
    fn other_states_are_named_with_what_they_wait_for() {
        let waiting = Summary {
            waits_for: Some("a worker".to_owned()),
            ..Summary::default()
        };
        assert_eq!(progress(&update("QUEUED", waiting)), "QUEUED: a worker");
        assert_eq!(progress(&update("QUEUED", Summary::default())), "QUEUED");
        assert_eq!(progress(&update("PROCESSING", Summary::default())), "PROCESSING");
        assert_eq!(
            progress(&update("DOWNLOAD", four_pages(4))),
            "DOWNLOAD: 4 of 4 pages"
        );
        let copying = Summary {
            percent: 40.9,
            detail: Some("film.mkv".to_owned()),
            ..Summary::default()
        };
        let copying = update("PROCESSING", copying);
        assert_eq!(progress(&copying), "40 %, film.mkv");
        assert_eq!(beside_bar(&copying), "film.mkv");
    }

    #[test]
    fn the_end_says_how_long_it_took() {
        let done = Summary {
            state: "DONE".to_owned(),
            started_at: Some("2026-07-01T06:14:33Z".parse().unwrap()),
            finished_at: Some("2026-07-01T06:14:41.460Z".parse().unwrap()),
            ..four_pages(4)
        };
        assert_eq!(ending(&done), "DONE: 4 of 4 pages in 8.4 s");
        assert_eq!(
            ending(&Summary {
                items_total: 0,
                ..done
            }),
            "DONE in 8.4 s"
        );
    }

    #[test]
    fn a_bad_end_is_one_line_with_the_reason() {
        let failed = Summary {
            state: "ERROR".to_owned(),
            error: Some("\n1 of 4 pages failed: 2.jpg\nstack".to_owned()),
            ..four_pages(3)
        };
        assert_eq!(
            bad_end(&failed),
            "OCR job \"Kochbuch\" (0198) ended in ERROR: 1 of 4 pages failed: 2.jpg"
        );
        let cancelled = Summary {
            state: "CANCELLED".to_owned(),
            ..four_pages(1)
        };
        assert_eq!(bad_end(&cancelled), "OCR job \"Kochbuch\" (0198) was cancelled");
    }

    #[test]
    fn programs_get_the_same_figures() {
        let half = at_pace(
            31.24,
            4,
            update(
                "PROCESSING",
                Summary {
                    percent: 50.04,
                    ..four_pages(2)
                },
            ),
        );
        let document = document(&half);
        assert_eq!(document["items_done"], 2);
        assert_eq!(document["percent"], 50.0);
        assert_eq!(document["items_per_minute"], 31.2);
        assert_eq!(document["seconds_left"], 4.0);
        assert_eq!(document["error"], Value::Null);
    }
}
