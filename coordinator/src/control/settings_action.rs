//! What people set for the pages themselves.

use serde::{Deserialize, Serialize};

use super::Verb;

/// Seconds that may lie between two updates of an open page.
pub const REFRESH_SECONDS: std::ops::RangeInclusive<i64> = 1..=3_600;

/// Something to be done with the settings that belong to no plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum SettingsAction {
    /// Give the pages these settings.
    SetPages(PageSettings),
}

/// How the pages are for everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageSettings {
    /// Open pages bring themselves up to date no more often than this (Kitodo's refreshing of the overview).
    pub refresh_seconds: i32,
    /// Whether the dashboard lists the jobs (Kitodo's last setting).
    pub jobs_on_dashboard: bool,
}

impl SettingsAction {
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
