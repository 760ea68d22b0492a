//! Limits of storages against a real database: who is refused, who is woken, what is counted.

use shared::job::decide::Refusal;
use shared::job::{ClaimId, JobId};
use shared::message::reply::ClaimReply;
use shared::message::worker::Claim;

use crate::control::{Actor, Role, StorageAction, StorageSettings};
use crate::db::Db;
use crate::db::claims::{GrantClaims, WorkerClaim};
use crate::db::control::{ActOnStorage, StorageOutcome};
use crate::db::dispatch::Pick;
use crate::db::pages::ReadJob;
use crate::db::pages::sample::{Sample, id};
use crate::testing::TestDatabase;
use crate::worker_users::WorkerUsers;

const FULL: Result<JobId, Refusal> = Err(Refusal::StorageLimitReached);

/// Four jobs of two plugins, each with its source in a folder of its own beneath `/data`.
async fn database() -> (TestDatabase, Db) {
    let mut sample = Sample::default();
    sample
        .plugin("OCR")
        .plugin("JP2")
        .worker("one", "OCR", 9, 0, false)
        .worker("two", "JP2", 9, 0, false);
    for title in ["a", "b", "c"] {
        sample.waiting("OCR", title, 5);
    }
    sample.waiting("JP2", "image", 9);
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    let db = database.db();
    (database, db)
}

fn storage(path: &str, running_max: Option<i32>) -> StorageAction {
    StorageAction::Set(StorageSettings {
        path: path.to_owned(),
        running_max: Some(running_max),
        ..StorageSettings::default()
    })
}

async fn act(db: &Db, action: &StorageAction) -> StorageOutcome {
    let actor = &Actor::on_this_machine();
    db.run(&ActOnStorage { actor, action }).await.unwrap()
}

async fn claim(database: &TestDatabase, titles: &[&str]) -> Vec<Result<JobId, Refusal>> {
    let mut claims = Vec::new();
    for title in titles {
        let number = format!("SELECT dispatch::text FROM jobs WHERE id = '{}'", id(title));
        claims.push(WorkerClaim {
            worker_id: if *title == "image" { "two" } else { "one" }.to_owned(),
            amqp_user: "user".to_owned(),
            claim: Claim {
                job_id: id(title),
                dispatch: database.texts(&number).await[0].parse().unwrap(),
                claim_id: ClaimId::generate(),
            },
        });
    }
    let users = WorkerUsers::default();
    let grant = GrantClaims {
        claims: &claims,
        users: &users,
    };
    let answers = database.db().run(&grant).await.unwrap();
    let said = answers.into_iter().map(|answer| match answer {
        ClaimReply::Granted(grant) => Ok(grant.job_id),
        ClaimReply::Refused { refusal, .. } => Err(refusal),
        ClaimReply::Other => panic!("no answer"),
    });
    said.collect()
}

/// The titles of the jobs that the dispatcher publishes now, in their order.
async fn picked(database: &TestDatabase, db: &Db) -> Vec<String> {
    let picked = db.run(&Pick { window: 500 }).await.unwrap();
    let mut titles = Vec::new();
    for (dispatch, _) in picked {
        let title = format!("SELECT title FROM jobs WHERE id = '{}'", dispatch.job_id);
        titles.extend(database.texts(&title).await);
    }
    titles
}

/// What the dispatcher has picked is published.
async fn published(database: &TestDatabase) {
    database
        .execute(
            "UPDATE jobs SET published_dispatch = dispatch, relay_until = NULL WHERE relay_until IS NOT NULL",
        )
        .await;
}

async fn end(database: &TestDatabase, title: &str) {
    let id = id(title);
    database
        .execute(&format!(
            "DELETE FROM leases WHERE job_id = '{id}'; DELETE FROM jobs WHERE id = '{id}'"
        ))
        .await;
}

