//! Everything that the command line writes, in one place: results to standard output, words about them to
//! standard error.
//!
//! Invariant: a reader that has gone (`| head`) ends the program quietly; colours only where a person sees them.

use std::io::{self, Write};
use std::process::ExitCode;

use console::Style;
use serde_json::Value;

/// What a shell reports for a program that wrote to a reader that had gone: 128 + SIGPIPE.
const EXIT_READER_GONE: u8 = 141;
/// The question could not be asked or answered.
const EXIT_FAILURE: u8 = 2;

/// Standard output can't be written.
#[derive(Debug, thiserror::Error)]
#[error("can't write the result")]
struct WriteFailed(#[from] io::Error);

/// Writes a result, which ends with a line feed, to standard output.
pub(crate) fn result(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(WriteFailed)?;
    Ok(())
}

/// Writes a document over several lines to standard output.
pub(crate) fn json(document: &Value) -> anyhow::Result<()> {
    result(&format!("{document:#}\n"))
}

/// Writes a document on one line to standard output.
pub(crate) fn json_line(document: &Value) -> anyhow::Result<()> {
    result(&format!("{document}\n"))
}

/// Writes one line about what is going on to standard error.
pub(crate) fn note(text: &str) {
    // When standard error is gone there is nobody left to tell.
    let _ = writeln!(io::stderr().lock(), "taskmanager: {}", one_line(text));
}

/// Tells why the program ends and gives its exit code.
pub(crate) fn failure(error: &anyhow::Error) -> ExitCode {
    match error.downcast_ref::<WriteFailed>() {
        Some(WriteFailed(cause)) if cause.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::from(EXIT_READER_GONE)
        }
        _ => {
            note(&format!("{error:#}"));
            ExitCode::from(EXIT_FAILURE)
        }
    }
}

/// How results are dressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    /// Whether to use colours.
    pub(crate) colours: bool,
    /// Columns of the terminal; `None` where standard output is no terminal: then nothing is cut off.
    pub(crate) width: Option<usize>,
}

impl Look {
    /// No colours, nothing cut off.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self {
        colours: false,
        width: None,
    };

    /// What suits standard output.
    pub(crate) fn of_stdout() -> Self {
        let terminal = console::Term::stdout();
        Self {
            // Not with NO_COLOR in the environment (see <https://no-color.org>), nor where TERM is "dumb".
            colours: terminal.features().colors_supported(),
            width: terminal.is_term().then(|| usize::from(terminal.size().1)),
        }
    }

    /// `text` in the style of the job state `state`.
    pub(crate) fn state(self, state: &str, text: &str) -> String {
        let style = match state {
            "DONE" => Style::new().green(),
            "ERROR" => Style::new().red().bold(),
            "CANCELLED" | "PAUSED" => Style::new().yellow(),
            "QUEUED" | "SCHEDULED" | "BLOCKED" => Style::new(),
            _ => Style::new().cyan(),
        };
        self.styled(&style, text)
    }

    /// `text` as a heading.
    pub(crate) fn heading(self, text: &str) -> String {
        self.styled(&Style::new().bold(), text)
    }

    /// The mark before a check.
    pub(crate) fn mark(self, ok: bool) -> String {
        if ok {
            self.styled(&Style::new().green(), "✓")
        } else {
            self.styled(&Style::new().red().bold(), "✗")
        }
    }

    fn styled(self, style: &Style, text: &str) -> String {
        style
            .clone()
            .force_styling(self.colours)
            .apply_to(text)
            .to_string()
    }
}

/// Whether the terminal can do nothing but print lines.
#[expect(
    clippy::disallowed_methods,
    reason = "TERM is what the terminal says of itself, no setting of ours"
)]
pub(crate) fn is_dumb_terminal() -> bool {
    std::env::var_os("TERM").is_some_and(|name| name == "dumb")
}

/// The text as one line: line ends become "; ".
fn one_line(text: &str) -> String {
    let parts: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    crate::text::printable(&parts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_one_line_whatever_the_server_said() {
        assert_eq!(one_line("first\n\n  second\r\nthird\n"), "first; second; third");
        assert_eq!(one_line("a\u{1b}[31mb"), "a\u{fffd}[31mb");
    }

    #[test]
    fn without_colours_no_escape_is_written() {
        assert_eq!(Look::PLAIN.state("ERROR", "ERROR"), "ERROR");
        let coloured = Look {
            colours: true,
            width: None,
        };
        assert!(coloured.state("ERROR", "ERROR").contains("\u{1b}["));
        assert_eq!(coloured.state("QUEUED", "QUEUED"), "QUEUED");
    }
}
