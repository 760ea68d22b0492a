//! Wishes about many jobs at once, with RabbitMQ away.

use shared::amqp::publisher::publisher;
use shared::job::JobId;

use super::{Actor, Control, JobAction, JobFilter, Place, Role, Summary};
use crate::db::Db;
use crate::db::control::JobOutcome;
use crate::db::notify::Changes;
use crate::db::pages::sample::Sample;
use crate::notifications::notifications;
use crate::testing::TestDatabase;
use crate::testing::meeting::{Meets, Statements};

/// Controls whose RabbitMQ was never there.
fn control(db: Db) -> Control {
    let (publisher, _) = publisher();
    let (notifier, _) = notifications(publisher.clone());
    Control::new(db, Changes::default(), notifier, publisher)
}

/// That many waiting jobs of one plugin, with titles in the order in which they start.
async fn many(jobs: i32) -> (TestDatabase, Control) {
    let mut sample = Sample::default();
    sample.plugin("OCR").plugin("SHELL");
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    let insert = format!(
        "INSERT INTO jobs (id, plugin, title, state, priority)
         SELECT gen_random_uuid(), 'OCR', to_char(n, 'FM00000'), 'QUEUED', 5 FROM generate_series(1, {jobs}) AS n;
         INSERT INTO jobs (id, plugin, title, state, priority) VALUES (gen_random_uuid(), 'SHELL', 'other', 'QUEUED', 5);
         INSERT INTO job_details (job_id, parameters, extra, submitted_by) SELECT id, '{{}}', '{{}}', 'test' FROM jobs"
    );
    database.execute(&insert).await;
    let control = control(database.db());
    (database, control)
}

fn of_plugin(plugin: &str) -> JobFilter {
    JobFilter {
        plugin: Some(plugin.to_owned()),
        ..JobFilter::default()
    }
}

fn done(summary: &Summary) -> usize {
    let outcomes = summary.outcomes.iter();
    outcomes
        .filter(|(_, outcome)| *outcome == JobOutcome::Done)
        .count()
}

#[tokio::test]
async fn all_of_a_plugins_thousands_of_jobs_are_cancelled_without_rabbitmq_and_counted() {
    let (database, control) = many(5000).await;
    let actor = Actor::on_this_machine();
    let summary = control
        .act_on_found(&actor, &of_plugin("OCR"), &JobAction::Cancel)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((summary.outcomes.len(), done(&summary)), (5000, 5000));
    let left = "SELECT (SELECT string_agg(title, ' ') FROM jobs) || ' ' || (SELECT count(*) FROM job_history) || ' '
        || (SELECT sum(jobs) FROM statistics) || ' ' || (SELECT count(*) FROM audit_log WHERE outcome = 'done')";
    assert_eq!(database.texts(left).await, ["other 5000 5000 5000"]);
    // In batches: none of them holds its rows for long.
    let batches = database
        .texts("SELECT count(*)::text FROM audit_log GROUP BY xmin")
        .await;
    assert!(batches.iter().all(|size| size == "200"), "{batches:?}");
}

#[tokio::test]
async fn more_neighbours_are_moved_up_than_one_transaction_acts_on_otherwise() {
    let (database, control) = many(500).await;
    let named = "SELECT id::text FROM jobs WHERE title BETWEEN '00010' AND '00450' ORDER BY random()";
    let ids: Vec<JobId> = database
        .texts(named)
        .await
        .iter()
        .map(|id| id.parse().unwrap())
        .collect();
    let actor = Actor::on_this_machine();
    let up = JobAction::Move { to: Place::Up };
    let summary = control.act_on_jobs(&actor, &ids, &up).await.unwrap();
    assert_eq!(done(&summary), 441);
    let line = database
        .texts("SELECT title FROM jobs WHERE plugin = 'OCR' ORDER BY position, id")
        .await;
    let mut expected: Vec<String> = (1..=500).map(|n| format!("{n:05}")).collect();
    let passed = expected.remove(8);
    expected.insert(449, passed);
    assert_eq!(line, expected);
}

fn operator_of(plugin: &str) -> Actor {
    Actor {
        plugins: Some(vec![plugin.to_owned()]),
        ..Actor::with("anna".to_owned(), Role::Operator)
    }
}

#[tokio::test]
async fn who_may_act_on_one_plugin_neither_waits_for_the_jobs_of_others_nor_is_told_of_them() {
    // More of another plugin, and before this one's, than one request finds.
    let (database, control) = many(10_001).await;
    let (anna, db) = (operator_of("SHELL"), database.db());
    let waiting = JobFilter {
        states: vec![shared::job::JobState::Queued],
        ..JobFilter::default()
    };
    let foreign = database
        .texts("SELECT id::text FROM jobs WHERE plugin = 'OCR' LIMIT 1")
        .await;
    let foreign: JobId = foreign[0].parse().unwrap();
    // Somebody holds all of the others' jobs for as long as that takes.
    let lock = Statements("SELECT 1 FROM jobs WHERE plugin = 'OCR' FOR UPDATE");
    let held = Meets::new(&lock, "");
    let act = async {
        held.reached.notified().await;
        let up = JobAction::Move { to: Place::Up };
        let found = control
            .act_on_found(&anna, &waiting, &JobAction::Hold)
            .await
            .unwrap();
        let named = control
            .act_on_jobs(&anna, &[foreign], &JobAction::Cancel)
            .await
            .unwrap();
        let moved = control.act_on_jobs(&anna, &[foreign], &up).await.unwrap();
        held.go_on.notify_one();
        (found, named, moved)
    };
    let (held, (found, named, moved)) = tokio::join!(db.run(&held), act);
    held.unwrap();
    let found = found.unwrap();
    assert_eq!((found.outcomes.len(), done(&found)), (1, 1));
    for summary in [named, moved] {
        assert_eq!(summary.outcomes, [(foreign, JobOutcome::Forbidden)]);
    }
    let audit = "SELECT action || ' ' || plugin || ' ' || outcome FROM audit_log ORDER BY id";
    let expected = ["hold SHELL done", "cancel OCR forbidden", "move OCR forbidden"];
    assert_eq!(database.texts(audit).await, expected);
}

#[tokio::test]
async fn who_asks_for_a_plugins_jobs_that_are_not_his_is_refused_once_and_no_job_is_named() {
    let (database, control) = many(3).await;
    let anna = operator_of("SHELL");
    let of_ocr = of_plugin("OCR");
    let found = control
        .act_on_found(&anna, &of_ocr, &JobAction::Cancel)
        .await
        .unwrap();
    assert!(found.is_none(), "{found:?}");
    let viewer = Actor::with("eve".to_owned(), Role::Viewer);
    let delete = control
        .act_on_found(&viewer, &of_ocr, &JobAction::Delete)
        .await
        .unwrap();
    assert!(delete.is_none(), "{delete:?}");
    let audit = "SELECT concat_ws(' ', actor, action, plugin, job_id, outcome) FROM audit_log ORDER BY id";
    let expected = ["anna cancel OCR forbidden", "eve delete OCR forbidden"];
    assert_eq!(database.texts(audit).await, expected);
}