async fn counted(database: &TestDatabase) -> Vec<String> {
    let counted =
        "SELECT key || ' ' || running FROM limit_keys WHERE starts_with(key, 'storage:') ORDER BY key";
    database.texts(counted).await
}

#[tokio::test]
async fn a_folder_lies_on_the_storage_with_the_longest_path_by_whole_names() {
    let (database, db) = database().await;
    let of = async |folder: &str| {
        let asked = format!("SELECT coalesce(storage_of({folder}), 'none')");
        database.texts(&asked).await.remove(0)
    };
    for path in ["/data", "/data/films", "/scans", "s3://scans/films"] {
        act(&db, &storage(path, None)).await;
    }
    assert_eq!(of("'/data'").await, "/data");
    assert_eq!(of("'/data/27/images'").await, "/data");
    assert_eq!(of("'/data/films/1'").await, "/data/films");
    assert_eq!(of("'/data/films2'").await, "/data");
    assert_eq!(of("'/database'").await, "none");
    assert_eq!(of("'s3://scans/films/1'").await, "s3://scans/films");
    assert_eq!(of("NULL").await, "none");
    act(&db, &storage("/", None)).await;
    assert_eq!(of("'s3://scans/27'").await, "none");
    assert_eq!(of("'/database'").await, "/");
    assert_eq!(of("'/scans'").await, "/scans");
    assert_eq!(of("NULL").await, "none");
}

#[tokio::test]
async fn no_more_jobs_use_a_storage_at_once_than_may_whatever_plugins_they_are_of() {
    let (database, db) = database().await;
    act(&db, &storage("/data", Some(2))).await;
    assert_eq!(
        claim(&database, &["a", "image", "b"]).await,
        [Ok(id("a")), Ok(id("image")), FULL]
    );
    database.execute("UPDATE jobs SET start_now = true").await;
    assert_eq!(
        claim(&database, &["b"]).await,
        [FULL],
        "a person starts nothing there, either"
    );
    assert_eq!(counted(&database).await, ["storage:/data 2"]);
    end(&database, "image").await;
    assert_eq!(claim(&database, &["b"]).await, [Ok(id("b"))]);
}

#[tokio::test]
async fn the_storage_of_the_target_counts_as_that_of_the_source_and_one_for_both_counts_once() {
    let (database, db) = database().await;
    let targets = format!(
        "UPDATE job_details SET target = CASE job_id WHEN '{}' THEN '/data/a/out' ELSE '/scans/out' END",
        id("a")
    );
    database.execute(&targets).await;
    act(&db, &storage("/data", None)).await;
    act(&db, &storage("/scans", Some(1))).await;
    assert_eq!(
        claim(&database, &["a", "b", "c"]).await,
        [Ok(id("a")), Ok(id("b")), FULL]
    );
    assert_eq!(counted(&database).await, ["storage:/data 2", "storage:/scans 1"]);
}

#[tokio::test]
async fn a_refused_job_is_published_when_its_storage_has_room_and_no_more_of_them_than_it_takes() {
    let (database, db) = database().await;
    act(&db, &storage("/data", Some(1))).await;
    assert_eq!(
        claim(&database, &["a", "b", "c", "image"]).await,
        [Ok(id("a")), FULL, FULL, FULL]
    );
    assert!(picked(&database, &db).await.is_empty(), "nobody could take them");
    end(&database, "a").await;
    // The best one of each plugin; and it alone, as long as nobody has claimed it.
    assert_eq!(picked(&database, &db).await, ["image", "b"]);
    assert!(picked(&database, &db).await.is_empty(), "they are on their way");
    published(&database).await;
    assert!(picked(&database, &db).await.is_empty(), "they are published");
    assert_eq!(claim(&database, &["image", "b"]).await, [Ok(id("image")), FULL]);
    assert!(picked(&database, &db).await.is_empty());
    act(&db, &storage("/data", Some(2))).await;
    assert_eq!(picked(&database, &db).await, ["b"]);
    published(&database).await;
    act(&db, &storage("/data", None)).await;
    assert_eq!(picked(&database, &db).await, ["c"]);
}

