//! `taskmanager list`: jobs as an aligned table.

use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{Jobs, Summary};
use crate::client::Client;
use crate::output::Look;
use crate::table::{self, Column};
use crate::{Answer, output, text};

/// Most jobs that one request asks for.
const PAGE_SIZE: usize = 100;
/// Most columns that a title takes in the table.
const TITLE_WIDTH_MAX: usize = 40;

/// List jobs.
///
/// Running jobs come first, then waiting ones in the order in which they will be served; ended ones newest first.
/// Whoever searches (by title, error, process, step, state or time) gets unfinished and ended jobs in one list, each the
/// newest first.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Which jobs: unfinished ones (so without any option), those that ended well, or those in ERROR or CANCELLED.
    #[arg(long, value_enum)]
    tab: Option<Tab>,

    /// Only jobs of this plugin.
    #[arg(long, value_name = "NAME")]
    plugin: Option<String>,

    #[command(flatten)]
    search: Search,

    /// Most jobs to list.
    #[arg(long, value_name = "NUMBER", default_value = "50", value_parser = limit)]
    limit: usize,

    /// Print the coordinator's answer as JSON.
    #[arg(long)]
    json: bool,
}

/// What to search for; all of it has to fit.
#[derive(Debug, Args)]
#[command(next_help_heading = "Search")]
struct Search {
    /// A part of the title, in capitals or not: three letters or digits at least.
    #[arg(long, value_name = "PART")]
    title: Option<String>,

    /// A part of the error, in capitals or not: three letters or digits at least.
    #[arg(long, value_name = "PART")]
    error: Option<String>,

    /// The workflow's process.
    #[arg(long, value_name = "ID")]
    process: Option<String>,

    /// The workflow's step.
    #[arg(long, value_name = "ID")]
    step: Option<String>,

    /// A state, such as PROCESSING or PAUSED.
    #[arg(long, value_name = "STATE", conflicts_with = "tab")]
    state: Option<String>,

    /// Submitted on this day or at this moment, or later: 2026-11-22 or 2026-11-22T08:00:00Z.
    #[arg(long, value_name = "TIME")]
    submitted_from: Option<String>,

    /// Submitted on this day or earlier, or before this moment.
    #[arg(long, value_name = "TIME")]
    submitted_to: Option<String>,

    /// Ended on this day or at this moment, or later.
    #[arg(long, value_name = "TIME")]
    finished_from: Option<String>,

    /// Ended on this day or earlier, or before this moment.
    #[arg(long, value_name = "TIME")]
    finished_to: Option<String>,
}

impl Search {
    /// Names and values of what is searched for, as the coordinator takes them.
    fn parameters(&self) -> Vec<(&'static str, &str)> {
        [
            ("title", &self.title),
            ("error", &self.error),
            ("process", &self.process),
            ("step", &self.step),
            ("state", &self.state),
            ("submitted_from", &self.submitted_from),
            ("submitted_to", &self.submitted_to),
            ("finished_from", &self.finished_from),
            ("finished_to", &self.finished_to),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)))
        .collect()
    }
}

/// The dashboard's three lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Tab {
    #[default]
    Queue,
    Done,
    Error,
}

impl Tab {
    fn name(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Done => "done",
            Self::Error => "error",
        }
    }

    fn when_empty(self) -> &'static str {
        match self {
            Self::Queue => "No unfinished jobs.",
            Self::Done => "No jobs that ended well.",
            Self::Error => "No jobs that ended in ERROR or CANCELLED.",
        }
    }
}

fn limit(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("use a whole number above 0".to_owned()),
    }
}

pub(crate) fn run(client: &Client, arguments: &Arguments) -> anyhow::Result<Answer> {
    let Fetched {
        jobs,
        next,
        incomplete,
    } = fetch(client, arguments)?;
    if arguments.json {
        let mut document = json!({"jobs": jobs, "next": next});
        if incomplete {
            document["incomplete"] = Value::Bool(true);
        }
        output::json(&document)?;
        return Ok(Answer::Yes);
    }
    let summaries = jobs
        .iter()
        .map(Summary::deserialize)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| {
            anyhow::anyhow!(
                "{} listed a job that can't be read ({error}): update the command line",
                client.server()
            )
        })?;
    if summaries.is_empty() {
        let when_empty = if arguments.search.parameters().is_empty() {
            arguments.tab.unwrap_or_default().when_empty()
        } else {
            "No jobs match."
        };
        output::result(&format!("{when_empty}\n"))?;
    } else {
        output::result(&render(&summaries, Look::of_stdout(), &TimeZone::system()))?;
    }
    if next.is_some() {
        let shown = u64::try_from(summaries.len()).unwrap_or(u64::MAX);
        output::note(&format!(
            "only the first {} shown; --limit shows more",
            text::count(shown, "job is", "jobs are")
        ));
    }
    if incomplete {
        output::note(
            "too many jobs match for all of them to be looked at, so that older ones may be missing: narrow the search, \
             for example with --finished-from and --finished-to",
        );
    }
    Ok(Answer::Yes)
}

