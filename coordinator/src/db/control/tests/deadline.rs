//! A stop beyond its deadline: what does not give way has lost its job one lease later.

use shared::job::decide::PublishAnswer;
use shared::message::manifest::Manifest;
use shared::message::reply::Verdict;
use shared::message::worker::PublishRequest;

use super::*;
use crate::db::heartbeats::Revise;
use crate::db::lock_order::report;
use crate::db::publish::GrantPublish;
use crate::db::sweep::ExpireLeases;

/// What the plugin is, and how many leases of it there are that end in time.
const STATE: &str =
    "SELECT state || ' ' || (SELECT count(*) FROM leases WHERE lease_end < tm_now() + interval '10 s')
    FROM plugins";

/// The answers to a heartbeat of a worker that does not give way, and to its request to publish.
async fn word(db: &Db) -> (Verdict, PublishAnswer) {
    let sent = report("late", Stage::Processing);
    let request = PublishRequest {
        worker_id: sent.worker_id.clone(),
        job_id: sent.report.job_id,
        attempt: sent.report.attempt,
        claim_id: sent.report.claim_id,
        manifest: Manifest {
            files: Vec::new(),
            outcome: Outcome::Done {
                summary: serde_json::Map::new(),
            },
        },
        items: Vec::new(),
    };
    let verdicts = db.run(&Revise { reports: &[sent] }).await.unwrap();
    let publish = GrantPublish {
        request: &request,
        amqp_user: "user",
    };
    (verdicts[0], db.run(&publish).await.unwrap().0)
}

#[tokio::test]
async fn a_stop_is_complete_one_lease_after_its_deadline_although_a_worker_goes_on() {
    let mut sample = Sample::default();
    sample.plugin("OCR").running("OCR", "late", 5);
    let (database, db) = database(&sample).await;
    let stop = PluginAction::Stop {
        reason: None,
        deadline_seconds: Some(0),
        resume_at: None,
    };
    on_plugin(&db, "OCR", stop).await;
    database
        .execute("UPDATE leases SET lease_end = tm_now() + interval '5 s'")
        .await;
    assert_eq!(word(&db).await, (Verdict::Interrupt, PublishAnswer::Granted));
    assert_eq!(
        database.texts(STATE).await,
        ["stopping 1"],
        "its lease is no longer than it was"
    );
    assert!(
        !db.run(&FollowStops).await.unwrap().0,
        "it may be at the end of its work"
    );
    database
        .execute(
            "UPDATE leases SET lease_end = tm_now() - interval '1 hour';
             UPDATE heartbeat_probe SET continuous_since = tm_now() - interval '1 day', last_at = tm_now()",
        )
        .await;
    db.run(&ExpireLeases { gap_seconds: 5.0 }).await.unwrap();
    assert!(db.run(&FollowStops).await.unwrap().0);
    assert_eq!(word(&db).await, (Verdict::Lost, PublishAnswer::Lost));
    assert_eq!(database.texts(STATE).await, ["stopped 0"]);
    on_plugin(&db, "OCR", PluginAction::Start).await;
    assert_eq!(
        word(&db).await,
        (Verdict::Ok, PublishAnswer::Granted),
        "nobody has claimed it since"
    );
}
