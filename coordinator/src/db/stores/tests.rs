//! When item stores are given up, and how workers are told, against a real database; time is moved, not waited for.

use shared::job::{ClaimId, JobState, Stage};
use shared::message::reply::Verdict;
use shared::message::worker::{AttemptReport, AttemptResult, Outcome};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::background::housekeeping::remove_expired;
use crate::control::{Actor, JobAction, RetryItems};
use crate::db::Db;
use crate::db::control::{ActOnJobs, JobOutcome};
use crate::db::heartbeats::{Revise, WorkerReport};
use crate::db::pages::sample::{Sample, id};
use crate::db::pages::{ReadUselessStores, UselessStores};
use crate::db::results::Record;
use crate::db::retention::Prune;
use crate::testing::TestDatabase;

const DELETE: JobAction = JobAction::Delete;
const CANCEL: JobAction = JobAction::Cancel;

/// OCR jobs `a` (has run and waits again) and `failed`, a fresh one, and two workers.
async fn database() -> (TestDatabase, Db) {
    let mut sample = Sample::default();
    sample
        .plugin("OCR")
        .worker("one", "OCR", 2, 0, false)
        .worker("two", "OCR", 2, 0, false)
        .waiting("OCR", "a", 5)
        .waiting("OCR", "fresh", 5)
        .ended("OCR", "failed", "ERROR", 2);
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    database
        .execute(
            "UPDATE job_details SET target = '/data/27'; UPDATE job_history SET target = '/data/28';
             UPDATE jobs SET attempt = 1 WHERE title = 'a'",
        )
        .await;
    let db = database.db();
    (database, db)
}

async fn act(db: &Db, job: JobId, action: &JobAction) -> JobOutcome {
    let act = ActOnJobs {
        actor: &Actor::on_this_machine(),
        ids: &[job],
        action,
    };
    db.run(&act).await.unwrap().outcomes.remove(0).1
}

async fn retry(db: &Db, job: JobId, items: RetryItems) -> JobId {
    match act(db, job, &JobAction::Retry { items }).await {
        JobOutcome::Retried { new_job } => new_job,
        other => panic!("{other:?}"),
    }
}

/// The titles of the jobs whose stores are listed, by their ids.
async fn listed(database: &TestDatabase) -> Vec<String> {
    let ids = database
        .texts(
            "SELECT store_id::text FROM stores_to_remove WHERE removed_at IS NULL ORDER BY since, store_id",
        )
        .await;
    let names = ["a", "b", "failed", "fresh"];
    ids.iter()
        .map(|store| {
            let name = names.iter().find(|name| id(name).to_string() == *store);
            name.map_or(store.clone(), |name| (*name).to_owned())
        })
        .collect()
}

async fn handed_to(db: &Db, worker_id: &str) -> Vec<UselessStore> {
    let heard = Heard {
        worker_id,
        amqp_user: "user",
    };
    db.run(&HandOut { workers: &[heard] }).await.unwrap().remove(0)
}

async fn said(db: &Db, worker_id: &str, store: JobId, error: Option<&str>) {
    let heard = Heard {
        worker_id,
        amqp_user: "user",
    };
    let removal = StoreRemoval {
        store,
        error: error.map(str::to_owned),
    };
    let removals = [(heard, &removal)];
    db.run(&RecordRemovals { removals: &removals }).await.unwrap();
}

async fn advance(database: &TestDatabase, interval: &str) {
    database
        .execute(&format!(
            "CREATE OR REPLACE FUNCTION tm_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
             AS $$ SELECT clock_timestamp() + interval '{interval}' $$"
        ))
        .await;
}

fn report(title: &str) -> AttemptReport {
    AttemptReport {
        job_id: id(title),
        attempt: 1,
        claim_id: ClaimId(id(&format!("claim of {title}")).0),
        stage: Stage::Processing,
        percent: 0.0,
        items_done: 0,
        items_failed: 0,
        items_total: 0,
        bytes: 0,
        detail: String::new(),
        transfer: None,
        items: Vec::new(),
        log: Vec::new(),
    }
}

