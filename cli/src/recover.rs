//! `taskmanager recover`: after the database was put back from a copy.

mod stores;

use clap::Args;
use serde::Deserialize;
use serde_json::json;

use crate::client::Client;
use crate::{Answer, output, text};
use stores::Stores;

/// Say what a database that was put back from a copy does not know, and what to do
///
/// Without an option nothing is changed. Ends with 1 while a restore, or an item store that no job has, waits for somebody
/// to look after it.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "one for each option")]
pub(crate) struct Arguments {
    /// You have read it: end the notices. Plugins stay stopped until you start them.
    #[arg(long, conflicts_with = "declare")]
    apply: bool,
    /// Nothing shows it, but this is a copy (a snapshot of the storage): stop all plugins.
    #[arg(long)]
    declare: bool,
    /// Have all workers look once more for item stores that no job has; they tell within a minute.
    #[arg(long, conflicts_with_all = ["apply", "declare"])]
    look: bool,
    /// Remove these item stores, which no job has, with all that is in them: the ids that this command shows.
    #[arg(long, value_name = "ID", num_args = 1.., conflicts_with_all = ["apply", "declare", "look"])]
    remove_store: Vec<String>,
    /// Print the coordinator's answer as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Report {
    restore: Option<Restore>,
    unfinished: Vec<Unfinished>,
    were_running: Vec<WasRunning>,
    deliveries_pending: u64,
    deliveries_unclear: Vec<String>,
    granted: Vec<Granted>,
    stores: Stores,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Granted {
    id: String,
    plugin: String,
    title: String,
    target: Option<String>,
    files: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Restore {
    from: String,
    how: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Unfinished {
    plugin: String,
    plugin_state: String,
    jobs: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WasRunning {
    id: String,
    plugin: String,
    title: String,
    state: String,
    target: Option<String>,
    publishing: bool,
}

pub(crate) fn run(client: &Client, arguments: &Arguments) -> anyhow::Result<Answer> {
    if arguments.look || !arguments.remove_store.is_empty() {
        return stores::act(client, arguments);
    }
    let action = if arguments.apply {
        Some("apply")
    } else {
        arguments.declare.then_some("declare")
    };
    let answer = match action {
        None => client.get("/api/v1/recovery", &[])?,
        Some(action) => {
            let body = json!({ "action": action }).to_string();
            client.post("/api/v1/recovery/actions", body.as_bytes(), &[])?
        }
    };
    let report: Report = answer.read()?;
    if arguments.json {
        output::json(&answer.json)?;
    } else {
        output::result(&render(&report, arguments.apply))?;
    }
    let open = (report.restore.is_some() && !arguments.apply) || report.stores.total > 0;
    Ok(if open { Answer::No } else { Answer::Yes })
}

fn render(report: &Report, applied: bool) -> String {
    let mut page = String::new();
    let mut line = |said: &str| text::push_line(&mut page, &text::printable(said));
    let Some(restore) = &report.restore else {
        line("This database is the one that was written to last: there is nothing to recover.");
        report.stores.tell(&mut line);
        return page;
    };
    line(&format!(
        "This database was put back from a copy of about {} ({}).",
        restore.from, restore.how
    ));
    line("What happened since is not known here:");
    line("- Jobs that were submitted since are lost: their submitters have to submit them again.");
    line("- Jobs that ended since are unfinished again; they are done once more, and replace their outputs.");
    line(
        "- What people did since (holds, priorities, limits, stops), statistics and page contracts are as they were.",
    );
    for plugin in &report.unfinished {
        line(&format!(
            "Plugin {} is {}; unfinished jobs: {}",
            plugin.plugin, plugin.plugin_state, plugin.jobs
        ));
    }
    for job in &report.were_running {
        let doing = if job.publishing {
            "its outputs were being put in place, and only that is completed"
        } else {
            "it goes on from what is left in its item store"
        };
        line(&format!(
            "Job {} ({} {}, now {}) ran when the copy was made: {doing}; its outputs: {}",
            job.id,
            job.plugin,
            job.title,
            job.state,
            job.target.as_deref().unwrap_or("none")
        ));
    }
    for job in &report.granted {
        line(&format!(
            "Job {} ({} {}) has a manifest that was granted and not completed: only its {} files are put in place; its \
             outputs: {}",
            job.id,
            job.plugin,
            job.title,
            job.files,
            job.target.as_deref().unwrap_or("none")
        ));
    }
    line(&format!(
        "Messages to other systems that are sent, perhaps for the second time: {}",
        report.deliveries_pending
    ));
    for job in &report.deliveries_unclear {
        line(&format!(
            "Job {job} has a message that may have arrived and must not be repeated: look at its receiver, then \
             `taskmanager send-again {job}`"
        ));
    }
    report.stores.tell(&mut line);
    line(if applied {
        "Noted. Start the plugins when you are ready: `taskmanager plugin start --all`"
    } else {
        "When you have read this: `taskmanager recover --apply`, then start the plugins."
    });
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_says_what_is_lost_what_is_done_again_and_what_to_do() {
        let report: Report = serde_json::from_value(json!({
            "restore": {"at": "2026-07-02T06:00:00Z", "from": "2026-07-01T06:00:00Z", "how": "a person has said so"},
            "unfinished": [{"plugin": "OCR", "plugin_state": "stopped", "jobs": 2}],
            "were_running": [{"id": "0198", "plugin": "OCR", "title": "Kochbuch", "state": "QUEUED",
                              "target": "/data/27", "publishing": false}],
            "deliveries_pending": 1, "deliveries_unclear": ["0199"],
            "granted": [{"id": "0197", "plugin": "OCR", "title": "Atlas", "target": "/data/28", "files": 12}],
            "stores": {
                "total": 3, "not_told": ["ocr-2"], "problems": ["ocr-1: /scans does not answer"],
                "stores": [{"store": "01a0", "folder": "/data/29/.taskmanager-01a0", "worker": "ocr-1",
                            "first_seen": "2026-07-02T06:01:00Z", "last_seen": "2026-07-02T06:02:00Z"}]
            }
        }))
        .unwrap();
        insta::assert_snapshot!(render(&report, false));
    }

    #[test]
    fn without_a_restore_there_is_nothing_to_recover() {
        assert!(render(&Report::default(), false).contains("nothing to recover"));
    }
}
