//! What the start page reads, against a real database.

use super::*;
use crate::db::pages::sample::{self, Sample};
use crate::db::pages::tests::explain;
use crate::db::pages::{Allowed, months};
use crate::testing::TestDatabase;

async fn home(database: &TestDatabase) -> Home {
    database.db().run(&ReadHome { slow: true }).await.unwrap()
}

#[tokio::test]
async fn active_are_jobs_that_run_and_jobs_that_are_held_or_whose_plugin_is_stopped() {
    let database = TestDatabase::create().await;
    let mut sample = Sample::default();
    sample.plugin("OCR").plugin("JP2");
    sample
        .waiting("OCR", "free", 9)
        .waiting("OCR", "held", 3)
        .waiting("OCR", "scheduled", 9)
        .waiting("JP2", "stopped", 5)
        .waiting("JP2", "stopped and held", 4)
        .running("JP2", "runs", 0);
    database.execute(&sample.sql()).await;
    database
        .execute(
            "UPDATE jobs SET held = true WHERE title LIKE '%held';
             UPDATE jobs SET state = 'SCHEDULED', run_at = tm_now(), held = true
             WHERE title = 'scheduled';
             UPDATE plugins SET state = 'stopping' WHERE name = 'JP2'",
        )
        .await;
    let home = home(&database).await;
    let jobs = home.overview.list.jobs.iter();
    let shown: Vec<String> = jobs
        .map(|job| format!("{} {}", job.title, job.state.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            "runs PROCESSING",
            "stopped PAUSED",
            "stopped and held PAUSED",
            "held PAUSED"
        ]
    );
}

#[tokio::test]
async fn the_first_active_jobs_are_found_without_passing_those_that_wait() {
    let database = TestDatabase::create().await;
    let mut sample = Sample::default();
    sample.plugin("OCR").plugin("SHELL");
    database.execute(&sample.sql()).await;
    database.execute(&sample::crowd(5_000)).await;
    database
        .execute("UPDATE jobs SET held = true WHERE priority = 10; ANALYZE")
        .await;
    let plan = explain(
        &database,
        &active::statement(),
        "ARRAY['PROCESSING', 'UPLOAD'], 5",
    )
    .await;
    assert!(
        plan.contains("jobs_by_plugin") && plan.contains("jobs_held") && !plan.contains("Seq Scan on jobs"),
        "{plan}"
    );
}

#[tokio::test]
async fn months_read_only_the_days_that_they_are_of() {
    let database = TestDatabase::create().await;
    database
        .execute(
            "INSERT INTO statistics (day, plugin, project, outcome, jobs, items, bytes, seconds)
             SELECT (tm_now() AT TIME ZONE 'UTC')::date - n, 'OCR', p::text, 'done', 1, 1, 1, 1
             FROM generate_series(0, 2000) AS n, generate_series(1, 5) AS p;
             ANALYZE",
        )
        .await;
    let plan = explain(&database, months::STATEMENT, "12").await;
    assert!(
        plan.contains("statistics_pkey") && !plan.contains("Seq Scan"),
        "{plan}"
    );
    let last = ReadMonths { last: Some(12) };
    let months = database.db().run(&last).await.unwrap();
    assert_eq!(months.len(), 12);
    // A whole month of five projects with a job a day.
    assert!((140..=155).contains(&months[5].done), "{:?}", months[5]);
    let all = database.db().run(&ReadMonths { last: None }).await.unwrap();
    assert_eq!(all.iter().map(|month| month.done).sum::<i64>(), 2_001 * 5);
}

#[tokio::test]
async fn a_contract_knows_what_is_used_in_this_period_and_what_was_done_lately() {
    let database = TestDatabase::create().await;
    let mut sample = Sample::default();
    sample.plugin("JP2").plugin("NEW").plugin("OCR").plugin("SHELL");
    database.execute(&sample.sql()).await;
    database
        .execute(
            "INSERT INTO quotas (plugin, pages_total, pages_a_period, period, used_total, used_in_period, period_start)
             VALUES ('OCR', 1000, 100, 'month', 300, 40, quota_period_start('month')),
                    ('JP2', NULL, 100, 'quarter', 300, 40, quota_period_start('quarter') - 1),
                    ('NEW', 5, NULL, 'year', 0, 0, quota_period_start('year')),
                    ('SHELL', NULL, NULL, 'month', 7, 7, quota_period_start('month'));
             INSERT INTO statistics (day, plugin, project, outcome, jobs, items, bytes, seconds)
             SELECT (tm_now() AT TIME ZONE 'UTC')::date - ago, plugin, '', 'done', 1, items, 0, 0
             FROM (VALUES (0, 'OCR', 1000), (1, 'OCR', 20), (10, 'OCR', 30), (29, 'OCR', 5000), (1, 'JP2', 8))
                 AS past (ago, plugin, items)",
        )
        .await;
    let contracts = home(&database).await.contracts;
    let seen: Vec<_> = contracts
        .iter()
        .map(|one| {
            (
                one.plugin.as_str(),
                one.total,
                one.in_period,
                one.lately,
                one.lately_days,
            )
        })
        .collect();
    let allowed = |pages, used| Some(Allowed { pages, used });
    assert_eq!(
        seen,
        [
            ("JP2", None, allowed(100, 0), 8, 1),
            ("NEW", allowed(5, 0), None, 0, 0),
            ("OCR", allowed(1_000, 300), allowed(100, 40), 50, 10),
        ],
        "today's and older pages do not count; a contract without limits is none"
    );
    let first = "SELECT (quota_period_start('quarter') + interval '3 months')::date::text";
    assert_eq!(
        database.texts(first).await,
        [contracts[0].next_period.to_string()]
    );
}
