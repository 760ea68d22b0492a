//! `/`: the start page, and with a tab or a plugin in its address a list of jobs with figures and queues around it.

mod charts;
mod forecast;
mod home;
mod rows;
mod standing;
mod told;

pub(super) use standing::{Notice, autostart_notices};
pub(super) use told::Outcome;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::Uri;
use axum::response::Response;

use super::bulk::Bar;
use super::layout::{Link, Section};
use super::list_functions::ListFunctions;
use super::{Layout, html};
use crate::control::{Object, Verb, authorise};
use crate::db::pages::{
    Dashboard, ListJobs, MenuEntry, Overview, PluginRow, PluginState, ReadAutostart, ReadHome, Sums, Tab,
};
use crate::http::App;
use crate::http::format::fill;
use crate::http::language::{Locale, is_fragment};
use crate::http::listing::{self, ListQuery};
use crate::http::problem::Error;
use crate::http::searching::SearchQuery;
use crate::http::text::Text;
use crate::http::text::sections::Text as Sections;
use crate::http::who::Who;
use rows::{JobRow, QueueRow};
use standing::notices;
use told::{TellQuery, Told};

#[derive(Debug, Template)]
#[template(path = "dashboard.html")]
struct Page {
    t: &'static Text,
    s: &'static Sections,
    layout: Layout,
    heading: String,
    /// What a person has to do first of all; empty when nothing is.
    alarm: String,
    /// What became of a form; nothing where none was sent.
    said: Option<Told>,
    notices: Vec<Notice>,
    figures: Vec<Figure>,
    /// What all jobs of the list together are.
    sums: Vec<Figure>,
    tabs: Vec<Link>,
    tab: Tab,
    jobs: Vec<JobRow>,
    first: Option<String>,
    next: Option<String>,
    queues: Vec<QueueRow>,
    /// A command that submits a job.
    example: String,
    news: String,
    /// It is a plugin's own page: what the plugin does stands above its jobs.
    of_plugin: bool,
    /// Stops and starts the plugin that the page is about.
    control: Option<PluginControl>,
    /// The earliest moment that a field for a time takes.
    soonest: String,
    resume_more: String,
    /// Acts on several jobs of the list.
    bar: Option<Bar>,
    functions: ListFunctions,
}

/// What a plugin's page offers to do with it.
#[derive(Debug)]
struct PluginControl {
    plugin: String,
    is_running: bool,
    /// It may be stopped and started.
    may_run: bool,
    /// What stopping it means, with the number of jobs that it interrupts.
    stop: String,
    /// Asks whether really all of its jobs are to be cancelled; empty where that is not offered.
    cancel: String,
    type_the_name: String,
}

/// A figure on all jobs.
#[derive(Debug)]
struct Figure {
    label: &'static str,
    value: String,
    title: &'static str,
    tone: &'static str,
}

/// `GET /`
pub(crate) async fn show(
    who: Who,
    State(app): State<App>,
    locale: Locale,
    address: Uri,
    Query(query): Query<ListQuery>,
    Query(tell): Query<TellQuery>,
) -> Result<Response, Error> {
    let said = tell.read().map(|outcome| Told::new(&locale, &outcome));
    if query.is_home() {
        // What changes slowly is no part of what the page's script asks for every second.
        let slow = !is_fragment(&address);
        let home = app.db.run(&ReadHome { slow }).await?;
        return html(&locale, &home::page(&locale, &address, &who, &home, said));
    }
    let list = query.read()?;
    let overview = app.db.run(&Dashboard { list: list.clone() }).await?;
    let above = above_the_list(&app, &locale, &who, &list, &overview).await?;
    let page = Page {
        said,
        ..page(&locale, &address, &who, &list, &overview, above)
    };
    html(&locale, &page)
}