#[tokio::test]
async fn a_woken_job_of_a_plugin_that_nobody_serves_keeps_no_other_plugins_job_waiting() {
    let (database, db) = database().await;
    act(&db, &storage("/data", Some(1))).await;
    claim(&database, &["a", "b", "c", "image"]).await;
    database
        .execute("UPDATE plugins SET state = 'stopped' WHERE name = 'OCR'")
        .await;
    end(&database, "a").await;
    // No worker of its plugin takes it.
    assert_eq!(picked(&database, &db).await, ["image"]);
    published(&database).await;
    database
        .execute("UPDATE plugins SET state = 'running' WHERE name = 'OCR'")
        .await;
    assert_eq!(picked(&database, &db).await, ["b"]);
    published(&database).await;
    // Nor does what waits in its turn keep out what a person starts.
    database
        .execute("UPDATE jobs SET start_now = true WHERE title = 'c'")
        .await;
    assert_eq!(picked(&database, &db).await, ["c"]);
    published(&database).await;
    assert!(picked(&database, &db).await.is_empty(), "each is published once");
    assert_eq!(claim(&database, &["c"]).await, [Ok(id("c"))]);
}

#[tokio::test]
async fn a_woken_job_overtakes_what_its_queue_holds_and_the_best_of_them_is_first() {
    let (database, db) = database().await;
    act(&db, &storage("/data", Some(1))).await;
    claim(&database, &["a", "b", "c"]).await;
    database
        .execute("UPDATE jobs SET priority = 7 WHERE title = 'c'")
        .await;
    act(&db, &storage("/data", Some(3))).await;
    let picked = db.run(&Pick { window: 500 }).await.unwrap();
    let picked: Vec<_> = picked
        .into_iter()
        .map(|(dispatch, priority)| (dispatch.job_id, priority.get()))
        .collect();
    assert_eq!(picked, [(id("c"), 10), (id("b"), 10), (id("image"), 9)]);
}

#[tokio::test]
async fn jobs_that_wait_for_a_storage_without_a_limit_any_more_are_published_no_further_than_the_window() {
    let (database, db) = database().await;
    act(&db, &storage("/data", Some(1))).await;
    claim(&database, &["a", "b", "c"]).await;
    act(&db, &storage("/data", None)).await;
    database
        .execute("UPDATE jobs SET held = true WHERE title = 'image'")
        .await;
    let pick = || db.run(&Pick { window: 1 });
    assert_eq!(pick().await.unwrap().len(), 1);
    assert!(pick().await.unwrap().is_empty(), "one is on its way");
    published(&database).await;
    assert!(pick().await.unwrap().is_empty(), "one is published");
}

#[tokio::test]
async fn a_job_that_waits_for_its_storage_waits_for_its_plugins_limit_too_unless_a_person_starts_it() {
    let (database, db) = database().await;
    act(&db, &storage("/data", Some(1))).await;
    assert_eq!(
        claim(&database, &["a", "b", "c"]).await,
        [Ok(id("a")), FULL, FULL]
    );
    act(&db, &storage("/data", Some(9))).await;
    database.execute("UPDATE plugins SET running_max = 1").await;
    assert_eq!(
        picked(&database, &db).await,
        ["image"],
        "OCR runs one job already"
    );
    database
        .execute("UPDATE jobs SET start_now = true WHERE title = 'c'")
        .await;
    assert_eq!(picked(&database, &db).await, ["c"]);
    database
        .execute("UPDATE plugins SET running_max = NULL, autostart = false")
        .await;
    assert!(picked(&database, &db).await.is_empty());
    database.execute("UPDATE plugins SET autostart = true").await;
    assert_eq!(picked(&database, &db).await, ["b"]);
}

