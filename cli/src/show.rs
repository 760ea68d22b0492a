//! `taskmanager show`: all about one job.

mod page;

use clap::Args;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::api::{Job, Log, LogLine};
use crate::client::Client;
use crate::output::Look;
use crate::{Answer, output};

/// Show one job: its state, parameters, items, attempts and outputs.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The job's id.
    #[arg(value_name = "ID")]
    id: Uuid,

    /// Show its log, too.
    #[arg(long)]
    log: bool,

    /// Print the coordinator's answer as JSON; with --log the lines are added as "log".
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(client: &Client, arguments: &Arguments) -> anyhow::Result<Answer> {
    let path = format!("/api/v1/jobs/{}", arguments.id);
    let answer = client.get(&path, &[])?;
    if arguments.json {
        let mut document = answer.json;
        if arguments.log {
            document["log"] = Value::from(log(client, &path)?);
        }
        output::json(&document)?;
        return Ok(Answer::Yes);
    }
    let look = Look::of_stdout();
    let zone = TimeZone::system();
    output::result(&page::render(&answer.read::<Job>()?, look, &zone))?;
    if arguments.log {
        let lines = log(client, &path)?;
        let lines: Vec<LogLine> = lines
            .iter()
            .filter_map(|line| LogLine::deserialize(line).ok())
            .collect();
        output::result(&page::log(&lines, look, &zone))?;
    }
    Ok(Answer::Yes)
}

/// All lines of a job's log.
fn log(client: &Client, path: &str) -> anyhow::Result<Vec<Value>> {
    let path = format!("{path}/log");
    let mut lines = Vec::new();
    let mut after = 0;
    loop {
        let part: Log = client.get(&path, &[("after", &after.to_string())])?.read()?;
        let more = !part.lines.is_empty();
        lines.extend(part.lines);
        match part.next {
            // The number has to grow, so that the loop always ends.
            Some(next) if more && next > after => after = next,
            _ => return Ok(lines),
        }
    }
}
