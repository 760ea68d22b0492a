//! Partitions of months that have passed.

use super::DropMonth;
use crate::control::{Actor, PluginAction, Settings};
use crate::db::control::ActOnPlugins;
use crate::db::pages::sample::Sample;
use crate::db::retention::Prune;
use crate::db::{Db, Error};
use crate::testing::TestDatabase;
use crate::testing::meeting::{Meets, Statements};

/// A database with partitions from January 2020 to March 2020, and a plugin.
async fn database() -> (TestDatabase, Db) {
    let mut sample = Sample::default();
    sample.plugin("OCR");
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    for parent in ["job_history", "job_logs"] {
        for (month, next) in [("01", "02"), ("02", "03"), ("03", "04")] {
            database
                .execute(&format!(
                    "CREATE TABLE {parent}_2020_{month} PARTITION OF {parent}
                     FOR VALUES FROM ('2020-{month}-01 00:00Z') TO ('2020-{next}-01 00:00Z')"
                ))
                .await;
        }
    }
    let db = database.db();
    (database, db)
}

/// An ended job with a log line, an item and its statistics.
async fn ended(database: &TestDatabase, at: &str, state: &str) {
    database
        .execute(&format!(
            "WITH old AS (
                 INSERT INTO job_history (id, plugin, title, state, priority, attempt, submitted_at, finished_at,
                     items_done, items_failed, items_total, bytes, error, summary, parameters, extra, submitted_by)
                 VALUES (gen_random_uuid(), 'OCR', '{at}', '{state}', 5, 1, '{at}', '{at}', 1, 0, 1, 0,
                     CASE WHEN '{state}' = 'ERROR' THEN 'why' END, '{{}}', '{{}}', '{{}}', 'test')
                 RETURNING id),
             line AS (
                 INSERT INTO job_logs (job_id, attempt, claim_id, line, job_submitted_at, text)
                 SELECT id, 1, gen_random_uuid(), 1, '{at}', 'line' FROM old),
             item AS (
                 INSERT INTO items (job_id, name, position, state, attempt, files, duration_ms)
                 SELECT id, '1.tif', 1, 'done', 1, '[]', 10 FROM old)
             INSERT INTO statistics VALUES ('{at}', 'OCR', '', 'done', 1, 1, 0, 1)"
        ))
        .await;
}

async fn keep_days(db: &Db, done: Option<i32>, failed: Option<i32>) {
    let action = PluginAction::Configure(Settings {
        keep_done_days: Some(done),
        keep_failed_days: Some(failed),
        ..Settings::default()
    });
    db.run(&ActOnPlugins {
        actor: &Actor::on_this_machine(),
        plugin: Some("OCR"),
        action: &action,
    })
    .await
    .unwrap();
}

/// What housekeeping does, until there is nothing left to do.
async fn tidy(db: &Db) -> Vec<String> {
    while db.run(&Prune).await.unwrap() > 0 {}
    let mut dropped = Vec::new();
    while let Some(month) = db.run(&DropMonth).await.unwrap() {
        dropped.push(month);
    }
    dropped
}

#[tokio::test]
async fn months_go_when_retention_has_emptied_them_and_statistics_stay() {
    let (database, db) = database().await;
    ended(&database, "2020-01-10", "DONE").await;
    ended(&database, "2020-02-10", "ERROR").await;
    // No partition was ever made for this one.
    ended(&database, "2019-06-10", "DONE").await;
    assert_eq!(
        tidy(&db).await,
        ["job_history_2020_03", "job_logs_2020_03"],
        "nothing is kept there"
    );
    keep_days(&db, Some(30), None).await;
    assert_eq!(tidy(&db).await, ["job_history_2020_01", "job_logs_2020_01"]);
    let left = "SELECT title FROM job_history";
    assert_eq!(database.texts(left).await, ["2020-02-10"], "failed jobs are kept");
    keep_days(&db, Some(30), Some(30)).await;
    assert_eq!(tidy(&db).await, ["job_history_2020_02", "job_logs_2020_02"]);
    assert!(
        tidy(&db).await.is_empty(),
        "this month and the coming ones stay, and so do the default partitions"
    );
    let kept = "SELECT (SELECT count(*) FROM job_logs) || ' ' || (SELECT count(*) FROM items) || ' '
        || (SELECT sum(jobs) FROM statistics) || ' ' || (SELECT count(*) FROM pg_inherits
            WHERE inhparent IN ('job_history'::regclass, 'job_logs'::regclass))";
    assert_eq!(database.texts(kept).await, ["0 0 3 8"]);
    // A job that was submitted then may still write a line.
    ended(&database, "2020-01-20", "DONE").await;
    assert_eq!(
        database.texts("SELECT text FROM job_logs_default").await,
        ["line"]
    );
}

#[tokio::test]
async fn a_month_that_somebody_reads_is_left_for_the_next_time() {
    let (_database, db) = database().await;
    let reads = Statements("SELECT count(*) FROM job_history");
    let reads = Meets::new(&reads, "SELECT count(*) FROM job_history");
    let drops = async {
        reads.reached.notified().await;
        let dropped = db.run(&DropMonth).await;
        reads.go_on.notify_one();
        dropped
    };
    let (read, dropped) = tokio::join!(db.run(&reads), drops);
    read.unwrap();
    let busy = dropped.unwrap_err();
    assert!(
        matches!(busy, Error::Driver(_)) && busy.is_lock_timeout(),
        "{busy:?}"
    );
    assert_eq!(tidy(&db).await.len(), 6);
}

#[tokio::test]
async fn jobs_with_many_pages_leave_history_a_few_at_a_time() {
    let (database, db) = database().await;
    for day in ["2020-01-10", "2020-01-11", "2020-01-12"] {
        ended(&database, day, "DONE").await;
    }
    database
        .execute("UPDATE job_history SET items_done = 15000")
        .await;
    keep_days(&db, Some(30), None).await;
    for _ in 0..3 {
        assert_eq!(db.run(&Prune).await.unwrap(), 1);
    }
    assert_eq!(db.run(&Prune).await.unwrap(), 0);
}
