//! `taskmanager audit`: who has done what.

use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::Client;
use crate::output::Look;
use crate::table::{self, Column};
use crate::{Answer, output, text};

/// Show who has done what, the newest first.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Only what this user, token or program has done.
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    /// Only what concerns this plugin and its jobs.
    #[arg(long, value_name = "NAME")]
    plugin: Option<String>,
    /// Only what concerns this job.
    #[arg(long, value_name = "ID")]
    job: Option<String>,
    /// Only lines with smaller numbers than this, to go on where the last output ended.
    #[arg(long, value_name = "NUMBER")]
    before: Option<i64>,
    /// Most lines.
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Print the coordinator's answer as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Deserialize)]
struct Page {
    lines: Vec<Value>,
    #[serde(default)]
    next: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    id: i64,
    at: Option<Timestamp>,
    actor: String,
    action: String,
    details: Value,
    plugin: Option<String>,
    job_id: Option<String>,
    worker_id: Option<String>,
    account: Option<String>,
    outcome: String,
}

pub(crate) fn run(client: &Client, arguments: &Arguments) -> anyhow::Result<Answer> {
    let Page { lines, next } = fetch(client, arguments)?;
    if arguments.json {
        let mut document = json!({"lines": lines});
        if let Some(next) = next {
            document["next"] = next.into();
        }
        output::json(&document)?;
        return Ok(Answer::Yes);
    }
    let lines = lines
        .iter()
        .map(Line::deserialize)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| {
            anyhow::anyhow!(
                "{} sent a line that can't be read ({error}): update the command line",
                client.server()
            )
        })?;
    if lines.is_empty() {
        output::result("Nobody has done anything of that kind.\n")?;
    } else {
        output::result(&render(&lines, Look::of_stdout(), &TimeZone::system()))?;
    }
    if let Some(next) = next {
        output::note(&format!("there may be older lines: --before {next} shows them"));
    }
    Ok(Answer::Yes)
}

/// Collects parts until the limit or the end is reached.
fn fetch(client: &Client, arguments: &Arguments) -> anyhow::Result<Page> {
    let limit = usize::try_from(arguments.limit)?;
    let mut lines = Vec::new();
    let mut before = arguments.before;
    loop {
        let number = before.map(|before| before.to_string());
        let query: Vec<(&str, &str)> = [
            ("actor", arguments.who.as_deref()),
            ("plugin", arguments.plugin.as_deref()),
            ("job", arguments.job.as_deref()),
            ("before", number.as_deref()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
        let page: Page = client.get("/api/v1/audit", &query)?.read()?;
        // Numbers only fall, so that the loop always ends, whatever an answer says.
        let next = page
            .next
            .filter(|next| before.is_none_or(|before| *next < before));
        lines.extend(page.lines);
        if lines.len() > limit {
            lines.truncate(limit);
            let last = lines.last().and_then(|line| line["id"].as_i64());
            return Ok(Page { lines, next: last });
        }
        if next.is_none() || lines.len() == limit {
            return Ok(Page { lines, next });
        }
        before = next;
    }
}

fn render(lines: &[Line], look: Look, zone: &TimeZone) -> String {
    const COLUMNS: [Column; 7] = [
        Column::figure("NUMBER"),
        Column::text("TIME"),
        Column::text("WHO"),
        Column::text("WHAT"),
        Column::text("OUTCOME"),
        Column::text("WITH"),
        Column::text("DETAILS"),
    ];
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(|line| {
            let objects = [&line.plugin, &line.job_id, &line.worker_id, &line.account];
            let with: Vec<&str> = objects
                .into_iter()
                .filter_map(Option::as_deref)
                .filter(|name| !name.is_empty())
                .collect();
            vec![
                line.id.to_string(),
                line.at.map(|at| text::minute(at, zone)).unwrap_or_default(),
                text::printable(&line.actor),
                text::printable(&line.action),
                text::printable(&line.outcome),
                text::printable(&with.join(" ")),
                text::printable(&details(&line.details)),
            ]
        })
        .collect();
    table::render(&COLUMNS, &rows, look)
}

/// What was asked for beside the action's name, where it says anything: `deadline_seconds=60 reason="new disks"`.
fn details(details: &Value) -> String {
    let Some(fields) = details.as_object() else {
        return String::new();
    };
    let said = fields
        .iter()
        .filter(|(name, value)| *name != "action" && !value.is_null());
    let said: Vec<String> = said.map(|(name, value)| format!("{name}={value}")).collect();
    said.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_says_when_who_what_with_what_and_what_came_of_it() {
        let lines: Vec<Line> = serde_json::from_value(json!([
            {"id": 1204, "at": "2026-07-01T06:14:32Z", "actor": "anna", "action": "stop", "plugin": "OCR",
             "details": {"action": "stop", "reason": "new disks", "deadline_seconds": 60, "resume_at": null},
             "job_id": null, "worker_id": null, "account": null, "outcome": "done"},
            {"id": 7, "at": "2026-06-01T06:14:32Z", "actor": "token Goobi\u{1b}[2J", "action": "cancel",
             "plugin": "JP2", "details": {"action": "cancel"}, "job_id": "0198c0de-0000-7000-8000-000000000001",
             "worker_id": null, "account": null, "outcome": "forbidden"},
        ]))
        .unwrap();
        insta::assert_snapshot!(render(&lines, Look::PLAIN, &TimeZone::UTC));
    }
}
