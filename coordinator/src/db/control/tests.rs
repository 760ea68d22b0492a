//! Controls, contracts, retention and ageing against a real database; time is moved, not waited for.

mod contracts;
mod deadline;

use shared::job::decide::Refusal;
use shared::job::{ClaimId, JobId, Stage};
use shared::message::reply::ClaimReply;
use shared::message::worker::{AttemptReport, AttemptResult, Claim, Outcome};

use super::*;
use crate::control::{Actor, JobAction, Period, PluginAction, Quota, Role, Settings};
use crate::db::Db;
use crate::db::claims::{GrantClaims, WorkerClaim};
use crate::db::dispatch::Pick;
use crate::db::pages::sample::{Sample, id};
use crate::db::retention::Prune;
use crate::db::schedule::Wake;
use crate::testing::TestDatabase;
use crate::worker_users::WorkerUsers;

async fn database(sample: &Sample) -> (TestDatabase, Db) {
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    let db = database.db();
    (database, db)
}

async fn on_plugin(db: &Db, plugin: &str, action: PluginAction) {
    let act = ActOnPlugins {
        actor: &Actor::on_this_machine(),
        plugin: Some(plugin),
        action: &action,
    };
    let (outcome, _) = db.run(&act).await.unwrap();
    assert!(matches!(outcome, PluginsOutcome::Done { .. }), "{outcome:?}");
}

async fn claim(db: &Db, job: JobId, dispatch: i64) -> Result<(), Refusal> {
    let claims = [WorkerClaim {
        amqp_user: "user".to_owned(),
        worker_id: "worker".to_owned(),
        claim: Claim {
            job_id: job,
            dispatch,
            claim_id: ClaimId::generate(),
        },
    }];
    match db
        .run(&GrantClaims {
            claims: &claims,
            users: &WorkerUsers::default(),
        })
        .await
        .unwrap()
        .remove(0)
    {
        ClaimReply::Granted(_) => Ok(()),
        ClaimReply::Refused { refusal, .. } => Err(refusal),
        ClaimReply::Other => panic!("no answer"),
    }
}

async fn picked(db: &Db) -> Vec<JobId> {
    let picked = db.run(&Pick { window: 500 }).await.unwrap();
    picked.into_iter().map(|(dispatch, _)| dispatch.job_id).collect()
}

#[tokio::test]
async fn an_actor_without_the_permission_changes_nothing_and_stands_in_the_audit_log() {
    let mut sample = Sample::default();
    sample.plugin("OCR").waiting("OCR", "a", 5);
    let (database, db) = database(&sample).await;
    let viewer = Actor::with("eve".to_owned(), Role::Viewer);
    let act = ActOnJobs {
        actor: &viewer,
        ids: &[id("a")],
        action: &JobAction::Cancel,
    };
    let done = db.run(&act).await.unwrap();
    assert_eq!(done.outcomes, [(id("a"), JobOutcome::Forbidden)]);
    let act = ActOnPlugins {
        actor: &viewer,
        plugin: None,
        action: &PluginAction::Start,
    };
    assert_eq!(db.run(&act).await.unwrap().0, PluginsOutcome::Forbidden);
    let rows = database.texts("SELECT state FROM jobs").await;
    assert_eq!(rows, ["QUEUED"]);
    let audit = database
        .texts("SELECT actor || ' ' || action || ' ' || outcome FROM audit_log ORDER BY id")
        .await;
    assert_eq!(audit, ["eve cancel forbidden", "eve start forbidden"]);
}

#[tokio::test]
async fn a_refused_claim_has_the_job_published_again_when_the_gate_opens() {
    let mut sample = Sample::default();
    sample.plugin("OCR").waiting("OCR", "a", 5);
    let (_database, db) = database(&sample).await;
    assert_eq!(picked(&db).await, [id("a")]);
    on_plugin(&db, "OCR", PluginAction::Autostart { on: false }).await;
    assert_eq!(claim(&db, id("a"), 1).await, Err(Refusal::AutostartOff));
    assert!(picked(&db).await.is_empty(), "published although it can't start");
    on_plugin(&db, "OCR", PluginAction::Autostart { on: true }).await;
    assert_eq!(picked(&db).await, [id("a")]);
    assert_eq!(claim(&db, id("a"), 1).await, Err(Refusal::Stale));
    assert_eq!(claim(&db, id("a"), 2).await, Ok(()));
}

