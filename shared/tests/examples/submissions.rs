//! What submitters send and are answered.

use serde_json::{Map, json};
use shared::job::Priority;
use shared::message::goobi::{Command, LogType, NewStatus, Step};
use shared::message::itm::ItmReply;
use shared::message::submit::{CallbackWhen, Submission, SubmitReply};

use super::parts::{job_id, object};

/// Submissions as others write them, and the file with their canonical form.
pub(crate) const DIALECTS: [(&str, &str); 3] = [
    (
        "submission-goobi-step.json",
        "submission-goobi-step.canonical.json",
    ),
    ("submission-itm-ocr.json", "submission-itm-ocr.canonical.json"),
    (
        "submission-viewer-download.json",
        "submission-viewer-download.canonical.json",
    ),
];

/// A ticket as Goobi writes it, and the file with its canonical form.
pub(crate) const TICKET: (&str, &str) = ("goobi-ticket.json", "goobi-ticket.canonical.json");

/// What Goobi is told.
pub(crate) fn commands() -> Vec<(&'static str, Command)> {
    let step = Step {
        process_id: 27,
        step_id: 6519,
    };
    let content = format!("OCR finished: 312 of 312 pages (job {})", job_id());
    vec![
        (
            "goobi-journal.json",
            Command::journal(step.clone(), LogType::Info, &content),
        ),
        (
            "goobi-change-step.json",
            Command::ChangeStep {
                step,
                step_name: Some("OCR".to_owned()),
                new_status: NewStatus::Done,
                number_of_objects: 312,
            },
        ),
    ]
}

pub(crate) fn submissions() -> Vec<(&'static str, Submission)> {
    let full = Submission {
        plugin: "OCR".parse().unwrap(),
        template: Some("gothic".to_owned()),
        title: "Kochbuch".to_owned(),
        priority: Some(Priority::try_from(7).unwrap()),
        start_at: Some("2026-07-01T20:00:00Z".parse().unwrap()),
        process_id: Some("27".to_owned()),
        step_id: Some("6519".to_owned()),
        step_name: Some("OCR".to_owned()),
        project: Some("Kochbücher".to_owned()),
        source: Some("/opt/digiverso/goobi/metadata/27/images/kochbuch_media".to_owned()),
        target: Some("/opt/digiverso/goobi/metadata/27".to_owned()),
        parameters: object(&json!({"font_type": "fracture", "language": "ger,lat"})),
        callback_url: Some("http://goobi.example.org/goobi/api/plugins/ocr/12/done".to_owned()),
        callback_when: CallbackWhen::Ended,
        token: None,
        idempotency_key: Some("kochbuch-2026-07-01".to_owned()),
        extra: Map::new(),
    };
    let minimal = Submission {
        plugin: "NOOP".parse().unwrap(),
        title: "Nothing to do".to_owned(),
        template: None,
        priority: None,
        start_at: None,
        process_id: None,
        step_id: None,
        step_name: None,
        project: None,
        source: None,
        target: None,
        parameters: Map::new(),
        callback_url: None,
        callback_when: CallbackWhen::Ended,
        token: None,
        idempotency_key: None,
        extra: Map::new(),
    };
    vec![("submission.json", full), ("submission-minimal.json", minimal)]
}

/// What callers of the intranda `TaskManager` are answered.
pub(crate) fn itm_replies() -> Vec<(&'static str, ItmReply)> {
    vec![
        (
            "itm-reply-accepted.json",
            ItmReply::accepted(job_id(), Some(4_711)),
        ),
        (
            "itm-reply-known-already.json",
            ItmReply::known_already(job_id(), Some(4_711)),
        ),
        (
            "itm-reply-refused.json",
            ItmReply::refused("field \"source\" is missing: plugin OCR needs it"),
        ),
    ]
}

pub(crate) fn submit_replies() -> Vec<(&'static str, SubmitReply)> {
    let reason =
        "field \"priority\": priority 11 is out of range: use a whole number from 0 (lowest) to 10 (highest)";
    vec![
        (
            "submit-reply-accepted.json",
            SubmitReply::Accepted { job_id: job_id() },
        ),
        (
            "submit-reply-duplicate.json",
            SubmitReply::Duplicate { job_id: job_id() },
        ),
        (
            "submit-reply-rejected.json",
            SubmitReply::Rejected {
                reason: reason.to_owned(),
            },
        ),
    ]
}
