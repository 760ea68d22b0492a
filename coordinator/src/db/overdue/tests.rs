//! Run budgets against a real database; time is moved, not waited for.

use shared::job::ClaimId;
use shared::message::reply::{ClaimReply, Grant};
use shared::message::worker::Claim;

use super::EndOverdue;
use crate::control::{Actor, PluginAction, Settings};
use crate::db::Db;
use crate::db::claims::{GrantClaims, WorkerClaim};
use crate::db::control::ActOnPlugins;
use crate::db::pages::sample::{Sample, id};
use crate::testing::TestDatabase;
use crate::worker_users::WorkerUsers;

async fn database(sample: &Sample) -> (TestDatabase, Db) {
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    let db = database.db();
    (database, db)
}

async fn set_budget(db: &Db, seconds: i32) {
    let action = PluginAction::Configure(Settings {
        run_budget_seconds: Some(seconds),
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

async fn grant(db: &Db, title: &str, claim_id: ClaimId) -> Grant {
    let claims = [WorkerClaim {
        amqp_user: "user".to_owned(),
        worker_id: "worker".to_owned(),
        claim: Claim {
            job_id: id(title),
            dispatch: 1,
            claim_id,
        },
    }];
    let grant = GrantClaims {
        claims: &claims,
        users: &WorkerUsers::default(),
    };
    match db.run(&grant).await.unwrap().remove(0) {
        ClaimReply::Granted(grant) => *grant,
        refused @ ClaimReply::Refused { .. } => panic!("{refused:?}"),
    }
}

#[tokio::test]
async fn an_attempt_far_beyond_its_run_budget_is_ended_and_tried_again_unless_it_publishes() {
    let mut sample = Sample::default();
    sample
        .plugin("OCR")
        .running("OCR", "hangs", 5)
        .running("OCR", "publishes", 5);
    let (database, db) = database(&sample).await;
    database
        .execute("UPDATE jobs SET publish_granted = true, state = 'DOWNLOAD' WHERE title = 'publishes'")
        .await;
    assert_eq!(db.run(&EndOverdue).await.unwrap().0, 0);
    database.advance("25 hours").await;
    assert_eq!(db.run(&EndOverdue).await.unwrap().0, 1);
    assert_eq!(db.run(&EndOverdue).await.unwrap().0, 0);
    let rows = "SELECT title || ' ' || state || ' ' || failures FROM jobs ORDER BY title";
    assert_eq!(
        database.texts(rows).await,
        ["hangs SCHEDULED 1", "publishes DOWNLOAD 0"]
    );
    let attempts = "SELECT outcome FROM attempts WHERE outcome IS NOT NULL";
    assert_eq!(database.texts(attempts).await, ["failed"]);
}

#[tokio::test]
async fn an_attempt_keeps_the_run_budget_that_it_was_granted() {
    let mut sample = Sample::default();
    sample.plugin("OCR").waiting("OCR", "long", 5);
    let (database, db) = database(&sample).await;
    let claim_id = ClaimId::generate();
    set_budget(&db, 7200).await;
    assert_eq!(grant(&db, "long", claim_id).await.run_budget_seconds, 7200);
    set_budget(&db, 60).await;
    database.advance("1 hour").await;
    assert_eq!(
        db.run(&EndOverdue).await.unwrap().0,
        0,
        "it was granted two hours"
    );
    let again = grant(&db, "long", claim_id).await;
    assert_eq!(
        again.run_budget_seconds, 7200,
        "a grant that is said again is the same"
    );
    set_budget(&db, 86400).await;
    database.advance("3 hours").await;
    assert_eq!(
        db.run(&EndOverdue).await.unwrap().0,
        1,
        "it was granted no more than two hours"
    );
}

#[tokio::test]
async fn an_attempt_of_the_previous_releases_coordinator_has_its_plugins_present_budget() {
    let mut sample = Sample::default();
    sample.plugin("OCR").running("OCR", "old", 5);
    let (database, db) = database(&sample).await;
    set_budget(&db, 60).await;
    database.advance("1 hour").await;
    assert_eq!(db.run(&EndOverdue).await.unwrap().0, 1);
}
