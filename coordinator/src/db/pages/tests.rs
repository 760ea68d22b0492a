//! The readings against a real database.

use std::collections::BTreeMap;

use super::sample::{self, Sample, id};
use shared::job::{JobId, JobState, ShownState};

use super::*;
use crate::testing::TestDatabase;

pub(super) async fn list(
    db: &crate::db::Db,
    tab: Tab,
    plugin: Option<&str>,
    limit: i64,
    after: Option<Place>,
) -> JobList {
    db.run(&ListJobs {
        tab,
        plugin: plugin.map(str::to_owned),
        limit,
        after,
    })
    .await
    .unwrap()
}

fn titles(list: &JobList) -> Vec<&str> {
    list.jobs.iter().map(|job| job.title.as_str()).collect()
}

#[tokio::test]
async fn running_jobs_come_first_then_priority_then_position() {
    let database = TestDatabase::create().await;
    let db = database.db();
    let mut sample = Sample::default();
    sample.plugin("OCR").plugin("SHELL");
    sample
        .waiting("OCR", "late", 5)
        .waiting("OCR", "later", 5)
        .waiting("SHELL", "urgent", 9);
    sample
        .running("SHELL", "runs", 1)
        .running("OCR", "runs urgently", 7);
    database.execute(&sample.sql()).await;
    let all = list(&db, Tab::Queue, None, 50, None).await;
    assert_eq!(titles(&all), ["runs urgently", "runs", "urgent", "late", "later"]);
    assert_eq!(all.next, None);
    assert_eq!(
        titles(&list(&db, Tab::Queue, Some("OCR"), 50, None).await),
        ["runs urgently", "late", "later"]
    );
}

