//! Places in line against a real database.

use super::*;
use crate::control::JobFilter;
use crate::db::pages::sample::{Sample, id};
use crate::db::pages::tests::{list, read_job};
use crate::db::pages::{SearchJobs, Tab};
use crate::testing::TestDatabase;

#[tokio::test]
async fn a_waiting_job_knows_its_place_in_line() {
    let database = TestDatabase::create().await;
    let db = database.db();
    let mut sample = Sample::default();
    sample
        .plugin("OCR")
        .plugin("SHELL")
        .worker("w", "OCR", 4, 1, false);
    sample.running("OCR", "runs", 5);
    for number in 0..3 {
        sample
            .waiting("OCR", &format!("before {number}"), 5)
            .waiting("SHELL", &format!("other {number}"), 5);
    }
    sample
        .waiting("OCR", "asked", 5)
        .waiting("OCR", "behind", 5)
        .waiting("OCR", "urgent", 8);
    database.execute(&sample.sql()).await;
    database
        .execute("UPDATE jobs SET held = true WHERE title = 'before 1'")
        .await;
    let job = read_job(&db, id("asked")).await.unwrap();
    let waiting = job.summary.waiting.unwrap();
    assert_eq!(
        (waiting.ahead, waiting.ahead_is_capped),
        (3, false),
        "two before it, and the urgent one"
    );
    assert_eq!((waiting.running, waiting.slots), (1, 4));
}

#[tokio::test]
async fn each_waiting_job_of_a_list_knows_its_place_and_no_more_are_counted_than_are_told() {
    let database = TestDatabase::create().await;
    let db = database.db();
    let mut sample = Sample::default();
    sample.plugin("OCR").running("OCR", "runs", 9);
    for number in 0..103 {
        sample.waiting("OCR", &format!("waits {number:03}"), 5);
    }
    database.execute(&sample.sql()).await;
    database
        .execute("UPDATE jobs SET held = true WHERE title = 'waits 000'")
        .await;
    let places = |jobs: &[JobSummary]| -> Vec<(i64, bool)> {
        let waiting = jobs.iter().map(|job| job.waiting.as_ref().unwrap());
        waiting.map(|one| (one.ahead, one.ahead_is_capped)).collect()
    };
    let all = list(&db, Tab::Queue, Some("OCR"), 200, None).await.jobs;
    // The one that runs and the held one are before nobody.
    let mut expected = vec![(0, false), (0, false)];
    expected.extend((0..100).map(|ahead| (ahead, false)));
    expected.extend([(100, true), (100, true)]);
    assert_eq!(places(&all), expected);
    let filter = JobFilter {
        title: Some("waits 07".to_owned()),
        ..JobFilter::default()
    };
    let search = SearchJobs {
        filter,
        limit: 50,
        after: None,
    };
    let found = db.run(&search).await.unwrap().jobs;
    let newest_first: Vec<(i64, bool)> = (69..79).rev().map(|ahead| (ahead, false)).collect();
    assert_eq!(places(&found), newest_first);
}
