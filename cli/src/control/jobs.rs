//! Actions on jobs: `taskmanager cancel`, `hold`, `release`, `start`, `priority`, `move`, `retry`,
//! `send-again`, `message`, `delete`.

use std::collections::BTreeMap;

use clap::{Args, Subcommand, ValueEnum};
use serde::Deserialize;
use serde_json::json;

use super::selection::Selection;
use crate::client::Client;
use crate::{Answer, output, text};

/// What is done with jobs.
#[derive(Debug, Subcommand)]
pub(crate) enum JobCommand {
    /// End jobs for good
    ///
    /// Waiting ones end at once, running ones as soon as their tools have stopped. Once its outputs are being
    /// published it is too late.
    Cancel(Selection),
    /// Keep jobs from starting; running ones give way
    Hold(Selection),
    /// Let held jobs go on
    Release(Selection),
    /// Start jobs now, whatever their time
    ///
    /// Also although autostart is off or their plugin is at its limit; not if it is stopped or its page contract is
    /// used up.
    Start(Selection),
    /// Give jobs another priority
    Priority {
        /// 0 (lowest) to 10 (highest).
        #[arg(value_parser = clap::value_parser!(u8).range(0..=10))]
        priority: u8,
        #[command(flatten)]
        jobs: Selection,
    },
    /// Move waiting jobs among their equals
    Move {
        /// Where to.
        to: Place,
        #[command(flatten)]
        jobs: Selection,
    },
    /// Do ended jobs again, as new jobs
    ///
    /// Pages that are done are kept.
    Retry {
        /// Begin from scratch instead.
        #[arg(long)]
        all_pages: bool,
        #[command(flatten)]
        jobs: Selection,
    },
    /// Send messages to other systems once more
    ///
    /// Those about ended jobs that were given up, or of which it is not known whether they have arrived.
    SendAgain(Selection),
    /// Say something about a job in the journal of its process in Goobi
    Message(Message),
    /// Remove ended jobs; statistics stay
    Delete(Selection),
}

/// A message to Goobi.
#[derive(Debug, Args)]
pub(crate) struct Message {
    /// The job's id.
    id: String,
    /// How Goobi shows it.
    #[arg(long = "type", value_name = "TYPE", default_value = "info")]
    kind: MessageType,
    /// What is said.
    text: String,
    /// Print the coordinator's answer as JSON.
    #[arg(long)]
    json: bool,
}

/// A type of journal entry.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum MessageType {
    /// Something went wrong.
    Error,
    /// Something may go wrong.
    Warn,
    /// For everybody's information.
    Info,
    /// For those who look for a mistake.
    Debug,
    /// A remark of a person's.
    User,
    /// Stands out.
    Important,
}

/// A place among waiting jobs.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Place {
    /// One further to the front.
    Up,
    /// One further back.
    Down,
    /// To the very front.
    Top,
    /// To the very back.
    Bottom,
}

/// What the coordinator says of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Outcome {
    found: u64,
    done: u64,
    unchanged: u64,
    refused: BTreeMap<String, u64>,
    forbidden: u64,
    unknown: u64,
    new_jobs: Vec<String>,
    more: bool,
}

pub(crate) fn run(client: &Client, command: &JobCommand) -> anyhow::Result<Answer> {
    let one;
    let (what, done, jobs) = match command {
        JobCommand::Message(Message { id, kind, text, json }) => {
            one = Selection::of(id, *json);
            let kind = kind.to_possible_value().map(|value| value.get_name().to_owned());
            let what = json!({"action": "message_goobi", "type": kind, "text": text});
            (what, "told to Goobi as soon as it listens", &one)
        }
        JobCommand::Cancel(jobs) => (json!({"action": "cancel"}), "cancelled", jobs),
        JobCommand::Hold(jobs) => (json!({"action": "hold"}), "held", jobs),
        JobCommand::Release(jobs) => (json!({"action": "release"}), "released", jobs),
        JobCommand::Start(jobs) => (json!({"action": "start_now"}), "started", jobs),
        JobCommand::Priority { priority, jobs } => (
            json!({"action": "set_priority", "priority": priority}),
            "given another priority",
            jobs,
        ),
        JobCommand::Move { to, jobs } => {
            let place = to.to_possible_value().map(|value| value.get_name().to_owned());
            (json!({"action": "move", "to": place}), "moved", jobs)
        }
        JobCommand::Retry { all_pages, jobs } => {
            let items = if *all_pages { "all" } else { "failed" };
            (
                json!({"action": "retry", "items": items}),
                "submitted again",
                jobs,
            )
        }
        JobCommand::SendAgain(jobs) => (json!({"action": "send_again"}), "messages are sent again", jobs),
        JobCommand::Delete(jobs) => (json!({"action": "delete"}), "removed", jobs),
    };
    let mut body = json!({"jobs": jobs.filter()?, "what": what});
    if jobs.dry_run {
        // A coordinator that does not know it refuses it, and does nothing.
        body["dry_run"] = true.into();
    }
    let answer = client.post("/api/v1/jobs/actions", body.to_string().as_bytes(), &[])?;
    let outcome: Outcome = answer.read()?;
    if jobs.json {
        output::json(&answer.json)?;
    } else if jobs.dry_run {
        output::result(&forecast(&outcome, done))?;
    } else {
        output::result(&report(&outcome, done))?;
    }
    let well = outcome.refused.is_empty() && outcome.forbidden + outcome.unknown == 0;
    Ok(if well { Answer::Yes } else { Answer::No })
}

/// What would be reported, as far as it is known before it is done.
fn forecast(outcome: &Outcome, done: &str) -> String {
    let more = if outcome.more { " or more" } else { "" };
    format!(
        "{}{more} would be {done} where that is possible; nothing was done\n",
        jobs(outcome.found)
    )
}

fn report(outcome: &Outcome, done: &str) -> String {
    let mut lines = String::new();
    text::push_line(&mut lines, &format!("{}: {done}", jobs(outcome.done)));
    for new in &outcome.new_jobs {
        text::push_line(&mut lines, &text::printable(new));
    }
    if outcome.unchanged > 0 {
        text::push_line(&mut lines, &format!("{}: nothing to do", jobs(outcome.unchanged)));
    }
    for (why, number) in &outcome.refused {
        let line = format!("{}: not possible: {}", jobs(*number), text::printable(why));
        text::push_line(&mut lines, &line);
    }
    if outcome.forbidden > 0 {
        text::push_line(
            &mut lines,
            &format!("{}: you may not do that", jobs(outcome.forbidden)),
        );
    }
    if outcome.unknown > 0 {
        text::push_line(
            &mut lines,
            &format!("{}: there is no such job", jobs(outcome.unknown)),
        );
    }
    if outcome.more {
        text::push_line(&mut lines, "there may be more: call it again");
    }
    lines
}

fn jobs(number: u64) -> String {
    text::count(number, "job", "jobs")
}
