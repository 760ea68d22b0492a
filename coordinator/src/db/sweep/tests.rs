//! Leases against a real database; its clock is set, not waited for.

use shared::job::{ClaimId, JobId};
use shared::message::reply::ClaimReply;
use shared::message::worker::Claim;

use super::ExpireLeases;
use crate::db::Db;
use crate::db::claims::{GrantClaims, WorkerClaim};
use crate::db::heartbeats::RecordProbe;
use crate::db::pages::sample::{Sample, id};
use crate::testing::TestDatabase;
use crate::worker_users::WorkerUsers;

/// A silence of the probes longer than this counts as an outage.
const GAP_SECONDS: f64 = 5.0;
/// Time between two probes of these tests.
const PROBE_EVERY: usize = 4;

/// Sets the database's clock to this second of a day that is far away.
async fn set_clock(database: &TestDatabase, second: usize) {
    database
        .execute(&format!(
            "CREATE OR REPLACE FUNCTION tm_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
             AS $$ SELECT timestamptz '2100-01-01 00:00:00Z' + interval '{second} seconds' $$"
        ))
        .await;
}

async fn probe(db: &Db) {
    let probe = RecordProbe {
        gap_seconds: GAP_SECONDS,
    };
    db.run(&probe).await.unwrap();
}

async fn claim(db: &Db, job: JobId) {
    let claims = [WorkerClaim {
        amqp_user: "user".to_owned(),
        worker_id: "worker".to_owned(),
        claim: Claim {
            job_id: job,
            dispatch: 1,
            claim_id: ClaimId::generate(),
        },
    }];
    let answers = db
        .run(&GrantClaims {
            claims: &claims,
            users: &WorkerUsers::default(),
        })
        .await
        .unwrap();
    assert!(matches!(answers[..], [ClaimReply::Granted(_)]), "{answers:?}");
}

async fn leases_ended(db: &Db) -> usize {
    let expire = ExpireLeases {
        gap_seconds: GAP_SECONDS,
    };
    db.run(&expire).await.unwrap().0
}

/// A job that runs since second 0, with the usual lease of 60 seconds.
async fn running_job() -> (TestDatabase, Db) {
    let mut sample = Sample::default();
    sample.plugin("OCR").waiting("OCR", "a", 5);
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    let db = database.db();
    set_clock(&database, 0).await;
    probe(&db).await;
    claim(&db, id("a")).await;
    (database, db)
}

#[tokio::test]
async fn a_worker_that_is_not_heard_of_while_probes_are_loses_its_lease() {
    let (database, db) = running_job().await;
    for second in (PROBE_EVERY..=60).step_by(PROBE_EVERY) {
        set_clock(&database, second).await;
        probe(&db).await;
        assert_eq!(leases_ended(&db).await, 0, "at second {second}");
    }
    set_clock(&database, 61).await;
    assert_eq!(leases_ended(&db).await, 1);
}

#[tokio::test]
async fn an_outage_ends_no_lease_and_afterwards_a_dead_workers_lease_ends_after_one_leases_time() {
    let (database, db) = running_job().await;
    set_clock(&database, 80).await;
    assert_eq!(leases_ended(&db).await, 0, "during the outage");
    for second in (80..140).step_by(PROBE_EVERY) {
        set_clock(&database, second).await;
        probe(&db).await;
        assert_eq!(leases_ended(&db).await, 0, "at second {second}");
    }
    set_clock(&database, 140).await;
    probe(&db).await;
    assert_eq!(leases_ended(&db).await, 1, "a lease's time after the outage");
}