/// What stands above the list of jobs: the actions on several of them, and Kitodo's functions.
async fn above_the_list(
    app: &App,
    locale: &Locale,
    who: &Who,
    list: &ListJobs,
    overview: &Overview,
) -> Result<(Option<Bar>, ListFunctions), Error> {
    let plugin = list.plugin.as_deref();
    let back = listing::address(list.tab, plugin, list.after.as_ref());
    let search = SearchQuery::of_tab(list.tab, plugin);
    let found = locale.number(overview.sums.map_or(0, |sums| sums.jobs));
    let autostart = app
        .db
        .run(&ReadAutostart {
            plugin: list.plugin.clone(),
        })
        .await?;
    Ok((
        Bar::new(locale, &who.actor, &search, back.clone(), &found),
        ListFunctions::new(&who.actor, plugin, back, autostart),
    ))
}

fn page(
    locale: &Locale,
    address: &Uri,
    who: &Who,
    list: &ListJobs,
    overview: &Overview,
    (bar, functions): (Option<Bar>, ListFunctions),
) -> Page {
    let menu: Vec<MenuEntry> = overview.plugins.iter().map(MenuEntry::from).collect();
    let plugin = list.plugin.as_deref();
    let section = plugin.map_or(Section::Dashboard, Section::Plugin);
    let text = locale.text;
    let heading = menu
        .iter()
        .find(|entry| Some(entry.name.as_str()) == plugin)
        .map_or_else(
            || {
                plugin
                    .unwrap_or(Sections::of(locale.language).all_lists)
                    .to_owned()
            },
            |entry| format!("{} ({})", entry.title(locale), entry.name),
        );
    Page {
        t: text,
        s: Sections::of(locale.language),
        layout: Layout::new(locale, address, Some(who), &menu, section, list.tab),
        heading,
        alarm: alarm(locale, overview),
        said: None,
        notices: notices(locale, who, overview, plugin),
        figures: figures(locale, overview, plugin),
        sums: overview
            .sums
            .as_ref()
            .map_or_else(Vec::new, |sums| figures_of(locale, list.tab, sums)),
        tabs: tabs(text, Some(list.tab), plugin),
        tab: list.tab,
        jobs: overview
            .list
            .jobs
            .iter()
            .map(|job| JobRow::new(locale, &who.actor, job, overview))
            .collect(),
        first: list.after.map(|_| listing::address(list.tab, plugin, None)),
        next: overview
            .list
            .next
            .map(|place| listing::address(list.tab, plugin, Some(&place))),
        queues: shown(overview, plugin)
            .map(|plugin| QueueRow::new(locale, plugin, overview))
            .collect(),
        example: example(plugin.unwrap_or("OCR")),
        news: news(locale, overview, plugin),
        bar,
        functions,
        of_plugin: plugin.is_some(),
        control: plugin
            .and_then(|_| shown(overview, plugin).next())
            .and_then(|row| PluginControl::new(locale, who, row)),
        soonest: locale.field(overview.now),
        resume_more: fill(
            Sections::of(locale.language).stop_resume_more,
            &[&locale.zone_name()],
        ),
    }
}

impl PluginControl {
    /// None where whoever looks may do nothing with the plugin.
    fn new(locale: &Locale, who: &Who, row: &PluginRow) -> Option<Self> {
        let may = |verb| authorise(&who.actor, verb, Object::Plugin(&row.name));
        let (may_run, may_cancel) = (may(Verb::RunPlugins), may(Verb::ControlJobs));
        let jobs = row.running() + row.waiting();
        let cancel = if may_cancel && jobs > 0 {
            let ask = Sections::of(locale.language).sure_cancel_all;
            fill(ask, &[&locale.number(jobs), &row.name])
        } else {
            String::new()
        };
        (may_run || !cancel.is_empty()).then(|| Self {
            plugin: row.name.clone(),
            is_running: row.state == PluginState::Running,
            stop: fill(
                Sections::of(locale.language).sure_stop_plugin,
                &[&locale.number(row.running())],
            ),
            may_run,
            cancel,
            type_the_name: fill(Sections::of(locale.language).type_the_name, &[&row.name]),
        })
    }
}

