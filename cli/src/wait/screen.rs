//! Where the progress is shown: bars on a terminal, plain lines elsewhere, JSON lines for programs.

use std::io::{self, IsTerminal};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::phrase;
use super::watch::{Update, Watch};
use crate::Answer;
use crate::api::Summary;
use crate::output::{self, Look, is_dumb_terminal};
use crate::text::printable;

/// Redraws a second, at most.
const REDRAWS_PER_SECOND: u8 = 10;
/// A bar counts in thousandths, so that it moves within a percent, too.
const BAR_LENGTH: u64 = 1_000;
/// Most columns of a title before a bar: pages, pace and rest have to fit beside it in 80 columns.
const TITLE_WIDTH_MAX: usize = 16;
/// A bar of the only job.
const WIDE: &str = "{bar:24.cyan/dim} {percent:>3} %  {wide_msg}";
/// One of several bars.
const NARROW: &str = "{prefix:16}  {bar:10.cyan/dim} {percent:>3} %  {wide_msg}";

/// Where the progress is shown.
#[derive(Debug)]
pub(super) enum Screen {
    /// One bar a job, on standard error.
    Bars {
        all: MultiProgress,
        bars: Vec<ProgressBar>,
    },
    /// A line a change, on standard output; with the title in front where there is more than one job.
    Lines { titles: bool },
    /// A document a change, on standard output.
    Json,
}

impl Screen {
    pub(super) fn new(json: bool, ids: &[String]) -> Self {
        let terminals = io::stdout().is_terminal() && io::stderr().is_terminal();
        if json {
            Self::Json
        } else if terminals && !is_dumb_terminal() {
            let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(REDRAWS_PER_SECOND));
            let bars = ids.iter().map(|_| all.add(bar(ids.len() > 1))).collect();
            Self::Bars { all, bars }
        } else {
            Self::Lines {
                titles: ids.len() > 1,
            }
        }
    }

    /// Shows how the job number `index` is.
    pub(super) fn show(&self, index: usize, update: &Update) -> anyhow::Result<()> {
        match self {
            Self::Bars { bars, .. } => {
                show_bar(&bars[index], update);
                Ok(())
            }
            Self::Lines { titles } if update.changed => output::result(&line(*titles, update)),
            Self::Json if update.changed => output::json_line(&phrase::document(update)),
            Self::Lines { .. } | Self::Json => Ok(()),
        }
    }

    /// Lets `write` write lines that the bars don't overdraw.
    pub(super) fn aside(&self, write: impl FnOnce()) {
        match self {
            Self::Bars { all, .. } => all.suspend(write),
            Self::Lines { .. } | Self::Json => write(),
        }
    }

    /// Takes the bars away, before something else is said.
    pub(super) fn clear(&self) {
        if let Self::Bars { bars, .. } = self {
            bars.iter().for_each(ProgressBar::finish_and_clear);
        }
    }

    /// The last words, when all jobs have ended.
    pub(super) fn finish(&self, watches: &[Watch]) -> anyhow::Result<Answer> {
        self.clear();
        let ended: Vec<&Summary> = watches.iter().filter_map(Watch::last).collect();
        if let Self::Bars { .. } = self {
            let look = Look::of_stdout();
            for job in ended.iter().filter(|job| is_good(job)) {
                let title = if ended.len() > 1 {
                    format!("{}: ", printable(&job.title))
                } else {
                    String::new()
                };
                output::result(&format!(
                    "{title}{}\n",
                    look.state(&job.state, &phrase::ending(job))
                ))?;
            }
        }
        let mut answer = Answer::Yes;
        for job in ended.iter().filter(|job| !is_good(job)) {
            answer = Answer::No;
            output::note(&phrase::bad_end(job));
        }
        Ok(answer)
    }
}

fn is_good(job: &Summary) -> bool {
    job.state == "DONE"
}

fn line(titles: bool, update: &Update) -> String {
    let said = if is_good(&update.job) {
        phrase::ending(&update.job)
    } else {
        phrase::progress(update)
    };
    if titles {
        format!("{}: {said}\n", printable(&update.job.title))
    } else {
        format!("{said}\n")
    }
}

