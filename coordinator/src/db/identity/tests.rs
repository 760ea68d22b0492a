//! A copy that was put back, a failover, and a database that nobody has touched, with real rows.

use shared::job::JobId;

use super::*;
use crate::db::Db;
use crate::db::pages::sample::{Sample, id};
use crate::db::recovery::{ReadRecovery, Recover, RecoveryAction};
use crate::testing::TestDatabase;

/// A running plugin with a running and a waiting job, and one that was to start again by itself.
async fn database() -> (TestDatabase, Db) {
    let mut sample = Sample::default();
    sample
        .plugin("OCR")
        .plugin("SHELL")
        .running("OCR", "runs", 5)
        .waiting("OCR", "waits", 5);
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    database
        .execute(
            "UPDATE plugins SET state = 'stopped', resume_at = tm_now() WHERE name = 'SHELL';
             UPDATE jobs SET workers_lost = 2 WHERE title = 'runs'",
        )
        .await;
    let db = database.db();
    (database, db)
}

async fn beat(db: &Db, remembered: Option<Memory>) -> Beaten {
    db.run(&Beat { remembered }).await.unwrap()
}

/// A copy was made; a coordinator went on for three hours, and remembers that, when the copy is put back beneath it.
async fn put_back(database: &TestDatabase, db: &Db) -> Memory {
    let made = beat(db, None).await.memory;
    database.advance("3 hours").await;
    let first = beat(db, Some(made)).await.memory;
    let last = beat(db, Some(first)).await.memory;
    database
        .execute(&format!(
            "DELETE FROM beats WHERE id <> '{}';
             UPDATE database_identity SET seen_at = tm_now() - interval '3 hours';
             UPDATE heartbeat_probe SET last_at = tm_now()",
            made.id
        ))
        .await;
    last
}

const PLUGINS: &str =
    "SELECT name || ' ' || state || ' ' || (resume_at IS NULL) || ' ' || coalesce(state_by, '-')
    FROM plugins ORDER BY name";
const UNTOUCHED: [&str; 2] = ["OCR running true -", "SHELL stopped false -"];

#[tokio::test]
async fn a_database_that_stays_where_it_is_stops_nothing() {
    let (database, db) = database().await;
    let first = beat(&db, None).await;
    assert_eq!(first.verdict, Verdict::Same);
    assert_eq!(beat(&db, Some(first.memory)).await.verdict, Verdict::Same);
    assert_eq!(beat(&db, None).await.verdict, Verdict::Same);
    assert_eq!(database.texts(PLUGINS).await, UNTOUCHED);
}

#[tokio::test]
async fn a_failover_is_recorded_and_stops_nothing() {
    let (database, db) = database().await;
    let first = beat(&db, None).await;
    database
        .execute("UPDATE database_identity SET timeline = timeline + 1")
        .await;
    assert_eq!(beat(&db, Some(first.memory)).await.verdict, Verdict::FailedOver);
    assert_eq!(beat(&db, Some(first.memory)).await.verdict, Verdict::Same);
    assert_eq!(database.texts(PLUGINS).await, UNTOUCHED);
    let changed = "SELECT (timeline_changed_at IS NOT NULL)::text FROM database_identity";
    assert_eq!(database.texts(changed).await, ["true"]);
}