#[tokio::test]
async fn only_as_many_jobs_are_published_as_the_limit_lets_start_and_urgent_ones_go_first() {
    let mut sample = Sample::default();
    sample.plugin("OCR");
    sample
        .waiting("OCR", "a", 5)
        .waiting("OCR", "b", 5)
        .waiting("OCR", "c", 5);
    let (database, db) = database(&sample).await;
    let limit = Settings {
        running_max: Some(Some(2)),
        ..Settings::default()
    };
    on_plugin(&db, "OCR", PluginAction::Configure(limit)).await;
    assert_eq!(picked(&db).await, [id("a"), id("b")]);
    database
        .execute(
            "UPDATE jobs SET published_dispatch = dispatch, relay_until = NULL WHERE relay_until IS NOT NULL",
        )
        .await;
    assert!(picked(&db).await.is_empty());
    let mut urgent = Sample::default();
    urgent.waiting("OCR", "urgent", 9);
    database.execute(&urgent.sql()).await;
    assert_eq!(picked(&db).await, [id("urgent")]);
    assert_eq!(claim(&db, id("urgent"), 1).await, Ok(()));
    assert_eq!(claim(&db, id("a"), 1).await, Ok(()));
    assert_eq!(claim(&db, id("b"), 1).await, Err(Refusal::LimitReached));
}

#[tokio::test]
async fn a_page_contract_is_booked_by_the_pages_done_and_at_its_limit_jobs_wait() {
    let mut sample = Sample::default();
    sample
        .plugin("OCR")
        .running("OCR", "a", 5)
        .items("a", 4)
        .waiting("OCR", "b", 5);
    let (database, db) = database(&sample).await;
    let contract = Quota {
        pages_total: Some(100),
        pages_a_period: Some(3),
        period: Period::Month,
    };
    on_plugin(&db, "OCR", PluginAction::Quota(contract)).await;
    assert_eq!(picked(&db).await, [id("b")]);
    // Three of the four pages were done.
    database
        .execute("UPDATE jobs SET held = false WHERE title = 'b'")
        .await;
    end(&db, "a").await;
    let used = "SELECT used_total || ' ' || used_in_period || ' ' || (SELECT sum(pages) FROM quota_ledger) FROM quotas";
    assert_eq!(database.texts(used).await, ["3 3 3"]);
    assert_eq!(claim(&db, id("b"), 1).await, Err(Refusal::QuotaUsedUp));
    assert!(picked(&db).await.is_empty());
    // The next month brings new pages.
    database.advance("40 days").await;
    assert_eq!(picked(&db).await, [id("b")]);
    assert_eq!(claim(&db, id("b"), 2).await, Ok(()));
}

/// A running job's worker tells that it has done it.
async fn end(db: &Db, title: &str) {
    record(db, id(title), ClaimId(id(&format!("claim of {title}")).0), done()).await;
}

fn done() -> Outcome {
    Outcome::Done {
        summary: serde_json::Map::new(),
    }
}

/// The worker of a job's first attempt tells what has become of it.
async fn record(db: &Db, job_id: JobId, claim_id: ClaimId, outcome: Outcome) {
    let result = AttemptResult {
        worker_id: "worker".to_owned(),
        outcome,
        store_removed: None,
        report: AttemptReport {
            job_id,
            attempt: 1,
            claim_id,
            stage: Stage::Processing,
            percent: 100.0,
            items_done: 3,
            items_failed: 1,
            items_total: 4,
            bytes: 0,
            detail: String::new(),
            transfer: None,
            items: Vec::new(),
            log: Vec::new(),
        },
    };
    let record = crate::db::results::Record {
        results: &[result],
        users: &["user"],
    };
    db.run(&record).await.unwrap();
}