/// What a person has to do first of all; empty when nothing is.
fn alarm(locale: &Locale, overview: &Overview) -> String {
    overview.restore.as_ref().map_or_else(String::new, |restore| {
        fill(locale.text.restored, &[&locale.moment(restore.from).short()])
    })
}

/// The tabs of a list, and which of them it is.
fn tabs(text: &Text, current: Option<Tab>, plugin: Option<&str>) -> Vec<Link> {
    let link = |tab| Link {
        href: listing::address(tab, plugin, None),
        label: tab_name(tab, text).to_owned(),
        title: String::new(),
        current: Some(tab) == current,
    };
    Tab::ALL.map(link).into()
}

/// The sums of a list.
fn figures_of(locale: &Locale, tab: Tab, sums: &Sums) -> Vec<Figure> {
    let words = Sections::of(locale.language);
    let title = match tab {
        Tab::Queue => words.sum_of_running,
        Tab::Done | Tab::Error => "",
    };
    let figure = |label, value, title| Figure {
        label,
        value,
        title,
        tone: "",
    };
    vec![
        figure(words.sum_jobs, locale.number(sums.jobs), ""),
        figure(words.sum_files, locale.number(sums.files), title),
        figure(words.sum_bytes, locale.bytes(sums.bytes), title),
        figure(words.sum_pages, locale.number(sums.pages), title),
    ]
}

/// A command that people can begin with.
fn example(plugin: &str) -> String {
    format!(
        "taskmanager submit --plugin {plugin} --title volume-1 --source /data/volume-1/images --target /data/volume-1"
    )
}

fn tab_name(tab: Tab, text: &Text) -> &'static str {
    match tab {
        Tab::Queue => text.tab_queue,
        Tab::Done => text.tab_done,
        Tab::Error => text.tab_error,
    }
}

fn figures(locale: &Locale, overview: &Overview, plugin: Option<&str>) -> Vec<Figure> {
    let text = locale.text;
    let sum = |of: fn(&PluginRow) -> i64| shown(overview, plugin).map(of).sum::<i64>();
    let figure = |label, value: i64, title, tone| Figure {
        label,
        value: locale.number(value),
        title,
        // Nothing to see where there is nothing.
        tone: if value == 0 { "none" } else { tone },
    };
    let paused = sum(PluginRow::paused);
    let today = overview.today;
    vec![
        figure(text.running, sum(PluginRow::running), "", "run"),
        figure(text.waiting, sum(PluginRow::waiting) - paused, "", "wait"),
        figure(text.paused, paused, "", "hold"),
        figure(text.done_today, today.done, text.day_in_utc, "good"),
        figure(text.failed_today, today.failed, text.day_in_utc, "bad"),
        figure(text.pages_today, today.items, text.day_in_utc, "wait"),
    ]
}

/// The plugins that the page is about: all, or the one that its address names.
fn shown<'a>(overview: &'a Overview, plugin: Option<&'a str>) -> impl Iterator<Item = &'a PluginRow> {
    overview
        .plugins
        .iter()
        .filter(move |row| plugin.is_none_or(|name| name == row.name))
}

/// What is said aloud when it changes.
fn news(locale: &Locale, overview: &Overview, plugin: Option<&str>) -> String {
    let running = locale.number(shown(overview, plugin).map(PluginRow::running).sum::<i64>());
    let waiting = locale.number(shown(overview, plugin).map(PluginRow::waiting).sum::<i64>());
    fill(
        locale.text.spoken_dashboard,
        &[&running, &waiting, &locale.number(overview.today.failed)],
    )
}

impl From<&PluginRow> for MenuEntry {
    fn from(plugin: &PluginRow) -> Self {
        Self {
            name: plugin.name.clone(),
            title_en: plugin.title_en.clone(),
            title_de: plugin.title_de.clone(),
        }
    }
}
