//! What becomes of item stores that workers find, against a real database; time is moved, not waited for.

use shared::job::JobId;
use shared::message::worker::{Heartbeat, StoreRemoval};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::background::housekeeping::remove_expired;
use crate::control::{Actor, JobAction, Role, StoreAction};
use crate::db::Db;
use crate::db::control::{ActOnJobs, ActOnStores, StoresOutcome};
use crate::db::pages::sample::{Sample, id};
use crate::db::stores::{HandOut, ReadUnknownStores, RecordRemovals, UnknownStores};
use crate::db::workers::Alive;
use crate::testing::TestDatabase;

/// OCR jobs `waits`, `failed`, `done` and `cancelled`, `done too` of SHELL, and three workers.
async fn database() -> (TestDatabase, Db) {
    let mut sample = Sample::default();
    sample
        .plugin("OCR")
        .plugin("SHELL")
        .worker("one", "OCR", 2, 0, false)
        .worker("two", "OCR", 2, 0, false)
        .worker("shell", "SHELL", 2, 0, false)
        .waiting("OCR", "waits", 5)
        .ended("OCR", "failed", "ERROR", 2)
        .ended("OCR", "done", "DONE", 2)
        .ended("OCR", "cancelled", "CANCELLED", 2)
        .ended("SHELL", "done too", "DONE", 2);
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    let db = database.db();
    (database, db)
}

fn heard(worker_id: &str) -> Heard<'_> {
    Heard {
        worker_id,
        amqp_user: "user",
    }
}

fn store(title: &str, there: bool) -> FoundStore {
    FoundStore {
        store: id(title),
        target: format!("/data/{title}"),
        there,
    }
}

/// A worker tells of these; gives the titles' ids that it may forget.
async fn finds(db: &Db, worker: Heard<'_>, found: &[FoundStore]) -> Vec<JobId> {
    let portion = StoresFound {
        request: 1,
        found: found.to_vec(),
        last: true,
        problems: Vec::new(),
    };
    let record = RecordFound {
        heard: worker,
        portion: &portion,
    };
    let forget = db.run(&record).await.unwrap();
    forget.into_iter().map(|store| store.store).collect()
}

/// The folders of the stores that wait for their removal.
async fn listed(database: &TestDatabase) -> Vec<String> {
    let listed = "SELECT target FROM stores_to_remove WHERE removed_at IS NULL ORDER BY target";
    database.texts(listed).await
}

async fn unknown(db: &Db) -> UnknownStores {
    db.run(&ReadUnknownStores).await.unwrap()
}

async fn handed_to(db: &Db, worker: &str) -> Vec<JobId> {
    let workers = [heard(worker)];
    let lists = db.run(&HandOut { workers: &workers }).await.unwrap();
    lists[0].iter().map(|store| store.store).collect()
}

async fn act(db: &Db, role: Role, action: &StoreAction) -> Option<StoresOutcome> {
    let actor = Actor::with("somebody".to_owned(), role);
    let act = ActOnStores {
        actor: &actor,
        action,
    };
    db.run(&act).await.unwrap()
}

fn remove(titles: &[&str]) -> StoreAction {
    StoreAction::Remove {
        stores: titles.iter().map(|title| id(title)).collect(),
    }
}

#[tokio::test]
async fn a_found_store_stays_goes_or_is_noted_as_its_job_says() {
    let (database, db) = database().await;
    let found = ["waits", "failed", "done", "cancelled", "nobody's"].map(|title| store(title, true));
    // Nothing happens twice, whoever tells of them.
    for worker in ["one", "two", "one"] {
        assert!(finds(&db, heard(worker), &found).await.is_empty());
        assert_eq!(listed(&database).await, ["/data/cancelled", "/data/done"]);
        let unknown = unknown(&db).await;
        assert_eq!(unknown.total, 1);
        let seen = &unknown.stores[0];
        assert_eq!((seen.store, seen.worker.as_str()), (id("nobody's"), worker));
        assert!(
            seen.folder.starts_with("/data/nobody's/.taskmanager-"),
            "{seen:?}"
        );
    }
    let mut handed = handed_to(&db, "two").await;
    handed.sort_unstable();
    let mut over = [id("done"), id("cancelled")];
    over.sort_unstable();
    assert_eq!(handed, over, "and nothing that no job has");
    advance_a_month(&database).await;
    remove_expired(&db, &CancellationToken::new()).await;
    assert_eq!(unknown(&db).await.total, 0, "nobody has seen it for a month");
}

