//! What lists of jobs offer: a choice of rows with actions on all of them, and the actions of each row.
//!
//! Invariant: all of it works without a script. Boxes and buttons of rows belong to forms outside the table, so that
//! no form lies in another one.

pub(crate) mod act;
pub(crate) mod confirm;
pub(crate) mod outcome;
pub(crate) mod row;
mod wish;

use shared::job::{JobState, ShownState};
use shared::plugin::PluginName;

use super::login::local;
use crate::control::{Actor, Object, Verb, authorise, could_in};
use crate::db::pages::JobSummary;
use crate::http::format::fill;
use crate::http::language::Locale;
use crate::http::searching::SearchQuery;
use wish::Wish;

/// Jobs that are counted for a search; its confirmation counts on.
pub(super) const COUNT_MAX: i64 = 1_000;

/// The bar above a list with which its rows are acted on.
#[derive(Debug)]
pub(super) struct Bar {
    /// Names and values of the search that finds what the list shows, and where to go back to.
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) back: String,
    /// `All that the filter finds (37)`.
    pub(super) all: String,
    /// Names and words of the actions that whoever looks may do.
    pub(super) actions: Vec<(&'static str, &'static str)>,
}

impl Bar {
    /// The bar of a list at the address `back` with as many jobs as `found` says; none where whoever looks may do nothing with
    /// any job of it.
    pub(super) fn new(
        locale: &Locale,
        actor: &Actor,
        search: &SearchQuery,
        back: String,
        found: &str,
    ) -> Option<Self> {
        let fields = search.given().map(|(name, value)| (name, value.to_owned()));
        let plugin: Option<PluginName> = search.plugin.parse().ok();
        let plugin = plugin.as_ref().map(PluginName::as_str);
        let actions: Vec<_> = Wish::ALL_OFFERED
            .iter()
            .filter(|wish| could_in(actor, wish.verb(), plugin))
            .map(|wish| (wish.name(), wish.word(locale.text)))
            .collect();
        (!actions.is_empty()).then(|| Self {
            fields: fields.collect(),
            back,
            all: fill(locale.text.lists.bulk_all, &[&found]),
            actions,
        })
    }
}

/// A number that was counted up to `most`.
pub(super) fn number(locale: &Locale, number: i64, most: i64) -> String {
    if number > most {
        fill(locale.text.lists.more_than, &[&locale.number(most)])
    } else {
        locale.number(number)
    }
}

/// What a row offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each of them is a button that is there or not"
)]
pub(super) struct RowControls {
    pub(super) start: bool,
    pub(super) stop: bool,
    /// Up and down.
    pub(super) order: bool,
    pub(super) cancel: bool,
    pub(super) retry: bool,
    pub(super) delete: bool,
}

impl RowControls {
    /// What a job's state allows and whoever looks may do; whether it still can be done is decided when it is asked
    /// for.
    pub(super) fn of(actor: &Actor, job: &JobSummary) -> Self {
        let plugin = Object::Plugin(&job.plugin);
        let may = authorise(actor, Verb::ControlJobs, plugin);
        let state = job.state;
        let is = |wanted: JobState| state == ShownState::As(wanted);
        let waits = state == ShownState::Paused || is(JobState::Queued) || is(JobState::Scheduled);
        let open = may && !job.is_final() && !is(JobState::Download);
        Self {
            start: may && waits,
            stop: open && state != ShownState::Paused,
            order: may && waits && !is(JobState::Scheduled),
            cancel: open,
            retry: may && (is(JobState::Error) || is(JobState::Done)),
            delete: job.is_final() && authorise(actor, Verb::DeleteJobs, plugin),
        }
    }
}

/// Where to go back to: the list, or the dashboard where none is named; never to another site.
pub(super) fn back(address: Option<&str>) -> &str {
    local(address.unwrap_or("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_to_another_site() {
        for other in [
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "",
            "x",
            "/a\r\nb",
        ] {
            assert_eq!(back(Some(other)), "/", "{other}");
        }
        assert_eq!(back(Some("/search?title=a")), "/search?title=a");
        assert_eq!(back(None), "/");
    }
}
