//! Ended jobs that leave history, by what their plugins keep.

use std::time::Duration;

use shared::job::{ClaimId, JobId, Stage};
use shared::message::reply::ClaimReply;
use shared::message::worker::{AttemptResult, Claim, Outcome};

use super::Prune;
use crate::control::{Actor, JobAction};
use crate::db::Db;
use crate::db::claims::{GrantClaims, WorkerClaim};
use crate::db::control::ActOnJobs;
use crate::db::heartbeats::Revise;
use crate::db::lock_order::report;
use crate::db::pages::sample::{Sample, id};
use crate::db::pages::{ListJobs, Tab};
use crate::db::results::Record;
use crate::db::sums::FoldSums;
use crate::testing::TestDatabase;
use crate::testing::meeting::Meets;
use crate::worker_users::WorkerUsers;

/// Failed and cancelled jobs of two plugins in turns, from the newest on, and one of each that went well.
async fn database() -> (TestDatabase, Db) {
    let mut sample = Sample::default();
    for plugin in ["OCR", "SHELL"] {
        sample.plugin(plugin);
        sample.ended(plugin, &format!("{plugin} well"), "DONE", 90);
        for (hours, state) in [
            (1, "ERROR"),
            (13, "CANCELLED"),
            (25, "ERROR"),
            (37, "CANCELLED"),
            (49, "CANCELLED"),
        ] {
            sample.ended(plugin, &format!("{plugin} {hours}"), state, hours);
        }
    }
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    let db = database.db();
    (database, db)
}

/// Jobs that wait end, as they do at a person's wish.
async fn end(db: &Db, ids: &[JobId]) {
    let cancel = ActOnJobs {
        actor: &Actor::on_this_machine(),
        ids,
        action: &JobAction::Cancel,
    };
    let done = db.run(&cancel).await.unwrap();
    assert_eq!(done.outcomes.len(), ids.len());
}

/// What is left when no more is removed.
async fn left(database: &TestDatabase, db: &Db) -> Vec<String> {
    while db.run(&Prune).await.unwrap() > 0 {}
    database
        .texts("SELECT title FROM job_history ORDER BY plugin, finished_at DESC")
        .await
}

#[tokio::test]
async fn failed_and_cancelled_jobs_are_counted_together_for_each_plugin() {
    let (database, db) = database().await;
    database
        .execute(
            "UPDATE plugins SET keep_failed_jobs = 3 WHERE name = 'OCR';
             UPDATE plugins SET keep_failed_jobs = 0 WHERE name = 'SHELL'",
        )
        .await;
    assert_eq!(
        left(&database, &db).await,
        ["OCR 1", "OCR 13", "OCR 25", "OCR well", "SHELL well"]
    );
    database.execute("UPDATE plugins SET keep_failed_jobs = 1").await;
    assert_eq!(left(&database, &db).await, ["OCR 1", "OCR well", "SHELL well"]);
}

#[tokio::test]
async fn of_one_state_alone_as_many_are_kept_as_the_plugin_says() {
    let (database, db) = database().await;
    database
        .execute(
            "UPDATE plugins SET keep_failed_jobs = 2, keep_done_jobs = 0;
             DELETE FROM job_history WHERE state = 'ERROR'",
        )
        .await;
    assert_eq!(
        left(&database, &db).await,
        ["OCR 13", "OCR 37", "SHELL 13", "SHELL 37"]
    );
}

#[tokio::test]
async fn failed_and_cancelled_jobs_leave_by_age_alike() {
    let (database, db) = database().await;
    database
        .execute("UPDATE plugins SET keep_failed_days = 1, keep_failed_jobs = 4 WHERE name = 'OCR'")
        .await;
    assert_eq!(left(&database, &db).await[..3], ["OCR 1", "OCR 13", "OCR well"]);
}

#[tokio::test]
async fn who_removes_ended_jobs_keeps_nobody_waiting() {
    let (database, db) = database().await;
    let mut sample = Sample::default();
    sample
        .waiting("OCR", "starts", 5)
        .waiting("OCR", "cancelled", 5)
        .running("OCR", "runs", 5);
    database.execute(&sample.sql()).await;
    database.execute("UPDATE plugins SET keep_failed_jobs = 1").await;
    let half_way = Meets::new(&Prune, "");
    // Each of them would give up after five seconds of waiting.
    let meanwhile = async {
        half_way.reached.notified().await;
        let claims = [WorkerClaim {
            amqp_user: "user".to_owned(),
            worker_id: "worker".to_owned(),
            claim: Claim {
                job_id: id("starts"),
                dispatch: 1,
                claim_id: ClaimId::generate(),
            },
        }];
        let claims = GrantClaims {
            claims: &claims,
            users: &WorkerUsers::default(),
        };
        let granted = db.run(&claims).await.unwrap();
        assert!(matches!(granted[..], [ClaimReply::Granted(_)]));
        let beat = Revise {
            reports: &[report("runs", Stage::Processing)],
        };
        assert_eq!(db.run(&beat).await.unwrap().len(), 1);
        end(&db, &[id("cancelled")]).await;
        let done = AttemptResult {
            worker_id: "worker".to_owned(),
            outcome: Outcome::Done {
                summary: serde_json::Map::new(),
            },
            store_removed: None,
            report: report("runs", Stage::Download).report,
        };
        let record = Record {
            results: &[done],
            users: &["user"],
        };
        db.run(&record).await.unwrap();
        let list = ListJobs {
            tab: Tab::Error,
            plugin: None,
            limit: 100,
            after: None,
        };
        let listed = db.run(&list).await.unwrap().jobs;
        assert_eq!(listed.len(), 11, "what is not gone yet is listed");
        half_way.go_on.notify_one();
    };
    let (pruned, ()) = tokio::join!(db.run(&half_way), meanwhile);
    assert_eq!(pruned.unwrap(), 8);
    let left = "SELECT title FROM jobs";
    assert_eq!(database.texts(left).await, ["starts"], "the others have ended");
}