/// What was listed.
#[derive(Debug)]
struct Fetched {
    jobs: Vec<Value>,
    next: Option<String>,
    /// A search was broken off.
    incomplete: bool,
}

/// Collects pages until the limit or the end is reached.
fn fetch(client: &Client, arguments: &Arguments) -> anyhow::Result<Fetched> {
    let mut jobs = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let size = (arguments.limit - jobs.len()).min(PAGE_SIZE).to_string();
        let search = arguments.search.parameters();
        // Without a tab a search is about all jobs, and a list about the unfinished ones.
        let tab = arguments.tab.or_else(|| search.is_empty().then_some(Tab::Queue));
        let mut query: Vec<_> = tab.map(|tab| ("tab", tab.name())).into_iter().collect();
        query.push(("limit", size.as_str()));
        query.extend(search);
        query.extend(arguments.plugin.as_deref().map(|plugin| ("plugin", plugin)));
        query.extend(after.as_deref().map(|cursor| ("after", cursor)));
        let page: Jobs = client.get("/api/v1/jobs", &query)?.read()?;
        // A page without jobs ends the list whatever it says, so that the loop always ends.
        let ended = page.next.is_none() || page.jobs.is_empty();
        jobs.extend(page.jobs);
        if ended || jobs.len() >= arguments.limit {
            return Ok(Fetched {
                jobs,
                next: page.next,
                incomplete: page.incomplete,
            });
        }
        after = page.next;
    }
}

fn render(jobs: &[Summary], look: Look, zone: &TimeZone) -> String {
    const COLUMNS: [Column; 9] = [
        Column::text("ID"),
        Column::text("STATE"),
        Column::figure("PRIO"),
        Column::figure("PROGRESS"),
        Column::text("PAGES"),
        Column::text("PLUGIN"),
        Column::text("SUBMITTED"),
        Column::text("TITLE"),
        Column::text("DETAIL"),
    ];
    let rows: Vec<Vec<String>> = jobs.iter().map(|job| row(job, look, zone)).collect();
    table::render(&COLUMNS, &rows, look)
}

fn row(job: &Summary, look: Look, zone: &TimeZone) -> Vec<String> {
    let pages = match (job.items_total, job.items_failed) {
        (0, _) => String::new(),
        (total, 0) => format!("{}/{total}", job.items_done),
        (total, failed) => format!("{}/{total} ({failed} failed)", job.items_done),
    };
    let detail = detail(job);
    let title = text::printable(&job.title);
    vec![
        text::printable(&job.id),
        look.state(&job.state, &text::printable(&job.state)),
        job.priority.to_string(),
        text::percent(job.percent),
        pages,
        text::printable(&job.plugin),
        job.submitted_at
            .map(|at| text::minute(at, zone))
            .unwrap_or_default(),
        console::truncate_str(&title, TITLE_WIDTH_MAX, "…").into_owned(),
        text::printable(detail),
    ]
}

/// What went wrong, what a worker does with it, or what it waits for: the first of these that there is.
fn detail(job: &Summary) -> &str {
    let texts = [job.error_line(), job.detail.as_deref(), job.waits_for.as_deref()];
    let said = |text: &&str| !text.is_empty();
    texts.into_iter().flatten().find(said).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(id: &str, rest: &Value) -> Summary {
        let mut document = json!({
            "id": format!("0198c0de-0000-7000-8000-00000000000{id}"), "plugin": "OCR", "title": "Kochbuch 1884",
            "state": "QUEUED", "priority": 5, "percent": 0.0, "items_done": 0, "items_failed": 0, "items_total": 0,
            "bytes": 0, "detail": "", "error": null, "submitted_at": "2026-07-01T06:14:32Z", "started_at": null,
            "finished_at": null, "process_id": null, "step_id": null
        });
        for (name, value) in rest.as_object().unwrap() {
            document[name] = value.clone();
        }
        serde_json::from_value(document).unwrap()
    }

    #[test]
    fn jobs_are_listed_in_aligned_columns() {
        let jobs = [
            job(
                "1",
                &json!({"state": "PROCESSING", "percent": 50.0, "items_done": 2, "items_total": 4,
                             "detail": "page 3 of 4"}),
            ),
            job(
                "2",
                &json!({"priority": 10, "waits_for": "a free slot: place 3 in its line", "title": "Ein Titel, der so lang ist, dass er gekürzt werden muß"}),
            ),
            job(
                "3",
                &json!({"state": "ERROR", "percent": 75.0, "items_done": 3, "items_failed": 1, "items_total": 4,
                             "error": "page 00000002.jpg: unreadable\nmore"}),
            ),
        ];
        insta::assert_snapshot!(render(&jobs, Look::PLAIN, &TimeZone::UTC));
    }

    #[test]
    fn a_limit_is_a_number_above_zero() {
        assert_eq!(limit("1"), Ok(1));
        assert!(limit("0").is_err() && limit("-1").is_err() && limit("x").is_err());
    }
}
