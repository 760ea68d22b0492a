//! `taskmanager status`: what there is to do, what ended today, and whether it is safe to shut down.

use clap::Args;
use serde::Deserialize;

use crate::client::Client;
use crate::output::Look;
use crate::table::{self, Column};
use crate::{Answer, output, text};

/// Show today's figures, what each list comes to, and whether it is safe to shut down.
///
/// With --json also the figures of each plugin for each list.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Print the coordinator's answer as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Figures {
    safe_to_shut_down: bool,
    not_stopped: Vec<String>,
    all: FiguresOf,
    plugins: Vec<PluginFigures>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PluginFigures {
    name: String,
    #[serde(flatten)]
    figures: FiguresOf,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct FiguresOf {
    today: Today,
    queue: Sums,
    done: Sums,
    error: Sums,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Today {
    done: u64,
    failed: u64,
    pages: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Sums {
    jobs: u64,
    files: u64,
    bytes: u64,
    pages: u64,
}

pub(crate) fn run(client: &Client, arguments: &Arguments) -> anyhow::Result<Answer> {
    let answer = client.get("/api/v1/figures", &[])?;
    if arguments.json {
        output::json(&answer.json)?;
    } else {
        output::result(&render(&answer.read()?, Look::of_stdout()))?;
    }
    Ok(Answer::Yes)
}

fn render(figures: &Figures, look: Look) -> String {
    const COLUMNS: [Column; 6] = [
        Column::text("PLUGIN"),
        Column::text("LIST"),
        Column::figure("JOBS"),
        Column::figure("FILES"),
        Column::figure("PAGES DONE"),
        Column::figure("DATA READ"),
    ];
    let own = figures
        .plugins
        .iter()
        .map(|own| (own.name.as_str(), &own.figures));
    let mut rows = Vec::new();
    for (name, of) in own.chain([("all", &figures.all)]) {
        for (list, sums) in [("queue", &of.queue), ("done", &of.done), ("error", &of.error)] {
            // Of a plugin only the lists that have jobs; of all together each.
            if sums.jobs > 0 || name == "all" {
                rows.push(vec![
                    text::printable(name),
                    list.to_owned(),
                    sums.jobs.to_string(),
                    sums.files.to_string(),
                    sums.pages.to_string(),
                    text::bytes(sums.bytes),
                ]);
            }
        }
    }
    let mut page = table::render(&COLUMNS, &rows, look);
    let today = &figures.all.today;
    let today = format!(
        "Ended today: {} done, {} failed; {}.",
        text::count(today.done, "job", "jobs"),
        today.failed,
        text::count(today.pages, "page", "pages")
    );
    text::push_line(&mut page, &today);
    let shut_down = if figures.safe_to_shut_down {
        "All plugins are stopped: it is safe to shut down now.".to_owned()
    } else {
        format!(
            "To shut down for maintenance, stop all plugins first (`taskmanager plugin stop --all`); not stopped: {}.",
            figures.not_stopped.join(", ")
        )
    };
    text::push_line(&mut page, &text::printable(&shut_down));
    page
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn figures(safe: bool) -> Figures {
        let sums = |jobs: u64| json!({"jobs": jobs, "files": jobs * 4, "pages": jobs * 3, "bytes": jobs * 1_000_000});
        let none = sums(0);
        serde_json::from_value(json!({
            "safe_to_shut_down": safe, "not_stopped": if safe { json!([]) } else { json!(["JP2", "OCR"]) },
            "all": {"today": {"done": 7, "failed": 1, "pages": 640}, "queue": sums(3), "done": sums(5), "error": none},
            "plugins": [
                {"name": "JP2", "today": {}, "queue": none, "done": sums(1), "error": none},
                {"name": "NOOP", "today": {}, "queue": none, "done": none, "error": none},
                {"name": "OCR", "today": {}, "queue": sums(3), "done": sums(4), "error": none},
            ]
        }))
        .unwrap()
    }

    #[test]
    fn the_lists_with_jobs_are_shown_by_plugin_and_the_shutdown_that_has_to_wait() {
        insta::assert_snapshot!(render(&figures(false), Look::PLAIN));
    }

    #[test]
    fn once_all_plugins_are_stopped_it_is_safe_to_shut_down() {
        let page = render(&figures(true), Look::PLAIN);
        assert!(page.ends_with("it is safe to shut down now.\n"), "{page}");
    }
}
