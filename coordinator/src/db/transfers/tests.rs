//! Transfer slots against a real database: who gets one, who waits behind whom, and how they come back.

use shared::job::decide::Refusal;
use shared::job::{ClaimId, Stage};
use shared::message::reply::ClaimReply;
use shared::message::transfer::TransferAsk;
use shared::message::worker::{AttemptReport, Claim};

use super::*;
use crate::db::Db;
use crate::db::claims::{GrantClaims, WorkerClaim};
use crate::db::heartbeats::Revise;
use crate::db::pages::sample::{Sample, id};
use crate::db::sweep::ExpireLeases;
use crate::testing::TestDatabase;
use crate::testing::meeting::{Meets, Statements, meet};
use crate::worker_users::WorkerUsers;

const TITLES: [&str; 4] = ["a", "b", "c", "d"];

/// Four running jobs with their sources and targets on `/data`, which takes one transfer at a time.
async fn database() -> (TestDatabase, Db) {
    let mut sample = Sample::default();
    sample.plugin("OCR").worker("one", "OCR", 9, 0, false);
    for title in TITLES {
        sample.waiting("OCR", title, 5);
    }
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    database
        .execute(
            "INSERT INTO storages VALUES ('/data', NULL, NULL, 1), ('/scans', NULL, NULL, NULL);
             UPDATE job_details SET target = source || '/out'",
        )
        .await;
    let db = database.db();
    let claims = TITLES.map(|title| WorkerClaim {
        worker_id: "one".to_owned(),
        amqp_user: "user".to_owned(),
        claim: Claim {
            job_id: id(title),
            dispatch: 1,
            claim_id: claim_of(title),
        },
    });
    let users = WorkerUsers::default();
    let grant = GrantClaims {
        claims: &claims,
        users: &users,
    };
    for answer in db.run(&grant).await.unwrap() {
        let ClaimReply::Granted(grant) = answer else {
            panic!("{answer:?}: {:?}", Refusal::Other)
        };
        assert!(grant.ask_for_transfer, "its source is on a limited storage");
    }
    (database, db)
}

fn claim_of(title: &str) -> ClaimId {
    ClaimId(id(&format!("claim of {title}")).0)
}

fn says(title: &str, transfer: Option<TransferAsk>) -> WorkerReport {
    WorkerReport {
        worker_id: "one".to_owned(),
        amqp_user: "user".to_owned(),
        report: AttemptReport {
            job_id: id(title),
            attempt: 1,
            claim_id: claim_of(title),
            stage: Stage::Started,
            percent: 0.0,
            items_done: 0,
            items_failed: 0,
            items_total: 0,
            bytes: 0,
            detail: String::new(),
            transfer,
            items: Vec::new(),
            log: Vec::new(),
        },
    }
}

fn asks(title: &str, of: Transfer) -> WorkerReport {
    says(title, Some(TransferAsk { of, begun: false }))
}

fn moves(title: &str) -> WorkerReport {
    let ask = TransferAsk {
        of: Transfer::Source,
        begun: true,
    };
    says(title, Some(ask))
}

async fn settle(db: &Db, reports: &[WorkerReport]) -> Vec<Option<TransferReply>> {
    db.run(&SettleTransfers { reports }).await.unwrap()
}

/// One of them asks for its source.
async fn ask(db: &Db, title: &str) -> TransferReply {
    let answers = settle(db, &[asks(title, Transfer::Source)]).await;
    answers.into_iter().next().flatten().unwrap()
}

fn wait(running: u32, ahead: u32) -> TransferReply {
    TransferReply::Wait {
        storage: "/data".to_owned(),
        running,
        most: 1,
        ahead,
    }
}

/// What is counted, and what a recount gives.
async fn counted(database: &TestDatabase) -> i64 {
    let counts =
        "SELECT (SELECT coalesce(sum(running), 0) FROM limit_keys WHERE key = 'transfers:/data') || ' '
        || (SELECT count(*) FROM leases WHERE 'transfers:/data' = ANY (limit_keys))";
    let counts = database.texts(counts).await.remove(0);
    let (counted, recounted) = counts.split_once(' ').unwrap();
    assert_eq!(counted, recounted, "the count is not what a recount gives");
    counted.parse().unwrap()
}

#[tokio::test]
async fn no_more_transfers_run_than_may_and_who_came_first_is_first() {
    let (database, db) = database().await;
    assert_eq!(ask(&db, "a").await, TransferReply::Granted);
    assert_eq!(ask(&db, "b").await, wait(1, 0));
    assert_eq!(ask(&db, "c").await, wait(1, 1));
    assert_eq!(ask(&db, "b").await, wait(1, 0), "asking again changes no place");
    assert_eq!(ask(&db, "a").await, TransferReply::Granted, "it was said before");
    assert_eq!(counted(&database).await, 1);
    assert_eq!(settle(&db, &[says("a", None)]).await, [None]);
    assert_eq!(counted(&database).await, 0);
    assert_eq!(ask(&db, "d").await, wait(0, 2), "two came before");
    assert_eq!(ask(&db, "c").await, wait(0, 1));
    assert_eq!(ask(&db, "b").await, TransferReply::Granted);
    assert_eq!(counted(&database).await, 1);
}

