//! `/settings`: what administrators can set, for each plugin and for the pages.
//!
//! Invariant: a form with a mistake changes nothing and comes back as it was typed, with what is wrong at its field.

mod form;

use std::collections::HashMap;

use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Query, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::layout::{Link, Section, SystemPage};
use super::said::see;
use super::{Layout, html};
use crate::control::{PageSettings, PluginAction, PluginsOutcome, SettingsAction};
use crate::db::control::SettingsOutcome;
use crate::db::pages::{AllSettings, MenuEntry, PluginSettings, ReadSettings, Tab, WithMenu};
use crate::http::App;
use crate::http::format::fill;
use crate::http::language::{Language, Locale};
use crate::http::problem::Error;
use crate::http::text::{Text, system};
use crate::http::who::{Who, escape};
use form::{Entry, Field, Group};

#[derive(Debug, Template)]
#[template(path = "settings.html")]
struct Page {
    t: &'static Text,
    w: &'static system::Text,
    layout: Layout,
    /// What became of a form; empty when none was sent.
    said: &'static str,
    refused: bool,
    parts: Vec<Link>,
    /// Of all plugins, where the page is not about one.
    general: Option<General>,
    /// Of the one that the page is about.
    plugin: Option<PluginPart>,
}

/// What holds for everything.
#[derive(Debug)]
struct General {
    autostart: bool,
    /// Since when and by whom.
    autostart_since: String,
    refresh: Field,
    jobs_on_dashboard: bool,
}

/// A plugin's settings.
#[derive(Debug)]
struct PluginPart {
    name: String,
    title: String,
    autostart: bool,
    groups: Vec<Group>,
    quota: Vec<Field>,
    periods: Vec<PeriodChoice>,
    /// How much of the page contract is used; empty where there never was one.
    used: String,
}

#[derive(Debug)]
struct PeriodChoice {
    name: &'static str,
    word: &'static str,
    chosen: bool,
}

/// Which part, and what became of a form.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct SettingsQuery {
    plugin: Option<String>,
    said: Option<String>,
}

/// `GET /settings`
pub(crate) async fn show(
    State(app): State<App>,
    who: Who,
    locale: Locale,
    address: Uri,
    Query(query): Query<SettingsQuery>,
) -> Result<Response, Error> {
    let (menu, all) = app.db.run(&WithMenu(ReadSettings)).await?;
    let words = system::Text::of(locale.language);
    let said = match query.said.as_deref() {
        Some("done") => words.said_set,
        Some("unchanged") => locale.text.said_unchanged,
        _ => "",
    };
    let plugin = query.plugin.as_deref().filter(|name| !name.is_empty());
    let page = page(&locale, &address, &who, &menu, &all, plugin, &Entry::none())?;
    html(&locale, &Page { said, ..page })
}

/// `POST /settings/actions`
pub(crate) async fn act(
    State(app): State<App>,
    who: Who,
    locale: Locale,
    address: Uri,
    fields: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Result<Response, Error> {
    let Form(fields) = fields.map_err(|rejection| Error::BadQuery(rejection.body_text()))?;
    let entry = Entry::typed(fields)?;
    let plugin = entry.plugin().map(str::to_uppercase);
    let plugin = plugin.as_deref();
    let Some(wish) = entry.read(&locale)? else {
        let (menu, all) = app.db.run(&WithMenu(ReadSettings)).await?;
        let page = page(&locale, &address, &who, &menu, &all, plugin, &entry)?;
        let said = system::Text::of(locale.language).said_wrong;
        let page = Page {
            said,
            refused: true,
            ..page
        };
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&locale, &page)?).into_response());
    };
    let word = match wish {
        Wish::Plugins(action) => match app.control.act_on_plugins(&who.actor, plugin, &action).await? {
            PluginsOutcome::Forbidden => return Err(Error::Forbidden),
            PluginsOutcome::Unknown => return Err(Error::UnknownPlugin),
            PluginsOutcome::Done { changed } if changed.is_empty() => "unchanged",
            PluginsOutcome::Done { .. } => "done",
        },
        Wish::Pages(pages) => {
            let action = SettingsAction::SetPages(pages);
            match app.control.act_on_settings(&who.actor, action).await? {
                SettingsOutcome::Forbidden => return Err(Error::Forbidden),
                SettingsOutcome::Unchanged => "unchanged",
                SettingsOutcome::Done => "done",
            }
        }
    };
    Ok(see(&match plugin {
        Some(plugin) => format!("/settings?plugin={}&said={word}", escape(plugin)),
        None => format!("/settings?said={word}"),
    }))
}

