//! What a callback tells.

use serde_json::{Map, json};
use shared::job::JobState;
use shared::message::ended::JobEnded;

use super::parts::{job_id, object, other_job_id};

pub(crate) fn ended() -> Vec<(&'static str, JobEnded)> {
    let done = JobEnded {
        job_id: job_id(),
        plugin: "OCR".to_owned(),
        state: JobState::Done,
        title: "Kochbuch".to_owned(),
        process_id: Some("27".to_owned()),
        step_id: Some("6519".to_owned()),
        step_name: Some("OCR".to_owned()),
        project: Some("Kochbücher".to_owned()),
        template: Some("gothic".to_owned()),
        target: Some("/data/metadata/27".to_owned()),
        retry_of: Some(other_job_id()),
        error: None,
        items_done: 4,
        items_failed: 0,
        items_total: 4,
        bytes: 4_194_304,
        submitted_at: "2026-07-01T20:00:00Z".parse().unwrap(),
        started_at: Some("2026-07-01T20:00:02Z".parse().unwrap()),
        finished_at: "2026-07-01T20:03:12.5Z".parse().unwrap(),
        summary: object(&json!({"pages": 4, "tesseract": "5.3.0", "words": 1187})),
    };
    let failed = JobEnded {
        job_id: other_job_id(),
        plugin: "NOOP".to_owned(),
        state: JobState::Error,
        title: "Nothing to do".to_owned(),
        process_id: None,
        step_id: None,
        step_name: None,
        project: None,
        template: None,
        target: None,
        retry_of: None,
        error: Some("page 3 is unreadable".to_owned()),
        items_done: 3,
        items_failed: 1,
        items_total: 4,
        bytes: 0,
        submitted_at: "2026-07-01T20:00:00Z".parse().unwrap(),
        started_at: None,
        finished_at: "2026-07-01T20:01:00Z".parse().unwrap(),
        summary: Map::new(),
    };
    vec![("callback-done.json", done), ("callback-error.json", failed)]
}
