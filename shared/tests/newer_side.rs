//! A newer side may say values that this release does not know: they never break the whole message, and what becomes of
//! them is the careful thing.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::{Value, json};
use shared::job::decide::{PublishAnswer, Refusal};
use shared::message::decode;
use shared::message::reply::{ClaimReply, Reply, ResultAnswer, Verdict};
use shared::message::transfer::Transfer;
use shared::message::worker::WorkerMessage;

const JOB: &str = "0198c0de-7a3b-7c10-9b1f-2f6d3c5e8a01";
const CLAIM: &str = "6f1d2c3b-4a59-4687-9e0d-1c2b3a495867";

fn read(reply: &Value) -> Reply {
    decode(reply.to_string().as_bytes()).unwrap_or_else(|error| panic!("{reply}: {error:?}"))
}

#[test]
fn an_unknown_kind_of_reply_is_read_as_something_else() {
    let reply = json!({"version": 1, "kind": "weather", "sunny": true});
    assert_eq!(read(&reply), Reply::Other);
}

#[test]
fn an_unknown_verdict_leaves_the_others_as_they_are() {
    let verdict = |verdict| json!({"job_id": JOB, "claim_id": CLAIM, "verdict": verdict});
    let verdicts = vec![verdict("cancel"), verdict("slow_down"), verdict("ok")];
    for kind in ["heartbeat", "control"] {
        let reply = read(&json!({"version": 1, "kind": kind, "verdicts": verdicts}));
        let (Reply::Heartbeat { verdicts, .. } | Reply::Control { verdicts, .. }) = reply else {
            panic!("{reply:?}")
        };
        let verdicts: Vec<Verdict> = verdicts.iter().map(|verdict| verdict.verdict).collect();
        assert_eq!(verdicts, [Verdict::Cancel, Verdict::Other, Verdict::Ok]);
    }
}

#[test]
fn an_older_side_says_nothing_of_roots_and_programs_and_is_understood() {
    let announced = read(&json!({"version": 1, "kind": "announced"}));
    assert_eq!(announced, Reply::Announced { programs: Vec::new() });
    let golden = include_str!("golden/announce.json");
    let mut older: Value = serde_json::from_str(golden).unwrap();
    older.as_object_mut().unwrap().remove("roots").unwrap();
    let WorkerMessage::Announce(announcement) = decode(older.to_string().as_bytes()).unwrap() else {
        panic!("no announcement")
    };
    assert_eq!(announcement.roots, Vec::<String>::new());
}

#[test]
fn an_unknown_refusal_is_a_refusal_and_an_unknown_answer_to_a_claim_spoils_no_other() {
    let refused = |refusal| json!({"answer": "refused", "claim_id": CLAIM, "refusal": refusal});
    let answers = vec![
        refused("worker_too_slow"),
        json!({"answer": "later", "in_seconds": 5}),
        refused("held"),
    ];
    let Reply::Claims { answers } = read(&json!({"version": 1, "kind": "claims", "answers": answers})) else {
        panic!("no answers to claims")
    };
    let is_refused =
        |answer: &ClaimReply, why| matches!(answer, ClaimReply::Refused { refusal, .. } if *refusal == why);
    assert!(is_refused(&answers[0], Refusal::Other));
    assert_eq!(answers[1], ClaimReply::Other);
    assert!(is_refused(&answers[2], Refusal::Held));
}

#[test]
fn unknown_answers_to_results_and_requests_to_publish_are_neither_yes_nor_no() {
    let result = read(&json!({"version": 1, "kind": "result", "answer": "parked"}));
    assert_eq!(
        result,
        Reply::Result {
            answer: ResultAnswer::Other
        }
    );
    let publish = read(&json!({"version": 1, "kind": "publish", "answer": "later", "manifest": null}));
    let answer = PublishAnswer::Other;
    assert_eq!(
        publish,
        Reply::Publish {
            answer,
            manifest: None,
            ask_for_transfer: false,
        }
    );
}

#[test]
fn an_unknown_transfer_that_a_newer_worker_asks_for_leaves_its_heartbeat_readable() {
    let golden = include_str!("golden/heartbeat-transfer.json");
    let newer = golden.replace("\"of\": \"source\"", "\"of\": \"archive\"");
    assert_ne!(newer, golden);
    let WorkerMessage::Heartbeat(heartbeat) = decode(newer.as_bytes()).unwrap() else {
        panic!("no heartbeat")
    };
    let asked = heartbeat.attempts.iter().filter_map(|attempt| attempt.transfer);
    let asked: Vec<Transfer> = asked.map(|ask| ask.of).collect();
    assert_eq!(asked, [Transfer::Other, Transfer::Target]);
}

/// The fields whose values a newer side may know more of.
const WORDS: [&str; 4] = ["kind", "answer", "verdict", "refusal"];

/// Puts `word` into the place with this number among all such fields, and an unknown field into each object.
fn disturb(value: &mut Value, place: &mut usize, word: &str) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                if WORDS.contains(&name.as_str()) && field.is_string() {
                    if *place == 0 {
                        *field = word.into();
                    }
                    *place = place.wrapping_sub(1);
                } else {
                    disturb(field, place, word);
                }
            }
            fields.insert("not_yet_invented".to_owned(), json!({"a": [1]}));
        }
        Value::Array(entries) => entries.iter_mut().for_each(|entry| disturb(entry, place, word)),
        _ => {}
    }
}

/// The golden files of replies.
fn golden() -> Vec<Value> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let replies: Vec<Value> = entries
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("reply-"))
        .map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
        .collect();
    assert!(replies.len() > 10, "the golden files are elsewhere");
    replies
}

proptest! {
    #[test]
    fn any_word_in_any_place_of_any_reply_leaves_it_readable(
        reply in prop::sample::select(golden()), place in 0usize..12, word in "[a-z_]{1,20}"
    ) {
        let mut disturbed = reply.clone();
        disturb(&mut disturbed, &mut place.clone(), &word);
        // A word that is known has fields of its own.
        let known = ["announced", "refused", "claims", "heartbeat", "control", "publish", "result", "granted", "wait"];
        if !known.contains(&word.as_str()) {
            let read = decode::<Reply>(disturbed.to_string().as_bytes());
            prop_assert!(read.is_ok(), "{}: {:?}", disturbed, read);
        }
    }
}
