//! Which numbers a plugin's settings can have: one list for the API, the command line and the page.

use super::Settings;

/// What a setting's number may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The setting's name.
    pub field: &'static str,
    /// The least number.
    pub least: i64,
    /// The greatest number.
    pub most: i64,
}

const fn range(field: &'static str, least: i64, most: i64) -> Range {
    Range { field, least, most }
}

/// The range of each setting.
pub const RANGES: [Range; 13] = [
    range("running_max", 1, 10_000),
    range("default_priority", 0, 10),
    range("ageing_minutes", 1, 100_000),
    range("retries_max", 0, 100),
    range("retry_first_seconds", 1, 86_400),
    range("retry_longest_seconds", 1, 604_800),
    range("lease_seconds", 1, 3_600),
    range("run_budget_seconds", 1, 31_536_000),
    // Shorter ones would take one late answer for lost contact.
    range("disconnect_limit_seconds", 30, 31_536_000),
    range("keep_done_jobs", 0, 100_000_000),
    range("keep_done_days", 0, 100_000),
    range("keep_failed_jobs", 0, 100_000_000),
    range("keep_failed_days", 0, 100_000),
];

impl Range {
    /// Whether a setting may have this number.
    pub fn contains(self, number: i64) -> bool {
        (self.least..=self.most).contains(&number)
    }
}

impl Settings {
    /// Finds values that no plugin can have.
    ///
    /// # Errors
    /// All problems at once, in words.
    ///
    /// # Panics
    /// Never: settings can always be written as JSON.
    pub fn check(&self) -> Result<(), String> {
        let said = serde_json::to_value(self).expect("settings are plain data");
        let problems: Vec<String> = RANGES
            .iter()
            .filter(|range| {
                said[range.field]
                    .as_i64()
                    .is_some_and(|number| !range.contains(number))
            })
            .map(|Range { field, least, most }| format!("field \"{field}\" must be from {least} to {most}"))
            .collect();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems.join("; "))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};

    use super::*;

    #[test]
    fn every_setting_has_a_range_and_its_ends_belong_to_it() {
        for ends in [|range: &Range| range.least, |range: &Range| range.most] {
            let all: Map<String, Value> = RANGES
                .iter()
                .map(|range| (range.field.to_owned(), Value::from(ends(range))))
                .collect();
            let settings: Settings = serde_json::from_value(Value::Object(all.clone())).unwrap();
            assert_eq!(settings.check(), Ok(()));
            // Nothing is left out: what is written again is what was read.
            assert_eq!(serde_json::to_value(&settings).unwrap(), Value::Object(all));
        }
        for range in RANGES.iter().filter(|range| range.field != "default_priority") {
            for beyond in [range.least - 1, range.most + 1] {
                let one = Map::from_iter([(range.field.to_owned(), Value::from(beyond))]);
                let refused = serde_json::from_value::<Settings>(Value::Object(one))
                    .map_or(true, |settings| settings.check().is_err());
                assert!(refused, "{} {beyond}", range.field);
            }
        }
    }
}
