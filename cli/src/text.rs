//! Figures, times and foreign texts as people read them.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The text without characters that would control the terminal; titles and logs come from other systems.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c == '\t' {
                ' '
            } else if is_control(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

/// Control characters, and those that change the direction of what follows.
fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Adds a line to a text that is being put together.
pub(crate) fn push_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// A time for a list: to the minute.
pub(crate) fn minute(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// A time for details: to the second, with its zone.
pub(crate) fn second(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S %Z")
        .to_string()
}

/// The time between two points; `None` when the second is before the first.
pub(crate) fn between(start: Timestamp, end: Timestamp) -> Option<Duration> {
    end.duration_since(start).try_into().ok()
}

/// A duration: "840 ms", "8.4 s", "3 min 20 s", "2 h 5 min".
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        1..=9 => format!("{seconds}.{} s", time.subsec_millis() / 100),
        10..=59 => format!("{seconds} s"),
        60..=3_599 => two(seconds / 60, "min", seconds % 60, "s"),
        _ => two(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
    }
}

/// A duration that is only guessed: "4 s", "3 min", "2 h 10 min". Never "0 s".
pub(crate) fn roughly(time: Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_millis() >= 500);
    match seconds {
        0..=89 => format!("{} s", seconds.max(1)),
        90..=5_399 => format!("{} min", (seconds + 30) / 60),
        _ => {
            let tens_of_minutes = (seconds + 300) / 600;
            two(tens_of_minutes / 6, "h", tens_of_minutes % 6 * 10, "min")
        }
    }
}

fn two(first: u64, first_unit: &str, second: u64, second_unit: &str) -> String {
    if second == 0 {
        format!("{first} {first_unit}")
    } else {
        format!("{first} {first_unit} {second} {second_unit}")
    }
}

/// A size: "640 B", "1.4 MB" (powers of 1000).
pub(crate) fn bytes(size: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if size < 1_000 {
        return format!("{size} B");
    }
    let mut tenths = size / 100;
    let mut unit = 0;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1_000;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

/// A number of things: "1 page", "4 pages".
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A share of 100, without digits that nobody needs: "0 %", "33 %", "100 %". 100 only when it is all.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.0} %", share.clamp(0.0, 100.0).floor())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_texts_can_not_steer_the_terminal() {
        assert_eq!(
            printable("a\u{1b}]0;b\u{7}\tc\u{202e}d ü"),
            "a\u{fffd}]0;b\u{fffd} c\u{fffd}d ü"
        );
    }

    #[test]
    fn durations_are_as_exact_as_a_person_needs() {
        let said = |ms| duration(Duration::from_millis(ms));
        assert_eq!(
            [
                said(840),
                said(8_460),
                said(59_999),
                said(200_000),
                said(120_000),
                said(7_500_000)
            ],
            ["840 ms", "8.4 s", "59 s", "3 min 20 s", "2 min", "2 h 5 min"]
        );
    }

    #[test]
    fn a_guess_never_says_zero() {
        let said = |seconds| roughly(Duration::from_secs(seconds));
        assert_eq!(
            [
                said(0),
                said(4),
                said(89),
                said(90),
                said(200),
                said(7_800),
                said(7_200),
                said(5_400)
            ],
            [
                "1 s",
                "4 s",
                "89 s",
                "2 min",
                "3 min",
                "2 h 10 min",
                "2 h",
                "1 h 30 min"
            ]
        );
    }

    #[test]
    fn sizes_count_in_thousands() {
        assert_eq!(
            [
                bytes(0),
                bytes(999),
                bytes(1_000),
                bytes(1_449_999),
                bytes(86_000_000_000),
                bytes(u64::MAX)
            ],
            ["0 B", "999 B", "1.0 kB", "1.4 MB", "86.0 GB", "18446.7 PB"]
        );
    }

    #[test]
    fn a_hundred_percent_is_only_said_of_all() {
        assert_eq!(
            [percent(99.99), percent(100.0), percent(-1.0), percent(200.0)],
            ["99 %", "100 %", "0 %", "100 %"]
        );
    }

    #[test]
    fn times_are_shown_in_the_persons_zone() {
        let at: Timestamp = "2026-07-01T06:14:32.5Z".parse().unwrap();
        let berlin = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(minute(at, &berlin), "2026-07-01 08:14");
        assert_eq!(second(at, &TimeZone::UTC), "2026-07-01 06:14:32 UTC");
    }
}
