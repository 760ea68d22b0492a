//! A job's facts in groups: what identifies it, where its files are, when what happened, how it was set up.

use serde_json::{Map, Value};

use crate::db::pages::JobDetail;
use crate::deliveries::GoobiWeb;
use crate::http::format::Time;
use crate::http::language::Locale;
use crate::http::text::job_page;

/// Facts that belong together.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) title: &'static str,
    pub(super) facts: Vec<Fact>,
}

/// A name with its value.
#[derive(Debug)]
pub(super) struct Fact {
    pub(super) label: String,
    pub(super) value: FactValue,
}

/// How a value is shown.
#[derive(Debug)]
pub(super) enum FactValue {
    /// Words.
    Text(String),
    /// An identifier, a path, JSON: every character counts.
    Exact(String),
    /// An identifier that leads somewhere.
    Link {
        /// Where to.
        href: String,
        /// The identifier.
        text: String,
    },
    /// A moment.
    Time(Time),
}

/// All groups that have something to say.
pub(super) fn groups(locale: &Locale, job: &JobDetail, goobi: Option<&GoobiWeb>) -> Vec<Group> {
    let text = locale.text;
    let summary = &job.summary;
    let process = summary.process_id.as_deref();
    let identifiers = [
        exact(text.job_id, Some(&summary.id.to_string())),
        job.retry_of.map(|old| Fact {
            label: job_page::Text::of(locale.language).retry_of.to_owned(),
            value: FactValue::Link {
                href: format!("/jobs/{old}"),
                text: old.to_string(),
            },
        }),
        linked(
            text.process_id,
            process,
            goobi
                .zip(process)
                .and_then(|(goobi, process)| goobi.page(process)),
        ),
        exact(text.step_id, summary.step_id.as_ref()),
        exact(
            job_page::Text::of(locale.language).itm_id,
            job.itm_id.map(|id| id.to_string()).as_ref(),
        ),
        words(text.step_name, job.step_name.as_ref()),
        words(text.project, job.project.as_ref()),
        words(text.submitted_by, Some(&job.submitted_by)),
        exact(text.callback, job.callback_url.as_ref()),
    ];
    let folders = [
        exact(text.source, job.source.as_ref()),
        exact(text.target, job.target.as_ref()),
    ];
    let settings = [
        words(text.plugin, Some(&summary.plugin)),
        exact(text.template, job.template.as_ref()),
        words(text.priority, Some(&summary.priority.to_string())),
        words(
            text.volume,
            (summary.bytes > 0).then(|| locale.bytes(summary.bytes)).as_ref(),
        ),
    ];
    let groups = [
        (text.times, times(locale, job)),
        (text.folders, folders.into_iter().flatten().collect()),
        (text.settings, settings.into_iter().flatten().collect()),
        (text.identifiers, identifiers.into_iter().flatten().collect()),
        (text.results, object(&job.facts)),
        (text.parameters, object(&job.parameters)),
        (text.template_parameters, object(&job.template_parameters)),
        (text.extra, object(&job.extra)),
    ];
    groups
        .into_iter()
        .filter(|(_, facts)| !facts.is_empty())
        .map(|(title, facts)| Group { title, facts })
        .collect()
}

fn times(locale: &Locale, job: &JobDetail) -> Vec<Fact> {
    let text = locale.text;
    let summary = &job.summary;
    let time = |label: &str, at| Fact {
        label: label.to_owned(),
        value: FactValue::Time(locale.moment(at)),
    };
    let mut facts = vec![time(text.submitted, summary.submitted_at)];
    facts.extend(summary.started_at.map(|at| time(text.started, at)));
    facts.extend(summary.finished_at.map(|at| time(text.finished, at)));
    if let (Some(from), Some(to)) = (summary.started_at, summary.finished_at) {
        facts.extend(words(text.duration, Some(&locale.duration(from, to))));
    }
    facts
}

fn words(label: &str, value: Option<&String>) -> Option<Fact> {
    value.map(|value| Fact {
        label: label.to_owned(),
        value: FactValue::Text(value.clone()),
    })
}

fn exact(label: &str, value: Option<&String>) -> Option<Fact> {
    value.map(|value| Fact {
        label: label.to_owned(),
        value: FactValue::Exact(value.clone()),
    })
}

/// An identifier of another system, which leads there where that is known.
fn linked(label: &str, value: Option<&str>, href: Option<String>) -> Option<Fact> {
    let text = value?.to_owned();
    Some(Fact {
        label: label.to_owned(),
        value: match href {
            Some(href) => FactValue::Link { href, text },
            None => FactValue::Exact(text),
        },
    })
}

/// An object's fields; texts as they are, everything else as JSON.
fn object(map: &Map<String, Value>) -> Vec<Fact> {
    map.iter()
        .map(|(name, value)| {
            let value = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            Fact {
                label: name.clone(),
                value: FactValue::Exact(value),
            }
        })
        .collect()
}
