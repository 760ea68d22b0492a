//! The pauses after failures: doubled up to the longest one, and partly left to chance.

use shared::job::decide::ErrorClass;
use shared::job::{ClaimId, Stage};
use shared::message::worker::{AttemptReport, AttemptResult, Outcome};

use crate::db::pages::sample::{Sample, id};
use crate::db::results::Record;
use crate::testing::TestDatabase;

/// So many jobs fail for each number of failures: that chance puts all of them into one half is out of the question.
const JOBS: u8 = 40;
/// Pauses in seconds after the first failure, the second one, …: doubled from 60 on, never longer than 900.
const PAUSES: [u16; 7] = [60, 120, 240, 480, 900, 900, 900];

/// The result of a job's first attempt, which has failed.
fn failed(title: &str) -> AttemptResult {
    AttemptResult {
        worker_id: "worker".to_owned(),
        outcome: Outcome::Failed {
            class: ErrorClass::Retryable,
            message: "the disk was busy".to_owned(),
            exit_code: None,
        },
        store_removed: None,
        report: AttemptReport {
            job_id: id(title),
            attempt: 1,
            claim_id: ClaimId(id(&format!("claim of {title}")).0),
            stage: Stage::Processing,
            percent: 0.0,
            items_done: 0,
            items_failed: 0,
            items_total: 0,
            bytes: 0,
            detail: String::new(),
            transfer: None,
            items: Vec::new(),
            log: Vec::new(),
        },
    }
}

#[tokio::test]
async fn pauses_double_from_failure_to_failure_up_to_the_longest_and_no_two_come_back_in_step() {
    let mut sample = Sample::default();
    sample.plugin("OCR");
    let mut results = Vec::new();
    for failures in 0..PAUSES.len() {
        for number in 0..JOBS {
            let title = format!("{failures} {number}");
            sample.running("OCR", &title, 5);
            results.push(failed(&title));
        }
    }
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    database
        .execute(
            "UPDATE plugins SET retries_max = 9, retry_first_seconds = 60, retry_longest_seconds = 900;
             UPDATE jobs SET failures = split_part(title, ' ', 1)::smallint",
        )
        .await;
    database.stop_clock("2100-01-01 00:00Z").await;
    let users = vec!["user"; results.len()];
    let record = Record {
        results: &results,
        users: &users,
    };
    database.db().run(&record).await.unwrap();
    let pauses =
        "SELECT failures || ' ' || count(*) || ' ' || count(DISTINCT pause) || ' ' || min(pause) || ' '
            || max(pause)
        FROM (SELECT failures, extract(epoch FROM run_at - tm_now())::float8 AS pause FROM jobs
              WHERE state = 'SCHEDULED') AS waits
        GROUP BY failures ORDER BY failures";
    let pauses = database.texts(pauses).await;
    assert_eq!(pauses.len(), PAUSES.len(), "{pauses:?}");
    for ((failures, pause), line) in (1..).zip(PAUSES).zip(&pauses) {
        let numbers: Vec<f64> = line.split(' ').map(|number| number.parse().unwrap()).collect();
        let [counted, jobs, different, shortest, longest] = numbers[..] else {
            panic!("{line}");
        };
        let (pause, jobs_of_each) = (f64::from(pause), f64::from(JOBS));
        assert_eq!((counted, jobs), (f64::from(failures), jobs_of_each), "{line}");
        assert!(shortest >= pause / 2.0 && longest <= pause, "{line}");
        assert!(
            shortest < pause * 0.75 && longest > pause * 0.75 && different > jobs_of_each / 2.0,
            "they come back in step: {line}"
        );
    }
}