fn bar(one_of_several: bool) -> ProgressBar {
    let template = if one_of_several { NARROW } else { WIDE };
    let style = ProgressStyle::with_template(template)
        .expect("both templates are constants that a test draws")
        .progress_chars("━─");
    ProgressBar::new(BAR_LENGTH).with_style(style)
}

fn show_bar(bar: &ProgressBar, update: &Update) {
    let title = printable(&update.job.title);
    let prefix = console::truncate_str(&title, TITLE_WIDTH_MAX, "…").into_owned();
    if bar.prefix() != prefix {
        bar.set_prefix(prefix);
    }
    bar.set_position(thousandths(update.job.percent));
    bar.set_message(phrase::beside_bar(update));
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=1000 before"
)]
fn thousandths(percent: f64) -> u64 {
    (percent * 10.0).clamp(0.0, 1_000.0) as u64
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use indicatif::TermLike;

    use super::super::pace::Estimate;
    use super::*;

    fn update(state: &str, items_done: u64) -> Update {
        let job = Summary {
            state: state.to_owned(),
            title: "Kochbuch".to_owned(),
            percent: 25.0,
            items_done,
            items_total: 4,
            ..Summary::default()
        };
        Update {
            job,
            estimate: None,
            changed: true,
        }
    }

    #[test]
    fn lines_carry_the_title_only_where_there_are_several_jobs() {
        assert_eq!(line(false, &update("PROCESSING", 1)), "1 of 4 pages\n");
        assert_eq!(line(true, &update("DONE", 4)), "Kochbuch: DONE: 4 of 4 pages\n");
    }

    /// Keeps what is written to it.
    #[derive(Debug, Clone, Default)]
    struct Recorder(Arc<Mutex<String>>);

    impl Recorder {
        fn write(&self, text: &str) {
            self.0.lock().unwrap().push_str(text);
        }
    }

    impl TermLike for Recorder {
        fn width(&self) -> u16 {
            80
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write(text);
            self.write("\n");
            Ok(())
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.write(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            self.write("\r");
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn drawn(one_of_several: bool, update: &Update) -> String {
        let terminal = Recorder::default();
        let bar = bar(one_of_several);
        bar.set_draw_target(ProgressDrawTarget::term_like(Box::new(terminal.clone())));
        show_bar(&bar, update);
        bar.tick();
        let drawn = terminal.0.lock().unwrap().clone();
        let drawn = console::strip_ansi_codes(&drawn);
        drawn
            .rsplit('\r')
            .next()
            .unwrap_or_default()
            .trim_end()
            .to_owned()
    }

    #[test]
    fn a_bar_shows_percent_and_words_in_one_row_and_the_title_among_several() {
        let long = Summary {
            title: "Kochbuch der bürgerlichen Küche".to_owned(),
            ..update("PROCESSING", 1).job
        };
        let long = Update {
            job: long,
            ..update("PROCESSING", 1)
        };
        assert_eq!(
            drawn(false, &long),
            "━━━━━━──────────────────  25 %  1 of 4 pages"
        );
        assert_eq!(
            drawn(true, &long),
            "Kochbuch der bü…  ━━────────  25 %  1 of 4 pages"
        );
    }

    #[test]
    fn pages_pace_and_rest_fit_beside_a_bar_in_80_columns() {
        let estimate = Estimate {
            per_minute: 31.2,
            left: Duration::from_secs(4),
        };
        let half = Update {
            estimate: Some(estimate),
            ..update("PROCESSING", 2)
        };
        for one_of_several in [false, true] {
            let drawn = drawn(one_of_several, &half);
            assert!(
                drawn.ends_with("2 of 4 pages, 31 pages/min, about 4 s left"),
                "{drawn}"
            );
        }
    }

    #[test]
    fn a_share_that_is_no_number_moves_no_bar() {
        assert_eq!(
            [
                thousandths(f64::NAN),
                thousandths(-1.0),
                thousandths(33.33),
                thousandths(1e9)
            ],
            [0, 0, 333, 1_000]
        );
    }
}
