//! Every message on the wire has an example in `golden/`: what this build writes and reads is exactly that.
//!
//! A test that fails here says that the protocol has changed: other releases, and other people's programs, speak
//! the old one. `docs/protocol.md` shows the same files.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[path = "examples/ended.rs"]
mod ended;
#[path = "examples/parts.rs"]
mod parts;
#[path = "examples/replies.rs"]
mod replies;
#[path = "examples/submissions.rs"]
mod submissions;
#[path = "examples/worker_messages.rs"]
mod worker_messages;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use shared::amqp::topology;
use shared::job::decide::PublishAnswer;
use shared::message::dispatch::Dispatch;
use shared::message::goobi::Ticket;
use shared::message::itm::ItmReply;
use shared::message::reply::{Reply, ResultAnswer};
use shared::message::submit::Submission;
use shared::message::worker::{AttemptResult, Outcome, WorkerMessage};
use shared::message::{DecodeError, decode, encode};

use ended::ended;
use replies::replies;
use submissions::{DIALECTS, TICKET, commands, itm_replies, submissions, submit_replies};
use worker_messages::{dispatches, worker_messages};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// The names of all golden files.
fn there() -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder()).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn read(name: &str) -> Vec<u8> {
    let path = folder().join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What this build writes is the golden file, and what it reads from the golden file is the message.
#[track_caller]
fn same<T: Serialize + DeserializeOwned + PartialEq + Debug>(examples: Vec<(&'static str, T)>) {
    for (name, message) in examples {
        let golden: Value = serde_json::from_slice(&read(name)).unwrap();
        let written: Value = serde_json::from_slice(&encode(&message)).unwrap();
        assert_eq!(written, golden, "{name}: this build writes\n{written:#}\n");
        assert_eq!(decode::<T>(&read(name)).unwrap(), message, "{name}");
    }
}

#[test]
fn submissions_are_written_and_read_as_in_their_golden_files() {
    same(submissions());
    for (name, submission) in submissions() {
        assert_eq!(Submission::parse(&read(name)).unwrap(), submission, "{name}");
    }
}

#[test]
fn dialects_become_the_canonical_format() {
    for (dialect, canonical) in DIALECTS {
        // The token is written into no message.
        let submission = Submission {
            token: None,
            ..Submission::parse(&read(dialect)).unwrap()
        };
        same(vec![(canonical, submission)]);
    }
}

#[test]
fn answers_to_submitters_are_as_in_their_golden_files() {
    same(submit_replies());
}

#[test]
fn answers_to_itms_callers_are_as_in_their_golden_files() {
    for (name, reply) in itm_replies() {
        let golden: Value = serde_json::from_slice(&read(name)).unwrap();
        assert_eq!(serde_json::to_value(&reply).unwrap(), golden, "{name}");
        assert_eq!(
            serde_json::from_value::<ItmReply>(golden).unwrap(),
            reply,
            "{name}"
        );
        assert_eq!(reply.is_being_done(), name != "itm-reply-refused.json", "{name}");
    }
}

#[test]
fn a_ticket_of_goobis_becomes_the_canonical_format() {
    let ticket = Ticket::read(&read(TICKET.0));
    let mut job = ticket.job.unwrap();
    assert_eq!(job.token.take(), ticket.jwt);
    same(vec![(TICKET.1, job)]);
}

#[test]
fn commands_for_goobi_are_as_in_their_golden_files() {
    for (name, command) in commands() {
        let golden: Value = serde_json::from_slice(&read(name)).unwrap();
        let signed = command.signed(golden["jwt"].as_str().unwrap()).unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(&signed).unwrap(),
            golden,
            "{name}"
        );
    }
}

#[test]
fn callbacks_are_as_in_their_golden_files() {
    same(ended());
}

#[test]
fn dispatches_are_as_in_their_golden_file() {
    same(dispatches());
}

#[test]
fn messages_of_workers_are_as_in_their_golden_files() {
    for (name, message) in worker_messages() {
        let expected = match &message {
            WorkerMessage::Announce(_) => "announce.json",
            WorkerMessage::Claim(_) => "claim.json",
            WorkerMessage::Heartbeat(heartbeat) if heartbeat.stores.is_some() => "heartbeat-stores.json",
            WorkerMessage::Heartbeat(heartbeat) if !heartbeat.removals.is_empty() => {
                "heartbeat-removals.json"
            }
            WorkerMessage::Heartbeat(heartbeat) => {
                match heartbeat.attempts.first().and_then(|first| first.transfer) {
                    None => "heartbeat.json",
                    Some(_) => "heartbeat-transfer.json",
                }
            }
            WorkerMessage::Publish(_) => "publish.json",
            WorkerMessage::Result(AttemptResult { outcome, .. }) => match outcome {
                Outcome::Done { .. } => "result-done.json",
                Outcome::Failed { .. } => "result-failed.json",
                Outcome::Interrupted { .. } => "result-interrupted.json",
                Outcome::Cancelled => "result-cancelled.json",
            },
            WorkerMessage::Probe => "probe.json",
        };
        assert_eq!(
            name, expected,
            "a new kind of message needs an example of its own"
        );
    }
    same(worker_messages());
}

#[test]
fn replies_to_workers_are_as_in_their_golden_files() {
    for (name, reply) in replies() {
        let expected = match &reply {
            Reply::Announced { .. } => "reply-announced",
            Reply::Refused { .. } => "reply-refused",
            Reply::Claims { .. } => "reply-claims",
            Reply::Heartbeat { .. } => "reply-heartbeat",
            Reply::Control { .. } => "reply-control",
            Reply::Other => panic!("it is never sent"),
            Reply::Publish { answer, .. } => match answer {
                PublishAnswer::Granted => "reply-publish-granted",
                PublishAnswer::Lost => "reply-publish-lost",
                PublishAnswer::Cancelled => "reply-publish-cancelled",
                PublishAnswer::Other => panic!("it is never sent"),
            },
            Reply::Result { answer } => match answer {
                ResultAnswer::Recorded => "reply-result-recorded",
                ResultAnswer::Superseded => "reply-result-superseded",
                ResultAnswer::Unknown => "reply-result-unknown",
                ResultAnswer::Other => panic!("it is never sent"),
            },
        };
        assert!(
            name.starts_with(expected),
            "{name}: a new kind of reply needs an example of its own"
        );
    }
    same(replies());
}

#[test]
fn a_field_of_a_newer_release_does_not_stop_this_one() {
    for (name, message) in worker_messages() {
        let mut golden: Value = serde_json::from_slice(&read(name)).unwrap();
        golden["not_yet_invented"] = json!({"a": [1]});
        let read = decode::<WorkerMessage>(golden.to_string().as_bytes());
        assert_eq!(read.unwrap(), message, "{name}");
    }
}

#[test]
fn a_request_to_publish_of_an_older_worker_has_no_items() {
    let mut golden: Value = serde_json::from_slice(&read("publish.json")).unwrap();
    golden.as_object_mut().unwrap().remove("items").unwrap();
    let WorkerMessage::Publish(request) = decode(golden.to_string().as_bytes()).unwrap() else {
        panic!("it is a request to publish");
    };
    assert!(request.items.is_empty());
}

#[test]
fn another_protocol_version_is_named_in_the_error() {
    let mut golden: Value = serde_json::from_slice(&read("dispatch.json")).unwrap();
    golden["version"] = json!(2);
    let error = decode::<Dispatch>(golden.to_string().as_bytes()).unwrap_err();
    assert!(matches!(error, DecodeError::Version { found: 2 }), "{error}");
    golden.as_object_mut().unwrap().remove("version");
    let error = decode::<Dispatch>(golden.to_string().as_bytes()).unwrap_err();
    assert!(matches!(error, DecodeError::Unreadable(_)), "{error}");
}

/// The JSON blocks of `docs/protocol.md` with the golden file that the line above links to.
fn documented() -> Vec<(String, Value)> {
    let page = std::fs::read_to_string(folder().join("../../../docs/protocol.md")).unwrap();
    let mut blocks = page.split("\n```");
    let mut documented = Vec::new();
    while let (Some(prose), Some(block)) = (blocks.next(), blocks.next()) {
        let link = prose
            .lines()
            .last()
            .filter(|line| !line.is_empty())
            .or_else(|| prose.lines().rev().nth(1));
        let name = link
            .and_then(|line| line.strip_prefix("[`")?.split_once('`'))
            .map(|(name, _)| name);
        let name = name.unwrap_or_else(|| panic!("no golden file is linked above the example {block}"));
        let example = block
            .strip_prefix("json\n")
            .unwrap_or_else(|| panic!("{name}: the block is not JSON"));
        documented.push((name.to_owned(), serde_json::from_str(example).unwrap()));
    }
    documented
}

#[test]
fn the_documentation_shows_every_golden_file_as_it_is() {
    let documented = documented();
    for (name, example) in &documented {
        let golden: Value = serde_json::from_slice(&read(name)).unwrap();
        assert_eq!(*example, golden, "docs/protocol.md, example {name}");
    }
    let shown: BTreeSet<String> = documented.into_iter().map(|(name, _)| name).collect();
    assert_eq!(shown, there());
}

#[test]
fn the_documentation_names_everything_in_rabbitmq() {
    let page = std::fs::read_to_string(folder().join("../../../docs/protocol.md")).unwrap();
    for name in [
        topology::SUBMIT_EXCHANGE,
        topology::SUBMIT_QUEUE,
        topology::SUBMIT_REJECTED_QUEUE,
        topology::JOBS_EXCHANGE,
        topology::EVENTS_EXCHANGE,
        topology::EVENTS_REJECTED_QUEUE,
        topology::CLAIMS_QUEUE,
        topology::HEARTBEATS_QUEUE,
        topology::RESULTS_QUEUE,
        topology::NOTIFICATIONS_EXCHANGE,
        topology::REASON_HEADER,
        topology::REPLY_TO,
    ] {
        assert!(
            page.contains(&format!("`{name}`")),
            "docs/protocol.md does not name {name}"
        );
    }
}

#[test]
fn no_golden_file_is_left_unread() {
    let messages = submissions().into_iter().map(|(name, _)| name);
    let messages = messages.chain(submit_replies().into_iter().map(|(name, _)| name));
    let messages = messages.chain([TICKET.0, TICKET.1]);
    let messages = messages.chain(commands().into_iter().map(|(name, _)| name));
    let messages = messages.chain(itm_replies().into_iter().map(|(name, _)| name));
    let messages = messages.chain(ended().into_iter().map(|(name, _)| name));
    let messages = messages.chain(dispatches().into_iter().map(|(name, _)| name));
    let messages = messages.chain(worker_messages().into_iter().map(|(name, _)| name));
    let messages = messages.chain(replies().into_iter().map(|(name, _)| name));
    let tested: Vec<&str> = messages
        .chain(
            DIALECTS
                .into_iter()
                .flat_map(|(dialect, canonical)| [dialect, canonical]),
        )
        .collect();
    let names: BTreeSet<String> = tested.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(names.len(), tested.len(), "a file is used twice: {tested:?}");
    assert_eq!(there(), names);
}
