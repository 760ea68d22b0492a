//! Page contracts: when one is used up, when its next period begins, and what is booked on it.

use shared::job::decide::ErrorClass;

use super::*;
use crate::control::RetryItems;

/// A job that runs and has done three pages, and one that waits; the plugin has a page contract.
async fn with_contract(contract: Quota, clock: &str) -> (TestDatabase, Db) {
    let mut sample = Sample::default();
    sample
        .plugin("OCR")
        .running("OCR", "a", 5)
        .items("a", 4)
        .waiting("OCR", "b", 5);
    let database = TestDatabase::create().await;
    database.stop_clock(clock).await;
    database.execute(&sample.sql()).await;
    let db = database.db();
    on_plugin(&db, "OCR", PluginAction::Quota(contract)).await;
    (database, db)
}

/// Claims the waiting job as it would be published now.
async fn claim_now(database: &TestDatabase, db: &Db, job: JobId) -> Result<(), Refusal> {
    let dispatch = format!("SELECT dispatch::text FROM jobs WHERE id = '{job}'");
    let dispatch = database.texts(&dispatch).await[0].parse().unwrap();
    claim(db, job, dispatch).await
}

const USED: &str = "SELECT used_total || ' ' || used_in_period FROM quotas";

#[tokio::test]
async fn a_contract_that_is_used_up_in_all_is_used_up_in_every_period_until_there_is_more_of_it() {
    let contract = |pages| Quota {
        pages_total: Some(pages),
        pages_a_period: Some(1_000),
        period: Period::Month,
    };
    let (database, db) = with_contract(contract(3), "2099-01-31 12:00Z").await;
    assert_eq!(picked(&db).await, [id("b")], "there is something left");
    end(&db, "a").await;
    assert_eq!(database.texts(USED).await, ["3 3"]);
    assert_eq!(
        claim_now(&database, &db, id("b")).await,
        Err(Refusal::QuotaUsedUp)
    );
    assert!(picked(&db).await.is_empty(), "published although it can't start");
    database.stop_clock("2100-02-01 12:00Z").await;
    assert_eq!(
        claim_now(&database, &db, id("b")).await,
        Err(Refusal::QuotaUsedUp)
    );
    assert!(picked(&db).await.is_empty());
    on_plugin(&db, "OCR", PluginAction::Quota(contract(4))).await;
    assert_eq!(picked(&db).await, [id("b")]);
    assert_eq!(claim_now(&database, &db, id("b")).await, Ok(()));
}

#[tokio::test]
async fn a_periods_pages_come_with_the_first_moment_of_the_next_month_quarter_or_year() {
    for (period, begins, last, next) in [
        (
            Period::Month,
            "2096-02-01 00:00Z",
            "2096-02-29 23:59:59.999999Z",
            "2096-03-01 00:00Z",
        ),
        (
            Period::Quarter,
            "2099-01-01 00:00Z",
            "2099-03-31 23:59:59.999999Z",
            "2099-04-01 00:00Z",
        ),
        (
            Period::Quarter,
            "2099-11-30 12:00Z",
            "2099-12-31 23:59:59.999999Z",
            "2100-01-01 00:00Z",
        ),
        (
            Period::Year,
            "2099-01-01 00:00Z",
            "2099-12-31 23:59:59.999999Z",
            "2100-01-01 00:00Z",
        ),
    ] {
        let contract = Quota {
            pages_total: None,
            pages_a_period: Some(3),
            period,
        };
        let (database, db) = with_contract(contract, begins).await;
        end(&db, "a").await;
        for moment in [begins, last] {
            database.stop_clock(moment).await;
            let claimed = claim_now(&database, &db, id("b")).await;
            assert_eq!(claimed, Err(Refusal::QuotaUsedUp), "{period:?} at {moment}");
        }
        database.stop_clock(next).await;
        assert_eq!(
            claim_now(&database, &db, id("b")).await,
            Ok(()),
            "{period:?} at {next}"
        );
        // What is done then is booked on the new period alone.
        finish_with_pages(&database, &db, id("b"), &["1.tif", "2.tif"]).await;
        assert_eq!(database.texts(USED).await, ["5 2"], "{period:?}");
    }
}

/// The worker of a job that runs has done pages in this attempt, and tells that the job is done.
async fn finish_with_pages(database: &TestDatabase, db: &Db, job: JobId, pages: &[&str]) {
    let token = format!("SELECT claim_id::text FROM jobs WHERE id = '{job}'");
    let claim_id = database.texts(&token).await.remove(0);
    for page in pages {
        database
            .execute(&format!(
                "INSERT INTO items (job_id, name, position, state, attempt, files, duration_ms)
                 VALUES ('{job}', '{page}', 9, 'done', 1, '[]', 10)"
            ))
            .await;
    }
    record(db, job, ClaimId(claim_id.parse().unwrap()), done()).await;
}

#[tokio::test]
async fn pages_that_a_retry_by_hand_has_kept_are_not_booked_again() {
    let contract = Quota {
        pages_total: Some(1_000),
        pages_a_period: None,
        period: Period::Year,
    };
    let (database, db) = with_contract(contract, "2099-01-01 00:00Z").await;
    let failed = Outcome::Failed {
        class: ErrorClass::Permanent,
        message: "page 4 is unreadable".to_owned(),
        exit_code: None,
    };
    record(&db, id("a"), ClaimId(id("claim of a").0), failed).await;
    assert_eq!(
        database.texts(USED).await,
        ["3 3"],
        "pages of a failed job were done, too"
    );
    let retry = ActOnJobs {
        actor: &Actor::on_this_machine(),
        ids: &[id("a")],
        action: &JobAction::Retry {
            items: RetryItems::Failed,
        },
    };
    let outcome = db.run(&retry).await.unwrap().outcomes[0].1;
    let JobOutcome::Retried { new_job } = outcome else {
        panic!("{outcome:?}");
    };
    let kept = format!("SELECT count(*)::text FROM items WHERE job_id = '{new_job}'");
    assert_eq!(database.texts(&kept).await, ["3"]);
    assert_eq!(claim_now(&database, &db, new_job).await, Ok(()));
    finish_with_pages(&database, &db, new_job, &["4.tif"]).await;
    assert_eq!(database.texts(USED).await, ["4 4"]);
    let ledger = "SELECT string_agg(pages::text, ' ' ORDER BY pages) FROM quota_ledger";
    assert_eq!(database.texts(ledger).await, ["1 3"]);
}
