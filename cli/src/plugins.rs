//! `taskmanager plugins`: what the workers can do, how long the queues are, and what is stopped and why.

mod page;

use std::time::Duration;

use clap::Args;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::api::{Plugin, Plugins};
use crate::client::Client;
use crate::output::Look;
use crate::table::{self, Column};
use crate::{Answer, output, text};

/// List plugins (job types) with their queues and workers, and why they are stopped.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Print the coordinator's answer as JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(client: &Client, arguments: &Arguments) -> anyhow::Result<Answer> {
    let answer = client.get("/api/v1/plugins", &[])?;
    if arguments.json {
        output::json(&answer.json)?;
        return Ok(Answer::Yes);
    }
    let plugins: Plugins = answer.read()?;
    if plugins.plugins.is_empty() {
        output::result("No plugins: a plugin appears here when the first worker that has it starts.\n")?;
    } else {
        output::result(&render(&plugins, Look::of_stdout(), &TimeZone::system()))?;
    }
    Ok(Answer::Yes)
}

/// `taskmanager plugin show`.
pub(crate) fn show(client: &Client, name: &str, as_json: bool) -> anyhow::Result<Answer> {
    let answer = client.get("/api/v1/plugins", &[])?;
    let name = name.to_uppercase();
    let documents = answer.json["plugins"].as_array();
    let document = documents.and_then(|all| all.iter().find(|plugin| plugin["name"] == name.as_str()));
    let plugins: Plugins = answer.read()?;
    let (Some(document), Some(plugin)) = (
        document,
        plugins.plugins.iter().find(|plugin| plugin.name == name),
    ) else {
        anyhow::bail!(
            "there is no plugin {}: `taskmanager plugins` lists all",
            text::printable(&name)
        );
    };
    if as_json {
        output::json(document)?;
    } else {
        let off = plugins.autostart == Some(false);
        output::result(&page::render(plugin, off, Look::of_stdout(), &TimeZone::system()))?;
    }
    Ok(Answer::Yes)
}

fn render(plugins: &Plugins, look: Look, zone: &TimeZone) -> String {
    const COLUMNS: [Column; 10] = [
        Column::text("PLUGIN"),
        Column::text("STATE"),
        Column::figure("QUEUED"),
        Column::figure("RUNNING"),
        Column::figure("SLOTS"),
        Column::figure("WORKERS"),
        Column::text("OLDEST WAITS"),
        Column::text("AUTOSTART"),
        Column::text("TITLE"),
        Column::text("STANDING"),
    ];
    let rows: Vec<Vec<String>> = plugins
        .plugins
        .iter()
        .map(|plugin| {
            vec![
                text::printable(&plugin.name),
                text::printable(&plugin.state),
                plugin.queued.to_string(),
                plugin.running.to_string(),
                plugin.slots.to_string(),
                plugin.workers.to_string(),
                longest_wait(plugin),
                if plugin.autostart == Some(false) {
                    "off"
                } else {
                    ""
                }
                .to_owned(),
                text::printable(&plugin.title_en),
                standing(plugin, zone),
            ]
        })
        .collect();
    let mut page = table::render(&COLUMNS, &rows, look);
    if plugins.autostart == Some(false) {
        let at = plugins
            .autostart_since
            .map(|at| format!(" since {}", text::minute(at, zone)));
        let by = plugins.autostart_by.as_ref().map(|by| format!(" by {by}"));
        let line = format!(
            "New jobs of all plugins wait for somebody to start them: autostart is off{}{}.",
            at.unwrap_or_default(),
            by.unwrap_or_default()
        );
        text::push_line(&mut page, &text::printable(&line));
    }
    page
}

/// How long its oldest job has waited; nothing where that is less than a second.
fn longest_wait(plugin: &Plugin) -> String {
    let waited = Duration::try_from_secs_f64(plugin.longest_wait_seconds).unwrap_or_default();
    if waited.as_secs() == 0 {
        String::new()
    } else {
        text::roughly(waited)
    }
}

/// Since when, by whom and why a plugin is stopped, and until when; nothing while it runs.
fn standing(plugin: &Plugin, zone: &TimeZone) -> String {
    if plugin.state == "running" {
        return String::new();
    }
    let mut said = Vec::new();
    let since = plugin.since.map(|at| format!("since {}", text::minute(at, zone)));
    let by = plugin.by.as_ref().map(|by| format!("by {by}"));
    let since: Vec<String> = since.into_iter().chain(by).collect();
    said.extend(Some(since.join(" ")).filter(|since| !since.is_empty()));
    said.extend(plugin.reason.clone().filter(|reason| !reason.is_empty()));
    if plugin.state == "stopping" {
        let interrupts = |at| format!("interrupts its jobs at {}", text::minute(at, zone));
        said.extend(plugin.deadline.map(interrupts));
    }
    said.extend(
        plugin
            .resume_at
            .map(|at| format!("starts again at {}", text::minute(at, zone))),
    );
    text::printable(&said.join("; "))
}

/// A value of a setting; null is no limit.
fn setting(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        other => text::printable(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plugins() -> Plugins {
        serde_json::from_value(serde_json::json!({
            "autostart": false, "autostart_since": "2026-07-01T06:14:32Z", "autostart_by": "anna",
            "plugins": [
                {"name": "OCR", "title_en": "Text recognition", "title_de": "Texterkennung", "state": "running",
                 "since": "2026-07-01T06:14:32Z", "by": "anna", "queued": 1203, "running": 8, "slots": 8, "workers": 2,
                 "longest_wait_seconds": 7_800.5, "autostart": true},
                {"name": "NOOP", "title_en": "Nothing", "title_de": "Nichts", "state": "stopped", "autostart": false,
                 "since": "2026-07-01T06:14:32Z", "by": "anna", "reason": "new disks\u{1b}[2J",
                 "resume_at": "2026-07-02T06:00:00Z", "queued": 0, "running": 0, "slots": 16, "workers": 1},
                {"name": "JP2", "title_en": "Pictures", "state": "stopping", "since": "2026-07-01T06:14:32Z",
                 "by": "bert", "reason": null, "deadline": "2026-07-01T06:24:32Z", "queued": 0, "running": 2,
                 "slots": 4, "workers": 1},
            ]
        }))
        .unwrap()
    }

    #[test]
    fn plugins_are_listed_with_their_queues_and_why_they_are_stopped() {
        insta::assert_snapshot!(render(&plugins(), Look::PLAIN, &TimeZone::UTC));
    }
}
