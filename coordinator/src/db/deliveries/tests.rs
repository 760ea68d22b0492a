//! The outbox against a real database; time is moved, not waited for.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;
use shared::job::JobId;
use tokio_postgres::types::Json;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::background::housekeeping::remove_expired;
use crate::control::{Actor, JobAction};
use crate::db::Db;
use crate::db::control::{ActOnJobs, JobOutcome};
use crate::db::overdue::EndOverdue;
use crate::db::pages::sample::{Sample, id};
use crate::db::pages::{ReadDeliveryFigures, ReadJob};
use crate::db::retention::Prune;
use crate::deliveries::{Delivery, Next};
use crate::testing::TestDatabase;

/// Waiting and running jobs that want to be told at `http://goobi/…`, with a token that nobody can read.
async fn database(waiting: &[&str], running: &[&str]) -> (TestDatabase, Db) {
    let mut sample = Sample::default();
    sample.plugin("OCR");
    for title in waiting {
        sample.waiting("OCR", title, 5);
    }
    for title in running {
        sample.running("OCR", title, 5);
    }
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    database
        .execute("UPDATE job_details SET callback_url = 'http://goobi:8080/done', callback_token = 'sealed'")
        .await;
    let db = database.db();
    (database, db)
}

async fn advance(database: &TestDatabase, interval: &str) {
    database
        .execute(&format!(
            "CREATE OR REPLACE FUNCTION tm_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
             AS $$ SELECT clock_timestamp() + interval '{interval}' $$"
        ))
        .await;
}

async fn act(db: &Db, title: &str, action: JobAction) -> JobOutcome {
    let act = ActOnJobs {
        actor: &Actor::on_this_machine(),
        ids: &[id(title)],
        action: &action,
    };
    db.run(&act).await.unwrap().outcomes[0].1
}

async fn take_up_to(db: &Db, limit_per_host: i32, under_way: &HashMap<String, i32>) -> Vec<Delivery> {
    let take = Take {
        limit: 100,
        limit_per_host,
        under_way,
        lease_seconds: 30.0,
    };
    db.run(&take).await.unwrap()
}

async fn take(db: &Db) -> Vec<Delivery> {
    take_up_to(db, 100, &HashMap::new()).await
}

async fn settle(db: &Db, delivery: &Delivery, next: Next) -> Settled {
    let settle = Settle {
        id: delivery.id,
        lease_id: delivery.lease_id,
        next,
        answer: "what came back",
    };
    db.run(&settle).await.unwrap()
}

async fn states(database: &TestDatabase) -> Vec<String> {
    database
        .texts("SELECT state || ' ' || tries || ' ' || coalesce(token, '-') FROM deliveries ORDER BY job_id, number")
        .await
}

fn jobs(deliveries: &[Delivery]) -> Vec<JobId> {
    deliveries.iter().map(|delivery| delivery.job_id).collect()
}

#[tokio::test]
async fn every_way_in_which_a_job_ends_leaves_a_delivery_that_says_how() {
    let (database, db) = database(&["waiting"], &["overdue", "runs"]).await;
    assert_eq!(act(&db, "waiting", JobAction::Cancel).await, JobOutcome::Done);
    // Long beyond its run budget, and one attempt after the other is lost with its worker.
    database
        .execute(&format!(
            "UPDATE attempts SET started_at = started_at - interval '10 days' WHERE job_id = '{0}';
             UPDATE plugins SET retries_max = 0; UPDATE jobs SET workers_lost = 2 WHERE id = '{1}';
             UPDATE leases SET lease_end = tm_now() - interval '1 hour' WHERE job_id = '{1}';
             UPDATE heartbeat_probe SET continuous_since = tm_now() - interval '1 day', last_at = tm_now()",
            id("overdue"),
            id("runs")
        ))
        .await;
    db.run(&EndOverdue).await.unwrap();
    db.run(&crate::db::sweep::ExpireLeases { gap_seconds: 60.0 })
        .await
        .unwrap();
    let told = database
        .texts("SELECT (payload->>'title') || ' ' || (payload->>'state') || ' ' || (payload->>'job_id' = job_id::text) FROM deliveries ORDER BY 1")
        .await;
    assert_eq!(
        told,
        ["overdue ERROR true", "runs ERROR true", "waiting CANCELLED true"]
    );
    assert!(database.texts("SELECT title FROM jobs").await.is_empty());
    // The secret has gone from the job to its delivery.
    assert_eq!(states(&database).await, ["pending 0 sealed"; 3]);
}

