//! A plugin as a page of text.

use jiff::tz::TimeZone;

use super::{longest_wait, setting, standing};
use crate::api::{Contract, Plugin};
use crate::output::Look;
use crate::text;

/// What each setting is called on the page; those that a newer coordinator adds go by their own names.
const SETTINGS: [(&str, &str); 13] = [
    ("running_max", "Jobs at once"),
    ("default_priority", "Priority"),
    ("ageing_minutes", "Minutes that raise a job by one priority"),
    ("retries_max", "Retries"),
    ("retry_first_seconds", "Seconds before the first retry"),
    ("retry_longest_seconds", "Seconds before a retry at most"),
    ("lease_seconds", "Seconds without a sign of life"),
    ("run_budget_seconds", "Seconds that a run may take"),
    ("disconnect_limit_seconds", "Seconds without contact"),
    ("keep_done_jobs", "Done jobs kept"),
    ("keep_done_days", "Days that done jobs are kept"),
    ("keep_failed_jobs", "Failed and cancelled jobs kept"),
    ("keep_failed_days", "Days that failed and cancelled jobs are kept"),
];

/// All of it; `all_off`: the switch for all plugins keeps jobs from starting by themselves.
pub(super) fn render(plugin: &Plugin, all_off: bool, look: Look, zone: &TimeZone) -> String {
    let name = text::printable(&format!("{} {}", plugin.name, plugin.title_en));
    let mut page = format!("{}\n", look.heading(name.trim()));
    let autostart = match (plugin.autostart, all_off) {
        (Some(false), _) => "off",
        (_, true) => "on, but off for all plugins",
        (Some(true), false) => "on",
        (None, false) => "",
    };
    let queue = format!(
        "{} waiting ({} held back), {} running",
        plugin.queued, plugin.paused, plugin.running
    );
    let served = format!(
        "{} in {}",
        text::count(plugin.slots, "slot", "slots"),
        text::count(plugin.workers, "worker", "workers")
    );
    for (name, value) in [
        ("State", text::printable(&plugin.state)),
        ("Standing", standing(plugin, zone)),
        ("Autostart", autostart.to_owned()),
        ("Jobs", queue),
        ("Served by", served),
        ("Oldest waits", longest_wait(plugin)),
    ] {
        field(&mut page, name, &value);
    }
    heading(&mut page, look, "Page contract");
    match &plugin.contract {
        None => page.push_str("  none: as many pages as are wanted\n"),
        Some(contract) => push_contract(&mut page, contract),
    }
    heading(&mut page, look, "Settings");
    let Some(settings) = &plugin.settings else {
        page.push_str("  not told: whoever asks has to be allowed to configure plugins\n");
        return page;
    };
    let known = SETTINGS
        .iter()
        .filter_map(|(name, title)| Some((*title, settings.get(*name)?)));
    let is_new = |name: &str| SETTINGS.iter().all(|(known, _)| *known != name);
    let new = settings.iter().filter(|(name, _)| is_new(name));
    let new = new.map(|(name, value)| (name.as_str(), value));
    for (title, value) in known.chain(new) {
        let line = format!("  {}: {}", text::printable(title), setting(value));
        text::push_line(&mut page, &line);
    }
    page
}

fn heading(page: &mut String, look: Look, title: &str) {
    page.push('\n');
    text::push_line(page, &look.heading(title));
}

fn field(page: &mut String, name: &str, value: &str) {
    if !value.is_empty() {
        text::push_line(page, &format!("  {name:<13} {value}"));
    }
}

fn push_contract(page: &mut String, contract: &Contract) {
    let used = |used: Option<u64>, allowed: u64| {
        format!(
            "{} of {}",
            used.unwrap_or_default(),
            text::count(allowed, "page", "pages")
        )
    };
    if let Some(allowed) = contract.pages_total {
        field(page, "In all", &used(contract.used_total, allowed));
    }
    if let Some(allowed) = contract.pages_a_period {
        let next = contract.next_period.as_ref();
        let next = next.map_or_else(String::new, |day| format!("; the next one begins on {day}"));
        let said = format!("{}{next}", used(contract.used_in_period, allowed));
        field(
            page,
            &format!("This {}", contract.period),
            &text::printable(&said),
        );
    }
    if contract.days_lately > 0 {
        let said = format!(
            "{} in {}",
            text::count(contract.pages_lately, "page", "pages"),
            text::count(contract.days_lately, "day", "days")
        );
        field(page, "Lately", &said);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_plugins_page_says_how_it_stands_what_its_contract_leaves_and_what_is_set() {
        let plugin = serde_json::from_value(json!({
            "name": "OCR", "title_en": "Text recognition", "state": "stopped", "since": "2026-07-01T06:14:32Z",
            "by": "anna", "reason": "new disks", "resume_at": "2026-07-02T06:00:00Z", "autostart": true,
            "queued": 12, "paused": 12, "running": 0, "slots": 8, "workers": 1, "longest_wait_seconds": 0.0,
            "contract": {"pages_total": 1000, "used_total": 250, "pages_a_period": 100, "used_in_period": 3,
                         "period": "month", "next_period": "2026-08-01", "pages_lately": 200, "days_lately": 28},
            "settings": {"running_max": null, "lease_seconds": 60, "newer_setting": 7}
        }))
        .unwrap();
        insta::assert_snapshot!(render(&plugin, true, Look::PLAIN, &TimeZone::UTC));
    }

    #[test]
    fn what_whoever_asks_may_not_see_and_what_is_not_limited_is_said_as_such() {
        let plugin = serde_json::from_value(json!({"name": "OCR", "state": "running"})).unwrap();
        insta::assert_snapshot!(render(&plugin, false, Look::PLAIN, &TimeZone::UTC));
    }
}
