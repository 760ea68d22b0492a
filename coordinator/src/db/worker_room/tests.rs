//! Slots of workers as limits, and workers that are drained, against a real database.

use shared::job::decide::Refusal;
use shared::job::{ClaimId, JobId};
use shared::message::reply::{ClaimReply, Verdict};
use shared::message::worker::Claim;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::background::housekeeping::remove_expired;
use crate::control::{Actor, Role, WorkerAction};
use crate::db::Db;
use crate::db::claims::GrantClaims;
use crate::db::control::{ActOnWorker, WorkerOutcome};
use crate::db::pages::sample::{Sample, id};
use crate::testing::TestDatabase;
use crate::worker_users::WorkerUsers;

async fn database() -> (TestDatabase, Db) {
    let mut sample = Sample::default();
    sample
        .plugin("OCR")
        .plugin("JP2")
        .worker("one", "OCR", 2, 0, false)
        .worker("ends", "OCR", 2, 0, true);
    for title in ["a", "b", "c"] {
        sample.waiting("OCR", title, 5);
    }
    sample.waiting("JP2", "image", 5);
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    let db = database.db();
    (database, db)
}

fn asked(worker: &str, user: &str, title: &str, dispatch: i64) -> WorkerClaim {
    WorkerClaim {
        worker_id: worker.to_owned(),
        amqp_user: user.to_owned(),
        claim: Claim {
            job_id: id(title),
            dispatch,
            claim_id: ClaimId::generate(),
        },
    }
}

async fn claim(db: &Db, claims: &[WorkerClaim]) -> Vec<Result<JobId, Refusal>> {
    let users = WorkerUsers::default();
    let answers = db
        .run(&GrantClaims {
            claims,
            users: &users,
        })
        .await
        .unwrap();
    answers
        .into_iter()
        .map(|answer| match answer {
            ClaimReply::Granted(grant) => Ok(grant.job_id),
            ClaimReply::Refused { refusal, .. } => Err(refusal),
            ClaimReply::Other => panic!("no answer"),
        })
        .collect()
}

#[tokio::test]
async fn a_worker_gets_no_more_jobs_than_it_has_announced_slots_in_one_batch_or_several() {
    let (database, db) = database().await;
    let batch = ["a", "b", "c"].map(|title| asked("one", "user", title, 1));
    let full = Err(Refusal::LimitReached);
    assert_eq!(claim(&db, &batch).await, [Ok(id("a")), Ok(id("b")), full]);
    assert_eq!(claim(&db, &[asked("one", "user", "c", 2)]).await, [full]);
    database.execute("UPDATE jobs SET start_now = true").await;
    assert_eq!(
        claim(&db, &[asked("one", "user", "c", 3)]).await,
        [full],
        "nobody starts what has no slot"
    );
    database
        .execute("DELETE FROM leases WHERE job_id IN (SELECT id FROM jobs WHERE title = 'a')")
        .await;
    assert_eq!(claim(&db, &[asked("one", "user", "c", 4)]).await, [Ok(id("c"))]);
    let counted = "SELECT key || ' ' || running FROM limit_keys WHERE running > 0 ORDER BY key";
    assert_eq!(
        database.texts(counted).await,
        ["plugin:OCR 2", "worker:one:OCR 2"]
    );
}

#[tokio::test]
async fn a_worker_gets_nothing_that_it_has_not_announced_and_nothing_while_it_ends() {
    let (_database, db) = database().await;
    let full = Err(Refusal::LimitReached);
    assert_eq!(claim(&db, &[asked("one", "user", "image", 1)]).await, [full]);
    assert_eq!(claim(&db, &[asked("ends", "user", "a", 1)]).await, [full]);
    // One that has not announced itself yet is taken at its word.
    assert_eq!(claim(&db, &[asked("new", "user", "a", 2)]).await, [Ok(id("a"))]);
}

#[tokio::test]
async fn a_claim_in_the_name_of_another_users_worker_is_refused_and_changes_nothing() {
    let (_database, db) = database().await;
    let refused = Err(Refusal::UserNotAllowed);
    assert_eq!(claim(&db, &[asked("one", "mallory", "a", 1)]).await, [refused]);
    assert_eq!(claim(&db, &[asked("one", "user", "a", 1)]).await, [Ok(id("a"))]);
}

#[tokio::test]
async fn a_claim_that_is_repeated_is_granted_again_although_the_slots_are_full() {
    let (_database, db) = database().await;
    let batch = ["a", "b"].map(|title| asked("one", "user", title, 1));
    claim(&db, &batch).await;
    assert_eq!(claim(&db, &batch).await, [Ok(id("a")), Ok(id("b"))]);
}

#[tokio::test]
async fn what_is_counted_of_workers_that_are_gone_is_forgotten() {
    let (database, db) = database().await;
    claim(&db, &[asked("one", "user", "a", 1)]).await;
    database
        .execute("UPDATE workers SET heartbeat_at = tm_now() - interval '2 days'")
        .await;
    remove_expired(&db, &CancellationToken::new()).await;
    let keys = "SELECT key FROM limit_keys ORDER BY key";
    assert_eq!(
        database.texts(keys).await,
        ["plugin:OCR", "worker:one:OCR"],
        "it runs still"
    );
    database.execute("DELETE FROM leases").await;
    remove_expired(&db, &CancellationToken::new()).await;
    assert_eq!(database.texts(keys).await, ["plugin:OCR"]);
}

#[tokio::test]
async fn draining_a_worker_is_authorised_audited_and_told_at_once() {
    let (database, db) = database().await;
    claim(&db, &[asked("one", "user", "a", 1)]).await;
    let act = |actor, id| ActOnWorker {
        actor,
        id,
        action: &WorkerAction::Drain,
    };
    let viewer = Actor::with("eve".to_owned(), Role::Viewer);
    let operator = Actor::with("adam".to_owned(), Role::Operator);
    assert_eq!(
        db.run(&act(&viewer, "one")).await.unwrap().0,
        WorkerOutcome::Forbidden
    );
    assert_eq!(
        db.run(&act(&operator, "none")).await.unwrap().0,
        WorkerOutcome::Unknown
    );
    let (outcome, told) = db.run(&act(&operator, "one")).await.unwrap();
    assert_eq!(
        (outcome, told.drains),
        (WorkerOutcome::Done, vec!["reply".to_owned()])
    );
    assert_eq!(told.pushes[0].1[0].verdict, Verdict::Yield);
    assert_eq!(
        db.run(&act(&operator, "one")).await.unwrap().0,
        WorkerOutcome::Unchanged
    );
    assert_eq!(
        claim(&db, &[asked("one", "user", "b", 1)]).await,
        [Err(Refusal::LimitReached)]
    );
    let audit =
        "SELECT actor || ' ' || action || ' ' || worker_id || ' ' || outcome FROM audit_log ORDER BY id";
    assert_eq!(
        database.texts(audit).await,
        [
            "eve drain one forbidden",
            "adam drain none refused",
            "adam drain one done",
            "adam drain one unchanged"
        ]
    );
}