#[tokio::test]
async fn ended_jobs_leave_history_by_number_and_by_age_each_kind_by_itself() {
    let mut sample = Sample::default();
    sample.plugin("OCR").plugin("SHELL");
    for (hours, title) in [(1, "new"), (30, "older"), (60, "oldest")] {
        sample.ended("OCR", title, "DONE", hours);
        sample.ended("SHELL", &format!("other {title}"), "DONE", hours);
    }
    sample.ended("OCR", "failed", "ERROR", 60).items("oldest", 2);
    let (database, db) = database(&sample).await;
    assert_eq!(
        db.run(&Prune).await.unwrap(),
        0,
        "nothing is removed unless somebody says so"
    );
    let rules = Settings {
        keep_done_jobs: Some(Some(2)),
        keep_failed_days: Some(Some(1)),
        ..Settings::default()
    };
    on_plugin(&db, "OCR", PluginAction::Configure(rules)).await;
    assert_eq!(db.run(&Prune).await.unwrap(), 2);
    assert_eq!(db.run(&Prune).await.unwrap(), 0);
    let left = "SELECT title FROM job_history WHERE plugin = 'OCR' ORDER BY finished_at DESC";
    assert_eq!(database.texts(left).await, ["new", "older"]);
    assert!(database.texts("SELECT name FROM items").await.is_empty());
    let rules = Settings {
        keep_done_days: Some(Some(1)),
        ..Settings::default()
    };
    on_plugin(&db, "OCR", PluginAction::Configure(rules)).await;
    assert_eq!(db.run(&Prune).await.unwrap(), 1);
    let others = database
        .texts("SELECT title FROM job_history WHERE plugin = 'SHELL'")
        .await;
    assert_eq!(others.len(), 3, "another plugin's jobs were removed");
}

#[tokio::test]
async fn waiting_raises_the_priority_and_replaces_the_message() {
    let mut sample = Sample::default();
    sample
        .plugin("OCR")
        .waiting("OCR", "patient", 2)
        .waiting("OCR", "urgent", 4);
    let (database, db) = database(&sample).await;
    let ageing = Settings {
        ageing_minutes: Some(Some(10)),
        ..Settings::default()
    };
    on_plugin(&db, "OCR", PluginAction::Configure(ageing)).await;
    assert_eq!(db.run(&Age).await.unwrap(), 0);
    database.advance("35 minutes").await;
    assert_eq!(db.run(&Age).await.unwrap(), 2);
    assert_eq!(db.run(&Age).await.unwrap(), 0);
    let rows = "SELECT title || ' ' || effective_priority || ' ' || dispatch FROM jobs ORDER BY title";
    assert_eq!(database.texts(rows).await, ["patient 5 2", "urgent 7 2"]);
    database.advance("10 hours").await;
    db.run(&Age).await.unwrap();
    assert_eq!(database.texts(rows).await, ["patient 10 3", "urgent 10 3"]);
}

#[tokio::test]
async fn a_priority_that_a_person_gives_counts_until_its_job_has_waited_anew() {
    let mut sample = Sample::default();
    sample.plugin("OCR").waiting("OCR", "a", 5);
    let (database, db) = database(&sample).await;
    let ageing = Settings {
        ageing_minutes: Some(Some(10)),
        ..Settings::default()
    };
    on_plugin(&db, "OCR", PluginAction::Configure(ageing)).await;
    database.advance("35 minutes").await;
    assert_eq!(db.run(&Age).await.unwrap(), 1);
    let lower = ActOnJobs {
        actor: &Actor::on_this_machine(),
        ids: &[id("a")],
        action: &JobAction::SetPriority {
            priority: shared::job::Priority::try_from(2).unwrap(),
        },
    };
    db.run(&lower).await.unwrap();
    assert_eq!(db.run(&Age).await.unwrap(), 0, "its clock has started anew");
    let priority = "SELECT effective_priority::text FROM jobs";
    assert_eq!(database.texts(priority).await, ["2"]);
    database.advance("46 minutes").await;
    assert_eq!(db.run(&Age).await.unwrap(), 1);
    assert_eq!(database.texts(priority).await, ["3"]);
}