#[tokio::test]
async fn a_receiver_that_wants_to_hear_of_success_only_is_not_called_for_a_cancelled_job() {
    let (database, db) = database(&["a", "b"], &[]).await;
    database
        .execute(&format!(
            "UPDATE job_details SET callback_when = 'done' WHERE job_id = '{}'",
            id("a")
        ))
        .await;
    act(&db, "a", JobAction::Cancel).await;
    act(&db, "b", JobAction::Cancel).await;
    assert_eq!(jobs(&take(&db).await), [id("b")]);
}

#[tokio::test]
async fn a_delivery_is_one_coordinators_until_its_lease_is_over_and_its_token_is_wiped_when_it_was_taken() {
    let (database, db) = database(&["a"], &[]).await;
    act(&db, "a", JobAction::Cancel).await;
    let first = take(&db).await.remove(0);
    assert_eq!(
        (first.tries, first.host.as_str(), first.repeatable),
        (1, "goobi:8080", true)
    );
    assert!(take(&db).await.is_empty(), "it was taken twice");
    advance(&database, "31 s").await;
    let second = take(&db).await.remove(0);
    assert_eq!((second.id, second.tries), (first.id, 2));
    assert_eq!(settle(&db, &first, Next::GiveUp).await, Settled::Superseded);
    assert_eq!(states(&database).await, ["pending 2 sealed"]);
    assert_eq!(settle(&db, &first, Next::Delivered).await, Settled::Recorded);
    assert_eq!(states(&database).await, ["delivered 2 -"]);
    assert_eq!(settle(&db, &second, Next::GiveUp).await, Settled::Superseded);
    assert_eq!(states(&database).await, ["delivered 2 -"]);
}

#[tokio::test]
async fn what_is_tried_again_waits_for_its_time() {
    let (database, db) = database(&["a"], &[]).await;
    act(&db, "a", JobAction::Cancel).await;
    let delivery = take(&db).await.remove(0);
    settle(&db, &delivery, Next::TryAgain(Duration::from_secs(100))).await;
    advance(&database, "49 s").await;
    assert!(take(&db).await.is_empty(), "it was tried too early");
    advance(&database, "101 s").await;
    let delivery = take(&db).await.remove(0);
    assert!(
        (100.0..110.0).contains(&delivery.trying_seconds),
        "{}",
        delivery.trying_seconds
    );
}

/// Another delivery of the same job.
const SECOND: &str = "INSERT INTO deliveries (id, job_id, plugin, number, kind, target, host, headers, payload, repeatable)
    SELECT gen_random_uuid(), job_id, plugin, 2, kind, target, 'elsewhere', headers, payload, false FROM deliveries";

#[tokio::test]
async fn a_jobs_deliveries_keep_their_order() {
    let (database, db) = database(&["a"], &[]).await;
    act(&db, "a", JobAction::Cancel).await;
    database.execute(SECOND).await;
    let first = take(&db).await;
    assert_eq!(first.len(), 1);
    assert!(
        take(&db).await.is_empty(),
        "the second is sent while the first is under way"
    );
    settle(&db, &first[0], Next::Delivered).await;
    assert_eq!(take(&db).await[0].host, "elsewhere");
}

#[tokio::test]
async fn what_must_not_be_repeated_is_shown_to_a_person_when_its_sender_died() {
    let (database, db) = database(&["a"], &[]).await;
    act(&db, "a", JobAction::Cancel).await;
    database.execute("UPDATE deliveries SET repeatable = false").await;
    assert_eq!(take(&db).await.len(), 1);
    advance(&database, "31 s").await;
    assert!(take(&db).await.is_empty(), "it was repeated");
    assert_eq!(states(&database).await, ["unclear 1 sealed"]);
    let figures = db.run(&ReadDeliveryFigures).await.unwrap();
    assert_eq!((figures.troubled, figures.troubled_job), (1, Some(id("a"))));
    assert_eq!(act(&db, "a", JobAction::SendAgain).await, JobOutcome::Done);
    assert_eq!(take(&db).await.len(), 1);
}

