//! The order of locks, shown with two transactions that meet: whoever waits for a row must hold none that comes after
//! it in that order.
//!
//! One of the two is a transaction of the test: it locks a row, lets the other one run into it, and then takes a row
//! that comes later, without waiting. Were it held by the one that waits, both would wait for each other.

mod revival;

use shared::job::{ClaimId, JobId, Stage, Token};
use shared::message::dispatch::Dispatch;
use shared::message::submit::Submission;
use shared::message::worker::AttemptReport;

use super::Db;
use super::control::{ActOnJobs, ActOnPlugins};
use super::dispatch::Mark;
use super::heartbeats::{Revise, WorkerReport};
use super::overdue::EndOverdue;
use super::pages::sample::{Sample, id};
use super::submit::{NewJob, RecordJobs};
use crate::control::{Actor, JobAction, PluginAction, RetryItems};
use crate::testing::TestDatabase;
use crate::testing::meeting::{Meets, Statements, meet};

async fn database(sample: &Sample) -> (TestDatabase, Db) {
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    let db = database.db();
    (database, db)
}

fn token(title: &str) -> Token {
    Token {
        attempt: 1,
        claim_id: ClaimId(id(&format!("claim of {title}")).0),
    }
}

/// What a worker says of a job that runs.
pub(super) fn report(title: &str, stage: Stage) -> WorkerReport {
    WorkerReport {
        worker_id: "worker".to_owned(),
        amqp_user: "user".to_owned(),
        report: AttemptReport {
            job_id: id(title),
            attempt: 1,
            claim_id: token(title).claim_id,
            stage,
            percent: 0.0,
            items_done: 0,
            items_failed: 0,
            items_total: 0,
            bytes: 0,
            detail: String::new(),
            transfer: None,
            items: Vec::new(),
            log: Vec::new(),
        },
    }
}

/// Two titles whose jobs' ids are in the other order.
fn two_titles() -> (&'static str, &'static str) {
    if id("one") > id("two") {
        ("one", "two")
    } else {
        ("two", "one")
    }
}

/// The lease of a running job has ended.
async fn lose_leases(database: &TestDatabase) {
    database
        .execute(
            "DELETE FROM leases;
             UPDATE attempts SET outcome = 'lost', ended_at = tm_now();
             UPDATE jobs SET state = 'QUEUED', dispatch = dispatch + 1, workers_lost = 1",
        )
        .await;
}

#[tokio::test]
async fn attempts_of_several_plugins_that_come_back_lock_the_limits_in_the_order_of_their_keys() {
    let mut sample = Sample::default();
    sample
        .plugin("ALTO")
        .plugin("OCR")
        .running("OCR", "o", 5)
        .running("ALTO", "a", 5);
    let (database, db) = database(&sample).await;
    lose_leases(&database).await;
    // As a claim does that is granted in both plugins.
    let first = Statements("SELECT 1 FROM limit_keys WHERE key = 'plugin:ALTO' FOR UPDATE");
    let claims = Meets::new(
        &first,
        "SELECT 1 FROM limit_keys WHERE key = 'plugin:OCR' FOR UPDATE NOWAIT",
    );
    let reports = [report("o", Stage::Processing), report("a", Stage::Processing)];
    let ((), verdicts) = meet(&database, &db, &claims, &Revise { reports: &reports }).await;
    assert_eq!(verdicts.len(), 2);
    let counts =
        "SELECT key || ' ' || running FROM limit_keys WHERE starts_with(key, 'plugin:') ORDER BY key";
    assert_eq!(database.texts(counts).await, ["plugin:ALTO 1", "plugin:OCR 1"]);
}

#[tokio::test]
async fn heartbeats_that_are_decided_lock_leases_in_the_order_of_their_jobs() {
    let (high, low) = two_titles();
    let mut sample = Sample::default();
    sample
        .plugin("OCR")
        .running("OCR", high, 5)
        .running("OCR", low, 5);
    let (database, db) = database(&sample).await;
    // As heartbeats do that only renew leases.
    let lock = |title, wait| {
        format!(
            "SELECT 1 FROM leases WHERE job_id = '{}' FOR UPDATE {wait}",
            id(title)
        )
    };
    let (first, then) = (lock(low, ""), lock(high, "NOWAIT"));
    let first = Statements(&first);
    let reports = [report(high, Stage::Upload), report(low, Stage::Upload)];
    meet(
        &database,
        &db,
        &Meets::new(&first, &then),
        &Revise { reports: &reports },
    )
    .await;
}

#[tokio::test]
async fn attempts_that_are_ended_for_their_budget_lock_leases_in_the_order_of_their_jobs() {
    let (high, low) = two_titles();
    let mut sample = Sample::default();
    sample
        .plugin("OCR")
        .running("OCR", high, 5)
        .running("OCR", low, 5);
    let (database, db) = database(&sample).await;
    database.advance("25 hours").await;
    let lock = |title, wait| {
        format!(
            "SELECT 1 FROM leases WHERE job_id = '{}' FOR UPDATE {wait}",
            id(title)
        )
    };
    let (first, then) = (lock(low, ""), lock(high, "NOWAIT"));
    let first = Statements(&first);
    let ((), (ended, _)) = meet(&database, &db, &Meets::new(&first, &then), &EndOverdue).await;
    assert_eq!(ended, 2);
}