/// Jobs of one round.
const ROUND: i32 = 600;

/// So many jobs wait, end, and are removed from history; then the tables are tidied, as the database does by itself.
async fn round(database: &TestDatabase, db: &Db) {
    database
        .execute(&format!(
            "INSERT INTO jobs (id, plugin, title, state, priority)
             SELECT gen_random_uuid(), 'OCR', 'job ' || n, 'QUEUED', 5 FROM generate_series(1, {ROUND}) AS n;
             INSERT INTO job_details (job_id, parameters, extra, submitted_by)
             SELECT id, '{{}}', '{{}}', 'test' FROM jobs;
             INSERT INTO items (job_id, name, position, state, attempt, files, duration_ms)
             SELECT id, n || '.tif', n, 'done', 1, '[]', 10 FROM jobs, generate_series(1, 3) AS n;
             INSERT INTO attempts (job_id, attempt, claim_id, worker_id, started_at, ended_at, outcome)
             SELECT id, 1, gen_random_uuid(), 'worker', tm_now(), tm_now(), 'lost' FROM jobs;
             INSERT INTO job_logs (job_id, attempt, claim_id, line, job_submitted_at, text)
             SELECT id, 1, id, n, submitted_at, 'line' FROM jobs, generate_series(1, 3) AS n;
             INSERT INTO idempotency_keys (key, job_id) SELECT 'derived:' || id, id FROM jobs"
        ))
        .await;
    let ids = database.texts("SELECT id::text FROM jobs").await;
    let ids: Vec<JobId> = ids.iter().map(|id| id.parse().unwrap()).collect();
    for some in ids.chunks(200) {
        end(db, some).await;
    }
    assert!(left(database, db).await.is_empty());
    while db.run(&FoldSums).await.unwrap() {}
    database.execute(&format!("VACUUM {}", TABLES.join(", "))).await;
    others_begin_anew(database).await;
}

/// Waits until no transaction on the server is older than now: what one of them might still see, in whatever database,
/// is not used again.
async fn others_begin_anew(database: &TestDatabase) {
    let now = database
        .texts("SELECT pg_current_xact_id()::text")
        .await
        .remove(0);
    let older = format!(
        "SELECT pid::text FROM pg_stat_activity
         WHERE greatest(age(backend_xid), age(backend_xmin)) > age('{now}'::xid)"
    );
    while !database.texts(&older).await.is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Tables that jobs pass through.
const TABLES: [&str; 8] = [
    "jobs",
    "job_details",
    "items",
    "attempts",
    "job_logs",
    "job_history",
    "idempotency_keys",
    "history_sums",
];

/// The sizes of these tables with their indexes, in pages.
async fn pages(database: &TestDatabase) -> Vec<i64> {
    let sizes = format!(
        "SELECT (coalesce((SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree(name::regclass)),
                          pg_total_relation_size(name::regclass)) / 8192)::bigint::text
         FROM unnest('{{{}}}'::text[]) WITH ORDINALITY AS one(name, place) ORDER BY place",
        TABLES.join(", ")
    );
    let sizes = database.texts(&sizes).await;
    sizes.iter().map(|size| size.parse().unwrap()).collect()
}

#[tokio::test]
async fn tables_that_jobs_pass_through_stay_as_small_as_what_is_in_them() {
    let mut sample = Sample::default();
    sample.plugin("OCR");
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    // The test itself tidies.
    database
        .execute(
            "UPDATE plugins SET keep_failed_jobs = 0;
             DO $$ DECLARE part regclass; BEGIN
                 FOR part IN SELECT oid FROM pg_class
                     WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
                 LOOP
                     EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off)', part);
                 END LOOP;
             END $$",
        )
        .await;
    let db = database.db();
    for _ in 0..3 {
        round(&database, &db).await;
    }
    let early = pages(&database).await;
    for _ in 0..6 {
        round(&database, &db).await;
    }
    let late = pages(&database).await;
    for ((table, early), late) in TABLES.iter().zip(early).zip(late) {
        // A fifth more for what pages are split into: without anybody tidying it would be three times as much.
        assert!(
            late <= early + early / 5 + 4,
            "{table}: {early} pages have become {late}"
        );
    }
}