#[tokio::test]
async fn however_many_senders_have_died_nothing_that_must_not_be_repeated_is() {
    let (database, db) = database(&["a", "b", "c"], &[]).await;
    for title in ["a", "b", "c"] {
        act(&db, title, JobAction::Cancel).await;
    }
    database.execute("UPDATE deliveries SET repeatable = false").await;
    assert_eq!(take(&db).await.len(), 3);
    advance(&database, "31 s").await;
    let take_one = Take {
        limit: 1,
        limit_per_host: 1,
        under_way: &HashMap::new(),
        lease_seconds: 30.0,
    };
    for _ in 0..3 {
        assert!(db.run(&take_one).await.unwrap().is_empty(), "one was repeated");
    }
    assert_eq!(states(&database).await, ["unclear 1 sealed"; 3]);
}

#[tokio::test]
async fn a_host_that_hangs_holds_up_no_other() {
    let (database, db) = database(&["a", "b", "c", "d"], &[]).await;
    for title in ["a", "b", "c", "d"] {
        act(&db, title, JobAction::Cancel).await;
    }
    database
        .execute(&format!(
            "UPDATE deliveries SET host = 'other' WHERE job_id = '{}'",
            id("d")
        ))
        .await;
    let taken = take_up_to(&db, 2, &HashMap::from([("goobi:8080".to_owned(), 1)])).await;
    let mut hosts: Vec<&str> = taken.iter().map(|delivery| delivery.host.as_str()).collect();
    hosts.sort_unstable();
    assert_eq!(hosts, ["goobi:8080", "other"]);
}

#[tokio::test]
async fn what_was_given_up_is_sent_again_at_a_persons_word_and_that_is_audited() {
    let (database, db) = database(&["a", "b"], &[]).await;
    assert_eq!(
        act(&db, "a", JobAction::SendAgain).await,
        JobOutcome::Refused {
            why: crate::db::control::WhyNot::NotEnded
        }
    );
    act(&db, "a", JobAction::Cancel).await;
    let delivery = take(&db).await.remove(0);
    settle(&db, &delivery, Next::GiveUp).await;
    assert_eq!(states(&database).await, ["failed 1 sealed"]);
    assert!(take(&db).await.is_empty());
    assert_eq!(act(&db, "a", JobAction::SendAgain).await, JobOutcome::Done);
    assert_eq!(act(&db, "a", JobAction::SendAgain).await, JobOutcome::Unchanged);
    assert_eq!(states(&database).await, ["pending 0 sealed"]);
    assert_eq!(take(&db).await[0].id, delivery.id, "it has another id now");
    let audit = "SELECT action || ' ' || outcome FROM audit_log ORDER BY id";
    assert_eq!(
        database.texts(audit).await,
        [
            "send_again refused",
            "cancel done",
            "send_again done",
            "send_again unchanged"
        ]
    );
}

#[tokio::test]
async fn a_job_is_kept_until_its_delivery_is_settled_and_what_failed_outlives_it() {
    let (database, db) = database(&["a"], &[]).await;
    act(&db, "a", JobAction::Cancel).await;
    database.execute("UPDATE plugins SET keep_failed_jobs = 0").await;
    assert_eq!(
        db.run(&Prune).await.unwrap(),
        0,
        "a job whose delivery is pending was removed"
    );
    let delivery = take(&db).await.remove(0);
    settle(&db, &delivery, Next::GiveUp).await;
    assert_eq!(db.run(&Prune).await.unwrap(), 1);
    remove_expired(&db, &CancellationToken::new()).await;
    assert_eq!(states(&database).await, ["failed 1 sealed"]);
    assert_eq!(act(&db, "a", JobAction::SendAgain).await, JobOutcome::Done);
    let delivery = take(&db).await.remove(0);
    settle(&db, &delivery, Next::GiveUp).await;
    advance(&database, "8 days").await;
    remove_expired(&db, &CancellationToken::new()).await;
    assert_eq!(states(&database).await, ["failed 1 -"]);
    advance(&database, "31 days").await;
    remove_expired(&db, &CancellationToken::new()).await;
    assert!(states(&database).await.is_empty());
}

