//! Numbers, sizes, times and durations as people of a language write them.

use std::fmt;

use askama::Template;
use askama::filters::HtmlSafe;
use jiff::Timestamp;
use jiff::civil::Date;

use super::language::{Language, Locale};

/// A point in time on a page: short to read, exact for machines and on hovering.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/time.html")]
pub(super) struct Time {
    machine: String,
    full: String,
    short: String,
}

impl HtmlSafe for Time {}

impl Locale {
    /// A whole number with its thousands apart.
    pub(super) fn number(&self, number: impl Into<i64>) -> String {
        let number = number.into();
        let digits = number.unsigned_abs().to_string();
        let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
        if number < 0 {
            text.push('\u{2212}');
        }
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                text.push(self.thousands());
            }
            text.push(digit);
        }
        text
    }

    /// A percentage without decimals; 100 only when everything is done.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it lies between 0 and 100"
    )]
    pub(super) fn percent(percent: f32) -> u8 {
        percent.clamp(0.0, 100.0).floor() as u8
    }

    /// A size in bytes, kB, MB, GB or TB (powers of 1,000).
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    pub(super) fn bytes(&self, bytes: i64) -> String {
        let mut size = bytes as f64;
        let mut unit = "B";
        for larger in ["kB", "MB", "GB", "TB"] {
            // 999.95 would be shown as 1000.0.
            if size < 999.95 {
                break;
            }
            size /= 1000.0;
            unit = larger;
        }
        if unit == "B" {
            return format!("{}\u{a0}B", self.number(bytes));
        }
        format!("{}\u{a0}{unit}", self.decimal(&format!("{size:.1}")))
    }

    /// A time between two moments: `43 s`, `3 min 20 s`, `2 h 5 min`, `4 d 2 h`.
    pub(super) fn duration(&self, from: Timestamp, to: Timestamp) -> String {
        self.milliseconds(to.as_millisecond() - from.as_millisecond())
    }

    /// A duration given in milliseconds.
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    pub(super) fn milliseconds(&self, milliseconds: i64) -> String {
        let milliseconds = milliseconds.max(0);
        let seconds = milliseconds / 1000;
        let two = |large: i64, large_unit: &str, small: i64, small_unit: &str| match small {
            0 => format!("{large}\u{a0}{large_unit}"),
            _ => format!("{large}\u{a0}{large_unit} {small}\u{a0}{small_unit}"),
        };
        match seconds {
            0..10 => format!(
                "{}\u{a0}s",
                self.decimal(&format!("{:.1}", milliseconds as f64 / 1000.0))
            ),
            10..60 => format!("{seconds}\u{a0}s"),
            60..3_600 => two(seconds / 60, "min", seconds % 60, "s"),
            3_600..86_400 => two(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
            _ => two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
        }
    }

    /// A moment as it stands in lists: today's as a time of day, others with their date.
    pub(super) fn time(&self, at: Timestamp, now: Timestamp) -> Time {
        let zoned = at.to_zoned(self.zone.clone());
        let today = now.to_zoned(self.zone.clone());
        let short = match self.language {
            _ if zoned.date() == today.date() => "%H:%M",
            Language::English if zoned.year() == today.year() => "%-d\u{a0}%b, %H:%M",
            Language::English => "%-d\u{a0}%b %Y, %H:%M",
            Language::German if zoned.year() == today.year() => "%-d.%-m., %H:%M",
            Language::German => "%-d.%-m.%Y, %H:%M",
        };
        let full = match self.language {
            Language::English => "%-d %B %Y, %H:%M:%S %Z",
            Language::German => "%-d.%-m.%Y, %H:%M:%S %Z",
        };
        Time {
            machine: at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            full: zoned.strftime(full).to_string(),
            short: zoned.strftime(short).to_string(),
        }
    }

    /// A moment with its date, whatever day it is.
    pub(super) fn dated(&self, at: Timestamp) -> Time {
        self.time(at, Timestamp::UNIX_EPOCH)
    }

    /// A moment with everything that is known of it: date, seconds, zone.
    pub(super) fn moment(&self, at: Timestamp) -> Time {
        let time = self.time(at, at);
        Time {
            short: time.full.clone(),
            ..time
        }
    }

    /// A moment within a log: time of day with seconds.
    pub(super) fn clock(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%H:%M:%S").to_string()
    }

    /// A day.
    pub(super) fn day(&self, day: Date) -> String {
        let form = match self.language {
            Language::English => "%-d\u{a0}%B\u{a0}%Y",
            Language::German => "%-d.%-m.%Y",
        };
        day.strftime(form).to_string()
    }

    /// The month that a day lies in.
    pub(super) fn month(&self, day: Date) -> String {
        let form = match self.language {
            Language::English => "%b\u{a0}%Y",
            Language::German => "%m/%Y",
        };
        day.strftime(form).to_string()
    }

    /// A moment as a field for date and time of day holds it, in the site's time zone.
    pub(super) fn field(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone())
            .strftime("%Y-%m-%dT%H:%M")
            .to_string()
    }

    fn thousands(&self) -> char {
        match self.language {
            Language::English => ',',
            Language::German => '.',
        }
    }

    /// A number with a decimal point, written with the language's own sign.
    fn decimal(&self, number: &str) -> String {
        match self.language {
            Language::English => number.to_owned(),
            Language::German => number.replace('.', ","),
        }
    }
}

