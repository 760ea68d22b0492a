//! How plugins stand, in sentences: since when one is stopped and why, and that jobs do not start by themselves.

use jiff::Timestamp;

use crate::control::{Object, Verb, authorise};
use crate::db::pages::{Overview, PluginRow, PluginState, Standing, Standings};
use crate::http::format::fill;
use crate::http::language::Locale;
use crate::http::pages::part::{Badge, Tone};
use crate::http::text::sections::Text as Sections;
use crate::http::who::Who;

/// Since when, by whom and why a plugin is stopped, and when it starts again; empty while it runs.
pub(super) fn facts(
    locale: &Locale,
    state: PluginState,
    standing: Option<&Standing>,
    now: Timestamp,
) -> String {
    let (Some(standing), false) = (standing, state == PluginState::Running) else {
        return String::new();
    };
    let words = Sections::of(locale.language);
    let mut facts = vec![since(locale, standing.since, standing.by.as_deref(), now)];
    if let Some(reason) = &standing.reason {
        facts.push(fill(words.reason_is, &[reason]));
    }
    if let Some(deadline) = standing.deadline.filter(|_| state == PluginState::Stopping) {
        facts.push(fill(words.interrupts, &[&locale.time(deadline, now).short()]));
    }
    facts.push(match standing.resume_at {
        Some(at) => fill(words.resumes, &[&locale.time(at, now).short()]),
        None => words.resumes_by_hand.to_owned(),
    });
    facts.join(" · ")
}

fn since(locale: &Locale, since: Timestamp, by: Option<&str>, now: Timestamp) -> String {
    let words = Sections::of(locale.language);
    let at = locale.time(since, now);
    match by {
        Some(by) => fill(words.since_by, &[&at.short(), &by]),
        None => fill(words.since_when, &[&at.short()]),
    }
}

/// A plugin's state as a badge.
pub(super) fn badge(locale: &Locale, state: PluginState) -> Badge {
    match state {
        PluginState::Running => Badge::new(Tone::Good, locale.text.plugin_running),
        PluginState::Stopping => Badge::new(Tone::Hold, locale.text.plugin_stopping),
        PluginState::Stopped => Badge::new(Tone::Hold, locale.text.plugin_stopped),
    }
}

/// What everybody has to know first: a plugin is stopped, or jobs do not start by themselves.
#[derive(Debug)]
pub(in crate::http::pages) struct Notice {
    pub(in crate::http::pages) id: String,
    pub(in crate::http::pages) words: String,
    /// Since when, by whom, why; or nothing.
    pub(in crate::http::pages) more: String,
    /// Where the form goes that turns autostart on; empty where there is none, or whoever looks may not.
    pub(in crate::http::pages) autostart: String,
    pub(in crate::http::pages) tone: &'static str,
}

/// The notices of a page about one plugin, or about all.
pub(super) fn notices(locale: &Locale, who: &Who, overview: &Overview, plugin: Option<&str>) -> Vec<Notice> {
    let mut notices = autostart_notices(locale, who, &overview.standings, overview.now, plugin);
    let row = plugin.and_then(|name| overview.plugins.iter().find(|row| row.name == name));
    notices.extend(row.and_then(|row| stopped(locale, overview, row)));
    notices
}

/// That jobs of one plugin, or of any, do not start by themselves.
pub(in crate::http::pages) fn autostart_notices(
    locale: &Locale,
    who: &Who,
    standings: &Standings,
    now: Timestamp,
    plugin: Option<&str>,
) -> Vec<Notice> {
    let words = Sections::of(locale.language);
    let offer = |object, address: String| {
        if authorise(&who.actor, Verb::RunPlugins, object) {
            address
        } else {
            String::new()
        }
    };
    let mut notices = Vec::new();
    if !standings.autostart {
        let by = standings.autostart_by.as_deref();
        let since = since(locale, standings.autostart_since, by, now);
        notices.push(Notice {
            id: "autostart-all".to_owned(),
            words: fill(words.autostart_off, &[&since]),
            more: String::new(),
            autostart: offer(Object::Everything, "/plugins/actions".to_owned()),
            tone: "bad",
        });
    }
    let shown = |standing: &&Standing| plugin.is_none_or(|name| name == standing.plugin);
    for standing in standings
        .plugins
        .iter()
        .filter(shown)
        .filter(|one| !one.autostart)
    {
        let name = &standing.plugin;
        notices.push(Notice {
            id: format!("autostart-{name}"),
            words: fill(words.autostart_off_plugin, &[name]),
            more: String::new(),
            autostart: offer(Object::Plugin(name), format!("/plugins/{name}/actions")),
            tone: "bad",
        });
    }
    notices
}

