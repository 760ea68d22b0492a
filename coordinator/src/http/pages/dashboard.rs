//! `/`: figures on all jobs, the jobs themselves, the plugins' queues.

mod rows;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::Uri;
use axum::response::Response;

use super::layout::{Link, Section};
use super::{Layout, html};
use crate::db::pages::{Dashboard, ListJobs, MenuEntry, Overview, PluginRow, Tab};
use crate::http::App;
use crate::http::format::fill;
use crate::http::language::Locale;
use crate::http::listing::{self, ListQuery};
use crate::http::problem::Error;
use crate::http::text::Text;
use rows::{JobRow, QueueRow};

#[derive(Debug, Template)]
#[template(path = "dashboard.html")]
struct Page {
    t: &'static Text,
    layout: Layout,
    heading: String,
    figures: Vec<Figure>,
    tabs: Vec<Link>,
    filters: Vec<Link>,
    tab: Tab,
    jobs: Vec<JobRow>,
    first_page: Option<String>,
    next_page: Option<String>,
    queues: Vec<QueueRow>,
    /// A command that submits a job.
    example: String,
    news: String,
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
    State(app): State<App>,
    locale: Locale,
    address: Uri,
    Query(query): Query<ListQuery>,
) -> Result<Response, Error> {
    let list = query.read()?;
    let overview = app.db.run(&Dashboard { list: list.clone() }).await?;
    html(&locale, &page(&locale, &address, &list, &overview))
}

fn page(locale: &Locale, address: &Uri, list: &ListJobs, overview: &Overview) -> Page {
    let menu: Vec<MenuEntry> = overview.plugins.iter().map(MenuEntry::from).collect();
    let plugin = list.plugin.as_deref();
    let section = plugin.map_or(Section::Dashboard, Section::Plugin);
    let text = locale.text;
    let heading = menu.iter().find(|entry| Some(entry.name.as_str()) == plugin).map_or_else(
        || plugin.unwrap_or(text.dashboard).to_owned(),
        |entry| format!("{} ({})", entry.title(locale), entry.name),
    );
    let tabs = Tab::ALL.map(|tab| Link {
        href: listing::address(tab, plugin, None),
        label: tab_name(tab, text).to_owned(),
        title: String::new(),
        current: tab == list.tab,
    });
    Page {
        t: text,
        layout: Layout::new(locale, address, &menu, section),
        heading,
        figures: figures(locale, overview),
        tabs: tabs.into(),
        filters: filters(list, &menu, locale),
        tab: list.tab,
        jobs: overview.list.jobs.iter().map(|job| JobRow::new(locale, job, overview)).collect(),
        first_page: list.after.map(|_| listing::address(list.tab, plugin, None)),
        next_page: overview.list.next.map(|place| listing::address(list.tab, plugin, Some(&place))),
        queues: overview.plugins.iter().map(|plugin| QueueRow::new(locale, plugin)).collect(),
        example: example(plugin.unwrap_or("OCR")),
        news: news(locale, overview),
    }
}

/// A command that people can begin with.
fn example(plugin: &str) -> String {
    format!("taskmanager submit --plugin {plugin} --title volume-1 --source /data/volume-1/images --target /data/volume-1")
}

fn tab_name(tab: Tab, text: &Text) -> &'static str {
    match tab {
        Tab::Queue => text.tab_queue,
        Tab::Done => text.tab_done,
        Tab::Error => text.tab_error,
    }
}

fn filters(list: &ListJobs, menu: &[MenuEntry], locale: &Locale) -> Vec<Link> {
    let all = Link {
        href: listing::address(list.tab, None, None),
        label: locale.text.all_plugins.to_owned(),
        title: String::new(),
        current: list.plugin.is_none(),
    };
    let each = menu.iter().map(|plugin| Link {
        href: listing::address(list.tab, Some(&plugin.name), None),
        label: plugin.name.clone(),
        title: plugin.title(locale).to_owned(),
        current: list.plugin.as_ref() == Some(&plugin.name),
    });
    std::iter::once(all).chain(each).collect()
}

fn figures(locale: &Locale, overview: &Overview) -> Vec<Figure> {
    let text = locale.text;
    let figure = |label, value: i64, title, tone| Figure {
        label,
        value: locale.number(value),
        title,
        // Nothing to see where there is nothing.
        tone: if value == 0 { "none" } else { tone },
    };
    let paused = sum(overview, PluginRow::paused);
    let today = overview.today;
    vec![
        figure(text.running, sum(overview, PluginRow::running), "", "run"),
        figure(text.waiting, sum(overview, PluginRow::waiting) - paused, "", "wait"),
        figure(text.paused, paused, "", "hold"),
        figure(text.done_today, today.done, text.day_in_utc, "good"),
        figure(text.failed_today, today.failed, text.day_in_utc, "bad"),
        figure(text.pages_today, today.items, text.day_in_utc, "wait"),
    ]
}

fn sum(overview: &Overview, of: impl Fn(&PluginRow) -> i64) -> i64 {
    overview.plugins.iter().map(of).sum()
}

/// What is said aloud when it changes.
fn news(locale: &Locale, overview: &Overview) -> String {
    let running = locale.number(sum(overview, PluginRow::running));
    let waiting = locale.number(sum(overview, PluginRow::waiting));
    fill(locale.text.spoken_dashboard, &[&running, &waiting, &locale.number(overview.today.failed)])
}

impl From<&PluginRow> for MenuEntry {
    fn from(plugin: &PluginRow) -> Self {
        Self { name: plugin.name.clone(), title_en: plugin.title_en.clone(), title_de: plugin.title_de.clone() }
    }
}
