//! What an address says about a list: tab, plugin, place. Pages and API read it the same way.

use schemars::JsonSchema;
use serde::Deserialize;
use shared::plugin::PluginName;

use super::cursor;
use super::problem::Error;
use crate::db::pages::{ListJobs, Place, Tab};

/// Jobs on a page where the address does not say.
const LIMIT_DEFAULT: i64 = 50;
/// Most jobs on a page.
const LIMIT_MAX: i64 = 200;

/// The query of a list's address.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub(super) struct ListQuery {
    /// Which list: jobs that are not over (the default), that ended well, or that failed or were cancelled.
    #[schemars(extend("enum" = ["queue", "done", "error"]))]
    tab: Option<String>,
    /// Only jobs of this plugin.
    plugin: Option<String>,
    /// Most jobs of the answer; 50 where nothing is said.
    #[schemars(with = "Option<i64>", range(min = 1, max = LIMIT_MAX))]
    limit: Option<String>,
    /// Where to go on: what the answer before said as `next`. It goes with the same list or search only.
    after: Option<String>,
}

impl ListQuery {
    /// Whether the address names no list at all: the start page.
    pub(super) fn is_home(&self) -> bool {
        [&self.tab, &self.plugin, &self.after]
            .into_iter()
            .all(|value| given(value.as_ref()).is_none())
    }

    /// The list that the address names. Empty values count as absent, as forms send them.
    pub(super) fn read(&self) -> Result<ListJobs, Error> {
        let tab = match given(self.tab.as_ref()) {
            None => Tab::default(),
            Some(name) => Tab::ALL
                .into_iter()
                .find(|tab| tab.as_str() == name)
                .ok_or_else(|| {
                    Error::BadQuery(format!("parameter tab is \"{name}\": use queue, done or error"))
                })?,
        };
        let plugin = given(self.plugin.as_ref())
            .map(str::parse::<PluginName>)
            .transpose()
            .map_err(|error| Error::BadQuery(format!("parameter plugin: {error}")))?
            .map(String::from);
        let limit = limit(self.limit.as_ref())?;
        let after = given(self.after.as_ref())
            .map(|text| {
                cursor::decode(text)
                    .filter(|place| matches!(place, Place::Queue(_)) == (tab == Tab::Queue))
                    .ok_or_else(|| {
                        Error::BadQuery(
                            "parameter after was not made by this list: leave it out to begin at its start"
                                .to_owned(),
                        )
                    })
            })
            .transpose()?;
        Ok(ListJobs {
            tab,
            plugin,
            limit,
            after,
        })
    }
}

/// How many jobs a page has.
pub(super) fn limit(value: Option<&String>) -> Result<i64, Error> {
    let Some(number) = given(value) else {
        return Ok(LIMIT_DEFAULT);
    };
    number
        .parse()
        .ok()
        .filter(|limit| (1..=LIMIT_MAX).contains(limit))
        .ok_or_else(|| {
            Error::BadQuery(format!(
                "parameter limit is \"{number}\": use a number from 1 to {LIMIT_MAX}"
            ))
        })
}

fn given(value: Option<&String>) -> Option<&str> {
    value.map(|text| text.trim()).filter(|text| !text.is_empty())
}

/// The address of the start page.
pub(super) const HOME: &str = "/";

/// The address of a list page.
pub(super) fn address(tab: Tab, plugin: Option<&str>, after: Option<&Place>) -> String {
    let mut pairs = Vec::new();
    // Without any of them it would be the start page.
    if tab != Tab::default() || plugin.is_none() {
        pairs.push(format!("tab={}", tab.as_str()));
    }
    // Names and places consist of characters that need no escaping.
    if let Some(plugin) = plugin {
        pairs.push(format!("plugin={plugin}"));
    }
    if let Some(place) = after {
        pairs.push(format!("after={}", cursor::encode(place)));
    }
    format!("{HOME}?{}", pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(tab: &str, plugin: &str, limit: &str, after: &str) -> ListQuery {
        let some = |text: &str| Some(text.to_owned());
        ListQuery {
            tab: some(tab),
            plugin: some(plugin),
            limit: some(limit),
            after: some(after),
        }
    }

    #[test]
    fn an_address_without_a_query_is_the_first_page_of_the_queue() {
        let list = ListQuery::default().read().unwrap();
        assert_eq!(
            list,
            ListJobs {
                tab: Tab::Queue,
                plugin: None,
                limit: LIMIT_DEFAULT,
                after: None
            }
        );
        assert_eq!(query("", "", "", "").read().unwrap(), list);
        assert_eq!(
            query("done", "ocr", "7", "").read().unwrap().plugin.as_deref(),
            Some("OCR")
        );
    }

    #[test]
    fn each_bad_parameter_is_named_with_what_would_be_right() {
        let cases = [
            (query("all", "", "", ""), "queue, done or error"),
            (query("", "a b", "", ""), "plugin"),
            (query("", "", "0", ""), "1 to 200"),
            (query("", "", "many", ""), "1 to 200"),
            (query("", "", "", "nonsense"), "after"),
            (
                query("done", "", "", "q.0.-5.1.00000000000000000000000000000007"),
                "after",
            ),
        ];
        for (query, words) in cases {
            let message = query.read().unwrap_err().to_string();
            assert!(message.contains(words), "{message} lacks {words}");
        }
    }

    #[test]
    fn addresses_leave_out_what_is_the_default() {
        assert_eq!(address(Tab::Queue, None, None), "/?tab=queue");
        assert_eq!(address(Tab::Queue, Some("OCR"), None), "/?plugin=OCR");
        assert_eq!(address(Tab::Error, Some("OCR"), None), "/?tab=error&plugin=OCR");
    }
}
