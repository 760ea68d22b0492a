//! That the sums are what a count over history would give, whatever comes and goes.

use std::time::Duration;

use super::*;
use crate::control::{Actor, JobAction};
use crate::db::Db;
use crate::db::control::ActOnJobs;
use crate::db::migrate::migrate;
use crate::db::pages::sample::{Sample, id};
use crate::db::retention::Prune;
use crate::testing::TestDatabase;
use crate::testing::meeting::Meets;

const KEPT: &str = "SELECT concat_ws(' ', plugin, state, sum(jobs), sum(files), sum(pages), sum(bytes))
    FROM history_sums GROUP BY plugin, state HAVING sum(jobs) <> 0 ORDER BY plugin, state";
const COUNTED: &str =
    "SELECT concat_ws(' ', plugin, state, count(*), sum(items_total), sum(items_done), sum(bytes))
    FROM job_history GROUP BY plugin, state ORDER BY plugin, state";

async fn same(database: &TestDatabase, jobs: usize) {
    let counted = database.texts(COUNTED).await;
    assert_eq!(database.texts(KEPT).await, counted);
    let all = database.texts("SELECT id::text FROM job_history").await;
    assert_eq!(all.len(), jobs);
}

async fn fold(db: &Db) {
    while db.run(&FoldSums).await.unwrap() {}
}

#[tokio::test]
async fn the_sums_of_history_equal_a_recount_after_jobs_have_ended_gone_and_been_added_up() {
    let database = TestDatabase::create().await;
    let db = database.db();
    let mut sample = Sample::default();
    sample.plugin("OCR").plugin("SHELL");
    sample
        .running("OCR", "runs", 5)
        .items("runs", 3)
        .waiting("OCR", "waits", 5)
        .waiting("SHELL", "waits too", 5);
    for number in 0..4 {
        sample.ended("OCR", &format!("well {number}"), "DONE", number);
        sample.ended("SHELL", &format!("badly {number}"), "ERROR", number);
    }
    database.execute(&sample.sql()).await;
    same(&database, 8).await;

    let act = async |title: &str, action: JobAction| {
        let (actor, ids) = (Actor::on_this_machine(), [id(title)]);
        let wish = ActOnJobs {
            actor: &actor,
            ids: &ids,
            action: &action,
        };
        db.run(&wish).await.unwrap();
    };
    act("waits", JobAction::Cancel).await;
    act("waits too", JobAction::Cancel).await;
    same(&database, 10).await;
    fold(&db).await;
    same(&database, 10).await;
    let lines = "SELECT count(*)::text FROM history_sums";
    assert_eq!(database.texts(lines).await, ["4"], "one line a plugin and state");

    act("well 1", JobAction::Delete).await;
    database
        .execute("UPDATE plugins SET keep_failed_jobs = 2 WHERE name = 'SHELL'")
        .await;
    while db.run(&Prune).await.unwrap() > 0 {}
    same(&database, 6).await;
    fold(&db).await;
    same(&database, 6).await;
}

#[tokio::test]
async fn two_coordinators_that_fold_at_once_wait_for_nobody_and_lose_and_double_nothing() {
    let database = TestDatabase::create().await;
    let mut sample = Sample::default();
    sample.plugin("OCR");
    for number in 0..40 {
        sample.ended("OCR", &format!("well {number}"), "DONE", 1);
    }
    database.execute(&sample.sql()).await;
    let db = database.db();
    let slow = Meets::new(&FoldSums, "");
    let meanwhile = async {
        slow.reached.notified().await;
        let limit = Duration::from_secs(20);
        let other = tokio::time::timeout(limit, db.run(&FoldSums)).await;
        // Neither waits for them whoever ends or removes jobs.
        let mut later = Sample::default();
        later.ended("OCR", "later", "DONE", 1);
        database.execute(&later.sql()).await;
        slow.go_on.notify_one();
        other.expect("it waits for the other coordinator").unwrap()
    };
    let (folded, other) = tokio::join!(db.run(&slow), meanwhile);
    assert_eq!((folded.unwrap(), other), (true, false));
    same(&database, 41).await;
    fold(&db).await;
    same(&database, 41).await;
}

#[tokio::test]
async fn jobs_that_had_ended_before_there_were_sums_are_in_them() {
    let database = TestDatabase::empty().await;
    database
        .execute(include_str!("../migrate/first_version.sql"))
        .await;
    migrate(database.url()).await.unwrap();
    same(&database, 2).await;
}
