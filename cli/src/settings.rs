//! `taskmanager settings show|set`: the settings that belong to no plugin, and those of plugins at a glance.

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::json;

use crate::client::Client;
use crate::{Answer, output, text};

const PATH: &str = "/api/v1/settings";

/// Show and change the settings that belong to no plugin.
#[derive(Debug, Args)]
pub(crate) struct SettingsCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show how the pages are, and whether jobs start by themselves.
    ///
    /// With --json also the settings of each plugin, which `taskmanager plugin show` shows and `plugin set` changes.
    Show {
        /// Print the coordinator's answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Change how the pages are for everybody; what is not named stays.
    Set(Wish),
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct Wish {
    /// Open pages bring themselves up to date no more often than this.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=3600))]
    refresh: Option<u32>,
    /// Whether the start page lists jobs.
    #[arg(long)]
    jobs_on_dashboard: Option<Switch>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Settings {
    autostart: bool,
    autostart_since: Option<Timestamp>,
    autostart_by: Option<String>,
    pages: Pages,
}

#[derive(Debug, Default, Deserialize)]
struct Pages {
    refresh_seconds: u32,
    jobs_on_dashboard: bool,
}

pub(crate) fn run(client: &Client, command: &SettingsCommand) -> anyhow::Result<Answer> {
    let answer = client.get(PATH, &[])?;
    match &command.action {
        Action::Show { json: true } => output::json(&answer.json)?,
        Action::Show { json: false } => output::result(&render(&answer.read()?, &TimeZone::system()))?,
        Action::Set(wish) => {
            let Settings { pages, .. } = answer.read()?;
            let on = wish
                .jobs_on_dashboard
                .map_or(pages.jobs_on_dashboard, |switch| switch == Switch::On);
            let body = json!({"action": "set_pages", "jobs_on_dashboard": on,
                              "refresh_seconds": wish.refresh.unwrap_or(pages.refresh_seconds)});
            let answer = client.post(&format!("{PATH}/actions"), body.to_string().as_bytes(), &[])?;
            output::result(if answer.json["outcome"] == "unchanged" {
                "it was so already\n"
            } else {
                "set\n"
            })?;
        }
    }
    Ok(Answer::Yes)
}

fn render(settings: &Settings, zone: &TimeZone) -> String {
    let word = |on| if on { "on" } else { "off" };
    let since = settings
        .autostart_since
        .filter(|_| settings.autostart_by.is_some())
        .map(|at| format!(" since {}", text::minute(at, zone)));
    let by = settings.autostart_by.as_ref().map(|by| format!(" by {by}"));
    let autostart = format!(
        "{}{}{}",
        word(settings.autostart),
        since.unwrap_or_default(),
        by.unwrap_or_default()
    );
    let mut page = String::new();
    for (name, value) in [
        ("Autostart of all plugins", text::printable(&autostart)),
        (
            "Open pages are updated",
            format!("every {} s at most", settings.pages.refresh_seconds),
        ),
        (
            "Jobs on the start page",
            word(settings.pages.jobs_on_dashboard).to_owned(),
        ),
    ] {
        text::push_line(&mut page, &format!("{name:<24}  {value}"));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_shown_with_who_has_switched_autostart() {
        let settings = json!({
            "autostart": false, "autostart_since": "2026-07-01T06:14:32Z", "autostart_by": "anna",
            "pages": {"refresh_seconds": 5, "jobs_on_dashboard": true}
        });
        insta::assert_snapshot!(render(&serde_json::from_value(settings).unwrap(), &TimeZone::UTC));
    }
}
