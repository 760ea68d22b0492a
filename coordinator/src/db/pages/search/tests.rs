//! Searches against a real database.

use super::super::sample::{self, Sample, id};
use super::*;
use crate::testing::TestDatabase;

async fn crowded(jobs: i32) -> TestDatabase {
    let database = TestDatabase::create().await;
    let mut sample = Sample::default();
    sample.plugin("OCR").plugin("SHELL");
    database.execute(&sample.sql()).await;
    database.execute(&sample::crowd(jobs)).await;
    database
        .execute(
            "UPDATE jobs SET submitted_at = '2026-01-10Z'::timestamptz - make_interval(hours => priority),
                 held = priority = 7;
             UPDATE job_history SET finished_at = finished_at - (now() - '2026-01-10Z'::timestamptz),
                 submitted_at = finished_at - (now() - '2026-01-10Z'::timestamptz)
                     - make_interval(mins => length(title)),
                 process_id = right(title, 2), step_id = right(title, 3),
                 title = title || CASE WHEN right(title, 1) = '4' THEN ' Über_100%' ELSE '' END,
                 error = CASE WHEN error IS NOT NULL THEN 'page ' || right(title, 3) || ' is Unreadable' END;
             UPDATE job_details SET process_id = '42', step_id = right(title, 3) FROM jobs WHERE jobs.id = job_id;
             ANALYZE",
        )
        .await;
    database
}

async fn found(database: &TestDatabase, filter: &JobFilter, limit: i64) -> (Vec<String>, bool) {
    let db = database.db();
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let search = SearchJobs {
            filter: filter.clone(),
            limit,
            after,
        };
        let page = db.run(&search).await.unwrap();
        all.extend(page.jobs.iter().map(|job| job.id.to_string()));
        after = page.next;
        if after.is_none() {
            return (all, page.incomplete);
        }
    }
}

/// The condition on unfinished jobs, that on ended ones, and the filter that should mean both.
fn cases() -> Vec<(&'static str, &'static str, JobFilter)> {
    let text = |text: &str| Some(text.to_owned());
    let at = |time: &str| Some(format!("2026-01-09T{time}Z").parse().unwrap());
    vec![
        ("true", "true", JobFilter::default()),
        (
            "strpos(lower(title), 'job 12') > 0",
            "strpos(lower(title), 'job 12') > 0",
            JobFilter {
                title: text("JOB 12"),
                ..JobFilter::default()
            },
        ),
        (
            "false",
            "strpos(title, 'Über_100%') > 0",
            JobFilter {
                title: text("über_100%"),
                ..JobFilter::default()
            },
        ),
        (
            "false",
            "error LIKE '%is Unreadable' AND plugin = 'OCR'",
            JobFilter {
                error: text("unreadable"),
                plugin: text("OCR"),
                ..JobFilter::default()
            },
        ),
        (
            "true",
            "process_id = '42'",
            JobFilter {
                process: text("42"),
                ..JobFilter::default()
            },
        ),
        (
            "id IN (SELECT job_id FROM job_details WHERE step_id = '142')",
            "step_id = '142'",
            JobFilter {
                step: text("142"),
                ..JobFilter::default()
            },
        ),
        (
            "held",
            "false",
            JobFilter {
                states: vec![JobState::Queued],
                paused: Some(true),
                ..JobFilter::default()
            },
        ),
        (
            "NOT held",
            "state = 'ERROR'",
            JobFilter {
                states: vec![JobState::Queued, JobState::Error],
                paused: Some(false),
                ..JobFilter::default()
            },
        ),
        (
            "false",
            "plugin = 'OCR' AND state = 'DONE'",
            JobFilter {
                plugin: text("OCR"),
                states: vec![JobState::Done],
                ..JobFilter::default()
            },
        ),
        (
            "plugin = 'SHELL'",
            "plugin = 'SHELL'",
            JobFilter {
                plugin: text("SHELL"),
                ..JobFilter::default()
            },
        ),
        (
            "false",
            "finished_at >= '2026-01-09T23:56:30Z' AND finished_at < '2026-01-09T23:58:30Z'",
            JobFilter {
                finished_from: at("23:56:30"),
                finished_to: at("23:58:30"),
                ..JobFilter::default()
            },
        ),
        (
            "false",
            "submitted_at < '2026-01-09T23:50:30Z' AND state = 'ERROR'",
            JobFilter {
                submitted_to: at("23:50:30"),
                states: vec![JobState::Error],
                ..JobFilter::default()
            },
        ),
    ]
}

#[tokio::test]
async fn what_is_found_is_what_looking_at_every_job_finds_page_by_page() {
    let database = crowded(600).await;
    for (unfinished, ended, filter) in cases() {
        let order = if filter.submitted_to.is_some() {
            "submitted_at"
        } else {
            "finished_at"
        };
        let mut expected = database
            .texts(&format!(
                "SELECT id::text FROM jobs WHERE {unfinished} ORDER BY submitted_at DESC, id DESC"
            ))
            .await;
        let ended = format!("SELECT id::text FROM job_history WHERE {ended} ORDER BY {order} DESC, id DESC");
        expected.extend(database.texts(&ended).await);
        assert!(!expected.is_empty(), "{filter:?} shows nothing");
        for limit in [7, 200] {
            let (all, incomplete) = found(&database, &filter, limit).await;
            assert_eq!(all, expected, "{filter:?} in pages of {limit}");
            assert!(!incomplete, "{filter:?}");
        }
    }
}

