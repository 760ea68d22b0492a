//! `taskmanager plugins`: what the workers can do, and how long the queues are.

use clap::Args;

use crate::api::{Plugin, Plugins};
use crate::client::Client;
use crate::output::Look;
use crate::table::{self, Column};
use crate::{Answer, output, text};

/// List plugins (job types) with their queues and workers.
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
    let plugins = answer.read::<Plugins>()?.plugins;
    if plugins.is_empty() {
        output::result("No plugins: a plugin appears here when the first worker that has it starts.\n")?;
    } else {
        output::result(&render(&plugins, Look::of_stdout()))?;
    }
    Ok(Answer::Yes)
}

fn render(plugins: &[Plugin], look: Look) -> String {
    const COLUMNS: [Column; 7] = [
        Column::text("PLUGIN"),
        Column::text("STATE"),
        Column::figure("QUEUED"),
        Column::figure("RUNNING"),
        Column::figure("SLOTS"),
        Column::figure("WORKERS"),
        Column::text("TITLE"),
    ];
    let rows: Vec<Vec<String>> = plugins
        .iter()
        .map(|plugin| {
            vec![
                text::printable(&plugin.name),
                text::printable(&plugin.state),
                plugin.queued.to_string(),
                plugin.running.to_string(),
                plugin.slots.to_string(),
                plugin.workers.to_string(),
                text::printable(&plugin.title_en),
            ]
        })
        .collect();
    table::render(&COLUMNS, &rows, look)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_are_listed_with_their_queues() {
        let plugins: Plugins = serde_json::from_value(serde_json::json!({"plugins": [
            {"name": "OCR", "title_en": "Text recognition", "title_de": "Texterkennung", "state": "running",
             "queued": 1203, "running": 8, "slots": 8, "workers": 2},
            {"name": "NOOP", "title_en": "Nothing", "title_de": "Nichts", "state": "stopped",
             "queued": 0, "running": 0, "slots": 16, "workers": 1},
        ]}))
        .unwrap();
        insta::assert_snapshot!(render(&plugins.plugins, Look::PLAIN));
    }
}
