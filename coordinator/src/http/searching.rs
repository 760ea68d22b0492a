//! What an address says about a search: the same parameters on the search page, in the API and in the forms of lists.
//!
//! Invariant: whatever is searched for stands in the address, so that a search can be kept, sent and gone back to.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Deserialize;
use shared::job::JobState;
use shared::plugin::PluginName;
use uuid::Uuid;

use super::listing::limit;
use super::problem::Error;
use super::who::escape;
use crate::control::JobFilter;
use crate::db::pages::{FoundPlace, SearchJobs, Tab};

/// Letters or digits in a row that a part needs: an index of groups of three finds nothing shorter.
pub(super) const PART_MIN: usize = 3;

/// The fields of a search, as they stand in its address. Empty values count as absent, as forms send them.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct SearchQuery {
    /// The process of the workflow.
    pub(super) process: String,
    /// The step of the workflow.
    pub(super) step: String,
    /// A part of the title, at least three letters or digits in a row.
    pub(super) title: String,
    /// A part of the error, at least three letters or digits in a row.
    pub(super) error: String,
    /// A state, PAUSED included, or a tab's name for several.
    pub(super) state: String,
    pub(super) plugin: String,
    /// Submitted on this day or later (`2026-11-22`), or at this moment or later (`2026-11-22T08:00:00Z`).
    pub(super) submitted_from: String,
    /// Submitted on this day or before, or before this moment.
    pub(super) submitted_to: String,
    /// Ended on this day or later, or at this moment or later.
    pub(super) finished_from: String,
    /// Ended on this day or before, or before this moment.
    pub(super) finished_to: String,
    tab: String,
    limit: Option<String>,
    after: String,
}

/// Why a search can't be carried out as it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// A part of a title or error is too short to be found fast.
    PartTooShort,
}

impl SearchQuery {
    /// Names and values of what is asked for, in the order of the form.
    fn fields(&self) -> [(&'static str, &str); 10] {
        [
            ("process", &self.process),
            ("step", &self.step),
            ("title", &self.title),
            ("error", &self.error),
            ("state", &self.state),
            ("plugin", &self.plugin),
            ("submitted_from", &self.submitted_from),
            ("submitted_to", &self.submitted_to),
            ("finished_from", &self.finished_from),
            ("finished_to", &self.finished_to),
        ]
    }

    /// The fields that say something.
    pub(super) fn given(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.fields()
            .into_iter()
            .map(|(name, value)| (name, value.trim()))
            .filter(|(_, value)| !value.is_empty())
    }

    /// Whether it asks for more than a list has: that is, for a search. A list has a tab and a plugin.
    pub(super) fn is_search(&self) -> bool {
        self.given().any(|(name, _)| name != "plugin")
    }

    /// What keeps the search from being fast, if anything does.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        let is_short = |text: &str| {
            let longest = text
                .split(|c: char| !c.is_alphanumeric())
                .map(|run| run.chars().count());
            !text.trim().is_empty() && longest.max().unwrap_or(0) < PART_MIN
        };
        (is_short(&self.title) || is_short(&self.error)).then_some(Trouble::PartTooShort)
    }

    /// Which jobs are meant; dates are days of the site's time zone, the last one included.
    pub(super) fn filter(&self, zone: &TimeZone) -> Result<JobFilter, Error> {
        let text = |value: &str| Some(value.trim().to_owned()).filter(|text| !text.is_empty());
        let plugin = text(&self.plugin)
            .map(|name| name.parse::<PluginName>())
            .transpose()
            .map_err(|error| Error::BadQuery(format!("parameter plugin: {error}")))?;
        let (states, paused) = states(if self.state.trim().is_empty() {
            self.tab.trim()
        } else {
            self.state.trim()
        })?;
        let from = |name, value| moment(name, value, zone, false);
        let to = |name, value| moment(name, value, zone, true);
        Ok(JobFilter {
            jobs: Vec::new(),
            plugin: plugin.map(String::from),
            states,
            paused,
            title: text(&self.title),
            error: text(&self.error),
            process: text(&self.process),
            step: text(&self.step),
            submitted_from: from("submitted_from", &self.submitted_from)?,
            submitted_to: to("submitted_to", &self.submitted_to)?,
            finished_from: from("finished_from", &self.finished_from)?,
            finished_to: to("finished_to", &self.finished_to)?,
            among: None,
        })
    }

    /// One page of what is searched for.
    pub(super) fn read(&self, zone: &TimeZone) -> Result<SearchJobs, Error> {
        if self.trouble().is_some() {
            return Err(Error::BadQuery(format!(
                "a part of a title or error needs at least {PART_MIN} letters or digits in a row: give more of it"
            )));
        }
        let after = Some(self.after.trim())
            .filter(|text| !text.is_empty())
            .map(|text| {
                decode(text).ok_or_else(|| {
                    Error::BadQuery(
                        "parameter after was not made by this search: leave it out to begin at its start"
                            .to_owned(),
                    )
                })
            })
            .transpose()?;
        Ok(SearchJobs {
            filter: self.filter(zone)?,
            limit: limit(self.limit.as_ref())?,
            after,
        })
    }

    /// The address of the search page with this search.
    pub(super) fn address(&self, after: Option<&FoundPlace>) -> String {
        let place = after.map(|place| ("after", encode(place)));
        let limit = self.limit.as_deref().map(|limit| ("limit", escape(limit.trim())));
        let pairs: Vec<String> = self
            .given()
            .map(|(name, value)| (name, escape(value)))
            .chain(limit.filter(|(_, limit)| !limit.is_empty()))
            .chain(place)
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if pairs.is_empty() {
            "/search".to_owned()
        } else {
            format!("/search?{}", pairs.join("&"))
        }
    }

    /// Whether the page is not the first one.
    pub(super) fn is_later_page(&self) -> bool {
        !self.after.trim().is_empty()
    }

    /// The search that finds what a list's tab shows.
    pub(super) fn of_tab(tab: Tab, plugin: Option<&str>) -> Self {
        Self {
            state: tab.as_str().to_owned(),
            plugin: plugin.unwrap_or_default().to_owned(),
            ..Self::default()
        }
    }
}