#[tokio::test]
async fn what_is_counted_and_what_is_acted_on_is_what_is_found() {
    use crate::control::{Actor, JobAction, Role};
    use crate::db::control::{CountFound, FindJobs};

    let database = crowded(600).await;
    let db = database.db();
    for (.., filter) in cases() {
        let (mut all, _) = found(&database, &filter, 200).await;
        let count = db
            .run(&CountFound {
                filter: &filter,
                most: 10_000,
            })
            .await
            .unwrap();
        let mut acted_on = Vec::new();
        let admin = Actor::with("test".to_owned(), Role::Admin);
        for ended in [false, true] {
            let ids = db
                .run(&FindJobs {
                    actor: &admin,
                    filter: &filter,
                    action: if ended {
                        &JobAction::Delete
                    } else {
                        &JobAction::Cancel
                    },
                })
                .await
                .unwrap()
                .unwrap();
            let number = if ended { count.ended } else { count.unfinished };
            assert_eq!(i64::try_from(ids.len()).unwrap(), number, "{filter:?}");
            acted_on.extend(ids.iter().map(ToString::to_string));
        }
        all.sort();
        acted_on.sort();
        assert_eq!(acted_on, all, "{filter:?}");
    }
}

#[tokio::test]
async fn parts_of_titles_and_errors_processes_and_steps_are_found_by_their_indexes() {
    let database = crowded(2_000).await;
    for (values, index) in [
        ("NULL, '{}', '%job 77%', NULL, NULL, NULL", "title_idx"),
        ("NULL, '{}', NULL, '%e 177 is%', NULL, NULL", "error_idx"),
        ("NULL, '{}', NULL, NULL, '42', NULL", "process_id_idx"),
        ("NULL, '{}', NULL, NULL, NULL, '142'", "step_id_idx"),
    ] {
        let statement = few_statement(Order::Finished).replace('\'', "''");
        database
            .execute(&format!(
                "CREATE OR REPLACE FUNCTION plan() RETURNS SETOF text LANGUAGE plpgsql
                     SET plan_cache_mode = force_custom_plan SET enable_seqscan = off AS $f$
                 BEGIN
                     EXECUTE 'PREPARE asked AS {statement}';
                     RETURN QUERY EXECUTE $e$EXPLAIN EXECUTE asked('{{}}', {values}, NULL, NULL, NULL, NULL, NULL, NULL, 51,
                         NULL, 'ffffffff-ffff-ffff-ffff-ffffffffffff', 3001)$e$;
                     DEALLOCATE asked;
                 END $f$"
            ))
            .await;
        let plan = database.texts("SELECT plan()").await.join("\n");
        assert!(plan.contains(index), "{values}: {plan}");
    }
}

#[tokio::test]
async fn where_too_many_old_jobs_match_it_is_said_that_older_ones_may_be_missing() {
    let database = TestDatabase::create().await;
    let mut sample = Sample::default();
    sample.plugin("OCR").ended("OCR", "newspaper and new", "DONE", 0);
    database.execute(&sample.sql()).await;
    let (few, walked) = (SORT_MAX, WALK_LONG);
    database
        .execute(&format!(
            "INSERT INTO job_history (id, plugin, title, state, priority, attempt, submitted_at, finished_at, items_done,
                 items_failed, items_total, bytes, summary, parameters, extra, submitted_by)
             SELECT gen_random_uuid(), 'OCR', CASE WHEN n > {walked} THEN 'newspaper' ELSE 'book' END, 'DONE', 5, 1,
                 now(), now() - make_interval(days => 1, secs => n), 0, 0, 0, 0, '{{}}', '{{}}', '{{}}', 'test'
             FROM generate_series(1, {walked} + {few}) AS n"
        ))
        .await;
    let filter = |title: &str| JobFilter {
        title: Some(title.to_owned()),
        ..JobFilter::default()
    };
    let newest = id("newspaper and new").to_string();
    assert_eq!(
        found(&database, &filter("newspaper"), 50).await,
        (vec![newest.clone()], true)
    );
    let (all, incomplete) = found(&database, &filter("book"), 200).await;
    assert!(
        !incomplete && i64::try_from(all.len()).unwrap() == walked,
        "{}",
        all.len()
    );
    database
        .execute("DELETE FROM job_history WHERE ctid = (SELECT ctid FROM job_history WHERE title = 'newspaper' LIMIT 1)")
        .await;
    let (all, incomplete) = found(&database, &filter("newspaper"), 200).await;
    assert_eq!(
        (i64::try_from(all.len()).unwrap(), incomplete),
        (few, false),
        "as many as can be sorted"
    );
    assert_eq!(all[0], newest);
}

#[tokio::test]
async fn without_the_extension_the_newest_are_looked_through_until_its_owner_has_made_it() {
    let database = crowded(2_000).await;
    let filter = JobFilter {
        title: Some("job 1999".to_owned()),
        states: vec![JobState::Done],
        ..JobFilter::default()
    };
    let old = found(&database, &filter, 50).await;
    assert_eq!(old.0.len(), 1);
    database.execute("DROP EXTENSION pg_trgm CASCADE").await;
    assert_eq!(
        found(&database, &filter, 50).await,
        old,
        "{WALK_LONG} are looked through"
    );
    let role = format!("nobody_{}", uuid::Uuid::new_v4().simple());
    database
        .execute(&format!(
            "CREATE ROLE {role}; SET ROLE {role}; SELECT ensure_search()"
        ))
        .await;
    database.execute(&format!("DROP ROLE {role}")).await;
    let has = "SELECT (to_regclass('job_history_title_parts') IS NOT NULL)::text";
    assert_eq!(database.texts(has).await, ["false"], "nobody may make extensions");
    assert_eq!(database.texts("SELECT ensure_search()::text").await, ["true"]);
    assert_eq!(database.texts(has).await, ["true"]);
    assert_eq!(found(&database, &filter, 50).await, old);
}