impl Time {
    /// The moment in full, for sentences.
    pub(super) fn short(&self) -> &str {
        &self.short
    }
}

/// Fills the places `{0}`, `{1}` … of a sentence. A place with two words, `{0|job|jobs}`, takes the first where its
/// value is 1, and otherwise the second: this is the one way to say how many there are of something.
pub(super) fn fill(sentence: &str, values: &[&dyn fmt::Display]) -> String {
    let mut filled = String::with_capacity(sentence.len() + 16);
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let place = after
            .split_once('}')
            .and_then(|(place, after)| Some((in_place(place, values)?, after)));
        if let Some((words, after)) = place {
            filled.push_str(&words);
            rest = after;
        } else {
            filled.push('{');
            rest = after;
        }
    }
    filled.push_str(rest);
    filled
}

/// What stands in a place; nothing where there is no value for it.
fn in_place(place: &str, values: &[&dyn fmt::Display]) -> Option<String> {
    let (number, words) = place
        .split_once('|')
        .map_or((place, None), |(number, words)| (number, Some(words)));
    let value = values.get(number.parse::<usize>().ok()?)?.to_string();
    let Some(words) = words else { return Some(value) };
    let (one, many) = words.split_once('|')?;
    Some(if value == "1" { one } else { many }.to_owned())
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn locale(language: Language) -> Locale {
        Locale {
            zone: TimeZone::get("Europe/Berlin").unwrap(),
            ..Locale::new(language)
        }
    }

    #[test]
    fn numbers_and_sizes_follow_the_language() {
        let (english, german) = (locale(Language::English), locale(Language::German));
        assert_eq!(english.number(1_234_567), "1,234,567");
        assert_eq!(german.number(1_234), "1.234");
        assert_eq!(german.number(-999), "\u{2212}999");
        assert_eq!(english.bytes(999), "999\u{a0}B");
        assert_eq!(german.bytes(1_500_000), "1,5\u{a0}MB");
        assert_eq!(english.bytes(999_960), "1.0\u{a0}MB");
    }

    #[test]
    fn durations_name_their_two_largest_units() {
        let english = locale(Language::English);
        let shown = |seconds: i64| english.milliseconds(seconds * 1000).replace('\u{a0}', " ");
        assert_eq!(shown(9), "9.0 s");
        assert_eq!(shown(59), "59 s");
        assert_eq!(shown(200), "3 min 20 s");
        assert_eq!(shown(7_500), "2 h 5 min");
        assert_eq!(shown(352_800), "4 d 2 h");
        assert_eq!(english.milliseconds(-5), "0.0\u{a0}s");
    }

    #[test]
    fn times_are_the_sites_and_say_so_in_full() {
        let at: Timestamp = "2026-11-21T22:05:09Z".parse().unwrap();
        let later: Timestamp = "2026-12-01T08:00:00Z".parse().unwrap();
        let time = locale(Language::German).time(at, at);
        assert_eq!(
            (time.short.as_str(), time.full.as_str()),
            ("23:05", "21.11.2026, 23:05:09 CET")
        );
        assert_eq!(time.machine, "2026-11-21T22:05:09Z");
        assert_eq!(
            locale(Language::English).time(at, later).short,
            "21\u{a0}Nov, 23:05"
        );
        assert_eq!(locale(Language::German).time(at, later).short, "21.11., 23:05");
    }

    #[test]
    fn unfinished_work_is_never_shown_as_complete() {
        assert_eq!(Locale::percent(99.99), 99);
        assert_eq!(Locale::percent(100.0), 100);
        assert_eq!(Locale::percent(f32::NAN), 0);
    }

    #[test]
    fn sentences_are_filled_and_braces_without_value_stay() {
        assert_eq!(fill("{0} of {1}", &[&2, &"four"]), "2 of four");
        assert_eq!(fill("a {x} {7", &[&1]), "a {x} {7");
    }

    #[test]
    fn one_of_something_is_said_in_the_singular() {
        let sentence = "{0} {0|job uses|jobs use} {1} {1|slot|slots}";
        assert_eq!(fill(sentence, &[&1, &"1"]), "1 job uses 1 slot");
        assert_eq!(fill(sentence, &[&0, &"1,001"]), "0 jobs use 1,001 slots");
    }
}