#[tokio::test]
async fn a_copy_that_was_put_back_stops_every_plugin_for_good_and_says_what_ran() {
    let (database, db) = database().await;
    beat(&db, None).await;
    database
        .execute("UPDATE database_identity SET database_oid = 1")
        .await;
    assert_eq!(beat(&db, None).await.verdict, Verdict::Restored(How::Elsewhere));
    assert_eq!(
        database.texts(PLUGINS).await,
        ["OCR stopping true coordinator", "SHELL stopped true coordinator"]
    );
    // Two more would have ended it; that its worker is lost by the restore is not held against it.
    let spared = "SELECT workers_lost || ' ' || (lease_end > tm_now()) FROM jobs JOIN leases ON job_id = id";
    assert_eq!(database.texts(spared).await, ["0 true"]);
    assert_eq!(
        beat(&db, None).await.verdict,
        Verdict::Same,
        "it is noticed twice"
    );

    let report = db.run(&ReadRecovery).await.unwrap();
    assert!(report.restore.is_some());
    let ran: Vec<JobId> = report.were_running.iter().map(|job| job.id).collect();
    assert_eq!(ran, [id("runs")]);
    assert_eq!(report.unfinished[0].jobs, 2);

    let actor = Actor::on_this_machine();
    let apply = Recover {
        actor: &actor,
        action: RecoveryAction::Apply,
    };
    let (reported, _) = db.run(&apply).await.unwrap();
    assert_eq!(reported, Some(report));
    let after = db.run(&ReadRecovery).await.unwrap();
    assert!(after.restore.is_none() && after.reviewed_at.is_some() && after.were_running.is_empty());
    assert_eq!(
        database.texts("SELECT state FROM plugins ORDER BY name").await,
        ["stopping", "stopped"]
    );
}

#[tokio::test]
async fn a_coordinator_that_lives_on_over_a_copy_notices_it_although_probes_have_reached_it_before() {
    let (database, db) = database().await;
    let remembered = put_back(&database, &db).await;
    let beaten = beat(&db, Some(remembered)).await;
    assert_eq!(beaten.verdict, Verdict::Restored(How::Forgotten));
    assert_eq!(
        database.texts(PLUGINS).await,
        ["OCR stopping true coordinator", "SHELL stopped true coordinator"]
    );
    assert_eq!(beat(&db, Some(beaten.memory)).await.verdict, Verdict::Same);
    // Another one that had lived on, and comes back when a person has looked.
    let apply = Recover {
        actor: &Actor::on_this_machine(),
        action: RecoveryAction::Apply,
    };
    db.run(&apply).await.unwrap();
    assert_eq!(beat(&db, Some(remembered)).await.verdict, Verdict::Same);
}

#[tokio::test]
async fn a_coordinator_that_has_just_started_in_a_copy_does_not_hide_it_from_one_that_lives_on() {
    let (database, db) = database().await;
    let remembered = put_back(&database, &db).await;
    let fresh = beat(&db, None).await;
    assert_eq!(fresh.verdict, Verdict::Same, "it can't know");
    beat(&db, Some(fresh.memory)).await;
    let beaten = beat(&db, Some(remembered)).await;
    assert_eq!(beaten.verdict, Verdict::Restored(How::Forgotten));
    let lost = remembered.at.duration_since(beaten.before);
    assert!(
        lost.as_hours() >= 2,
        "the copy is said to be of {}",
        beaten.before
    );
}

#[tokio::test]
async fn a_failover_that_lost_seconds_is_no_restore() {
    let (database, db) = database().await;
    let kept = beat(&db, None).await.memory;
    database.advance("10 seconds").await;
    let first = beat(&db, Some(kept)).await.memory;
    let last = beat(&db, Some(first)).await.memory;
    database
        .execute(&format!(
            "DELETE FROM beats WHERE id <> '{}';
             UPDATE database_identity SET timeline = timeline - 1",
            kept.id
        ))
        .await;
    // Another coordinator is faster, and only it sees that the server is another one.
    assert_eq!(beat(&db, None).await.verdict, Verdict::FailedOver);
    assert_eq!(beat(&db, Some(last)).await.verdict, Verdict::Same);
    assert_eq!(database.texts(PLUGINS).await, UNTOUCHED);
}

#[tokio::test]
async fn a_lost_beat_after_a_quiet_night_is_no_restore() {
    let (database, db) = database().await;
    beat(&db, None).await;
    database.advance("9 hours").await;
    let morning = beat(&db, None).await.memory;
    database
        .execute(&format!("DELETE FROM beats WHERE id = '{}'", morning.id))
        .await;
    assert_eq!(beat(&db, Some(morning)).await.verdict, Verdict::Same);
}