async fn advance_a_month(database: &TestDatabase) {
    database.advance("31 days").await;
}

#[tokio::test]
async fn an_entry_without_a_store_is_forgotten_unless_its_job_is_unfinished_or_may_be_retried() {
    let (database, db) = database().await;
    let entries = ["waits", "failed", "done", "nobody's"].map(|title| store(title, false));
    finds(&db, heard("one"), &[store("nobody's", true)]).await;
    let mut forget = finds(&db, heard("one"), &entries).await;
    forget.sort_unstable();
    let mut expected = [id("done"), id("nobody's")];
    expected.sort_unstable();
    assert_eq!(forget, expected);
    assert!(listed(&database).await.is_empty());
    assert_eq!(unknown(&db).await.total, 0, "somebody has removed it by hand");
}

#[tokio::test]
async fn a_workers_word_counts_for_its_own_plugins_and_as_its_own_user_only() {
    let (database, db) = database().await;
    assert!(
        finds(&db, heard("one"), &[store("done too", true)])
            .await
            .is_empty()
    );
    assert!(listed(&database).await.is_empty(), "SHELL is another's");
    let stranger = Heard {
        worker_id: "one",
        amqp_user: "another",
    };
    let all = [
        store("done", true),
        store("nobody's", true),
        store("cancelled", false),
    ];
    assert!(finds(&db, stranger, &all).await.is_empty());
    assert!(listed(&database).await.is_empty());
    assert_eq!(unknown(&db).await.total, 0);
    let impossible = ["/data/a\0b".to_owned(), "x".repeat(5_000)].map(|target| FoundStore {
        target,
        ..store("nobody's", true)
    });
    finds(&db, heard("one"), &impossible).await;
    assert_eq!(unknown(&db).await.total, 0);
    finds(&db, heard("shell"), &[store("done too", true)]).await;
    assert_eq!(listed(&database).await, ["/data/done too"]);
    assert!(handed_to(&db, "one").await.is_empty());
    assert_eq!(handed_to(&db, "shell").await, [id("done too")]);
}

#[tokio::test]
async fn a_store_that_was_made_anew_is_listed_again_also_when_history_has_forgotten_its_job() {
    let (database, db) = database().await;
    let delete = ActOnJobs {
        actor: &Actor::on_this_machine(),
        ids: &[id("done")],
        action: &JobAction::Delete,
    };
    for forgotten in [false, true] {
        finds(&db, heard("one"), &[store("done", true)]).await;
        assert_eq!(listed(&database).await, ["/data/done"]);
        assert_eq!(handed_to(&db, "one").await, [id("done")]);
        let gone = StoreRemoval {
            store: id("done"),
            error: None,
        };
        let removals = [(heard("one"), &gone)];
        db.run(&RecordRemovals { removals: &removals }).await.unwrap();
        assert!(listed(&database).await.is_empty());
        if !forgotten {
            db.run(&delete).await.unwrap();
        }
    }
    finds(&db, heard("one"), &[store("done", true)]).await;
    assert_eq!(listed(&database).await, ["/data/done"]);
}

