//! `/jobs/{id}`: everything that is known of one job.

mod controls;
mod deliveries;
mod facts;
mod message;
mod tables;
mod timeline;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::Uri;
use axum::response::Response;
use serde::Deserialize;

use super::layout::Section;
use super::part::{Badge, Progress};
use super::said::Said;
use super::{Layout, audit, html};
use crate::control::Verb;
use crate::db::pages::{JobDetail, MenuEntry, ReadAudit, ReadJob, Tab, WithMenu};
use crate::deliveries::GoobiWeb;
use crate::http::api::job_id;
use crate::http::format::fill;
use crate::http::language::Locale;
use crate::http::problem::Error;
use crate::http::text::told::told;
use crate::http::text::{Text, job_page};
use crate::http::who::Who;
use crate::http::{App, listing, wait};
use controls::Controls;
use deliveries::DeliveryRow;
use facts::{FactValue, Group};
use message::Message;
use tables::{AttemptRow, ItemRow, LogLine, OutputRow};
use timeline::Event;

/// Items on the page unless all are asked for; failed ones come first.
const ITEMS_LIMIT: i64 = 100;
/// Lines of the audit log on the page.
const AUDIT_LIMIT: i64 = 20;
/// Log lines on the page.
const LOG_LIMIT: i64 = 200;

#[derive(Debug, Template)]
#[template(path = "job.html")]
struct Page {
    t: &'static Text,
    w: &'static job_page::Text,
    layout: Layout,
    id: String,
    title: String,
    plugin: String,
    plugin_href: String,
    /// The list in which it stands.
    list: String,
    badge: Badge,
    state: &'static str,
    progress: Progress,
    /// What its worker does.
    detail: String,
    /// Why it does not run.
    waits_for: Option<String>,
    error: Option<String>,
    /// What became of the action that led here.
    said: Option<Said>,
    controls: Controls,
    message: Message,
    timeline: Vec<Event>,
    may_audit: bool,
    /// Who did what with it, the newest first; read for whoever may read that.
    audit: Vec<audit::Line>,
    priority: i16,
    ended: bool,
    groups: Vec<Group>,
    items: Vec<ItemRow>,
    /// Says how many items are not shown; empty when all are.
    items_note: String,
    attempts: Vec<AttemptRow>,
    deliveries: Vec<DeliveryRow>,
    log: Vec<LogLine>,
    log_note: String,
    outputs: Vec<OutputRow>,
    outputs_note: String,
    news: String,
}

/// How much of a job is wanted.
#[derive(Debug, Deserialize)]
pub(crate) struct JobQuery {
    items: Option<String>,
    said: Option<String>,
}

/// `GET /jobs/{id}`
pub(crate) async fn show(
    who: Who,
    State(app): State<App>,
    locale: Locale,
    address: Uri,
    Path(id): Path<String>,
    Query(query): Query<JobQuery>,
) -> Result<Response, Error> {
    let all_items = query.items.is_some_and(|items| items == "all");
    let read = ReadJob {
        id: job_id(&id)?,
        items_limit: (!all_items).then_some(ITEMS_LIMIT),
        log_limit: LOG_LIMIT,
    };
    let (menu, job) = app.db.run(&WithMenu(read)).await?;
    let job = job.ok_or(Error::UnknownJob)?;
    let said = Said::read(query.said.as_deref());
    let mut page = page(&locale, &address, &who, &menu, &job, said, app.control.goobi());
    if page.may_audit {
        let read = ReadAudit {
            job: Some(read.id),
            limit: AUDIT_LIMIT,
            ..ReadAudit::default()
        };
        let lines = app.db.run(&read).await?;
        page.audit = lines
            .into_iter()
            .map(|line| audit::Line::new(&locale, line))
            .collect();
    }
    html(&locale, &page)
}

fn page(
    locale: &Locale,
    address: &Uri,
    who: &Who,
    menu: &[MenuEntry],
    job: &JobDetail,
    said: Option<Said>,
    goobi: Option<&GoobiWeb>,
) -> Page {
    let summary = &job.summary;
    let state = wait::in_words(summary.state, locale.text);
    Page {
        t: locale.text,
        w: job_page::Text::of(locale.language),
        layout: Layout::new(
            locale,
            address,
            Some(who),
            menu,
            Section::Plugin(&summary.plugin),
            Tab::default(),
        ),
        id: summary.id.to_string(),
        title: summary.title.clone(),
        plugin: summary.plugin.clone(),
        list: listing::address(Tab::of(summary.state), Some(&summary.plugin), None),
        plugin_href: listing::address(Tab::default(), Some(&summary.plugin), None),
        badge: Badge::of_job(summary.state, locale.text),
        state,
        progress: Progress::of(summary, locale),
        detail: if summary.is_running() {
            told(locale.language, &summary.detail)
        } else {
            String::new()
        },
        waits_for: wait::reason(locale, summary),
        error: summary.error.as_deref().map(|error| told(locale.language, error)),
        said,
        controls: Controls::of(locale, &who.actor, job),
        message: Message::of(locale, &who.actor, job, goobi),
        timeline: timeline::events(locale, job),
        may_audit: who.could(Verb::ReadAudit),
        audit: Vec::new(),
        priority: summary.priority,
        ended: summary.is_final(),
        groups: facts::groups(locale, job, goobi),
        items: job.items.iter().map(|item| ItemRow::new(locale, item)).collect(),
        items_note: shown_of(
            locale,
            locale.text.some_of_items,
            job.items.len(),
            job.items_reported,
        ),
        attempts: job
            .attempts
            .iter()
            .map(|attempt| AttemptRow::new(locale, attempt, job.now))
            .collect(),
        deliveries: job
            .deliveries
            .iter()
            .map(|delivery| DeliveryRow::new(locale, delivery, job.now))
            .collect(),
        log: tables::log(locale, &job.log.lines),
        log_note: shown_of(locale, locale.text.last_lines, job.log.lines.len(), job.log.total),
        outputs: job
            .outputs
            .iter()
            .map(|file| OutputRow::new(locale, file))
            .collect(),
        outputs_note: outputs_note(locale, job),
        news: fill(locale.text.spoken_job, &[&state, &quarter(summary.percent)]),
    }
}

/// Says that a list is not complete; empty when it is.
fn shown_of(locale: &Locale, sentence: &str, shown: usize, total: i64) -> String {
    let shown = i64::try_from(shown).unwrap_or(i64::MAX);
    if shown < total {
        fill(sentence, &[&locale.number(shown), &locale.number(total)])
    } else {
        String::new()
    }
}

fn outputs_note(locale: &Locale, job: &JobDetail) -> String {
    if job.outputs.is_empty() {
        return String::new();
    }
    let bytes = job
        .outputs
        .iter()
        .map(|file| file.size)
        .fold(0, u64::saturating_add);
    let count = i64::try_from(job.outputs.len()).unwrap_or(i64::MAX);
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    fill(
        locale.text.outputs_summary,
        &[&locale.number(count), &locale.bytes(bytes)],
    )
}

/// Progress is said aloud in quarters only.
fn quarter(percent: f32) -> u8 {
    Locale::percent(percent) / 25 * 25
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_said_aloud_in_quarters() {
        assert_eq!([0.0, 24.9, 25.0, 99.9, 100.0].map(quarter), [0, 0, 25, 75, 100]);
    }
}
