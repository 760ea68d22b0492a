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
    let (minute, second) = (second / 60, second % 60);
    let moment = format!("2100-01-01 00:{minute}:{second}Z");
    database.stop_clock(&moment).await;
}

async fn probe(db: &Db) {
    let probe = RecordProbe {
        gap_seconds: GAP_SECONDS,
    };
    db.run(&probe).await.unwrap();
}

async fn claim(db: &Db, job: JobId, dispatch: i64, worker: &str) {
    let claims = [WorkerClaim {
        amqp_user: "user".to_owned(),
        worker_id: worker.to_owned(),
        claim: Claim {
            job_id: job,
            dispatch,
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
    claim(&db, id("a"), 1, "worker").await;
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

#[tokio::test]
async fn a_job_whose_worker_died_three_times_ends_and_says_of_each_death_where_it_was() {
    let mut sample = Sample::default();
    sample
        .plugin("OCR")
        .waiting("OCR", "a", 5)
        .running("OCR", "other", 5);
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    database.execute("DELETE FROM leases").await;
    let db = database.db();
    let workers = ["scan-1", "scan-2", "scan-1"];
    let mut second = 0;
    for (dispatch, worker) in (1..).zip(workers) {
        set_clock(&database, second).await;
        probe(&db).await;
        let state = "SELECT state || ' ' || workers_lost FROM jobs WHERE title = 'a'";
        let lost = dispatch - 1;
        assert_eq!(database.texts(state).await, [format!("QUEUED {lost}")]);
        claim(&db, id("a"), dispatch, worker).await;
        for later in (second..second + 64).step_by(PROBE_EVERY) {
            set_clock(&database, later).await;
            probe(&db).await;
        }
        second += 61;
        set_clock(&database, second).await;
        assert_eq!(leases_ended(&db).await, 1);
    }
    let ended = "SELECT state || ' ' || attempt FROM job_history";
    assert_eq!(database.texts(ended).await, ["ERROR 3"]);
    let error = database.texts("SELECT error FROM job_history").await.remove(0);
    assert!(
        error.contains("died 3 times (attempt 1 on scan-1, attempt 2 on scan-2, attempt 3 on scan-1)"),
        "{error}"
    );
    assert_eq!(database.texts("SELECT title FROM jobs").await, ["other"]);
}
