//! `/jobs/{id}`: everything that is known of one job.

mod controls;
mod deliveries;
mod facts;
mod tables;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::Uri;
use axum::response::Response;
use serde::Deserialize;

use super::layout::Section;
use super::part::{self, Badge, Progress};
use super::said::Said;
use super::{Layout, html};
use crate::db::pages::{JobDetail, MenuEntry, ReadJob, Tab, WithMenu};
use crate::http::api::job_id;
use crate::http::format::fill;
use crate::http::language::Locale;
use crate::http::problem::Error;
use crate::http::text::Text;
use crate::http::who::Who;
use crate::http::{App, listing, wait};
use controls::Controls;
use deliveries::DeliveryRow;
use facts::{FactValue, Group};
use tables::{AttemptRow, ItemRow, LogLine, OutputRow};

/// Items on the page unless all are asked for; failed ones come first.
const ITEMS_LIMIT: i64 = 100;
/// Log lines on the page.
const LOG_LIMIT: i64 = 200;

#[derive(Debug, Template)]
#[template(path = "job.html")]
struct Page {
    t: &'static Text,
    layout: Layout,
    id: String,
    title: String,
    plugin: String,
    plugin_href: String,
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
    html(
        &locale,
        &page(
            &locale,
            &address,
            &who,
            &menu,
            &job.ok_or(Error::UnknownJob)?,
            Said::read(query.said.as_deref()),
        ),
    )
}

fn page(
    locale: &Locale,
    address: &Uri,
    who: &Who,
    menu: &[MenuEntry],
    job: &JobDetail,
    said: Option<Said>,
) -> Page {
    let summary = &job.summary;
    let state = part::in_words(summary.state, locale.text);
    Page {
        t: locale.text,
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
        plugin_href: listing::address(Tab::default(), Some(&summary.plugin), None),
        badge: Badge::of_job(summary.state, locale.text),
        state,
        progress: Progress::of(summary, locale),
        detail: if summary.is_running() {
            summary.detail.clone()
        } else {
            String::new()
        },
        waits_for: job
            .waiting
            .as_ref()
            .and_then(|waiting| wait::reason(locale, &summary.plugin, waiting, job.now)),
        error: summary.error.clone(),
        said,
        controls: Controls::of(&who.actor, job),
        priority: summary.priority,
        ended: summary.is_final(),
        groups: facts::groups(locale, job),
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
