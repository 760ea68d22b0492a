//! `taskmanager worker list`, `drain` and `pod-costs`: who works, and how workers end without harm.

use clap::{Args, Subcommand};
use jiff::Timestamp;

use crate::api::{JobAtWork, Worker, Workers};
use crate::client::Client;
use crate::output::Look;
use crate::pod_costs::{self, PodCosts};
use crate::table::{self, Column};
use crate::{Answer, output, text};

/// List and drain workers.
#[derive(Debug, Args)]
pub(crate) struct WorkerCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the workers that were heard of in the last day.
    List {
        /// Print the coordinator's answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Let a worker take no new jobs, give back those that it has at their next page, and end.
    Drain {
        /// Its id or, where only one worker that is alive has it, its name.
        worker: String,
    },
    PodCosts(PodCosts),
}

pub(crate) fn run(client: &Client, command: &WorkerCommand) -> anyhow::Result<Answer> {
    let ask = || client.get("/api/v1/workers", &[]);
    match &command.action {
        Action::PodCosts(command) => return pod_costs::run(client, command),
        Action::List { json: true } => output::json(&ask()?.json)?,
        Action::List { json: false } => {
            let workers: Workers = ask()?.read()?;
            if workers.workers.is_empty() {
                output::result("No workers: one appears here when it has reached RabbitMQ.\n")?;
            } else {
                output::result(&render(&workers, Look::of_stdout()))?;
            }
        }
        Action::Drain { worker } => {
            let workers = ask()?.read::<Workers>()?.workers;
            let worker = find(&workers, worker)?;
            let path = format!("/api/v1/workers/{}/actions", in_path(&worker.id));
            client.post(&path, br#"{"action": "drain"}"#, &[])?;
            let name = text::printable(&worker.name);
            output::result(&format!(
                "{name}: draining; it ends when its last job has reached its next page\n"
            ))?;
        }
    }
    Ok(Answer::Yes)
}

/// The worker that is meant.
fn find<'a>(workers: &'a [Worker], wanted: &str) -> anyhow::Result<&'a Worker> {
    if let Some(worker) = workers.iter().find(|worker| worker.id == wanted) {
        return Ok(worker);
    }
    let named: Vec<&Worker> = workers
        .iter()
        .filter(|worker| worker.alive && worker.name == wanted)
        .collect();
    match named[..] {
        [worker] => Ok(worker),
        [] => anyhow::bail!("no worker {wanted} is alive: `taskmanager worker list` shows names and ids"),
        _ => {
            let ids: Vec<&str> = named.iter().map(|worker| worker.id.as_str()).collect();
            anyhow::bail!(
                "several workers are called {wanted}, give the id: {}",
                ids.join(", ")
            )
        }
    }
}

/// An id as one part of a path: it has slashes of its own.
fn in_path(id: &str) -> String {
    use std::fmt::Write as _;
    let mut path = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            write!(path, "%{byte:02X}").expect("writing to a String succeeds");
        }
    }
    path
}

fn render(workers: &Workers, look: Look) -> String {
    const COLUMNS: [Column; 10] = [
        Column::text("WORKER"),
        Column::text("STATE"),
        Column::figure("RUNNING"),
        Column::text("PLUGINS"),
        Column::text("LAST SIGN"),
        Column::figure("MEMORY"),
        Column::text("VERSION"),
        Column::text("HOST"),
        Column::text("ID"),
        Column::text("JOBS"),
    ];
    let rows: Vec<Vec<String>> = workers
        .workers
        .iter()
        .map(|worker| {
            let state = match (worker.alive, worker.draining) {
                (false, _) => "gone",
                (true, true) => "draining",
                (true, false) => "working",
            };
            vec![
                text::printable(&worker.name),
                state.to_owned(),
                worker.running.to_string(),
                text::printable(&worker.plugins.join(" ")),
                last_sign(worker, workers.now),
                worker.rss_bytes.map(text::bytes).unwrap_or_default(),
                text::printable(&worker.version),
                text::printable(&worker.host),
                text::printable(&worker.id),
                jobs(&worker.jobs),
            ]
        })
        .collect();
    table::render(&COLUMNS, &rows, look)
}

/// How long ago a worker was heard of, both by the database's clock.
fn last_sign(worker: &Worker, now: Option<Timestamp>) -> String {
    let (Some(at), Some(now)) = (worker.heartbeat_at, now) else {
        return String::new();
    };
    let ago = text::between(at, now).unwrap_or_default();
    format!("{} ago", text::roughly(ago))
}

fn jobs(jobs: &[JobAtWork]) -> String {
    let each = jobs.iter().map(|job| format!("{} ({})", job.title, job.id));
    text::printable(&each.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workers() -> Workers {
        serde_json::from_value(serde_json::json!({"now": "2026-07-01T06:14:32Z", "workers": [
            {"id": "ocr-1/3f0c9d1e/a", "name": "ocr-1", "host": "node-7", "version": "0.1.0", "alive": true,
             "draining": false, "running": 2, "plugins": ["NOOP=4", "OCR=2"], "rss_bytes": 1_500_000,
             "heartbeat_at": "2026-07-01T06:14:25Z", "jobs": [{"id": "0198c0de", "title": "Kochbuch\u{1b}[2J"},
             {"id": "0198c0df", "title": "Bibel"}]},
            {"id": "ocr-1/3f0c9d1e/b", "name": "ocr-1", "host": "node-7", "version": "0.1.0", "alive": false,
             "draining": true, "running": 0, "plugins": ["OCR=2"], "rss_bytes": null,
             "heartbeat_at": "2026-07-01T04:14:25Z", "jobs": []},
            {"id": "twin/1", "name": "twin", "host": "node-8", "version": "0.1.0", "alive": true,
             "draining": true, "running": 1, "plugins": []},
            {"id": "twin/2", "name": "twin", "host": "node-8", "version": "0.1.0", "alive": true,
             "draining": false, "running": 0, "plugins": []},
        ]}))
        .unwrap()
    }

    #[test]
    fn workers_are_listed_with_what_they_do() {
        insta::assert_snapshot!(render(&workers(), Look::PLAIN));
    }

    #[test]
    fn a_worker_is_found_by_its_id_or_by_a_name_that_only_one_living_has() {
        let workers = workers().workers;
        assert_eq!(find(&workers, "ocr-1").unwrap().id, "ocr-1/3f0c9d1e/a");
        assert_eq!(find(&workers, "ocr-1/3f0c9d1e/b").unwrap().id, "ocr-1/3f0c9d1e/b");
        assert!(
            find(&workers, "twin")
                .unwrap_err()
                .to_string()
                .contains("twin/1, twin/2")
        );
        assert!(
            find(&workers, "ocr")
                .unwrap_err()
                .to_string()
                .contains("worker list")
        );
    }

    #[test]
    fn an_id_is_one_part_of_a_path_whatever_is_in_it() {
        assert_eq!(in_path("a-1/b?c %ü"), "a-1%2Fb%3Fc%20%25%C3%BC");
    }
}