#[tokio::test]
async fn what_is_given_back_in_a_batch_is_had_by_another_one_of_the_batch() {
    let (database, db) = database().await;
    ask(&db, "a").await;
    ask(&db, "b").await;
    let batch = [
        asks("c", Transfer::Target),
        asks("b", Transfer::Source),
        says("a", None),
    ];
    let answers = settle(&db, &batch).await;
    assert_eq!(answers, [Some(wait(1, 0)), Some(TransferReply::Granted), None]);
    assert_eq!(counted(&database).await, 1);
}

#[tokio::test]
async fn a_slot_goes_with_its_lease_and_whoever_comes_back_has_it_again_while_it_moves_data() {
    let (database, db) = database().await;
    ask(&db, "a").await;
    ask(&db, "b").await;
    database
        .execute(&format!(
            "UPDATE leases SET lease_end = tm_now() - interval '1 hour' WHERE job_id = '{}';
             UPDATE heartbeat_probe SET continuous_since = tm_now() - interval '1 day', last_at = tm_now()",
            id("a")
        ))
        .await;
    assert_eq!(db.run(&ExpireLeases { gap_seconds: 5.0 }).await.unwrap().0, 1);
    assert_eq!(counted(&database).await, 0);
    assert_eq!(ask(&db, "b").await, TransferReply::Granted);
    // It was only cut off, and is still at it.
    let reports = [moves("a")];
    db.run(&Revise { reports: &reports }).await.unwrap();
    assert_eq!(settle(&db, &reports).await, [Some(TransferReply::Granted)]);
    assert_eq!(counted(&database).await, 2);
    assert_eq!(ask(&db, "c").await, wait(2, 0));
}

#[tokio::test]
async fn who_waits_and_goes_leaves_its_place_to_the_next_one() {
    let (database, db) = database().await;
    for title in ["a", "b", "c"] {
        ask(&db, title).await;
    }
    settle(&db, &[says("a", None)]).await;
    // It has given way: held, drained, cancelled.
    database
        .execute(&format!("DELETE FROM leases WHERE job_id = '{}'", id("b")))
        .await;
    assert_eq!(ask(&db, "c").await, TransferReply::Granted);
}

#[tokio::test]
async fn who_wants_something_else_gives_back_what_it_has() {
    let (database, db) = database().await;
    ask(&db, "a").await;
    database
        .execute(&format!(
            "UPDATE job_details SET target = '/scans/a' WHERE job_id = '{}'",
            id("a")
        ))
        .await;
    let answers = settle(&db, &[asks("a", Transfer::Target)]).await;
    assert_eq!(answers, [Some(TransferReply::Granted)], "there is no limit");
    assert_eq!(counted(&database).await, 0);
    let keys =
        "SELECT key || ' ' || running FROM limit_keys WHERE starts_with(key, 'transfers:') ORDER BY key";
    assert_eq!(
        database.texts(keys).await,
        ["transfers:/data 0", "transfers:/scans 1"]
    );
}

#[tokio::test]
async fn where_no_storage_is_known_everybody_may_and_nothing_is_counted() {
    let (database, db) = database().await;
    ask(&db, "a").await;
    database.execute("DELETE FROM storages").await;
    assert_eq!(settle(&db, &[moves("a")]).await, [Some(TransferReply::Granted)]);
    assert_eq!(ask(&db, "b").await, TransferReply::Granted);
    assert_eq!(counted(&database).await, 0);
}

#[tokio::test]
async fn a_stranger_gets_no_slot_and_takes_none_away() {
    let (database, db) = database().await;
    ask(&db, "a").await;
    let foreign = |sent: WorkerReport| WorkerReport {
        amqp_user: "mallory".to_owned(),
        ..sent
    };
    let batch = [foreign(says("a", None)), foreign(asks("b", Transfer::Source))];
    assert_eq!(settle(&db, &batch).await, [None, None]);
    assert_eq!(counted(&database).await, 1);
    assert_eq!(ask(&db, "c").await, wait(1, 0), "nobody waits before it");
}

#[tokio::test]
async fn slots_are_settled_under_the_jobs_rows_before_the_limits_and_the_leases() {
    let (database, db) = database().await;
    ask(&db, "a").await;
    // As a result does that ends the job: its row, then what it counts against, then its lease.
    let first = format!("SELECT 1 FROM jobs WHERE id = '{}' FOR UPDATE", id("a"));
    let first = Statements(&first);
    let then = format!(
        "SELECT 1 FROM limit_keys WHERE key = 'transfers:/data' FOR UPDATE NOWAIT;
         SELECT 1 FROM leases WHERE job_id = '{}' FOR UPDATE NOWAIT",
        id("a")
    );
    let reports = [says("a", None)];
    let settles = SettleTransfers { reports: &reports };
    let ((), answers) = meet(&database, &db, &Meets::new(&first, &then), &settles).await;
    assert_eq!(answers, [None]);
    assert_eq!(counted(&database).await, 0);
}