#[tokio::test]
async fn a_store_of_no_job_goes_by_an_authorised_and_audited_command_only() {
    let (database, db) = database().await;
    finds(&db, heard("two"), &[store("nobody's", true)]).await;
    for role in [Role::Viewer, Role::Operator] {
        assert_eq!(act(&db, role, &remove(&["nobody's"])).await, None);
    }
    assert_eq!(unknown(&db).await.total, 1);
    assert!(handed_to(&db, "two").await.is_empty());
    // A job that has it has come back; one is named that nobody has found.
    database
        .execute(&format!(
            "INSERT INTO unknown_stores (store_id, target, plugin, worker_id)
             VALUES ('{}', '/data/waits', 'OCR', 'two')",
            id("waits")
        ))
        .await;
    let wanted = remove(&["nobody's", "nobody's", "waits", "other"]);
    let outcome = act(&db, Role::Admin, &wanted).await.unwrap();
    let expected = StoresOutcome {
        removed: vec![id("nobody's")],
        used: vec![id("waits")],
        not_found: vec![id("other")],
    };
    assert_eq!(outcome, expected);
    assert_eq!(handed_to(&db, "two").await, [id("nobody's")]);
    // It is still there, and told of once more before it is gone.
    finds(&db, heard("one"), &[store("nobody's", true)]).await;
    let left: Vec<JobId> = unknown(&db).await.stores.iter().map(|left| left.store).collect();
    assert_eq!(left, [id("waits")]);
    let audit = database
        .texts(
            "SELECT concat_ws(' ', actor, action, outcome, CASE WHEN job_id IS NOT NULL THEN 'store' END)
             FROM audit_log ORDER BY outcome, id",
        )
        .await;
    let line = |outcome: &str| format!("somebody remove_stores {outcome}");
    assert_eq!(
        audit,
        [
            line("done store"),
            line("forbidden"),
            line("forbidden"),
            line("refused store"),
            line("refused store")
        ]
    );
    finds(&db, heard("one"), &[store("waits", true)]).await;
    assert_eq!(unknown(&db).await.total, 0, "its job is known");
}

/// The number of the request that a worker has to answer.
async fn asked(db: &Db, worker: &str, draining: bool) -> Option<i64> {
    let heartbeat = Heartbeat {
        worker_id: worker.to_owned(),
        rss_bytes: 1,
        draining,
        attempts: Vec::new(),
        removals: Vec::new(),
        stores: None,
    };
    let alive = Alive {
        heartbeats: &[heartbeat],
        users: &["user"],
    };
    db.run(&alive).await.unwrap().inventories.get(worker).copied()
}

async fn told(db: &Db, worker: &str, request: i64, problem: &str) {
    let portion = StoresFound {
        request,
        found: Vec::new(),
        last: true,
        problems: vec![problem.to_owned()],
    };
    let note = NoteListing {
        heard: heard(worker),
        portion: &portion,
    };
    db.run(&note).await.unwrap();
}

#[tokio::test]
async fn a_worker_is_asked_at_its_start_once_a_day_and_when_somebody_wants_to_know() {
    let (database, db) = database().await;
    assert_eq!(asked(&db, "one", true).await, None, "it ends");
    assert_eq!(asked(&db, "one", false).await, Some(1));
    assert_eq!(asked(&db, "one", false).await, Some(1), "it has not answered");
    assert_eq!(unknown(&db).await.not_told, ["one", "shell", "two"]);
    told(&db, "one", 1, "/data does not answer").await;
    assert_eq!(asked(&db, "one", false).await, None);
    let unknown_now = unknown(&db).await;
    assert_eq!(unknown_now.not_told, ["shell", "two"]);
    assert_eq!(unknown_now.problems, ["one: /data does not answer"]);
    assert_eq!(act(&db, Role::Operator, &StoreAction::Look).await, None);
    assert_eq!(asked(&db, "one", false).await, None, "an operator may not");
    act(&db, Role::Admin, &StoreAction::Look).await.unwrap();
    assert_eq!(asked(&db, "one", false).await, Some(2));
    told(&db, "one", 1, "the answer to the old request").await;
    assert_eq!(asked(&db, "one", false).await, Some(2));
    told(&db, "one", 2, "").await;
    database.advance("23 hours").await;
    assert_eq!(asked(&db, "one", false).await, None);
    database.advance("25 hours").await;
    assert_eq!(asked(&db, "one", false).await, Some(2));
}
