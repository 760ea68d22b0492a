//! Storages that are set and removed while many jobs wait.

use crate::control::{Actor, StorageAction, StorageSettings};
use crate::db::Db;
use crate::db::control::{ActOnStorage, StorageOutcome};
use crate::db::dispatch::Pick;
use crate::db::pages::sample::Sample;
use crate::testing::TestDatabase;
use crate::testing::meeting::{Meets, Statements};

use super::AskAnew;

const WAITING: &str = "SELECT count(*)::text FROM jobs WHERE waits_for IS NOT NULL";

/// A storage that jobs wait for, in the order of their ids from 1 on.
async fn database(jobs: i32) -> (TestDatabase, Db) {
    let mut sample = Sample::default();
    sample.plugin("OCR");
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    database
        .execute(&format!(
            "INSERT INTO storages (path, running_max) VALUES ('/data', 1);
             INSERT INTO jobs (id, plugin, title, state, priority, waits_for)
             SELECT lpad(to_hex(n), 32, '0')::uuid, 'OCR', n::text, 'QUEUED', 5, 'storage:/data'
             FROM generate_series(1, {jobs}) AS n;
             INSERT INTO job_details (job_id, source, parameters, extra, submitted_by)
             SELECT id, '/data/' || title, '{{}}', '{{}}', 'test' FROM jobs"
        ))
        .await;
    let db = database.db();
    (database, db)
}

fn storage(path: &str) -> StorageAction {
    StorageAction::Set(StorageSettings {
        path: path.to_owned(),
        running_max: Some(Some(7)),
        ..StorageSettings::default()
    })
}

#[tokio::test]
async fn a_storage_is_set_and_removed_without_waiting_for_what_waits() {
    let (database, db) = database(5).await;
    let lock = Statements("SELECT 1 FROM jobs FOR UPDATE");
    let held = Meets::new(&lock, "");
    let actor = &Actor::on_this_machine();
    let act = async {
        held.reached.notified().await;
        let remove = StorageAction::Remove {
            path: "/data".to_owned(),
        };
        for action in [storage("/data/2"), remove] {
            let action = &action;
            let outcome = db.run(&ActOnStorage { actor, action }).await;
            assert_eq!(outcome.unwrap(), StorageOutcome::Done);
        }
        held.go_on.notify_one();
    };
    let (held, ()) = tokio::join!(db.run(&held), act);
    held.unwrap();
    assert_eq!(database.texts(WAITING).await, ["5"]);
}

#[tokio::test]
async fn all_that_wait_are_asked_anew_in_small_transactions_whoever_goes_on_and_each_of_them_once() {
    let (database, db) = database(700).await;
    assert!(!db.run(&AskAnew).await.unwrap(), "nobody has changed anything");
    let actor = &Actor::on_this_machine();
    let action = &storage("/data/2");
    db.run(&ActOnStorage { actor, action }).await.unwrap();
    assert_eq!(database.texts(WAITING).await, ["700"]);
    assert!(db.run(&AskAnew).await.unwrap());
    assert_eq!(database.texts(WAITING).await, ["400"]);
    // The first one is refused again meanwhile, by the storages that there are now; and its coordinator dies.
    let refused = "UPDATE jobs SET waits_for = 'storage:/data' WHERE title = '1'";
    database.execute(refused).await;
    let other = database.db();
    while other.run(&AskAnew).await.unwrap() {}
    let left = "SELECT title FROM jobs WHERE waits_for IS NOT NULL";
    assert_eq!(database.texts(left).await, ["1"]);
    assert!(!db.run(&AskAnew).await.unwrap());
    // Another change asks it once more, also one that comes while others are being asked.
    let action = &storage("/data/3");
    db.run(&ActOnStorage { actor, action }).await.unwrap();
    assert!(db.run(&AskAnew).await.unwrap());
    database.execute(refused).await;
    let action = &storage("/data/4");
    db.run(&ActOnStorage { actor, action }).await.unwrap();
    while db.run(&AskAnew).await.unwrap() {}
    assert_eq!(database.texts(WAITING).await, ["0"]);
    let done = "SELECT 1::text FROM storage_waits WHERE asked_up_to IS NULL";
    assert_eq!(database.texts(done).await, ["1"], "it has come to no end");
}

#[tokio::test]
async fn a_job_that_no_longer_uses_the_full_storage_it_waits_for_is_published_once_it_was_asked_anew() {
    let (database, db) = database(1).await;
    database
        .execute("INSERT INTO limit_keys (key, running) VALUES ('storage:/data', 1)")
        .await;
    let picked = async || db.run(&Pick { window: 500 }).await.unwrap().len();
    assert_eq!(picked().await, 0);
    let actor = &Actor::on_this_machine();
    let action = &storage("/data/1");
    db.run(&ActOnStorage { actor, action }).await.unwrap();
    assert_eq!(picked().await, 0, "by what it has been told");
    while db.run(&AskAnew).await.unwrap() {}
    assert_eq!(picked().await, 1);
}

#[tokio::test]
async fn whoever_asks_anew_waits_for_nobodys_job_and_comes_again() {
    let (database, db) = database(5).await;
    let actor = &Actor::on_this_machine();
    let action = &storage("/data/2");
    db.run(&ActOnStorage { actor, action }).await.unwrap();
    let lock = Statements("SELECT 1 FROM jobs FOR UPDATE");
    let held = Meets::new(&lock, "");
    let ask = async {
        held.reached.notified().await;
        let asked = db.run(&AskAnew).await;
        held.go_on.notify_one();
        asked
    };
    let (held, asked) = tokio::join!(db.run(&held), ask);
    held.unwrap();
    assert!(asked.unwrap_err().is_lock_timeout());
    assert_eq!(database.texts(WAITING).await, ["5"]);
    // Fails unless it is so.
    let is_bounded = "SELECT 1 / (current_setting('lock_timeout') = '100ms')::int";
    let again = Meets::new(&AskAnew, is_bounded);
    again.go_on.notify_one();
    assert!(db.run(&again).await.unwrap());
    assert_eq!(database.texts(WAITING).await, ["0"]);
}