fn stopped(locale: &Locale, overview: &Overview, row: &PluginRow) -> Option<Notice> {
    let words = Sections::of(locale.language);
    let sentence = match row.state {
        PluginState::Running => return None,
        PluginState::Stopping => words.plugin_is_stopping,
        PluginState::Stopped => words.plugin_is_stopped,
    };
    Some(Notice {
        id: "stopped".to_owned(),
        words: fill(sentence, &[&row.name]),
        more: facts(locale, row.state, overview.standings.of(&row.name), overview.now),
        autostart: String::new(),
        tone: "hold",
    })
}

/// Stops and starts all plugins at once.
#[derive(Debug)]
pub(super) struct AllPlugins {
    pub(super) plugins: Vec<(String, Badge)>,
    /// Whether it is safe to shut down, and what to do for it.
    pub(super) sentence: String,
    pub(super) is_safe: bool,
    /// What stopping them means, with the number of jobs that it interrupts.
    pub(super) stop: String,
    pub(super) can_stop: bool,
    pub(super) can_start: bool,
}

impl AllPlugins {
    /// None where whoever looks may not, or where there is no plugin.
    pub(super) fn new(locale: &Locale, who: &Who, plugins: &[PluginRow]) -> Option<Self> {
        let may = authorise(&who.actor, Verb::RunPlugins, Object::Everything);
        if !may || plugins.is_empty() {
            return None;
        }
        let states: Vec<(&str, PluginState)> =
            plugins.iter().map(|row| (row.name.as_str(), row.state)).collect();
        let any = |wanted: PluginState| states.iter().any(|(_, state)| *state == wanted);
        Some(Self {
            plugins: plugins
                .iter()
                .map(|row| (row.name.clone(), badge(locale, row.state)))
                .collect(),
            sentence: shut_down(locale, &states),
            is_safe: states.iter().all(|(_, state)| *state == PluginState::Stopped),
            stop: fill(
                Sections::of(locale.language).sure_stop_all,
                &[&locale.number(plugins.iter().map(PluginRow::running).sum::<i64>())],
            ),
            can_stop: any(PluginState::Running),
            can_start: any(PluginState::Stopping) || any(PluginState::Stopped),
        })
    }
}

/// Whether it is safe to shut down.
fn shut_down(locale: &Locale, states: &[(&str, PluginState)]) -> String {
    let words = Sections::of(locale.language);
    let named = |wanted: PluginState| -> Vec<&str> {
        let those = states.iter().filter(|(_, state)| *state == wanted);
        those.map(|(name, _)| *name).collect()
    };
    let (stopped, stopping) = (named(PluginState::Stopped), named(PluginState::Stopping));
    if stopped.len() == states.len() {
        words.shut_down_now.to_owned()
    } else if stopping.is_empty() {
        fill(words.shut_down_running, &[&stopped.len(), &states.len()])
    } else {
        let still = stopping.join(", ");
        fill(words.shut_down_not_yet, &[&stopped.len(), &states.len(), &still])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::language::Language;

    const RUNNING: (&str, PluginState) = ("OCR", PluginState::Running);
    const STOPPING: (&str, PluginState) = ("JP2", PluginState::Stopping);
    const STOPPED: (&str, PluginState) = ("SHELL", PluginState::Stopped);

    #[test]
    fn it_is_safe_to_shut_down_only_when_every_plugin_is_stopped() {
        let said = |states: &[_]| {
            [Language::English, Language::German]
                .map(|language| shut_down(&Locale::new(language), states))
                .join(" / ")
        };
        assert!(said(&[STOPPED]).contains("safe to shut down now"));
        assert!(said(&[STOPPED]).contains("kann gefahrlos"));
        for unsafe_yet in [
            &[RUNNING, STOPPED][..],
            &[STOPPING, STOPPED],
            &[RUNNING, STOPPING],
        ] {
            assert!(!said(unsafe_yet).contains("safe to"), "{unsafe_yet:?}");
            assert!(!said(unsafe_yet).contains("gefahrlos"), "{unsafe_yet:?}");
        }
        assert!(said(&[STOPPING, STOPPED]).contains("1 of 2 plugins is stopped. Still being stopped: JP2."));
    }

    #[test]
    fn a_stop_says_since_when_by_whom_why_and_when_it_ends() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let standing = Standing {
            plugin: "OCR".to_owned(),
            since: at("2026-11-22T08:00:00Z"),
            by: Some("anna".to_owned()),
            reason: Some("the storage moves".to_owned()),
            deadline: Some(at("2026-11-22T08:30:00Z")),
            resume_at: Some(at("2026-11-22T12:00:00Z")),
            autostart: true,
        };
        let english = Locale {
            zone: jiff::tz::TimeZone::UTC,
            ..Locale::new(Language::English)
        };
        let said = |state| facts(&english, state, Some(&standing), at("2026-11-22T08:10:00Z"));
        assert_eq!(
            said(PluginState::Stopped),
            "since 08:00 by anna · reason: the storage moves · starts again 12:00"
        );
        assert!(said(PluginState::Stopping).contains("interrupted 08:30"));
        assert_eq!(said(PluginState::Running), "");
    }
}