#[tokio::test]
async fn a_job_that_comes_back_to_its_queue_keeps_what_waiting_has_raised_it_by() {
    let mut sample = Sample::default();
    sample.plugin("OCR").waiting("OCR", "a", 5);
    let (database, db) = database(&sample).await;
    let ageing = Settings {
        ageing_minutes: Some(Some(10)),
        ..Settings::default()
    };
    on_plugin(&db, "OCR", PluginAction::Configure(ageing)).await;
    database.advance("25 minutes").await;
    assert_eq!(db.run(&Age).await.unwrap(), 1);
    let back = "UPDATE jobs SET queued_at = tm_now()";
    database.execute(back).await;
    let priority = "SELECT effective_priority::text FROM jobs";
    for (minutes, expected) in [(26, "7"), (50, "7"), (56, "8")] {
        database.advance(&format!("{minutes} minutes")).await;
        db.run(&Age).await.unwrap();
        assert_eq!(
            database.texts(priority).await,
            [expected],
            "after {minutes} minutes"
        );
    }
}

#[tokio::test]
async fn a_job_that_waits_for_a_time_is_woken_then_and_not_before() {
    let mut sample = Sample::default();
    sample.plugin("OCR").waiting("OCR", "later", 5);
    let (database, db) = database(&sample).await;
    database
        .execute("UPDATE jobs SET state = 'SCHEDULED', run_at = tm_now() + interval '1 hour'")
        .await;
    assert_eq!(db.run(&Wake).await.unwrap(), 0);
    database.advance("61 minutes").await;
    assert_eq!(db.run(&Wake).await.unwrap(), 1);
    assert_eq!(picked(&db).await, [id("later")]);
    assert_eq!(claim(&db, id("later"), 2).await, Ok(()));
}

#[tokio::test]
async fn of_a_job_and_its_retries_only_the_last_is_retried() {
    let mut sample = Sample::default();
    sample.plugin("OCR");
    sample
        .ended("OCR", "first", "ERROR", 9)
        .ended("OCR", "second", "ERROR", 5);
    let (database, db) = database(&sample).await;
    let link = format!(
        "UPDATE job_history SET retry_of = '{}', store_id = '{}' WHERE title = 'second'",
        id("first"),
        id("first")
    );
    database.execute(&link).await;
    let retry = JobAction::Retry {
        items: crate::control::RetryItems::Failed,
    };
    let act = ActOnJobs {
        actor: &Actor::on_this_machine(),
        ids: &[id("first"), id("second")],
        action: &retry,
    };
    let outcomes: std::collections::HashMap<_, _> =
        db.run(&act).await.unwrap().outcomes.into_iter().collect();
    let refused = JobOutcome::Refused {
        why: WhyNot::WasRetried,
    };
    assert_eq!(outcomes[&id("first")], refused);
    assert!(matches!(outcomes[&id("second")], JobOutcome::Retried { .. }));
    let stores = database.texts("SELECT store_id::text FROM job_details").await;
    assert_eq!(stores, [id("first").to_string()], "one job goes on in the store");
}

#[tokio::test]
async fn what_counts_against_a_limit_equals_a_recount_whatever_ends_a_lease() {
    let mut sample = Sample::default();
    sample
        .plugin("OCR")
        .waiting("OCR", "a", 5)
        .waiting("OCR", "b", 5)
        .waiting("OCR", "c", 5);
    let (database, db) = database(&sample).await;
    for title in ["a", "b", "c"] {
        assert_eq!(claim(&db, id(title), 1).await, Ok(()));
    }
    let counts = "SELECT running || ' ' || (SELECT count(*) FROM leases) FROM limit_keys";
    assert_eq!(
        database.texts(counts).await,
        ["3 3", "3 3"],
        "of the plugin and of the worker"
    );
    database
        .execute("DELETE FROM leases WHERE job_id IN (SELECT id FROM jobs WHERE title = 'a')")
        .await;
    database.execute("DELETE FROM jobs WHERE title = 'b'").await;
    assert_eq!(database.texts(counts).await, ["1 1", "1 1"]);
}