#[tokio::test]
async fn a_storage_that_is_set_while_jobs_run_counts_them_and_one_that_is_removed_frees_those_that_wait() {
    let (database, db) = database().await;
    assert_eq!(claim(&database, &["a", "b"]).await, [Ok(id("a")), Ok(id("b"))]);
    assert_eq!(act(&db, &storage("/data", Some(2))).await, StorageOutcome::Done);
    assert_eq!(
        act(&db, &storage("/data", Some(2))).await,
        StorageOutcome::Unchanged
    );
    assert_eq!(counted(&database).await, ["storage:/data 2"]);
    assert_eq!(claim(&database, &["c"]).await, [FULL]);
    // The folder of one of them becomes a storage of its own.
    act(&db, &storage("/data/a", None)).await;
    assert_eq!(counted(&database).await, ["storage:/data 1", "storage:/data/a 1"]);
    assert_eq!(claim(&database, &["c"]).await, [Ok(id("c"))]);
    assert_eq!(claim(&database, &["image"]).await, [FULL]);
    let remove = |path: &str| StorageAction::Remove {
        path: path.to_owned(),
    };
    assert_eq!(act(&db, &remove("/none")).await, StorageOutcome::Unknown);
    assert_eq!(act(&db, &remove("/data")).await, StorageOutcome::Done);
    assert_eq!(counted(&database).await, ["storage:/data 0", "storage:/data/a 1"]);
    assert_eq!(picked(&database, &db).await, ["image"]);
    database.execute("DELETE FROM leases").await;
    assert_eq!(counted(&database).await, ["storage:/data 0", "storage:/data/a 0"]);
}

#[tokio::test]
async fn limits_of_storages_are_for_administrators_and_every_try_is_in_the_audit_log() {
    let (database, db) = database().await;
    let tries = async |role, action: &StorageAction| {
        let actor = &Actor::with("eve".to_owned(), role);
        db.run(&ActOnStorage { actor, action }).await.unwrap()
    };
    let limit = storage("/data", Some(1));
    assert_eq!(tries(Role::Operator, &limit).await, StorageOutcome::Forbidden);
    assert_eq!(tries(Role::Admin, &limit).await, StorageOutcome::Done);
    let audit = "SELECT action || ' ' || (details ->> 'path') || ' ' || outcome FROM audit_log ORDER BY id";
    assert_eq!(
        database.texts(audit).await,
        ["set_storage /data forbidden", "set_storage /data done"]
    );
    assert_eq!(database.texts("SELECT path FROM storages").await, ["/data"]);
}

#[tokio::test]
async fn a_lease_counts_against_its_storages_also_if_a_coordinator_of_the_previous_release_makes_it() {
    let (database, db) = database().await;
    act(&db, &storage("/data", Some(1))).await;
    let lease = format!(
        "INSERT INTO leases (job_id, attempt, claim_id, worker_id, lease_seconds, lease_end, limit_keys)
         VALUES ('{}', 1, gen_random_uuid(), 'one', 60, tm_now(), '{{plugin:OCR}}')",
        id("a")
    );
    database.execute(&lease).await;
    assert_eq!(counted(&database).await, ["storage:/data 1"]);
}

#[tokio::test]
async fn the_page_of_a_job_says_which_storage_is_full_and_by_how_much() {
    let (database, db) = database().await;
    act(&db, &storage("/data", Some(1))).await;
    let full = async |title| {
        let detail = db
            .run(&ReadJob {
                id: id(title),
                items_limit: Some(0),
                log_limit: 0,
            })
            .await
            .unwrap()
            .unwrap();
        detail.summary.waiting.and_then(|waiting| waiting.full_storage)
    };
    assert_eq!(full("b").await, None);
    claim(&database, &["a"]).await;
    let said = full("b").await.unwrap();
    assert_eq!(
        (said.path.as_str(), said.running, said.running_max),
        ("/data", 1, 1)
    );
}
