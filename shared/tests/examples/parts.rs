//! What several messages have in common: one job, one claim, one worker, one attempt.

use serde_json::{Map, Value, json};
use shared::job::{ClaimId, JobId, Stage};
use shared::message::manifest::{FileEntry, Manifest};
use shared::message::worker::{AttemptReport, ItemReport, ItemState, LogLine, Outcome};

pub(crate) fn job_id() -> JobId {
    "0198c0de-7a3b-7c10-9b1f-2f6d3c5e8a01".parse().unwrap()
}

pub(crate) fn other_job_id() -> JobId {
    "0198c0de-8b4c-7d21-8c2a-3a7e4d6f9b02".parse().unwrap()
}

pub(crate) fn claim_id() -> ClaimId {
    ClaimId("6f1d2c3b-4a59-4687-9e0d-1c2b3a495867".parse().unwrap())
}

pub(crate) fn other_claim_id() -> ClaimId {
    ClaimId("a0b1c2d3-e4f5-4607-8819-2a3b4c5d6e7f".parse().unwrap())
}

pub(crate) fn worker_id() -> String {
    "ocr-1/3f0c9d1e-5b7a-4c2d-9e8f-0a1b2c3d4e5f/0198c0dd-0000-7000-8000-00000000000a".to_owned()
}

pub(crate) fn object(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

pub(crate) fn file(path: &str, size: u64, digit: &str) -> FileEntry {
    FileEntry {
        path: path.to_owned(),
        size,
        sha256: digit.repeat(64),
    }
}

pub(crate) fn alto() -> FileEntry {
    file("ocr/Kochbuch_alto/00000001.xml", 48_213, "a")
}

pub(crate) fn done() -> Outcome {
    Outcome::Done {
        summary: object(&json!({"pages": 4, "tesseract": "5.3.0", "words": 1187})),
    }
}

pub(crate) fn manifest() -> Manifest {
    Manifest {
        files: vec![alto(), file("ocr/Kochbuch_txt/00000001.txt", 2_104, "b")],
        outcome: done(),
    }
}

pub(crate) fn report() -> AttemptReport {
    AttemptReport {
        job_id: job_id(),
        attempt: 2,
        claim_id: claim_id(),
        stage: Stage::Processing,
        percent: 50.5,
        items_done: 1,
        items_failed: 1,
        items_total: 4,
        bytes: 4_194_304,
        detail: "page 3 of 4".to_owned(),
        transfer: None,
        items: vec![
            ItemReport {
                name: "00000001.jpg".to_owned(),
                position: 1,
                state: ItemState::Done,
                files: vec![alto()],
                duration_ms: 3_210,
                error: None,
            },
            ItemReport {
                name: "00000002.jpg".to_owned(),
                position: 2,
                state: ItemState::Failed,
                files: vec![],
                duration_ms: 12,
                error: Some("the image can't be read: send the page again".to_owned()),
            },
            ItemReport {
                name: "Thumbs.db".to_owned(),
                position: 5,
                state: ItemState::Skipped,
                files: vec![],
                duration_ms: 0,
                error: Some("no image".to_owned()),
            },
        ],
        log: vec![LogLine {
            number: 1,
            text: "00000001.jpg: 312 words in 3.2 s".to_owned(),
        }],
    }
}