/// What a form wants.
#[derive(Debug, Clone, PartialEq)]
enum Wish {
    /// Something with the plugin that it names, or with all.
    Plugins(PluginAction),
    /// Other settings of the pages.
    Pages(PageSettings),
}

fn page(
    locale: &Locale,
    address: &Uri,
    who: &Who,
    menu: &[MenuEntry],
    all: &AllSettings,
    plugin: Option<&str>,
    entry: &Entry,
) -> Result<Page, Error> {
    let words = system::Text::of(locale.language);
    let chosen = match plugin {
        None => None,
        Some(name) => {
            let found = all.plugins.iter().find(|known| known.name == name);
            Some(found.ok_or(Error::UnknownPlugin)?)
        }
    };
    let general = Link {
        href: "/settings".to_owned(),
        label: words.general.to_owned(),
        title: String::new(),
        current: chosen.is_none(),
    };
    let parts = all.plugins.iter().map(|known| Link {
        href: format!("/settings?plugin={}", escape(&known.name)),
        label: known.name.clone(),
        title: title(known, locale).to_owned(),
        current: Some(known.name.as_str()) == plugin,
    });
    Ok(Page {
        t: locale.text,
        w: words,
        layout: Layout::new(
            locale,
            address,
            Some(who),
            menu,
            Section::System(SystemPage::Settings),
            Tab::default(),
        ),
        said: "",
        refused: false,
        parts: std::iter::once(general).chain(parts).collect(),
        general: chosen.is_none().then(|| General {
            autostart: all.autostart,
            autostart_since: all.autostart_by.as_ref().map_or_else(String::new, |by| {
                fill(words.since_by, &[&locale.moment(all.autostart_since).short(), by])
            }),
            refresh: form::refresh(locale, all.pages.refresh_seconds, entry),
            jobs_on_dashboard: entry
                .ticked("jobs_on_dashboard")
                .unwrap_or(all.pages.jobs_on_dashboard),
        }),
        plugin: chosen.map(|known| plugin_part(locale, known, entry)),
    })
}

fn plugin_part(locale: &Locale, known: &PluginSettings, entry: &Entry) -> PluginPart {
    let words = system::Text::of(locale.language);
    let period = known.quota.period.as_str();
    let period = entry.value("period").unwrap_or(period);
    let choice = |name, word| PeriodChoice {
        name,
        word,
        chosen: name == period,
    };
    PluginPart {
        name: known.name.clone(),
        title: title(known, locale).to_owned(),
        autostart: known.autostart,
        groups: form::groups(locale, &known.settings, entry),
        quota: form::quota(locale, &known.quota, entry),
        periods: vec![
            choice("month", words.period_month),
            choice("quarter", words.period_quarter),
            choice("year", words.period_year),
        ],
        used: match (known.used_total, known.used_in_period) {
            (Some(total), Some(in_period)) => fill(
                words.quota_used,
                &[&locale.number(total), &locale.number(in_period)],
            ),
            _ => String::new(),
        },
    }
}

fn title<'a>(known: &'a PluginSettings, locale: &Locale) -> &'a str {
    match locale.language {
        Language::English => &known.title_en,
        Language::German => &known.title_de,
    }
}

/// What was typed or found wrong, by the field's name.
type ByField = HashMap<String, String>;
