//! Attempts that come back while somebody stops their plugin or limits their storage.

use shared::job::Stage;
use shared::message::manifest::Manifest;
use shared::message::reply::Verdict;
use shared::message::worker::{Outcome, PublishRequest};

use super::*;
use crate::control::{StorageAction, StorageSettings};
use crate::db::control::{ActOnStorage, FollowStops};
use crate::db::publish::GrantPublish;

/// A stopped plugin, and an attempt of it whose lease has ended.
async fn stopped_without_lease() -> (TestDatabase, Db) {
    let mut sample = Sample::default();
    sample.plugin("OCR").running("OCR", "late", 5);
    let (database, db) = database(&sample).await;
    lose_leases(&database).await;
    let stop = PluginAction::Stop {
        reason: None,
        deadline_seconds: None,
        resume_at: None,
    };
    db.run(&ActOnPlugins {
        actor: &Actor::on_this_machine(),
        plugin: Some("OCR"),
        action: &stop,
    })
    .await
    .unwrap();
    assert_eq!(plugin_state(&database).await, ["stopped"]);
    (database, db)
}

async fn plugin_state(database: &TestDatabase) -> Vec<String> {
    database.texts("SELECT state FROM plugins").await
}

#[tokio::test]
async fn a_stopped_plugin_whose_attempt_comes_back_is_stopping_until_it_has_given_way() {
    let (database, db) = stopped_without_lease().await;
    let reports = [report("late", Stage::Processing)];
    let revise = Revise { reports: &reports };
    assert_eq!(db.run(&revise).await.unwrap(), [Verdict::Yield]);
    assert_eq!(plugin_state(&database).await, ["stopping"]);
    assert!(!db.run(&FollowStops).await.unwrap().0, "its attempt runs");
    lose_leases(&database).await;
    assert!(db.run(&FollowStops).await.unwrap().0);
    assert_eq!(plugin_state(&database).await, ["stopped"]);
}

#[tokio::test]
async fn a_stopped_plugin_whose_attempt_asks_to_publish_is_stopping_until_it_has() {
    let (database, db) = stopped_without_lease().await;
    let request = PublishRequest {
        worker_id: "worker".to_owned(),
        job_id: id("late"),
        attempt: 1,
        claim_id: token("late").claim_id,
        manifest: Manifest {
            files: Vec::new(),
            outcome: Outcome::Done {
                summary: serde_json::Map::new(),
            },
        },
        items: Vec::new(),
    };
    let publish = GrantPublish {
        request: &request,
        amqp_user: "user",
    };
    db.run(&publish).await.unwrap();
    assert_eq!(plugin_state(&database).await, ["stopping"]);
}

#[tokio::test]
async fn a_stop_that_completes_while_an_attempt_comes_back_waits_and_sees_it() {
    let (database, db) = stopped_without_lease().await;
    database.execute("UPDATE plugins SET state = 'stopping'").await;
    let reports = [report("late", Stage::Processing)];
    let revise = Revise { reports: &reports };
    let (_, (changed, _)) = meet(&database, &db, &Meets::new(&revise, ""), &FollowStops).await;
    assert!(!changed);
    assert_eq!(plugin_state(&database).await, ["stopping"]);
}

#[tokio::test]
async fn an_attempt_that_comes_back_while_its_storage_is_limited_counts_there() {
    let mut sample = Sample::default();
    sample.plugin("OCR").running("OCR", "late", 5);
    let (database, db) = database(&sample).await;
    lose_leases(&database).await;
    let actor = &Actor::on_this_machine();
    let action = &StorageAction::Set(StorageSettings {
        path: "/data".to_owned(),
        running_max: Some(Some(1)),
        ..StorageSettings::default()
    });
    let limit = ActOnStorage { actor, action };
    let reports = [report("late", Stage::Processing)];
    let revise = Revise { reports: &reports };
    meet(&database, &db, &Meets::new(&limit, ""), &revise).await;
    let counted = "SELECT running::text FROM limit_keys WHERE key = 'storage:/data'";
    assert_eq!(database.texts(counted).await, ["1"]);
}
