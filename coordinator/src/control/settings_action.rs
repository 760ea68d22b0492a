//! What people set for the pages themselves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Verb;

/// Seconds that may lie between two updates of an open page.
pub const REFRESH_SECONDS: std::ops::RangeInclusive<i64> = 1..=3_600;

/// Something to be done with the settings that belong to no plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum SettingsAction {
    /// Give the pages these settings.
    SetPages(PageSettings),
}

/// How the pages are for everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageSettings {
    /// Open pages bring themselves up to date no more often than this (Kitodo's refreshing of the overview).
    #[schemars(range(min = 1, max = 3600))]
    pub refresh_seconds: i32,
    /// Whether the dashboard lists the jobs (Kitodo's last setting).
    pub jobs_on_dashboard: bool,
}

impl SettingsAction {
    /// Finds values that nobody can want.
    ///
    /// # Errors
    /// The problem, in words.
    pub fn check(self) -> Result<(), String> {
        let Self::SetPages(pages) = self;
        if REFRESH_SECONDS.contains(&i64::from(pages.refresh_seconds)) {
            return Ok(());
        }
        Err(format!(
            "field \"refresh_seconds\" must be from {} to {}",
            REFRESH_SECONDS.start(),
            REFRESH_SECONDS.end()
        ))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::SetPages(_) => "set_pages",
        }
    }

    /// Which permission it needs.
    pub fn verb(self) -> Verb {
        match self {
            Self::SetPages(_) => Verb::Configure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_pages_are_updated_as_often_as_the_schema_says() {
        let may = |refresh_seconds| {
            let pages = PageSettings {
                refresh_seconds,
                jobs_on_dashboard: true,
            };
            SettingsAction::SetPages(pages).check().is_ok()
        };
        assert_eq!([0, 1, 3_600, 3_601].map(may), [false, true, true, false]);
        let schema = schemars::schema_for!(PageSettings).to_value();
        let said = &schema["properties"]["refresh_seconds"];
        assert_eq!(
            [&said["minimum"], &said["maximum"]],
            [*REFRESH_SECONDS.start(), *REFRESH_SECONDS.end()]
        );
    }
}