/// The states that a word means: a state, PAUSED, or a tab.
fn states(word: &str) -> Result<(Vec<JobState>, Option<bool>), Error> {
    let those = |is_meant: fn(&JobState) -> bool| JobState::ALL.into_iter().filter(is_meant).collect();
    Ok(match word {
        "" => (Vec::new(), None),
        "queue" => (those(|state| !state.is_final()), None),
        "done" => (vec![JobState::Done], None),
        "error" => (vec![JobState::Error, JobState::Cancelled], None),
        "PAUSED" => (vec![JobState::Queued], Some(true)),
        "QUEUED" => (vec![JobState::Queued], Some(false)),
        word => {
            let state = word.parse().map_err(|_| {
                Error::BadQuery(format!(
                    "parameter state is \"{word}\": use queue, done, error, PAUSED, or one of {}",
                    JobState::ALL.map(JobState::as_str).join(", ")
                ))
            })?;
            (vec![state], None)
        }
    })
}

/// A day or a moment; `end`: the first moment behind that day.
fn moment(name: &'static str, value: &str, zone: &TimeZone, end: bool) -> Result<Option<Timestamp>, Error> {
    let value = value.trim();
    if value.is_empty() {
        return Ok(None);
    }
    if let Ok(moment) = value.parse::<Timestamp>() {
        return Ok(Some(moment));
    }
    let day = value.parse::<Date>().ok().filter(|_| value.len() == 10);
    let day = if end {
        day.and_then(|day| day.tomorrow().ok())
    } else {
        day
    };
    day.and_then(|day| day.to_zoned(zone.clone()).ok())
        .map(|moment| Some(moment.timestamp()))
        .ok_or_else(|| {
            Error::BadQuery(format!(
                "parameter {name} is \"{value}\": use a day such as 2026-11-22 or a moment such as 2026-11-22T08:00:00Z"
            ))
        })
}

/// A place in what was found as it stands in addresses.
pub(super) fn encode(place: &FoundPlace) -> String {
    let kind = if place.ended { "e" } else { "u" };
    format!("{kind}.{}.{}", place.at.as_microsecond(), place.id.simple())
}

fn decode(text: &str) -> Option<FoundPlace> {
    let parts: Vec<&str> = text.split('.').collect();
    let [kind, at, id] = parts[..] else { return None };
    Some(FoundPlace {
        ended: match kind {
            "e" => true,
            "u" => false,
            _ => return None,
        },
        at: Timestamp::from_microsecond(at.parse().ok()?).ok()?,
        id: Uuid::try_parse(id).ok()?,
    })
}

#[cfg(test)]
mod tests;