#[tokio::test]
async fn nothing_begins_where_the_last_beat_is_missing_until_it_was_looked_at() {
    let (database, db) = database().await;
    let memory = beat(&db, None).await.memory;
    db.note_beat(memory.id);
    db.run_where_known(&ReadRecovery).await.unwrap();
    database.execute("DELETE FROM beats").await;
    let refused = db.run_where_known(&ReadRecovery).await;
    assert!(matches!(refused, Err(Error::NotLookedAt)), "{refused:?}");
    // The look is asked for, and after it everything goes on.
    db.doubted().await;
    db.note_beat(beat(&db, Some(memory)).await.memory.id);
    db.run_where_known(&ReadRecovery).await.unwrap();
}

#[tokio::test]
async fn beats_are_kept_for_two_days() {
    let (database, db) = database().await;
    beat(&db, None).await;
    database.advance("47 hours").await;
    beat(&db, None).await;
    assert_eq!(database.texts("SELECT count(*)::text FROM beats").await, ["2"]);
    database.advance("49 hours").await;
    beat(&db, None).await;
    assert_eq!(database.texts("SELECT count(*)::text FROM beats").await, ["2"]);
}

#[tokio::test]
async fn who_may_not_recover_changes_nothing_and_stands_in_the_audit_log() {
    let (database, db) = database().await;
    beat(&db, None).await;
    let operator = Actor::with("eve".to_owned(), crate::control::Role::Operator);
    let declare = Recover {
        actor: &operator,
        action: RecoveryAction::Declare,
    };
    let (report, _) = db.run(&declare).await.unwrap();
    assert_eq!(report, None);
    assert_eq!(database.texts(PLUGINS).await, UNTOUCHED);
    let audit = "SELECT actor || ' ' || action || ' ' || outcome FROM audit_log";
    assert_eq!(database.texts(audit).await, ["eve recover forbidden"]);
}

#[tokio::test]
async fn a_message_that_must_not_be_repeated_is_a_persons_question_after_a_restore() {
    let (database, db) = database().await;
    beat(&db, None).await;
    database
        .execute(
            "INSERT INTO deliveries (id, job_id, plugin, number, kind, target, host, headers, payload, repeatable)
             SELECT gen_random_uuid(), id, plugin, n, 'callback', 'http://goobi/', 'goobi', '{}', '{}', n = 1
             FROM jobs, generate_series(1, 2) AS n WHERE title = 'waits';
             UPDATE database_identity SET system_identifier = 1",
        )
        .await;
    beat(&db, None).await;
    let states = "SELECT number || ' ' || state FROM deliveries ORDER BY number";
    assert_eq!(database.texts(states).await, ["1 pending", "2 unclear"]);
    let report = db.run(&ReadRecovery).await.unwrap();
    assert_eq!(
        (report.deliveries_pending, report.deliveries_unclear),
        (1, vec![id("waits")])
    );
}

#[tokio::test]
async fn the_report_names_what_was_granted_and_is_not_completed() {
    let (database, db) = database().await;
    beat(&db, None).await;
    database
        .execute(&format!(
            "UPDATE jobs SET publish_granted = true, attempt = 1 WHERE id = '{waits}';
             UPDATE job_details SET target = '/data/27', manifest = '{{\"files\": [{{}}, {{}}]}}'
             WHERE job_id = '{waits}';
             UPDATE jobs SET publish_granted = true WHERE title = 'runs'",
            waits = id("waits")
        ))
        .await;
    assert!(
        db.run(&ReadRecovery).await.unwrap().granted.is_empty(),
        "all is well"
    );
    database
        .execute("UPDATE database_identity SET database_oid = 1")
        .await;
    beat(&db, None).await;
    let report = db.run(&ReadRecovery).await.unwrap();
    let granted = report.granted.iter();
    let granted: Vec<_> = granted
        .map(|job| (job.id, job.files, job.target.as_deref()))
        .collect();
    assert_eq!(granted, [(id("waits"), 2, Some("/data/27"))]);
    assert!(report.were_running[0].publishing, "it is named once");
    // Workers are asked what lies on their storage.
    let asked = database.texts("SELECT request::text FROM store_inventory").await;
    assert_eq!(asked, ["2"]);
}
