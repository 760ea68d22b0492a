//! The programs' logs: what must not stand in them, and where they go when a test fails.

use std::fs;
use std::path::PathBuf;

use launcher::workspace;

/// Lines of a log that are shown when a test fails; the files have all of them.
const SHOWN: usize = 60;

/// Warnings, errors and panics that contain none of the expected texts.
pub(super) fn unexpected(logs: &[PathBuf], expected: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    for log in logs {
        let text = fs::read_to_string(log).expect("a log can be read");
        let bad = text.lines().filter(|line| is_bad(line));
        lines.extend(
            bad.filter(|line| !expected.iter().any(|text| line.contains(text)))
                .map(|line| format!("{}: {line}", log.file_name().unwrap_or_default().display())),
        );
    }
    lines
}

/// Lines are `<time> <level> <target>: <text>`; what a panic says has no such form.
fn is_bad(line: &str) -> bool {
    let level = line.split_whitespace().nth(1);
    matches!(level, Some("WARN" | "ERROR")) || line.contains("panicked at")
}

/// Shows the ends of the logs and copies them to `target/failed-tests/<name>`.
#[expect(clippy::print_stderr, reason = "it is shown with the test's failure")]
pub(super) fn show_and_keep(name: &str, logs: &[PathBuf]) {
    let folder = workspace().join("target/failed-tests").join(name);
    // What can't be kept can still be shown; the test has failed anyhow.
    let _ = fs::remove_dir_all(&folder);
    let _ = fs::create_dir_all(&folder);
    for log in logs {
        let text = fs::read_to_string(log).unwrap_or_default();
        let file = log.file_name().unwrap_or_default();
        let _ = fs::copy(log, folder.join(file));
        let lines: Vec<&str> = text.lines().collect();
        let end = lines[lines.len().saturating_sub(SHOWN)..].join("\n");
        eprintln!(
            "---- {} (all of it: {})\n{end}",
            file.display(),
            folder.join(file).display()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_errors_and_panics_are_found_and_words_within_a_text_are_not() {
        assert!(is_bad(
            "2025-01-01T00:00:00.000001Z  WARN worker::claims: no answer"
        ));
        assert!(is_bad("2025-01-01T00:00:00.000001Z ERROR coordinator: broken"));
        assert!(is_bad("thread 'main' panicked at src/main.rs:1:1:"));
        assert!(!is_bad(
            "2025-01-01T00:00:00.000001Z  INFO coordinator: job 1 ended: ERROR"
        ));
        assert!(!is_bad(""));
    }
}
