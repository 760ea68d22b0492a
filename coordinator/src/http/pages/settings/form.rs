//! The fields of the settings: what stands in them, what may, and what is wrong with what was typed.

use serde_json::{Map, Value};

use super::{ByField, Wish};
use crate::control::{PageSettings, PluginAction, Quota, RANGES, REFRESH_SECONDS, Settings};
use crate::http::format::fill;
use crate::http::language::Locale;
use crate::http::problem::Error;
use crate::http::text::system;

/// A field for a number.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    /// What may stand in it, and what it means if nothing does.
    pub(super) rule: String,
    pub(super) value: String,
    /// What is wrong with that; empty when nothing is.
    pub(super) error: String,
}

/// Fields that belong together.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) title: &'static str,
    pub(super) fields: Vec<Field>,
}

/// What a form has sent.
#[derive(Debug)]
pub(super) struct Entry {
    typed: ByField,
}

/// A field's name, its words, and what it means when it is empty; empty words where it must not be.
struct Spec {
    name: &'static str,
    label: &'static str,
    empty: &'static str,
}

fn spec(name: &'static str, label: &'static str, empty: &'static str) -> Spec {
    Spec { name, label, empty }
}

/// A plugin's settings as they stand on the page.
fn specs(w: &system::Text) -> [(&'static str, Vec<Spec>); 4] {
    [
        (
            w.set_order,
            vec![
                spec("running_max", w.running_max, w.empty_slots),
                spec("default_priority", w.default_priority, ""),
                spec("ageing_minutes", w.ageing_minutes, w.empty_never),
            ],
        ),
        (
            w.set_retries,
            vec![
                spec("retries_max", w.retries_max, ""),
                spec("retry_first_seconds", w.retry_first_seconds, ""),
                spec("retry_longest_seconds", w.retry_longest_seconds, ""),
            ],
        ),
        (
            w.set_limits,
            vec![
                spec("lease_seconds", w.lease_seconds, ""),
                spec("run_budget_seconds", w.run_budget_seconds, ""),
                spec(
                    "disconnect_limit_seconds",
                    w.disconnect_limit_seconds,
                    w.empty_never,
                ),
            ],
        ),
        (
            w.set_kept,
            vec![
                spec("keep_done_jobs", w.keep_done_jobs, w.empty_all),
                spec("keep_done_days", w.keep_done_days, w.empty_for_ever),
                spec("keep_failed_jobs", w.keep_failed_jobs, w.empty_all),
                spec("keep_failed_days", w.keep_failed_days, w.empty_for_ever),
            ],
        ),
    ]
}

fn quota_specs(w: &system::Text) -> [Spec; 2] {
    [
        spec("pages_total", w.pages_total, w.empty_no_limit),
        spec("pages_a_period", w.pages_a_period, w.empty_no_limit),
    ]
}

fn refresh_spec(w: &system::Text) -> Spec {
    spec("refresh_seconds", w.refresh_seconds, "")
}

/// The least and the greatest number of a field.
fn ends(name: &str) -> (i64, i64) {
    match RANGES.iter().find(|range| range.field == name) {
        Some(range) => (range.least, range.most),
        None if name == "refresh_seconds" => (*REFRESH_SECONDS.start(), *REFRESH_SECONDS.end()),
        None => (0, i64::from(u32::MAX)),
    }
}

/// A plugin's settings, with what was typed instead where something was.
pub(super) fn groups(locale: &Locale, settings: &Settings, entry: &Entry) -> Vec<Group> {
    let stored = serde_json::to_value(settings).expect("settings are plain data");
    specs(system::Text::of(locale.language))
        .into_iter()
        .map(|(title, specs)| Group {
            title,
            fields: specs
                .into_iter()
                .map(|spec| field(locale, &spec, &stored[spec.name], entry))
                .collect(),
        })
        .collect()
}

/// A plugin's page contract, likewise.
pub(super) fn quota(locale: &Locale, quota: &Quota, entry: &Entry) -> Vec<Field> {
    let stored = serde_json::to_value(quota).expect("a page contract is plain data");
    quota_specs(system::Text::of(locale.language))
        .iter()
        .map(|spec| field(locale, spec, &stored[spec.name], entry))
        .collect()
}

/// How often pages update themselves, likewise.
pub(super) fn refresh(locale: &Locale, seconds: i32, entry: &Entry) -> Field {
    let spec = refresh_spec(system::Text::of(locale.language));
    field(locale, &spec, &seconds.into(), entry)
}

fn field(locale: &Locale, spec: &Spec, stored: &Value, entry: &Entry) -> Field {
    let words = system::Text::of(locale.language);
    let (least, most) = ends(spec.name);
    let mut rule = fill(words.from_to, &[&locale.number(least), &locale.number(most)]);
    if !spec.empty.is_empty() {
        rule = format!("{rule}; {}", spec.empty);
    }
    Field {
        name: spec.name,
        label: spec.label,
        rule,
        error: match entry.value(spec.name) {
            Some(typed) => number(locale, spec, typed).err().unwrap_or_default(),
            None => String::new(),
        },
        value: entry.value(spec.name).map_or_else(
            || {
                stored
                    .as_i64()
                    .map_or_else(String::new, |number| number.to_string())
            },
            str::to_owned,
        ),
    }
}

/// What was typed into a field: a number, or nothing where nothing may be.
fn number(locale: &Locale, spec: &Spec, typed: &str) -> Result<Option<i64>, String> {
    let words = system::Text::of(locale.language);
    let (least, most) = ends(spec.name);
    if typed.is_empty() {
        return if spec.empty.is_empty() {
            Err(words.wrong_empty.to_owned())
        } else {
            Ok(None)
        };
    }
    let number = typed
        .parse()
        .ok()
        .filter(|number| (least..=most).contains(number));
    number.map(Some).ok_or_else(|| {
        let (least, most) = (locale.number(least), locale.number(most));
        fill(words.wrong_number, &[&least, &most])
    })
}

impl Entry {
    /// No form was sent.
    pub(super) fn none() -> Self {
        Self {
            typed: ByField::new(),
        }
    }

    /// What a form has sent.
    ///
    /// # Errors
    /// When a field is there twice, which no form of these pages does.
    pub(super) fn typed(fields: Vec<(String, String)>) -> Result<Self, Error> {
        let mut typed = ByField::new();
        for (name, value) in fields {
            if typed.insert(name.clone(), value.trim().to_owned()).is_some() {
                return Err(Error::BadQuery(format!("the form has \"{name}\" twice")));
            }
        }
        Ok(Self { typed })
    }

    /// What was typed into a field.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.typed.get(name).map(String::as_str)
    }

    /// The plugin that the form is about.
    pub(super) fn plugin(&self) -> Option<&str> {
        self.value("plugin").filter(|name| !name.is_empty())
    }

    /// Whether a box was ticked; `None` when its form was not sent.
    pub(super) fn ticked(&self, name: &str) -> Option<bool> {
        (self.value("action") == Some("set_pages")).then(|| self.value(name).is_some())
    }

    /// What the form wants; `None` when a field is wrong, which [`field`] says.
    ///
    /// # Errors
    /// When it is no form of these pages.
    pub(super) fn read(&self, locale: &Locale) -> Result<Option<Wish>, Error> {
        let words = system::Text::of(locale.language);
        let strange = || Error::BadQuery("the form can't be understood".to_owned());
        let numbers = |specs: &[Spec]| -> Result<Option<Map<String, Value>>, Error> {
            let mut read = Map::new();
            for spec in specs {
                let typed = self.value(spec.name).ok_or_else(strange)?;
                match number(locale, spec, typed) {
                    Ok(number) => read.insert(spec.name.to_owned(), Value::from(number)),
                    Err(_) => return Ok(None),
                };
            }
            Ok(Some(read))
        };
        match (self.value("action"), self.plugin()) {
            (Some("configure"), Some(_)) => {
                let specs: Vec<Spec> = specs(words).into_iter().flat_map(|(_, specs)| specs).collect();
                let Some(read) = numbers(&specs)? else {
                    return Ok(None);
                };
                let settings: Settings =
                    serde_json::from_value(Value::Object(read)).map_err(|_| strange())?;
                settings.check().map_err(Error::BadQuery)?;
                Ok(Some(Wish::Plugins(PluginAction::Configure(settings))))
            }
            (Some("quota"), Some(_)) => {
                let Some(mut read) = numbers(&quota_specs(words))? else {
                    return Ok(None);
                };
                let period = self.value("period").ok_or_else(strange)?;
                read.insert("period".to_owned(), period.into());
                let quota = serde_json::from_value(Value::Object(read)).map_err(|_| strange())?;
                Ok(Some(Wish::Plugins(PluginAction::Quota(quota))))
            }
            (Some("autostart_on"), _) => Ok(Some(Wish::Plugins(PluginAction::Autostart { on: true }))),
            (Some("autostart_off"), _) => Ok(Some(Wish::Plugins(PluginAction::Autostart { on: false }))),
            (Some("set_pages"), None) => {
                let Some(read) = numbers(&[refresh_spec(words)])? else {
                    return Ok(None);
                };
                let seconds = read["refresh_seconds"]
                    .as_i64()
                    .and_then(|seconds| seconds.try_into().ok());
                Ok(Some(Wish::Pages(PageSettings {
                    refresh_seconds: seconds.ok_or_else(strange)?,
                    jobs_on_dashboard: self.value("jobs_on_dashboard").is_some(),
                })))
            }
            _ => Err(strange()),
        }
    }
}