#[tokio::test]
async fn pages_of_any_size_together_are_the_whole_list() {
    let database = TestDatabase::create().await;
    let db = database.db();
    let mut sample = Sample::default();
    sample.plugin("OCR").plugin("SHELL");
    for number in 0..9 {
        sample.waiting("OCR", &format!("waits {number}"), number % 3);
        sample.running("SHELL", &format!("runs {number}"), number % 2);
        sample.ended("OCR", &format!("ended {number}"), "DONE", number / 2);
        sample.ended("SHELL", &format!("ended too {number}"), "DONE", number / 2);
        sample.ended(
            "OCR",
            &format!("failed {number}"),
            if number % 2 == 0 { "ERROR" } else { "CANCELLED" },
            number,
        );
    }
    database.execute(&sample.sql()).await;
    for (tab, jobs) in [(Tab::Queue, 18), (Tab::Done, 18), (Tab::Error, 9)] {
        let whole = list(&db, tab, None, 50, None).await;
        assert_eq!(whole.jobs.len(), jobs, "{tab:?}");
        for size in [1, 2, 5, 18] {
            let mut parts = Vec::new();
            let mut after = None;
            loop {
                let part = list(&db, tab, None, size, after).await;
                parts.extend(part.jobs);
                after = part.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(
                parts.iter().map(at_any_time).collect::<Vec<_>>(),
                whole.jobs.iter().map(at_any_time).collect::<Vec<_>>(),
                "{tab:?} in pages of {size}"
            );
        }
    }
}

/// A job without the moment at which it was looked at.
fn at_any_time(job: &JobSummary) -> JobSummary {
    let mut job = job.clone();
    if let Some(waiting) = &mut job.waiting {
        waiting.now = Timestamp::UNIX_EPOCH;
    }
    job
}

#[tokio::test]
async fn ended_jobs_are_listed_by_tab_the_newest_first() {
    let database = TestDatabase::create().await;
    let db = database.db();
    let mut sample = Sample::default();
    sample
        .plugin("OCR")
        .ended("OCR", "old", "DONE", 9)
        .ended("OCR", "new", "DONE", 1);
    sample
        .ended("OCR", "cancelled", "CANCELLED", 5)
        .ended("OCR", "failed", "ERROR", 2);
    database.execute(&sample.sql()).await;
    assert_eq!(
        titles(&list(&db, Tab::Done, None, 50, None).await),
        ["new", "old"]
    );
    let errors = list(&db, Tab::Error, None, 50, None).await;
    assert_eq!(titles(&errors), ["failed", "cancelled"]);
    assert_eq!(errors.jobs[0].error.as_deref(), Some("page 3 is unreadable"));
    assert_eq!(list(&db, Tab::Queue, None, 50, None).await.jobs, []);
}

#[tokio::test]
async fn held_jobs_and_jobs_of_a_stopped_plugin_are_shown_and_counted_as_paused() {
    let database = TestDatabase::create().await;
    let db = database.db();
    let mut sample = Sample::default();
    sample.plugin("OCR").plugin("SHELL");
    sample
        .waiting("OCR", "held", 5)
        .waiting("OCR", "free", 5)
        .waiting("SHELL", "stopped", 5);
    sample.running("SHELL", "still runs", 5);
    database.execute(&sample.sql()).await;
    database
        .execute(
            "UPDATE jobs SET held = true WHERE title = 'held';
             UPDATE plugins SET state = 'stopped' WHERE name = 'SHELL'",
        )
        .await;
    let states: BTreeMap<String, &str> = list(&db, Tab::Queue, None, 50, None)
        .await
        .jobs
        .into_iter()
        .map(|job| (job.title, job.state.as_str()))
        .collect();
    let expected = [
        ("held", "PAUSED"),
        ("free", "QUEUED"),
        ("stopped", "PAUSED"),
        ("still runs", "PROCESSING"),
    ];
    assert_eq!(
        states,
        expected.map(|(title, state)| (title.to_owned(), state)).into()
    );
    let plugins = db.run(&ReadPlugins).await.unwrap();
    let [ocr, shell] = &plugins[..] else {
        panic!("{plugins:?}")
    };
    assert_eq!((ocr.waiting(), ocr.paused(), ocr.running()), (2, 1, 0));
    assert_eq!((shell.waiting(), shell.paused(), shell.running()), (1, 1, 1));
    assert_eq!(shell.state, PluginState::Stopped);
    assert!(ocr.oldest_queued_seconds > 0.0);
    assert!(
        shell.oldest_queued_seconds.abs() < f64::EPSILON,
        "a paused job waits for a person, not for a worker"
    );
}

#[tokio::test]
async fn slots_are_those_of_workers_that_are_alive_and_not_about_to_end() {
    let database = TestDatabase::create().await;
    let db = database.db();
    let mut sample = Sample::default();
    sample.plugin("OCR").plugin("SHELL");
    sample
        .worker("alive", "OCR", 4, 1, false)
        .worker("silent", "OCR", 8, 300, false);
    sample.worker("ending", "OCR", 16, 1, true);
    database.execute(&sample.sql()).await;
    let plugins = db.run(&ReadPlugins).await.unwrap();
    assert_eq!((plugins[0].slots, plugins[0].workers), (4, 2));
    assert_eq!((plugins[1].slots, plugins[1].workers), (0, 0));
}

pub(super) async fn read_job(db: &crate::db::Db, id: JobId) -> Option<JobDetail> {
    db.run(&ReadJob {
        id,
        items_limit: Some(2),
        log_limit: 3,
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn a_job_is_found_while_it_runs_and_after_it_has_ended() {
    let database = TestDatabase::create().await;
    let db = database.db();
    let mut sample = Sample::default();
    sample
        .plugin("OCR")
        .running("OCR", "runs", 5)
        .ended("OCR", "ended", "ERROR", 1);
    sample
        .items("runs", 3)
        .items("ended", 3)
        .log("runs", 1, 5)
        .log("runs", 2, 2);
    database.execute(&sample.sql()).await;

    let runs = read_job(&db, id("runs")).await.unwrap();
    assert_eq!(runs.summary.state, ShownState::As(JobState::Processing));
    assert_eq!((runs.summary.items_done, runs.summary.items_total), (2, 4));
    assert_eq!(runs.source.as_deref(), Some("/data/runs"));
    assert_eq!(runs.parameters["language"], "deu");
    assert!(runs.summary.waiting.is_some());
    assert_eq!(runs.items.len(), 2, "no more than were asked for");
    assert_eq!(
        runs.items[0].error.as_deref(),
        Some("unreadable"),
        "failed items come first"
    );
    assert_eq!(runs.items_reported, 3);
    assert_eq!(runs.attempts.len(), 1);
    assert_eq!((runs.log.total, runs.log.lines.len()), (7, 3));
    assert_eq!(runs.log.lines.last().unwrap().number, 7);

    let ended = read_job(&db, id("ended")).await.unwrap();
    assert_eq!(ended.summary.state, ShownState::As(JobState::Error));
    assert_eq!(ended.facts["pages"], 4);
    assert_eq!(ended.outputs[0].path, "ocr/1.txt");
    assert_eq!(ended.summary.waiting, None);
    assert_eq!(read_job(&db, id("nothing")).await, None);
}

#[tokio::test]
async fn log_lines_are_numbered_through_all_attempts() {
    let database = TestDatabase::create().await;
    let db = database.db();
    let mut sample = Sample::default();
    sample
        .plugin("OCR")
        .running("OCR", "runs", 5)
        .log("runs", 1, 3)
        .log("runs", 2, 2);
    database.execute(&sample.sql()).await;
    let part = LogPart::After { number: 2, limit: 2 };
    let log = db.run(&ReadLog { id: id("runs"), part }).await.unwrap().unwrap();
    let lines: Vec<_> = log
        .lines
        .iter()
        .map(|line| (line.number, line.attempt, line.line))
        .collect();
    assert_eq!(lines, [(3, 1, 3), (4, 2, 1)]);
    assert_eq!(log.total, 5);
    assert_eq!(
        db.run(&ReadLog {
            id: id("nothing"),
            part
        })
        .await
        .unwrap(),
        None
    );
}

#[tokio::test]
async fn todays_figures_come_from_the_statistics_and_follow_the_plugin() {
    let database = TestDatabase::create().await;
    let db = database.db();
    let mut sample = Sample::default();
    sample.plugin("OCR").plugin("SHELL");
    database.execute(&sample.sql()).await;
    database
        .execute(
            "INSERT INTO statistics (day, plugin, project, outcome, jobs, items, bytes, seconds)
             SELECT (tm_now() AT TIME ZONE 'UTC')::date - age, plugin, '', outcome, jobs, items, 0, 0
             FROM (VALUES (0, 'OCR', 'done', 3, 300), (0, 'OCR', 'error', 1, 7), (0, 'SHELL', 'done', 2, 0),
                          (0, 'OCR', 'cancelled', 9, 1), (1, 'OCR', 'done', 50, 5000))
                 AS rows (age, plugin, outcome, jobs, items)",
        )
        .await;
    let today = async |plugin: Option<&str>| {
        let list = ListJobs {
            tab: Tab::Queue,
            plugin: plugin.map(str::to_owned),
            limit: 1,
            after: None,
        };
        db.run(&Dashboard { list }).await.unwrap().today
    };
    assert_eq!(
        today(None).await,
        Today {
            done: 5,
            failed: 1,
            items: 308
        }
    );
    assert_eq!(
        today(Some("SHELL")).await,
        Today {
            done: 2,
            failed: 0,
            items: 0
        }
    );
}

#[tokio::test]
async fn lists_read_their_indexes_and_never_pass_a_whole_table() {
    let database = TestDatabase::create().await;
    let mut sample = Sample::default();
    sample.plugin("OCR").plugin("SHELL");
    database.execute(&sample.sql()).await;
    database.execute(&sample::crowd(5_000)).await;
    database.execute("ANALYZE").await;
    for (statement, arguments, index) in [
        (
            queue::statement(),
            "ARRAY['QUEUED'], ARRAY[1::smallint], ARRAY[-5::smallint], ARRAY[7::bigint], \
             ARRAY['00000000-0000-0000-0000-000000000000'::uuid], 51, NULL",
            "jobs_by_plugin",
        ),
        (
            history::statement(),
            "ARRAY['ERROR'], tm_now(), 'ffffffff-ffff-ffff-ffff-ffffffffffff', 51, NULL, NULL, NULL, NULL",
            "plugin_state_finished_at_id_idx",
        ),
        (
            line::STATEMENT.to_owned(),
            "ARRAY['00000000-0000-0000-0000-000000000000'::uuid], 30, 101",
            "jobs_by_plugin",
        ),
    ] {
        let plan = explain(&database, &statement, arguments).await;
        assert!(plan.contains(index), "{plan}");
        let mut ended = plan.lines().filter(|line| line.contains("plugin_state_finished"));
        assert!(ended.all(|line| line.contains("Index Only Scan")), "{plan}");
        // Of a month without jobs nothing is passed.
        let mut passes = plan.lines().filter(|line| line.contains("Seq Scan on job"));
        assert!(passes.all(|line| line.contains("(cost=0.00..0.00 ")), "{plan}");
    }
}

/// The plan that a prepared statement keeps.
pub(super) async fn explain(database: &TestDatabase, statement: &str, arguments: &str) -> String {
    let quoted = statement.replace('\'', "''");
    database
        .execute(&format!(
            "CREATE FUNCTION plan() RETURNS SETOF text LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $f$
             BEGIN
                 EXECUTE 'PREPARE asked AS {quoted}';
                 RETURN QUERY EXECUTE 'EXPLAIN EXECUTE asked({})';
                 DEALLOCATE asked;
             END $f$",
            arguments.replace('\'', "''")
        ))
        .await;
    let plan = database.texts("SELECT plan()").await.join("\n");
    database.execute("DROP FUNCTION plan()").await;
    plan
}
