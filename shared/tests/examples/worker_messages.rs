//! What workers are told to look at, and what they send.

use serde_json::json;
use shared::job::Stage;
use shared::job::decide::ErrorClass;
use shared::message::dispatch::Dispatch;
use shared::message::transfer::{Transfer, TransferAsk};
use shared::message::worker::{
    Announcement, AttemptReport, AttemptResult, Check, Claim, ClaimRequest, FoundStore, Heartbeat, Outcome,
    PluginOffer, PublishRequest, StoreRemoval, StoresFound, WorkerMessage,
};

use super::parts::{claim_id, done, job_id, manifest, other_claim_id, other_job_id, report, worker_id};

pub(crate) fn dispatches() -> Vec<(&'static str, Dispatch)> {
    vec![(
        "dispatch.json",
        Dispatch {
            plugin: "OCR".parse().unwrap(),
            job_id: job_id(),
            dispatch: 3,
        },
    )]
}

#[expect(clippy::too_many_lines, reason = "one list of examples")]
pub(crate) fn worker_messages() -> Vec<(&'static str, WorkerMessage)> {
    let announcement = Announcement {
        worker_id: worker_id(),
        name: "ocr-1".to_owned(),
        host: "node-7".to_owned(),
        version: "0.1.0".to_owned(),
        plugins: vec![PluginOffer {
            name: "OCR".parse().unwrap(),
            title_en: "Text recognition".to_owned(),
            title_de: "Texterkennung".to_owned(),
            needs_source: true,
            needs_target: true,
            needs_template: false,
            slots: 2,
            parameters_schema: Some(json!({
                "type": "object",
                "properties": {
                    "language": {"type": ["string", "array", "null"], "description": "a text or an array of texts"}
                }
            })),
        }],
        draining: false,
        checks: vec![
            Check {
                name: "tesseract".to_owned(),
                ok: true,
                message: "5.3.0".to_owned(),
            },
            Check {
                name: "language deu".to_owned(),
                ok: false,
                message: "is not installed: install the package tesseract-ocr-deu".to_owned(),
            },
        ],
        roots: vec!["/data".to_owned(), "s3://scans/goobi".to_owned()],
    };
    let claims = ClaimRequest {
        worker_id: worker_id(),
        claims: vec![
            Claim {
                job_id: job_id(),
                dispatch: 3,
                claim_id: claim_id(),
            },
            Claim {
                job_id: other_job_id(),
                dispatch: 1,
                claim_id: other_claim_id(),
            },
        ],
    };
    let idle = AttemptReport {
        items: vec![],
        log: vec![],
        ..report()
    };
    let heartbeat = Heartbeat {
        worker_id: worker_id(),
        rss_bytes: 18_874_368,
        draining: false,
        attempts: vec![report()],
        removals: vec![],
        stores: None,
    };
    let asking = Heartbeat {
        attempts: vec![
            AttemptReport {
                stage: Stage::WaitingForUpload,
                detail: "waits for a transfer slot: 2 of 2 transfers of /data run, 1 more waits before it"
                    .to_owned(),
                transfer: Some(TransferAsk {
                    of: Transfer::Source,
                    begun: false,
                }),
                ..idle.clone()
            },
            AttemptReport {
                stage: Stage::Download,
                detail: "publishing file 3 of 9".to_owned(),
                transfer: Some(TransferAsk {
                    of: Transfer::Target,
                    begun: true,
                }),
                ..idle
            },
        ],
        ..heartbeat.clone()
    };
    let removing = Heartbeat {
        attempts: vec![],
        removals: vec![
            StoreRemoval {
                store: job_id(),
                error: None,
            },
            StoreRemoval {
                store: other_job_id(),
                error: Some(
                    "folder /data/metadata/28 is outside the folders that this worker may use (/scans): \
                     add it with --root"
                        .to_owned(),
                ),
            },
        ],
        ..heartbeat.clone()
    };
    let listing = Heartbeat {
        attempts: vec![],
        stores: Some(StoresFound {
            request: 3,
            found: vec![
                FoundStore {
                    store: job_id(),
                    target: "/data/metadata/27".to_owned(),
                    there: true,
                },
                FoundStore {
                    store: other_job_id(),
                    target: "/data/metadata/28".to_owned(),
                    there: false,
                },
            ],
            last: true,
            problems: vec!["/scans does not answer".to_owned()],
        }),
        ..heartbeat.clone()
    };
    let publish = PublishRequest {
        worker_id: worker_id(),
        job_id: job_id(),
        attempt: 2,
        claim_id: claim_id(),
        manifest: manifest(),
        items: report().items,
    };
    let failed = Outcome::Failed {
        class: ErrorClass::Permanent,
        message: "1 of 4 pages failed: 00000002.jpg can't be read".to_owned(),
        exit_code: Some(1),
    };
    let interrupted = Outcome::Interrupted {
        reason: "the worker was shut down".to_owned(),
    };
    vec![
        ("announce.json", WorkerMessage::Announce(announcement)),
        ("claim.json", WorkerMessage::Claim(claims)),
        ("heartbeat.json", WorkerMessage::Heartbeat(heartbeat)),
        ("heartbeat-transfer.json", WorkerMessage::Heartbeat(asking)),
        ("heartbeat-removals.json", WorkerMessage::Heartbeat(removing)),
        ("heartbeat-stores.json", WorkerMessage::Heartbeat(listing)),
        ("publish.json", WorkerMessage::Publish(publish)),
        ("result-done.json", result(done())),
        ("result-failed.json", result(failed)),
        ("result-interrupted.json", result(interrupted)),
        ("result-cancelled.json", result(Outcome::Cancelled)),
        ("probe.json", WorkerMessage::Probe),
    ]
}

/// The end of an attempt that has nothing more to report than its end.
fn result(outcome: Outcome) -> WorkerMessage {
    let report = AttemptReport {
        items: vec![],
        log: vec![],
        ..report()
    };
    WorkerMessage::Result(AttemptResult {
        worker_id: worker_id(),
        store_removed: matches!(outcome, Outcome::Done { .. } | Outcome::Cancelled).then_some(true),
        outcome,
        report,
    })
}