#[tokio::test]
async fn the_dispatcher_marks_jobs_in_the_order_of_their_ids_published_or_not() {
    let (high, low) = two_titles();
    let mut sample = Sample::default();
    sample
        .plugin("OCR")
        .waiting("OCR", high, 5)
        .waiting("OCR", low, 5);
    let (database, db) = database(&sample).await;
    // As a person does who cancels both.
    let lock = |title, wait| format!("SELECT 1 FROM jobs WHERE id = '{}' FOR UPDATE {wait}", id(title));
    let (first, then) = (lock(low, ""), lock(high, "NOWAIT"));
    let first = Statements(&first);
    let dispatch = |title| Dispatch {
        plugin: "OCR".parse().unwrap(),
        job_id: id(title),
        dispatch: 1,
    };
    let mark = Mark {
        published: &[dispatch(high)],
        failed: &[dispatch(low)],
    };
    meet(&database, &db, &Meets::new(&first, &then), &mark).await;
    let published = "SELECT title FROM jobs WHERE published_dispatch = dispatch";
    assert_eq!(database.texts(published).await, [high]);
}

#[tokio::test]
async fn a_job_is_deleted_and_done_anew_with_its_family_locked_in_the_order_of_ids() {
    let (high, low) = two_titles();
    for action in [
        JobAction::Delete,
        JobAction::Retry {
            items: RetryItems::All,
        },
    ] {
        let mut sample = Sample::default();
        sample
            .plugin("OCR")
            .ended("OCR", high, "ERROR", 2)
            .ended("OCR", low, "ERROR", 1);
        let (database, db) = database(&sample).await;
        // The one was retried by the other, in the same item store.
        database
            .execute(&format!(
                "UPDATE job_history SET target = '/data', attempt = 1;
                 UPDATE job_history SET store_id = '{}' WHERE title = '{low}'",
                id(high)
            ))
            .await;
        let lock = |title, wait| {
            format!(
                "SELECT 1 FROM job_history WHERE id = '{}' FOR UPDATE {wait}",
                id(title)
            )
        };
        let (first, then) = (lock(low, ""), lock(high, "NOWAIT"));
        let act = ActOnJobs {
            actor: &Actor::on_this_machine(),
            ids: &[id(high)],
            action: &action,
        };
        let first = Statements(&first);
        let ((), done) = meet(&database, &db, &Meets::new(&first, &then), &act).await;
        assert_eq!(done.outcomes.len(), 1);
    }
}

#[tokio::test]
async fn a_job_that_ends_gives_its_key_back_when_its_family_is_locked() {
    let mut sample = Sample::default();
    sample
        .plugin("OCR")
        .ended("OCR", "failed", "ERROR", 1)
        .waiting("OCR", "anew", 5);
    let (database, db) = database(&sample).await;
    let (failed, anew) = (id("failed"), id("anew"));
    database
        .execute(&format!(
            "UPDATE job_details SET store_id = '{failed}', target = '/data' WHERE job_id = '{anew}';
             INSERT INTO idempotency_keys (key, job_id) VALUES ('derived:27', '{anew}')"
        ))
        .await;
    // As a person does who has the failed job done anew.
    let lock = format!("SELECT 1 FROM job_history WHERE id = '{failed}' FOR UPDATE");
    let first = Statements(&lock);
    let then = "SELECT 1 FROM idempotency_keys FOR UPDATE NOWAIT";
    let act = ActOnJobs {
        actor: &Actor::on_this_machine(),
        ids: &[anew],
        action: &JobAction::Cancel,
    };
    let ((), done) = meet(&database, &db, &Meets::new(&first, then), &act).await;
    assert_eq!(done.outcomes.len(), 1);
    let left = "SELECT (SELECT count(*) FROM idempotency_keys) || ' ' || (SELECT count(*) FROM jobs)";
    assert_eq!(database.texts(left).await, ["0 0"]);
}

#[tokio::test]
async fn deliveries_are_locked_before_the_ended_jobs_that_leave_them() {
    let mut sample = Sample::default();
    sample.plugin("OCR").ended("OCR", "failed", "ERROR", 1);
    let (database, db) = database(&sample).await;
    let job = id("failed");
    database
        .execute(&format!(
            "INSERT INTO deliveries (id, job_id, plugin, number, kind, target, host, headers, payload, repeatable,
                                     state, settled_at)
             VALUES ('{job}', '{job}', 'OCR', 1, 'callback', 'http://localhost/', 'localhost', '{{}}', '{{}}', true,
                     'failed', tm_now())"
        ))
        .await;
    let first = Statements("SELECT 1 FROM deliveries FOR UPDATE");
    let then = "SELECT 1 FROM job_history FOR UPDATE NOWAIT";
    let act = ActOnJobs {
        actor: &Actor::on_this_machine(),
        ids: &[job],
        action: &JobAction::Delete,
    };
    let ((), done) = meet(&database, &db, &Meets::new(&first, then), &act).await;
    assert_eq!(done.outcomes.len(), 1);
    assert_eq!(
        database.texts("SELECT orphaned::text FROM deliveries").await,
        ["true"]
    );
}

#[tokio::test]
async fn a_submission_does_not_wait_for_what_a_person_does_with_its_plugin() {
    let mut sample = Sample::default();
    sample.plugin("OCR");
    let (_database, db) = database(&sample).await;
    let stop = ActOnPlugins {
        actor: &Actor::on_this_machine(),
        plugin: None,
        action: &PluginAction::Start,
    };
    let stops = Meets::new(&stop, "");
    let job = NewJob {
        id: JobId::generate(),
        submission: Submission::parse(br#"{"plugin": "OCR", "title": "x"}"#).unwrap(),
        template_parameters: None,
        callback_token: None,
        submitted_by: "test".to_owned(),
        keys: Vec::new(),
    };
    let submit = async {
        stops.reached.notified().await;
        let recorded = db.run(&RecordJobs { jobs: &[job] }).await;
        stops.go_on.notify_one();
        recorded
    };
    let (stopped, recorded) = tokio::join!(db.run(&stops), submit);
    stopped.unwrap();
    assert_eq!(recorded.unwrap().len(), 1);
}
