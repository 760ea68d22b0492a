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
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Which jobs: unfinished ones, those that ended well, or those in ERROR or CANCELLED.
    #[arg(long, value_enum, default_value_t = Tab::Queue)]
    tab: Tab,

    /// Only jobs of this plugin.
    #[arg(long, value_name = "NAME")]
    plugin: Option<String>,

    /// Most jobs to list.
    #[arg(long, value_name = "NUMBER", default_value = "50", value_parser = limit)]
    limit: usize,

    /// Print the coordinator's answer as JSON.
    #[arg(long)]
    json: bool,
}

/// The dashboard's three lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Tab {
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
    let (jobs, next) = fetch(client, arguments)?;
    if arguments.json {
        output::json(&json!({"jobs": jobs, "next": next}))?;
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
        output::result(&format!("{}\n", arguments.tab.when_empty()))?;
    } else {
        output::result(&render(&summaries, Look::of_stdout(), &TimeZone::system()))?;
    }
    if next.is_some() {
        output::note(&format!(
            "the first {} jobs are shown; --limit shows more",
            summaries.len()
        ));
    }
    Ok(Answer::Yes)
}

/// Collects pages until the limit or the end is reached.
fn fetch(client: &Client, arguments: &Arguments) -> anyhow::Result<(Vec<Value>, Option<String>)> {
    let mut jobs = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let size = (arguments.limit - jobs.len()).min(PAGE_SIZE).to_string();
        let mut query = vec![("tab", arguments.tab.name()), ("limit", &size)];
        query.extend(arguments.plugin.as_deref().map(|plugin| ("plugin", plugin)));
        query.extend(after.as_deref().map(|cursor| ("after", cursor)));
        let page: Jobs = client.get("/api/v1/jobs", &query)?.read()?;
        // A page without jobs ends the list whatever it says, so that the loop always ends.
        let ended = page.next.is_none() || page.jobs.is_empty();
        jobs.extend(page.jobs);
        if ended || jobs.len() >= arguments.limit {
            return Ok((jobs, page.next));
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
    let detail = job.error_line().or(job.detail.as_deref()).unwrap_or_default();
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
                &json!({"priority": 10, "title": "Ein Titel, der so lang ist, dass er gekürzt werden muß"}),
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
