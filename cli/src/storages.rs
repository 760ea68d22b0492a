//! `taskmanager storage list|set|remove`: how many jobs use a folder's storage at once, and how many move data there.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::api::{Storage, Storages};
use crate::client::Client;
use crate::control::limit;
use crate::output::Look;
use crate::table::{self, Column};
use crate::{Answer, output, text};

/// Limit how many jobs use a storage at once.
#[derive(Debug, Args)]
pub(crate) struct StorageCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the storages with their limits.
    List {
        /// Print the coordinator's answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Set limits of a storage; what is not named stays.
    Set {
        /// Its folder, as workers see it: all that lies beneath belongs to it.
        path: String,
        /// What people call it.
        #[arg(long)]
        title: Option<String>,
        /// Jobs that use it at once at most; `none`: no limit.
        #[arg(long, value_name = "NUMBER")]
        running_max: Option<String>,
        /// Jobs that read their input from it or put outputs in place on it at once at most; `none`: no limit.
        #[arg(long, value_name = "NUMBER")]
        transfers_max: Option<String>,
    },
    /// Forget a storage and its limits.
    Remove {
        /// Its folder.
        path: String,
    },
}

pub(crate) fn run(client: &Client, command: &StorageCommand) -> anyhow::Result<Answer> {
    match &command.action {
        Action::List { json } => {
            let answer = client.get("/api/v1/storages", &[])?;
            if *json {
                output::json(&answer.json)?;
            } else {
                let storages = answer.read::<Storages>()?.storages;
                if storages.is_empty() {
                    output::result("No storage has a limit: `taskmanager storage set` gives it one.\n")?;
                } else {
                    output::result(&render(&storages, Look::of_stdout()))?;
                }
            }
        }
        Action::Set {
            path,
            title,
            running_max,
            transfers_max,
        } => {
            let body = settings(
                path,
                title.as_deref(),
                running_max.as_deref(),
                transfers_max.as_deref(),
            )?;
            act(client, path, &body, "set")?;
        }
        Action::Remove { path } => {
            act(
                client,
                path,
                &json!({"action": "remove", "path": path}),
                "removed",
            )?;
        }
    }
    Ok(Answer::Yes)
}

fn settings(
    path: &str,
    title: Option<&str>,
    running_max: Option<&str>,
    transfers_max: Option<&str>,
) -> anyhow::Result<Value> {
    let fields = [
        ("title", title.map(Value::from)),
        ("running_max", limit("--running-max", running_max)?),
        ("transfers_max", limit("--transfers-max", transfers_max)?),
    ];
    let mut body = Map::from_iter([
        ("action".to_owned(), "set".into()),
        ("path".to_owned(), path.into()),
    ]);
    for (name, value) in fields {
        body.extend(value.map(|value| (name.to_owned(), value)));
    }
    Ok(Value::Object(body))
}

fn act(client: &Client, path: &str, body: &Value, done: &str) -> anyhow::Result<()> {
    let answer = client.post("/api/v1/storages/actions", body.to_string().as_bytes(), &[])?;
    let path = text::printable(path);
    if answer.json["outcome"] == "unchanged" {
        output::result(&format!("{path}: it was so already\n"))?;
    } else {
        output::result(&format!("{path}: {done}\n"))?;
    }
    Ok(())
}

fn render(storages: &[Storage], look: Look) -> String {
    const COLUMNS: [Column; 4] = [
        Column::text("STORAGE"),
        Column::figure("RUNNING"),
        Column::figure("TRANSFERS"),
        Column::text("TITLE"),
    ];
    let of = |running: u64, most: Option<u64>| match most {
        Some(most) => format!("{running} of {most}"),
        None => running.to_string(),
    };
    let rows: Vec<Vec<String>> = storages
        .iter()
        .map(|storage| {
            vec![
                text::printable(&storage.path),
                of(storage.running, storage.running_max),
                of(storage.transfers, storage.transfers_max),
                text::printable(storage.title.as_deref().unwrap_or_default()),
            ]
        })
        .collect();
    table::render(&COLUMNS, &rows, look)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn storages_are_listed_with_what_is_used_of_their_limits() {
        let storages: Storages = serde_json::from_value(json!({"storages": [
            {"path": "/data", "title": "NAS 1", "running": 3, "running_max": 4, "transfers": 0,
             "transfers_max": null},
            {"path": "/data/films", "title": null, "running": 12, "running_max": null, "transfers": 2,
             "transfers_max": 2},
        ]}))
        .unwrap();
        insta::assert_snapshot!(render(&storages.storages, Look::PLAIN));
    }

    #[test]
    fn what_is_not_named_is_not_sent_and_none_takes_a_limit_away() {
        let body = settings("/data", None, Some("4"), Some("none")).unwrap();
        assert_eq!(
            body,
            json!({"action": "set", "path": "/data", "running_max": 4, "transfers_max": null})
        );
        assert!(settings("/data", None, Some("many"), None).is_err());
    }
}
