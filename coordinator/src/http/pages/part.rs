//! Parts that several pages show: a job's state, its progress, an error that opens.

use askama::Template;
use askama::filters::HtmlSafe;
use shared::job::{JobState, ShownState};

use crate::db::pages::JobSummary;
use crate::http::format::fill;
use crate::http::language::Locale;
use crate::http::text::Text;
use crate::http::text::told::told;
use crate::http::wait::{self, in_words};

/// The colour and the sign of a state; never the only thing that tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// Waits.
    Wait,
    /// Runs.
    Run,
    /// Is held back.
    Hold,
    /// Ended well.
    Good,
    /// Ended badly.
    Bad,
    /// Ended by a person's wish.
    Off,
}

impl Tone {
    pub(super) fn of(state: ShownState) -> Self {
        match state {
            ShownState::Paused => Self::Hold,
            ShownState::As(JobState::Done) => Self::Good,
            ShownState::As(JobState::Error) => Self::Bad,
            ShownState::As(JobState::Cancelled) => Self::Off,
            ShownState::As(state) if state.is_running() => Self::Run,
            ShownState::As(_) => Self::Wait,
        }
    }

    /// The name in the style sheet.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Run => "run",
            Self::Hold => "hold",
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Off => "off",
        }
    }

    /// The sign, as an outline in a square of 16.
    fn sign(self) -> &'static str {
        match self {
            Self::Wait => {
                "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zm0 1.6a4.9 4.9 0 1 1 0 9.8 4.9 4.9 0 0 1 0-9.8zM7.2 4.6v4l2.9 1.7.8-1.3-2.1-1.3V4.6z"
            }
            Self::Run => "M4.5 2.6v10.8L13.4 8z",
            Self::Hold => "M3.8 2.8h3v10.4h-3zM9.2 2.8h3v10.4h-3z",
            Self::Good => "M6.3 12.8 1.9 8.4l1.5-1.5 2.9 2.9 6.3-6.3L14.1 5z",
            Self::Bad => "M8 1.2 15.4 14H.6zm-.8 4.6v4.4h1.6V5.8zm0 5.5v1.6h1.6v-1.6z",
            Self::Off => "M3.2 3.2h9.6v9.6H3.2z",
        }
    }
}

/// A state as a badge: sign, word, colour.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/badge.html")]
pub(super) struct Badge {
    tone: &'static str,
    sign: &'static str,
    label: &'static str,
    title: &'static str,
}

impl HtmlSafe for Badge {}

impl Badge {
    /// A job's state under the name that users know it by.
    pub(super) fn of_job(state: ShownState, text: &Text) -> Self {
        let tone = Tone::of(state);
        Self {
            tone: tone.name(),
            sign: tone.sign(),
            label: state.as_str(),
            title: in_words(state, text),
        }
    }

    /// Any other state.
    pub(super) fn new(tone: Tone, label: &'static str) -> Self {
        Self {
            tone: tone.name(),
            sign: tone.sign(),
            label,
            title: "",
        }
    }
}

/// What is being done with a job, why nothing is, or how it ended.
pub(super) fn note(locale: &Locale, job: &JobSummary) -> String {
    if let Some(reason) = wait::reason(locale, job) {
        return reason;
    }
    // Where items are counted, the count says it already; what a transfer waits for, nothing else says.
    let counts = job.items_total > 0 && job.state != ShownState::As(JobState::WaitingForUpload);
    if job.is_running() && !job.detail.is_empty() && !counts {
        return told(locale.language, &job.detail);
    }
    in_words(job.state, locale.text).to_owned()
}

/// How far a job is: a bar and words.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/progress.html")]
pub(super) struct Progress {
    tone: &'static str,
    percent: u8,
    label: String,
    words: String,
}

impl HtmlSafe for Progress {}

impl Progress {
    /// A job's progress: `2 of 4 · 50 %`.
    pub(super) fn of(job: &JobSummary, locale: &Locale) -> Self {
        let percent = Locale::percent(job.percent);
        let mut words = Vec::new();
        if job.items_total > 0 {
            words.push(items(job, locale));
        }
        if percent > 0 || job.is_running() || job.is_final() {
            words.push(format!("{percent}\u{a0}%"));
        }
        Self {
            tone: Tone::of(job.state).name(),
            percent,
            label: format!("{}: {}", locale.text.progress, job.title),
            words: words.join(" · "),
        }
    }
}

/// `3 of 4, 1 failed`.
pub(super) fn items(job: &JobSummary, locale: &Locale) -> String {
    let (done, total) = (locale.number(job.items_done), locale.number(job.items_total));
    let mut words = fill(locale.text.of_items, &[&done, &total]);
    if job.items_failed > 0 {
        words.push_str(", ");
        words.push_str(&fill(
            locale.text.items_failed,
            &[&locale.number(job.items_failed)],
        ));
    }
    words
}

/// An error: its first line, and the whole when it says more.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/trouble.html")]
pub(super) struct Trouble {
    short: String,
    whole: Option<String>,
}

impl HtmlSafe for Trouble {}

/// Most characters of an abbreviated error.
const SHORT_CHARS: usize = 120;

impl Trouble {
    pub(super) fn new(locale: &Locale, error: &str) -> Self {
        let error = told(locale.language, error.trim());
        let first = error.trim().lines().next().unwrap_or_default();
        let mut short: String = first.chars().take(SHORT_CHARS).collect();
        let is_whole = short == error.trim();
        if !is_whole {
            short.push('…');
        }
        Self {
            short,
            whole: (!is_whole).then(|| error.trim().to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::language::Language;

    fn english() -> Locale {
        Locale::new(Language::English)
    }

    #[test]
    fn a_short_error_stands_there_whole_and_a_long_one_opens() {
        assert_eq!(Trouble::new(&english(), "no such folder\n").whole, None);
        let long = Trouble::new(&english(), "page 3 is unreadable\nat line 7");
        assert_eq!(long.short, "page 3 is unreadable…");
        assert_eq!(long.whole.as_deref(), Some("page 3 is unreadable\nat line 7"));
    }

    #[test]
    fn what_is_shown_is_escaped() {
        for error in [
            "<script>alert(1)</script>",
            "<script>alert(1)</script>\n<script>alert(2)</script>",
        ] {
            let shown = Trouble::new(&english(), error).to_string();
            assert!(!shown.contains("<script>"), "{shown}");
        }
    }
}
