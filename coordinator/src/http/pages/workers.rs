//! `/workers`: who does the work, what they do at this moment, and a button that lets one end.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::Uri;
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;

use super::forms::{Fields, given, read};
use super::layout::{Section, SystemPage};
use super::part::{Badge, Tone};
use super::said::see;
use super::{Layout, html};
use crate::control::{Object, Verb, WorkerAction, authorise};
use crate::db::control::WorkerOutcome;
use crate::db::pages::{ReadWorkersAtWork, Tab, WithMenu, WorkerAtWork};
use crate::http::App;
use crate::http::format::{Time, fill};
use crate::http::language::Locale;
use crate::http::problem::Error;
use crate::http::text::{Text, system};
use crate::http::who::{Who, escape};

#[derive(Debug, Template)]
#[template(path = "workers.html")]
struct Page {
    t: &'static Text,
    w: &'static system::Text,
    layout: Layout,
    /// What became of a form; empty when none was sent.
    said: &'static str,
    workers: Vec<WorkerRow>,
    news: String,
}

#[derive(Debug)]
struct WorkerRow {
    id: String,
    name: String,
    badge: Badge,
    host: String,
    version: String,
    plugins: Vec<String>,
    jobs: Vec<JobLink>,
    sign: Time,
    /// How long ago that was.
    ago: String,
    /// Empty when it is not known.
    memory: String,
    drain: Option<Drain>,
}

#[derive(Debug)]
struct JobLink {
    href: String,
    title: String,
}

/// The button, for whoever may press it.
#[derive(Debug)]
struct Drain {
    address: String,
    sure: String,
}

/// What became of a form.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct WorkersQuery {
    said: Option<String>,
}

/// `GET /workers`
pub(crate) async fn show(
    State(app): State<App>,
    who: Who,
    locale: Locale,
    address: Uri,
    Query(query): Query<WorkersQuery>,
) -> Result<Response, Error> {
    let (menu, known) = app.db.run(&WithMenu(ReadWorkersAtWork)).await?;
    let words = system::Text::of(locale.language);
    let section = Section::System(SystemPage::Workers);
    let count = |wanted: fn(&WorkerAtWork) -> bool| {
        let found = known.workers.iter().filter(|worker| wanted(worker)).count();
        locale.number(i64::try_from(found).unwrap_or(i64::MAX))
    };
    let page = Page {
        t: locale.text,
        w: words,
        layout: Layout::new(&locale, &address, Some(&who), &menu, section, Tab::default()),
        said: match query.said.as_deref() {
            Some("drained") => words.said_drained,
            Some("drains_already") => words.said_drains_already,
            _ => "",
        },
        news: fill(
            words.spoken_workers,
            &[
                &count(|at_work| at_work.worker.alive),
                &count(|at_work| !at_work.worker.alive),
                &count(|at_work| at_work.worker.draining),
            ],
        ),
        workers: known
            .workers
            .iter()
            .map(|worker| WorkerRow::new(&locale, &who, worker, known.now))
            .collect(),
    };
    html(&locale, &page)
}

/// `POST /workers/{id}/actions`
pub(crate) async fn act(
    who: Who,
    State(app): State<App>,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Error> {
    let action: WorkerAction = read(given(fields)?)?;
    match app.control.act_on_worker(&who.actor, &id, &action).await? {
        WorkerOutcome::Forbidden => Err(Error::Forbidden),
        WorkerOutcome::Unknown => Err(Error::UnknownWorker),
        WorkerOutcome::Done => Ok(see("/workers?said=drained")),
        WorkerOutcome::Unchanged => Ok(see("/workers?said=drains_already")),
    }
}

impl WorkerRow {
    fn new(locale: &Locale, who: &Who, at_work: &WorkerAtWork, now: Timestamp) -> Self {
        let words = system::Text::of(locale.language);
        let worker = &at_work.worker;
        let badge = if !worker.alive {
            Badge::new(Tone::Bad, words.worker_silent)
        } else if worker.draining {
            Badge::new(Tone::Hold, words.worker_draining)
        } else {
            Badge::new(Tone::Good, words.worker_alive)
        };
        let may = authorise(&who.actor, Verb::RunWorkers, Object::Worker(&worker.id));
        Self {
            badge,
            host: worker.host.clone(),
            version: worker.version.clone(),
            plugins: worker
                .plugins
                .iter()
                .map(|served| served.replace('=', "\u{a0}× "))
                .collect(),
            jobs: at_work
                .jobs
                .iter()
                .map(|job| JobLink {
                    href: format!("/jobs/{}", job.id),
                    title: job.title.clone(),
                })
                .collect(),
            sign: locale.time(at_work.heartbeat_at, now),
            ago: fill(words.ago, &[&locale.duration(at_work.heartbeat_at, now)]),
            memory: if at_work.rss_bytes > 0 {
                locale.bytes(at_work.rss_bytes)
            } else {
                String::new()
            },
            drain: (may && worker.alive && !worker.draining).then(|| Drain {
                address: format!("/workers/{}/actions", escape(&worker.id).replace('/', "%2F")),
                sure: fill(words.sure_drain, &[&worker.name, &at_work.jobs.len()]),
            }),
            id: worker.id.clone(),
            name: worker.name.clone(),
        }
    }
}