#[tokio::test]
async fn a_job_that_is_cancelled_while_it_waits_leaves_its_store_to_one_worker() {
    let (database, db) = database().await;
    assert_eq!(act(&db, id("fresh"), &CANCEL).await, JobOutcome::Done);
    assert!(listed(&database).await.is_empty(), "it has never run");
    assert_eq!(act(&db, id("a"), &CANCEL).await, JobOutcome::Done);
    let store = UselessStore {
        store: id("a"),
        target: "/data/27".to_owned(),
    };
    assert!(handed_to(&db, "nobody").await.is_empty());
    assert_eq!(handed_to(&db, "one").await, [store]);
    assert!(handed_to(&db, "two").await.is_empty(), "two workers do the same");
    said(&db, "two", id("a"), None).await;
    assert_eq!(listed(&database).await, ["a"], "who was not asked has no say");
    said(&db, "one", id("a"), None).await;
    assert!(listed(&database).await.is_empty());
    advance(&database, "25 hours").await;
    assert!(handed_to(&db, "one").await.is_empty());
    remove_expired(&db, &CancellationToken::new()).await;
    assert_eq!(
        database.texts("SELECT target FROM stores_to_remove").await.len(),
        0
    );
}

#[tokio::test]
async fn who_does_not_answer_or_fails_is_not_waited_for_and_what_stays_is_told() {
    let (database, db) = database().await;
    act(&db, id("a"), &CANCEL).await;
    assert_eq!(handed_to(&db, "one").await.len(), 1);
    advance(&database, "6 minutes").await;
    assert_eq!(handed_to(&db, "two").await.len(), 1, "one has not answered");
    said(&db, "two", id("a"), Some("the file server is away")).await;
    assert!(
        handed_to(&db, "one").await.is_empty(),
        "after a failure there is a pause"
    );
    advance(&database, "7 minutes 10 seconds").await;
    assert!(handed_to(&db, "two").await.is_empty(), "others come first");
    assert_eq!(handed_to(&db, "one").await.len(), 1);
    said(&db, "one", id("a"), Some("it is outside the roots")).await;
    advance(&database, "8 minutes 30 seconds").await;
    assert!(handed_to(&db, "two").await.is_empty(), "the pause grows");
    advance(&database, "10 minutes").await;
    assert_eq!(handed_to(&db, "two").await.len(), 1);
    said(&db, "two", id("a"), Some("the file server is away")).await;
    let stores: UselessStores = db.run(&ReadUselessStores).await.unwrap();
    assert_eq!((stores.waiting, stores.stuck), (1, 1));
    assert_eq!(
        stores.named[0].last_error.as_deref(),
        Some("the file server is away")
    );
    assert!(stores.named[0].folder.starts_with("/data/27/.taskmanager-"));
}

#[tokio::test]
async fn a_failed_jobs_store_goes_with_its_history_and_never_while_a_retry_needs_it() {
    let (database, db) = database().await;
    let retried = retry(&db, id("failed"), RetryItems::Failed).await;
    assert!(listed(&database).await.is_empty());
    assert_eq!(act(&db, id("failed"), &DELETE).await, JobOutcome::Done);
    assert!(
        listed(&database).await.is_empty(),
        "its retry goes on in the store"
    );
    assert_eq!(act(&db, retried, &CANCEL).await, JobOutcome::Done);
    assert_eq!(listed(&database).await, ["failed"]);
}

#[tokio::test]
async fn a_failed_job_whose_failed_retry_is_deleted_may_be_retried_in_its_store() {
    let (database, db) = database().await;
    let retried = retry(&db, id("failed"), RetryItems::Failed).await;
    database
        .execute(&format!(
            "INSERT INTO job_history (id, plugin, title, state, priority, attempt, submitted_at, finished_at, items_done,
                 items_failed, items_total, bytes, error, summary, parameters, extra, submitted_by, target, retry_of,
                 store_id)
             SELECT id, plugin, title, 'ERROR', 5, 1, now(), now(), 0, 0, 0, 0, 'why', '{{}}', '{{}}', '{{}}', 'test',
                 '/data/28', retry_of, '{}' FROM jobs WHERE id = '{retried}';
             DELETE FROM jobs WHERE id = '{retried}'",
            id("failed")
        ))
        .await;
    assert_eq!(act(&db, retried, &DELETE).await, JobOutcome::Done);
    assert!(listed(&database).await.is_empty());
    let again = retry(&db, id("failed"), RetryItems::Failed).await;
    let adopted = format!("SELECT store_id::text FROM job_details WHERE job_id = '{again}'");
    assert_eq!(database.texts(&adopted).await, [id("failed").to_string()]);
}

#[tokio::test]
async fn a_failed_job_that_is_deleted_or_pruned_leaves_its_store() {
    let (database, db) = database().await;
    assert_eq!(act(&db, id("failed"), &DELETE).await, JobOutcome::Done);
    assert_eq!(listed(&database).await, ["failed"]);
    let (database, db) = self::database().await;
    database.execute("UPDATE plugins SET keep_failed_jobs = 0").await;
    assert_eq!(db.run(&Prune).await.unwrap(), 1);
    assert_eq!(listed(&database).await, ["failed"]);
}

