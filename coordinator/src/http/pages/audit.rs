//! `/audit`: who has done what.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::Uri;
use axum::response::Response;
use serde_json::Value;

use super::layout::{Section, SystemPage};
use super::part::{Badge, Tone};
use super::{Layout, html};
use crate::db::pages::{AuditRow, Tab, WithMenu};
use crate::http::App;
use crate::http::audit::{AuditQuery, next};
use crate::http::format::Time;
use crate::http::language::{Language, Locale};
use crate::http::problem::Error;
use crate::http::text::{Text, audit};
use crate::http::who::{Who, escape};

#[derive(Debug, Template)]
#[template(path = "audit.html")]
struct Page {
    t: &'static Text,
    layout: Layout,
    query: AuditQuery,
    lines: Vec<Line>,
    next: Option<String>,
}

#[derive(Debug)]
pub(super) struct Line {
    pub(super) id: i64,
    pub(super) at: Time,
    pub(super) actor: String,
    pub(super) what: String,
    /// The fields of the action, in a row.
    pub(super) details: String,
    about: String,
    href: Option<String>,
    pub(super) badge: Badge,
}

/// `GET /audit`
pub(crate) async fn show(
    State(app): State<App>,
    who: Who,
    locale: Locale,
    address: Uri,
    Query(query): Query<AuditQuery>,
) -> Result<Response, Error> {
    let (menu, lines) = app.db.run(&WithMenu(query.read()?)).await?;
    let section = Section::System(SystemPage::Audit);
    let page = Page {
        t: locale.text,
        layout: Layout::new(&locale, &address, Some(&who), &menu, section, Tab::default()),
        next: next(&lines).map(|before| {
            let [actor, plugin, job] = [&query.actor, &query.plugin, &query.job].map(|text| escape(text));
            format!("/audit?actor={actor}&plugin={plugin}&job={job}&before={before}")
        }),
        lines: lines.into_iter().map(|line| Line::new(&locale, line)).collect(),
        query,
    };
    html(&locale, &page)
}

impl Line {
    pub(super) fn new(locale: &Locale, row: AuditRow) -> Self {
        let text = locale.text;
        let (tone, word) = match row.outcome.as_str() {
            "done" => (Tone::Good, text.audit_done),
            "unchanged" => (Tone::Off, text.audit_unchanged),
            "refused" => (Tone::Wait, text.audit_refused),
            _ => (Tone::Bad, text.audit_forbidden),
        };
        let (about, href) = match (row.job_id, row.plugin, row.worker_id, row.account) {
            (Some(job), ..) => (job.to_string(), Some(format!("/jobs/{job}"))),
            (None, Some(plugin), ..) => {
                let href = format!("/?plugin={}", escape(&plugin));
                (plugin, Some(href))
            }
            (.., Some(worker), _) => (worker, None),
            (.., Some(account)) => (account, None),
            _ => (String::new(), None),
        };
        Self {
            id: row.id,
            at: locale.moment(row.at),
            actor: row.actor,
            what: audit::action(locale.language, &row.action),
            details: details(locale.language, &row.details),
            about,
            href,
            badge: Badge::new(tone, word),
        }
    }
}

/// What was asked for, beside the action's name.
fn details(language: Language, details: &Value) -> String {
    let word = |name: &str| audit::particular(language, name);
    let fields = details.as_object().into_iter().flatten();
    let said = fields
        .filter(|(name, value)| *name != "action" && !value.is_null())
        .map(|(name, value)| match value {
            // What a person has written stays as it was written.
            Value::String(text) if ["title", "name", "text", "reason", "path"].contains(&name.as_str()) => {
                format!("{}: {text}", word(name))
            }
            Value::String(text) => format!("{}: {}", word(name), word(text)),
            other => format!("{}: {}", word(name), word(&other.to_string())),
        });
    said.collect::<Vec<_>>().join(", ")
}
