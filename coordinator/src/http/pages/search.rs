//! `/search`: jobs by what people know of them, unfinished and ended ones in one list.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::Uri;
use axum::response::Response;
use jiff::Timestamp;
use shared::job::{JobState, ShownState};

use super::bulk::{self, Bar, COUNT_MAX, RowControls};
use super::dashboard::{Notice, autostart_notices};
use super::layout::{Section, SystemPage};
use super::part::{self, Badge, Progress, Trouble};
use super::{Layout, html};
use crate::control::Actor;
use crate::db::control::CountFound;
use crate::db::pages::{Found, JobSummary, Tab, WithMenu};
use crate::http::App;
use crate::http::format::{Time, fill};
use crate::http::language::Locale;
use crate::http::problem::Error;
use crate::http::searching::{PART_MIN, SearchQuery};
use crate::http::text::Text;
use crate::http::text::sections::Text as Sections;
use crate::http::wait::in_words;
use crate::http::who::Who;

#[derive(Debug, Template)]
#[template(path = "search.html")]
struct Page {
    t: &'static Text,
    s: &'static Sections,
    layout: Layout,
    notices: Vec<Notice>,
    query: SearchQuery,
    /// Names and words of the states that can be asked for.
    states: Vec<(&'static str, String)>,
    plugins: Vec<String>,
    jobs: Vec<FoundRow>,
    /// Why nothing was searched for, and what to do; empty where it was.
    trouble: String,
    /// That older ones were not looked at; empty where all were.
    incomplete: &'static str,
    bar: Option<Bar>,
    refresh: String,
    first: Option<String>,
    next: Option<String>,
}

/// A job that was found.
#[derive(Debug)]
struct FoundRow {
    id: String,
    title: String,
    /// Process and step, or nothing.
    origin: String,
    plugin: String,
    badge: Badge,
    progress: Progress,
    /// What is being done, why nothing is, or how it ended.
    note: String,
    priority: i16,
    submitted: Time,
    finished: Option<Time>,
    trouble: Option<Trouble>,
    row: RowControls,
}

impl FoundRow {
    fn new(locale: &Locale, actor: &Actor, job: &JobSummary, now: Timestamp) -> Self {
        let process = job.process_id.as_ref().map(|id| fill(locale.text.process, &[id]));
        let step = job.step_id.as_ref().map(|id| fill(locale.text.step, &[id]));
        let origin: Vec<String> = process.into_iter().chain(step).collect();
        Self {
            id: job.id.to_string(),
            title: job.title.clone(),
            origin: origin.join(" · "),
            plugin: job.plugin.clone(),
            badge: Badge::of_job(job.state, locale.text),
            progress: Progress::of(job, locale),
            note: part::note(locale, job),
            priority: job.priority,
            submitted: locale.time(job.submitted_at, now),
            finished: job.finished_at.map(|at| locale.time(at, now)),
            trouble: job.error.as_deref().map(|error| Trouble::new(locale, error)),
            row: RowControls::of(actor, job),
        }
    }
}

/// `GET /search`
pub(crate) async fn show(
    who: Who,
    State(app): State<App>,
    locale: Locale,
    address: Uri,
    Query(query): Query<SearchQuery>,
) -> Result<Response, Error> {
    let text = locale.text;
    let trouble = query.trouble();
    let (menu, found, bar) = if trouble.is_some() {
        let (menu, ()) = app.db.run(&WithMenu(crate::db::pages::Ping)).await?;
        (menu, None, None)
    } else {
        let search = query.read(&locale.zone)?;
        let (menu, found) = app.db.run(&WithMenu(search.clone())).await?;
        let bar = if found.jobs.is_empty() {
            None
        } else {
            let count = CountFound {
                filter: &search.filter,
                most: COUNT_MAX + 1,
            };
            let numbers = app.db.run(&count).await?;
            let found = bulk::number(&locale, numbers.unfinished + numbers.ended, COUNT_MAX);
            Bar::new(&locale, &who.actor, &query, query.address(None), &found)
        };
        (menu, Some(found), bar)
    };
    let section = Section::System(SystemPage::Search);
    let next = found.as_ref().and_then(|found| found.next);
    let rows = |found: &Found| -> Vec<FoundRow> {
        let row = |job| FoundRow::new(&locale, &who.actor, job, found.now);
        found.jobs.iter().map(row).collect()
    };
    let page = Page {
        t: text,
        s: Sections::of(locale.language),
        notices: found.as_ref().map_or_else(Vec::new, |found| {
            autostart_notices(&locale, &who, &found.standings, found.now, None)
        }),
        layout: Layout::new(&locale, &address, Some(&who), &menu, section, Tab::default()),
        states: states(text),
        plugins: menu.into_iter().map(|plugin| plugin.name).collect(),
        jobs: found.as_ref().map(rows).unwrap_or_default(),
        trouble: trouble.map_or_else(String::new, |_| fill(text.lists.search_too_short, &[&PART_MIN])),
        incomplete: if found.as_ref().is_some_and(|found| found.incomplete) {
            text.lists.search_incomplete
        } else {
            ""
        },
        bar,
        refresh: address
            .path_and_query()
            .map_or("/search", |address| address.as_str())
            .to_owned(),
        first: query.is_later_page().then(|| query.address(None)),
        next: next.map(|place| query.address(Some(&place))),
        query,
    };
    html(&locale, &page)
}

/// What can be asked for as a state: the tabs of lists first, as most people mean those.
fn states(text: &Text) -> Vec<(&'static str, String)> {
    let tabs = [
        ("queue", text.lists.search_queue.to_owned()),
        ("done", text.tab_done.to_owned()),
        ("error", text.lists.search_error.to_owned()),
    ];
    let single = JobState::ALL
        .into_iter()
        .map(ShownState::As)
        .chain([ShownState::Paused]);
    let single = single.map(|state| {
        let word = format!("{} – {}", state.as_str(), in_words(state, text));
        (state.as_str(), word)
    });
    tabs.into_iter().chain(single).collect()
}