#[tokio::test]
async fn a_retry_that_does_all_anew_leaves_the_old_store_and_no_later_one_adopts_it() {
    let (database, db) = database().await;
    let retried = retry(&db, id("failed"), RetryItems::All).await;
    assert_eq!(listed(&database).await, ["failed"]);
    act(&db, retried, &CANCEL).await;
    act(&db, retried, &DELETE).await;
    let again = retry(&db, id("failed"), RetryItems::Failed).await;
    let adopted =
        format!("SELECT job_id::text FROM job_details WHERE job_id = '{again}' AND store_id IS NULL");
    assert_eq!(
        database.texts(&adopted).await.len(),
        1,
        "a worker may be removing it just now"
    );
}

/// Ends the job `b`, which runs, as done; its worker says this of its store.
async fn end_b(database: &TestDatabase, db: &Db, store_removed: Option<bool>) {
    let mut sample = Sample::default();
    sample.running("OCR", "b", 5);
    database.execute(&sample.sql()).await;
    database
        .execute("UPDATE job_details SET target = '/data/27'")
        .await;
    let result = AttemptResult {
        worker_id: "worker".to_owned(),
        outcome: Outcome::Done {
            summary: serde_json::Map::new(),
        },
        store_removed,
        report: report("b"),
    };
    let record = Record {
        results: &[result],
        users: &["user"],
    };
    let (_, finished) = db.run(&record).await.unwrap();
    assert_eq!(finished[0].state, JobState::Done);
}

#[tokio::test]
async fn a_store_that_the_worker_could_not_remove_itself_is_listed() {
    for (store_removed, expected) in [(Some(true), 0), (None, 0), (Some(false), 1)] {
        let (database, db) = database().await;
        end_b(&database, &db, store_removed).await;
        assert_eq!(listed(&database).await.len(), expected, "{store_removed:?}");
        let retried = retry(&db, id("b"), RetryItems::Failed).await;
        let own =
            format!("SELECT job_id::text FROM job_details WHERE job_id = '{retried}' AND store_id IS NULL");
        assert_eq!(
            database.texts(&own).await.len(),
            1,
            "it goes on in a store that is gone"
        );
    }
}

#[tokio::test]
async fn a_store_is_listed_again_when_an_attempt_that_was_cut_off_is_heard_of() {
    let (database, db) = database().await;
    act(&db, id("a"), &CANCEL).await;
    handed_to(&db, "one").await;
    said(&db, "one", id("a"), None).await;
    assert!(listed(&database).await.is_empty());
    let heartbeat = WorkerReport {
        worker_id: "cut off".to_owned(),
        amqp_user: "user".to_owned(),
        report: report("a"),
    };
    let reports = [heartbeat];
    let verdicts = db.run(&Revise { reports: &reports }).await.unwrap();
    assert_eq!(verdicts, [Verdict::Lost]);
    assert_eq!(listed(&database).await, ["a"]);
    assert!(
        handed_to(&db, "one").await.is_empty(),
        "the attempt may still write"
    );
    advance(&database, "2 minutes").await;
    assert_eq!(handed_to(&db, "one").await.len(), 1);
    // Whoever was asked before the attempt was heard of again may have been too early.
    db.run(&Revise { reports: &reports }).await.unwrap();
    said(&db, "one", id("a"), None).await;
    assert_eq!(listed(&database).await, ["a"]);
}

#[tokio::test]
async fn a_late_result_of_a_job_that_history_has_forgotten_lists_its_store_again_too() {
    let (database, db) = database().await;
    act(&db, id("a"), &CANCEL).await;
    handed_to(&db, "one").await;
    said(&db, "one", id("a"), None).await;
    act(&db, id("a"), &DELETE).await;
    let result = AttemptResult {
        worker_id: "cut off".to_owned(),
        outcome: Outcome::Cancelled,
        store_removed: None,
        report: report("a"),
    };
    let record = Record {
        results: &[result],
        users: &["user"],
    };
    db.run(&record).await.unwrap();
    assert_eq!(listed(&database).await, ["a"]);
}

#[tokio::test]
async fn a_store_that_a_job_uses_is_never_handed_out_whoever_has_listed_it() {
    let (database, db) = database().await;
    database
        .execute(&format!(
            "INSERT INTO stores_to_remove (store_id, plugin, target) VALUES ('{}', 'OCR', '/data/27')",
            id("a")
        ))
        .await;
    assert!(handed_to(&db, "one").await.is_empty());
    act(&db, id("a"), &CANCEL).await;
    assert_eq!(handed_to(&db, "one").await.len(), 1);
}
