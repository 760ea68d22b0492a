//! What is decided about a running job is pushed to its worker: nobody waits for a heartbeat.
//!
//! Heartbeats carry the same. So a worker that sends none is told here, and a worker obeys what no coordinator would
//! answer to its heartbeat.

use serde_json::json;
use shared::job::{ClaimId, JobId};
use shared::message::encode;
use shared::message::reply::{AttemptVerdict, ClaimReply, Reply, Verdict};
use shared::message::worker::{Announcement, Claim, ClaimRequest, PluginOffer, WorkerMessage};
use tests::stranger::Listener;
use tests::{Cluster, LIMIT, eventually};

/// A worker that says nothing of itself.
const SILENT: &str = "silent/0/0";

/// It takes up room for the claims of one test.
fn announcement() -> WorkerMessage {
    WorkerMessage::Announce(Announcement {
        worker_id: SILENT.to_owned(),
        name: "silent".to_owned(),
        host: "elsewhere".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        plugins: vec![PluginOffer {
            name: "NOOP".parse().unwrap(),
            title_en: "Nothing".to_owned(),
            title_de: "Nichts".to_owned(),
            needs_source: false,
            needs_target: false,
            needs_template: false,
            slots: 9,
            parameters_schema: None,
        }],
        draining: false,
        checks: vec![],
        roots: vec![],
    })
}

/// Submits a job and claims it; from then on its worker is silent.
fn claims(cluster: &Cluster, worker: &mut Listener<'_>, title: &str) -> (JobId, ClaimId) {
    let id = cluster.submit(&json!({"plugin": "NOOP", "title": title}));
    let dispatch = eventually(LIMIT, "the job's dispatch", || {
        let published = "SELECT coalesce(max(published_dispatch), 0)::bigint FROM jobs WHERE id = $1";
        match cluster.sql(published, &[&id.0])[0].get(0) {
            0 => Err("not published".to_owned()),
            dispatch => Ok(dispatch),
        }
    });
    let claim = Claim {
        job_id: id,
        dispatch,
        claim_id: ClaimId::generate(),
    };
    let request = WorkerMessage::Claim(ClaimRequest {
        worker_id: SILENT.to_owned(),
        claims: vec![claim.clone()],
    });
    match worker.ask(&request) {
        Reply::Claims { answers } => assert!(matches!(answers[..], [ClaimReply::Granted(_)]), "{answers:?}"),
        other => panic!("no answer to a claim: {other:?}"),
    }
    (id, claim.claim_id)
}

/// What it is told next of its attempts, and whether it is to be drained.
#[track_caller]
fn hears(worker: &mut Listener<'_>) -> (Vec<(ClaimId, Verdict)>, bool) {
    match worker.hear() {
        Reply::Control { verdicts, drain } => {
            let verdicts = verdicts.iter().map(|verdict| (verdict.claim_id, verdict.verdict));
            (verdicts.collect(), drain)
        }
        other => panic!("nothing was asked: {other:?}"),
    }
}

#[test]
fn a_worker_that_sends_no_heartbeat_hears_of_cancelling_stopping_deadlines_and_draining() {
    let mut cluster = Cluster::named("pushed")
        .plugins("NOOP=1")
        .users(&["pages=NOOP", "others=NOOP"])
        .lease_seconds(3600)
        .start();
    // It would take the jobs.
    cluster.workers[0].freeze();
    let stranger = cluster.stranger("others");
    let mut worker = stranger.listen();
    let answer = worker.ask(&announcement());
    assert!(matches!(answer, Reply::Announced { .. }), "{answer:?}");
    let act = |path: &str, action: serde_json::Value| {
        let (status, answer) = cluster.api().act(path, &action);
        assert_eq!(status, 200, "{answer}");
    };

    let (cancelled, claim) = claims(&cluster, &mut worker, "Atlas");
    act(
        &format!("/api/v1/jobs/{cancelled}/actions"),
        json!({"action": "cancel"}),
    );
    assert_eq!(hears(&mut worker), (vec![(claim, Verdict::Cancel)], false));

    let (_, claim) = claims(&cluster, &mut worker, "Bibel");
    // The one that was cancelled has not been reported: it is told again.
    let plugin = "/api/v1/plugins/NOOP/actions";
    act(plugin, json!({"action": "stop", "deadline_seconds": 1}));
    let of_the_second = |(verdicts, _): (Vec<(ClaimId, Verdict)>, bool)| -> Vec<Verdict> {
        let second = verdicts.into_iter().filter(|(told, _)| *told == claim);
        second.map(|(_, verdict)| verdict).collect()
    };
    assert_eq!(of_the_second(hears(&mut worker)), [Verdict::Yield]);
    assert_eq!(
        of_the_second(hears(&mut worker)),
        [Verdict::Interrupt],
        "after the deadline"
    );

    act(
        &format!("/api/v1/workers/{}/actions", SILENT.replace('/', "%2F")),
        json!({"action": "drain"}),
    );
    // Until then the deadline is told again and again.
    while !hears(&mut worker).1 {}
    cluster.workers[0].thaw();
}

#[test]
fn a_worker_obeys_at_once_what_it_is_told_without_having_asked() {
    let mut cluster = Cluster::named("pushed-obeys")
        .plugins("NOOP=1")
        .lease_seconds(3600)
        .start();
    // One long item: it is not interrupted by yielding.
    let id = cluster.submit(
        &json!({"plugin": "NOOP", "title": "Chronik", "parameters": {"items": 2, "item_ms": 3_600_000}}),
    );
    for attempt in [1, 2] {
        cluster.wait_until(id, "runs", |job| {
            job.state == "PROCESSING" && job.attempts.len() == attempt
        });
        let lease = "SELECT claim_id, reply_to FROM leases JOIN workers ON workers.id = leases.worker_id
             WHERE job_id = $1";
        let lease = &cluster.sql(lease, &[&id.0])[0];
        let told = Reply::Control {
            verdicts: vec![AttemptVerdict {
                job_id: id,
                claim_id: ClaimId(lease.get("claim_id")),
                verdict: Verdict::Interrupt,
                transfer: None,
            }],
            drain: false,
        };
        cluster.amqp().tell(lease.get("reply_to"), &encode(&told));
    }
    // No coordinator has ever wanted that.
    let job = cluster.wait_until(id, "runs the third time", |job| {
        job.state == "PROCESSING" && job.attempts.len() == 3
    });
    assert_eq!(job.outcomes()[..2], ["interrupted", "interrupted"]);
    let (status, answer) = cluster.api().act(
        &format!("/api/v1/jobs/{id}/actions"),
        &json!({"action": "cancel"}),
    );
    assert_eq!(status, 200, "{answer}");
    cluster.wait_for_end(id);

    let told = Reply::Control {
        verdicts: vec![],
        drain: true,
    };
    let worker = &cluster.sql("SELECT reply_to FROM workers", &[])[0];
    cluster.amqp().tell(worker.get("reply_to"), &encode(&told));
    assert!(cluster.workers[0].wait_for_end(LIMIT).success());
}