#[tokio::test]
async fn what_is_delivered_after_a_person_has_removed_its_job_is_forgotten_in_time_and_others_are_not() {
    let (database, db) = database(&["a", "b"], &[]).await;
    act(&db, "a", JobAction::Cancel).await;
    act(&db, "b", JobAction::Cancel).await;
    assert_eq!(act(&db, "a", JobAction::Delete).await, JobOutcome::Done);
    for delivery in take(&db).await {
        settle(&db, &delivery, Next::Delivered).await;
    }
    assert_eq!(states(&database).await.len(), 2);
    advance(&database, "31 days").await;
    remove_expired(&db, &CancellationToken::new()).await;
    assert_eq!(
        states(&database).await.len(),
        1,
        "the job is kept, and so is what was told of it"
    );
}

#[tokio::test]
async fn the_jobs_page_and_the_figures_show_a_delivery_and_never_its_token() {
    let (_database, db) = database(&["a"], &[]).await;
    act(&db, "a", JobAction::Cancel).await;
    let figures = db.run(&ReadDeliveryFigures).await.unwrap();
    let pending = [
        ("callback", 1),
        ("goobi_journal", 0),
        ("goobi_message", 0),
        ("goobi_step", 0),
    ];
    assert_eq!(
        figures.pending,
        pending.map(|(kind, number)| (kind.to_owned(), number))
    );
    let delivery = take(&db).await.remove(0);
    settle(&db, &delivery, Next::TryAgain(Duration::from_secs(10))).await;
    let read = ReadJob {
        id: id("a"),
        items_limit: None,
        log_limit: 0,
    };
    let job = db.run(&read).await.unwrap().unwrap();
    let shown = &job.deliveries[0];
    assert_eq!((shown.state.as_str(), shown.tries), ("pending", 1));
    assert_eq!(shown.last_answer.as_deref(), Some("what came back"));
    assert!(shown.next_try_at.is_some() && shown.settled_at.is_none());
    assert!(!format!("{job:?}").contains("sealed"));
    assert_eq!(db.run(&ReadDeliveryFigures).await.unwrap().retried, 1);
}

#[tokio::test]
async fn a_retry_is_told_to_the_same_address_at_the_same_ends() {
    let (database, db) = database(&[], &["a"]).await;
    database
        .execute("UPDATE job_details SET callback_when = 'done'; UPDATE jobs SET workers_lost = 2; UPDATE leases SET lease_end = tm_now() - interval '1 hour';
                  UPDATE heartbeat_probe SET continuous_since = tm_now() - interval '1 day', last_at = tm_now()")
        .await;
    db.run(&crate::db::sweep::ExpireLeases { gap_seconds: 60.0 })
        .await
        .unwrap();
    let retried = act(
        &db,
        "a",
        JobAction::Retry {
            items: crate::control::RetryItems::All,
        },
    )
    .await;
    assert!(matches!(retried, JobOutcome::Retried { .. }), "{retried:?}");
    let told = "SELECT callback_url || ' ' || callback_when FROM job_details";
    assert_eq!(database.texts(told).await, ["http://goobi:8080/done done"]);
}

/// The document is what the golden files say, whatever the columns hold.
#[tokio::test]
async fn the_payload_is_the_documented_message() {
    let (database, db) = database(&["a"], &[]).await;
    act(&db, "a", JobAction::Cancel).await;
    let delivery = take(&db).await.remove(0);
    let read: shared::message::ended::JobEnded =
        shared::message::decode(delivery.payload.to_string().as_bytes()).unwrap();
    assert_eq!((read.job_id, read.process_id.as_deref()), (id("a"), Some("27")));
    let stored = database.texts("SELECT payload::text FROM deliveries").await;
    let stored: Json<Value> = Json(serde_json::from_str(&stored[0]).unwrap());
    assert_eq!(stored.0, delivery.payload);
}
