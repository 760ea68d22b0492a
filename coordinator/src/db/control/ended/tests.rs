//! Retries by hand beside what their workflows submit.

use shared::job::JobId;
use shared::message::submit::Submission;

use crate::control::{Actor, JobAction, RetryItems};
use crate::db::Db;
use crate::db::control::{ActOnJobs, JobOutcome, WhyNot};
use crate::db::pages::sample::{Sample, id};
use crate::db::submit::{Key, NewJob, RecordJobs, Recorded};
use crate::testing::TestDatabase;

/// Ended jobs of step 4 of process 27, from the oldest on.
async fn ended(titles: &[&str]) -> (TestDatabase, Db) {
    let mut sample = Sample::default();
    sample.plugin("OCR");
    for (hours, title) in (1..).zip(titles.iter().rev()) {
        sample.ended("OCR", title, "ERROR", hours);
    }
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    database
        .execute("UPDATE job_history SET process_id = '27', step_id = '4', target = '/data/27/ocr'")
        .await;
    let db = database.db();
    (database, db)
}

async fn retry(db: &Db, titles: &[&str]) -> Vec<JobOutcome> {
    let ids: Vec<JobId> = titles.iter().map(|title| id(title)).collect();
    let action = JobAction::Retry {
        items: RetryItems::Failed,
    };
    let done = db
        .run(&ActOnJobs {
            actor: &Actor::on_this_machine(),
            ids: &ids,
            action: &action,
        })
        .await
        .unwrap();
    let of = |wanted| done.outcomes.iter().find(|(id, _)| *id == wanted).unwrap().1;
    ids.into_iter().map(of).collect()
}

/// What the workflow sends once more.
async fn submit(db: &Db, chosen_key: Option<&str>) -> Recorded {
    let body =
        br#"{"plugin": "OCR", "title": "27", "process_id": "27", "step_id": "4", "target": "/data/27/ocr"}"#;
    let submission = Submission::parse(body).unwrap();
    let derived = submission.derived_key().unwrap();
    let job = NewJob {
        id: JobId::generate(),
        keys: vec![Key {
            text: chosen_key.map_or(derived, str::to_owned),
            ends_with_job: chosen_key.is_none(),
        }],
        submission,
        template_parameters: None,
        callback_token: None,
        submitted_by: "test".to_owned(),
    };
    db.run(&RecordJobs { jobs: &[job] }).await.unwrap().remove(0)
}

const SUBMITTED_AGAIN: JobOutcome = JobOutcome::Refused {
    why: WhyNot::SubmittedAgain,
};

#[tokio::test]
async fn a_workflows_repeated_submission_finds_the_retry_while_that_is_unfinished() {
    let (database, db) = ended(&["failed"]).await;
    let [JobOutcome::Retried { new_job }] = retry(&db, &["failed"]).await[..] else {
        panic!("it is retried");
    };
    let found = Recorded {
        id: new_job,
        new: None,
    };
    assert_eq!(submit(&db, None).await, found);
    let cancel = ActOnJobs {
        actor: &Actor::on_this_machine(),
        ids: &[new_job],
        action: &JobAction::Cancel,
    };
    db.run(&cancel).await.unwrap();
    assert!(submit(&db, None).await.new.is_some(), "the retry has ended");
    assert_eq!(database.texts("SELECT title FROM jobs").await, ["27"]);
}

#[tokio::test]
async fn a_job_that_its_workflow_has_submitted_again_is_not_retried_beside_that() {
    let (database, db) = ended(&["failed"]).await;
    let again = submit(&db, None).await;
    assert_eq!(retry(&db, &["failed"]).await, [SUBMITTED_AGAIN]);
    let jobs = database.texts("SELECT id::text FROM jobs").await;
    assert_eq!(jobs, [again.id.to_string()]);
}

#[tokio::test]
async fn of_several_ended_jobs_of_one_step_the_youngest_is_retried() {
    let (old, young) = if id("one") < id("two") {
        ("one", "two")
    } else {
        ("two", "one")
    };
    let (_database, db) = ended(&[old, young]).await;
    let outcomes = retry(&db, &[old, young]).await;
    assert_eq!(outcomes[0], SUBMITTED_AGAIN);
    assert!(matches!(outcomes[1], JobOutcome::Retried { .. }), "{outcomes:?}");
}

#[tokio::test]
async fn a_job_whose_submitter_chose_a_key_holds_no_other() {
    let (database, db) = ended(&["failed"]).await;
    let key = format!(
        "INSERT INTO idempotency_keys (key, job_id, expires_at) VALUES ('key:mine', '{}', tm_now() + interval '7 days')",
        id("failed")
    );
    database.execute(&key).await;
    assert!(matches!(
        retry(&db, &["failed"]).await[..],
        [JobOutcome::Retried { .. }]
    ));
    assert!(submit(&db, None).await.new.is_some());
    let repeated = submit(&db, Some("key:mine")).await;
    assert_eq!(
        repeated.id,
        id("failed"),
        "the key leads to the job that it was chosen for"
    );
}
