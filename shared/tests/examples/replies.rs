//! What workers are answered.

use serde_json::{Map, json};
use shared::job::decide::{PublishAnswer, Refusal};
use shared::message::manifest::Manifest;
use shared::message::reply::{
    AttemptVerdict, ClaimReply, DoneItem, Grant, Reply, ResultAnswer, Template, UselessStore, Verdict,
};
use shared::message::transfer::TransferReply;

use super::parts::{alto, claim_id, job_id, manifest, object, other_claim_id};

#[expect(clippy::too_many_lines, reason = "one list of examples")]
pub(crate) fn replies() -> Vec<(&'static str, Reply)> {
    let refused = |refusal| ClaimReply::Refused {
        claim_id: other_claim_id(),
        refusal,
    };
    let verdict = |verdict| AttemptVerdict {
        job_id: job_id(),
        claim_id: claim_id(),
        verdict,
        transfer: None,
    };
    let publish = |answer, manifest: Option<Manifest>| Reply::Publish {
        answer,
        ask_for_transfer: manifest.is_some(),
        manifest,
    };
    let transfer = |transfer| AttemptVerdict {
        transfer: Some(transfer),
        ..verdict(Verdict::Ok)
    };
    let refusals = [
        Refusal::Unknown,
        Refusal::Stale,
        Refusal::NotQueued,
        Refusal::Held,
        Refusal::Cancelled,
        Refusal::PluginStopped,
        Refusal::AutostartOff,
        Refusal::LimitReached,
        Refusal::StorageLimitReached,
        Refusal::QuotaUsedUp,
        Refusal::UserNotAllowed,
    ];
    let verdicts = [
        Verdict::Ok,
        Verdict::Lost,
        Verdict::Cancel,
        Verdict::Yield,
        Verdict::Interrupt,
    ];
    vec![
        (
            "reply-announced.json",
            Reply::Announced {
                programs: vec!["convert".to_owned(), "/opt/kitodo/import".to_owned()],
            },
        ),
        ("reply-claims-granted.json", Reply::Claims { answers: granted() }),
        (
            "reply-refused.json",
            Reply::Refused {
                reason: "the RabbitMQ user \"images\" may not serve OCR: it is listed for IMAGE; \
                         list OCR with --worker-user, or give the worker its own group's user"
                    .to_owned(),
            },
        ),
        (
            "reply-claims-refused.json",
            Reply::Claims {
                answers: refusals.map(refused).to_vec(),
            },
        ),
        (
            "reply-heartbeat.json",
            Reply::Heartbeat {
                verdicts: verdicts.map(verdict).to_vec(),
                drain: false,
                remove_stores: vec![],
                forget_stores: vec![],
                tell_stores_again: false,
                list_stores: None,
            },
        ),
        (
            "reply-heartbeat-transfer.json",
            Reply::Heartbeat {
                verdicts: transfers().map(transfer).to_vec(),
                drain: false,
                remove_stores: vec![],
                forget_stores: vec![],
                tell_stores_again: false,
                list_stores: None,
            },
        ),
        (
            "reply-heartbeat-drain.json",
            Reply::Heartbeat {
                verdicts: vec![],
                drain: true,
                remove_stores: vec![],
                forget_stores: vec![],
                tell_stores_again: false,
                list_stores: None,
            },
        ),
        (
            "reply-heartbeat-remove-stores.json",
            Reply::Heartbeat {
                verdicts: vec![],
                drain: false,
                remove_stores: vec![UselessStore {
                    store: job_id(),
                    target: "/data/metadata/27".to_owned(),
                }],
                forget_stores: vec![],
                tell_stores_again: false,
                list_stores: None,
            },
        ),
        (
            "reply-heartbeat-list-stores.json",
            Reply::Heartbeat {
                verdicts: vec![],
                drain: false,
                remove_stores: vec![],
                forget_stores: vec![UselessStore {
                    store: job_id(),
                    target: "/data/metadata/28".to_owned(),
                }],
                tell_stores_again: false,
                list_stores: Some(3),
            },
        ),
        (
            "reply-heartbeat-tell-stores-again.json",
            Reply::Heartbeat {
                verdicts: vec![],
                drain: false,
                remove_stores: vec![],
                forget_stores: vec![],
                tell_stores_again: true,
                list_stores: Some(3),
            },
        ),
        (
            "reply-control.json",
            Reply::Control {
                verdicts: vec![verdict(Verdict::Cancel)],
                drain: false,
            },
        ),
        (
            "reply-publish-granted.json",
            publish(PublishAnswer::Granted, Some(manifest())),
        ),
        ("reply-publish-lost.json", publish(PublishAnswer::Lost, None)),
        (
            "reply-publish-cancelled.json",
            publish(PublishAnswer::Cancelled, None),
        ),
        (
            "reply-result-recorded.json",
            Reply::Result {
                answer: ResultAnswer::Recorded,
            },
        ),
        (
            "reply-result-superseded.json",
            Reply::Result {
                answer: ResultAnswer::Superseded,
            },
        ),
        (
            "reply-result-unknown.json",
            Reply::Result {
                answer: ResultAnswer::Unknown,
            },
        ),
    ]
}

/// That it may, and that it has to wait.
fn transfers() -> [TransferReply; 2] {
    let wait = TransferReply::Wait {
        storage: "/data".to_owned(),
        running: 2,
        most: 2,
        ahead: 1,
    };
    [TransferReply::Granted, wait]
}

/// Grants of a first attempt's successor, and of one that only completes a manifest.
fn granted() -> Vec<ClaimReply> {
    let grant = Grant {
        job_id: job_id(),
        store: Some(job_id()),
        plugin: "OCR".parse().unwrap(),
        attempt: 2,
        claim_id: claim_id(),
        lease_seconds: 60,
        run_budget_seconds: 86_400,
        disconnect_limit_seconds: Some(3_600),
        title: "Kochbuch".to_owned(),
        source: Some("/data/metadata/27/images/kochbuch_media".to_owned()),
        target: Some("/data/metadata/27".to_owned()),
        ask_for_transfer: true,
        parameters: object(&json!({"font_type": "fracture", "language": "ger,lat"})),
        template: Some(Template {
            name: "gothic".to_owned(),
            parameters: object(&json!({"publish_partial": true})),
        }),
        done_items: vec![DoneItem {
            name: "00000001.jpg".to_owned(),
            files: vec![alto()],
        }],
        manifest: None,
    };
    let completing = Grant {
        source: None,
        target: None,
        ask_for_transfer: false,
        template: None,
        parameters: Map::new(),
        done_items: vec![],
        manifest: Some(manifest()),
        ..grant.clone()
    };
    vec![
        ClaimReply::Granted(Box::new(grant)),
        ClaimReply::Granted(Box::new(completing)),
    ]
}
