//! The start page: figures, the first active jobs, the plugins' queues, what was completed, page contracts, and at its
//! end all plugins at once.

use askama::Template;
use axum::http::Uri;
use shared::job::ShownState;

use super::charts::{self, ContractRow, Months};
use super::rows::{JobRow, QueueRow};
use super::standing::{AllPlugins, Notice, notices};
use super::told::Told;
use super::{Figure, alarm, example, figures, news, tabs};
use crate::control::{Object, Verb, authorise};
use crate::db::pages::{ACTIVE_MAX, Home, JobSummary, MenuEntry, PluginRow, Tab};
use crate::http::format::fill;
use crate::http::language::Locale;
use crate::http::pages::Layout;
use crate::http::pages::layout::{Link, Section};
use crate::http::text::Text;
use crate::http::text::sections::Text as Sections;
use crate::http::who::Who;

/// The page.
#[derive(Debug, Template)]
#[template(path = "dashboard/home.html")]
pub(super) struct Page {
    t: &'static Text,
    s: &'static Sections,
    layout: Layout,
    news: String,
    alarm: String,
    /// What became of a form; nothing where none was sent.
    said: Option<Told>,
    notices: Vec<Notice>,
    figures: Vec<Figure>,
    tabs: Vec<Link>,
    /// The tab whose empty list is explained.
    tab: Tab,
    example: String,
    /// Jobs are listed here, not only linked to.
    lists_jobs: bool,
    jobs: Vec<ActiveRow>,
    /// How many of how many active jobs are shown.
    some: String,
    /// What else there is where none is active; empty where nothing waits.
    others: String,
    queues: Vec<QueueRow>,
    months: Option<Months>,
    contracts: Vec<ContractRow>,
    all: Option<AllPlugins>,
    /// The earliest moment that a field for a time takes.
    soonest: String,
    resume_more: String,
}

/// An active job with what can be done with it.
#[derive(Debug)]
struct ActiveRow {
    job: JobRow,
    /// Its priority can be changed.
    order: bool,
    /// What its link and its field are called, for those who see only them.
    details: String,
    priority: String,
}

impl ActiveRow {
    fn new(locale: &Locale, who: &Who, job: &JobSummary, home: &Home) -> Self {
        let may = authorise(&who.actor, Verb::ControlJobs, Object::Plugin(&job.plugin));
        let words = Sections::of(locale.language);
        let about = |sentence| fill(sentence, &[&job.title]);
        Self {
            details: about(words.details_of),
            priority: about(words.priority_of),
            job: JobRow::new(locale, &who.actor, job, &home.overview),
            order: may && job.state == ShownState::Paused,
        }
    }
}

/// The page about `home`.
pub(super) fn page(locale: &Locale, address: &Uri, who: &Who, home: &Home, said: Option<Told>) -> Page {
    let overview = &home.overview;
    let words = Sections::of(locale.language);
    let menu: Vec<MenuEntry> = overview.plugins.iter().map(MenuEntry::from).collect();
    let sum = |of: fn(&PluginRow) -> i64| overview.plugins.iter().map(of).sum::<i64>();
    let (paused, waiting) = (sum(PluginRow::paused), sum(PluginRow::waiting));
    let active = sum(PluginRow::running) + paused;
    Page {
        t: locale.text,
        s: words,
        layout: Layout::new(
            locale,
            address,
            Some(who),
            &menu,
            Section::Dashboard,
            Tab::default(),
        ),
        news: news(locale, overview, None),
        alarm: alarm(locale, overview),
        said,
        notices: notices(locale, who, overview, None),
        figures: figures(locale, overview, None),
        tabs: tabs(locale.text, None, None),
        tab: Tab::default(),
        example: example("OCR"),
        lists_jobs: home.lists_jobs,
        jobs: overview
            .list
            .jobs
            .iter()
            .map(|job| ActiveRow::new(locale, who, job, home))
            .collect(),
        some: if home.lists_jobs && active > ACTIVE_MAX {
            let (shown, all) = (locale.number(ACTIVE_MAX), locale.number(active));
            fill(words.some_active, &[&shown, &all])
        } else {
            String::new()
        },
        others: if waiting > 0 {
            fill(words.none_active_more, &[&locale.number(waiting)])
        } else {
            String::new()
        },
        queues: overview
            .plugins
            .iter()
            .map(|plugin| QueueRow::new(locale, plugin, overview))
            .collect(),
        months: Months::new(locale, overview.now, &home.months),
        contracts: charts::contracts(locale, &home.contracts),
        all: AllPlugins::new(locale, who, &overview.plugins),
        soonest: locale.field(overview.now),
        resume_more: fill(words.stop_resume_more, &[&locale.zone_name()]),
    }
}
