//! What `/metrics` says of the database.

use super::*;
use crate::db::pages::sample::Sample;

/// The value of a series; `None` where it is not there.
fn value<'a>(answer: &'a Answer, series: &str) -> Option<&'a str> {
    answer.body.lines().find_map(|line| {
        let (name, value) = line.rsplit_once(' ')?;
        (name == series).then_some(value)
    })
}

/// The application, with a recorder for this thread.
fn with_recorder(mut app: App) -> (App, metrics_exporter_prometheus::PrometheusRecorder) {
    let recorder = PrometheusBuilder::new().build_recorder();
    app.prometheus = recorder.handle();
    (app, recorder)
}

#[tokio::test]
async fn the_metrics_say_how_plugins_workers_contracts_and_deliveries_stand() {
    let database = TestDatabase::create().await;
    let mut sample = Sample::default();
    sample
        .plugin("JP2")
        .plugin("OCR")
        .worker("busy", "OCR", 3, 0, false)
        .worker("ending", "OCR", 2, 0, true)
        .worker("gone", "OCR", 2, 300, false)
        .running("OCR", "runs", 5)
        .waiting("OCR", "waits", 5)
        .waiting("JP2", "held", 5)
        .waiting("JP2", "stands", 5);
    database.execute(&sample.sql()).await;
    database
        .execute(
            "UPDATE jobs SET held = true WHERE title = 'held';
             UPDATE plugins SET state = 'stopped', state_since = tm_now() - interval '1 h' WHERE name = 'JP2';
             INSERT INTO quotas (plugin, pages_total, used_total) VALUES ('OCR', 1000, 900);
             INSERT INTO statistics (day, plugin, project, outcome, jobs, items, bytes, seconds) VALUES
                 ((tm_now() AT TIME ZONE 'UTC')::date, 'OCR', '', 'done', 3, 30, 300, 7.5),
                 ((tm_now() AT TIME ZONE 'UTC')::date, 'OCR', '', 'error', 1, 2, 0, 1),
                 ('2020-02-29', 'OCR', '', 'done', 1, 10, 100, 2.5);
             INSERT INTO deliveries (id, job_id, plugin, number, kind, target, host, headers, payload, repeatable,
                                     trying_since)
             VALUES (gen_random_uuid(), gen_random_uuid(), 'OCR', 1, 'callback', 'http://a/', 'a', '{}', '{}', true,
                     tm_now() - interval '2 h')",
        )
        .await;
    let answer = ask(&router(app(database.db())), "/metrics").await;
    for (series, expected) in [
        ("taskmanager_jobs{plugin=\"OCR\",state=\"QUEUED\"}", "1"),
        ("taskmanager_jobs{plugin=\"JP2\",state=\"PAUSED\"}", "2"),
        ("taskmanager_jobs_held{plugin=\"JP2\"}", "1"),
        ("taskmanager_jobs_held{plugin=\"OCR\"}", "0"),
        ("taskmanager_slots{plugin=\"OCR\"}", "3"),
        ("taskmanager_slots_used{plugin=\"OCR\"}", "1"),
        ("taskmanager_plugin_workers{plugin=\"OCR\"}", "2"),
        ("taskmanager_workers{state=\"working\"}", "1"),
        ("taskmanager_workers{state=\"draining\"}", "1"),
        ("taskmanager_workers{state=\"silent\"}", "1"),
        ("taskmanager_plugin_state{plugin=\"JP2\",state=\"stopped\"}", "1"),
        ("taskmanager_plugin_state{plugin=\"JP2\",state=\"running\"}", "0"),
        ("taskmanager_plugin_autostart{plugin=\"OCR\"}", "1"),
        (
            "taskmanager_jobs_ended_today{plugin=\"OCR\",outcome=\"done\"}",
            "3",
        ),
        (
            "taskmanager_jobs_ended_today{plugin=\"OCR\",outcome=\"error\"}",
            "1",
        ),
        ("taskmanager_items_ended_today{plugin=\"OCR\"}", "32"),
        (
            "taskmanager_contract_pages{plugin=\"OCR\",span=\"total\"}",
            "1000",
        ),
        (
            "taskmanager_contract_pages_used{plugin=\"OCR\",span=\"total\"}",
            "900",
        ),
        ("taskmanager_deliveries_pending{kind=\"callback\"}", "1"),
        ("taskmanager_deliveries_pending{kind=\"goobi_step\"}", "0"),
        ("taskmanager_database_restored", "0"),
    ] {
        assert_eq!(
            value(&answer, series),
            Some(expected),
            "{series}: {}",
            answer.body
        );
    }
    for (series, at_least) in [
        ("taskmanager_plugin_state_age_seconds{plugin=\"JP2\"}", 3_600.0),
        (
            "taskmanager_deliveries_oldest_age_seconds{kind=\"callback\"}",
            7_200.0,
        ),
        ("taskmanager_oldest_queued_age_seconds{plugin=\"OCR\"}", 5.0),
    ] {
        let seconds: f64 = value(&answer, series).unwrap().parse().unwrap();
        assert!(
            seconds >= at_least && seconds < at_least * 100.0,
            "{series}: {seconds}"
        );
    }
}

#[tokio::test]
async fn a_contract_that_is_gone_is_not_exported_any_more() {
    let database = TestDatabase::create().await;
    database.execute(&Sample::default().plugin("OCR").sql()).await;
    let series = "taskmanager_contract_pages{plugin=\"OCR\",span=\"period\"}";
    let router = router(app(database.db()));
    for (change, expected) in [
        (
            "INSERT INTO quotas (plugin, pages_a_period) VALUES ('OCR', 70)",
            Some("70"),
        ),
        ("UPDATE quotas SET pages_a_period = NULL", None),
    ] {
        database.execute(change).await;
        let answer = ask(&router, "/metrics").await;
        assert_eq!(value(&answer, series), expected, "after {change}");
    }
}

#[tokio::test]
async fn without_the_database_the_last_figures_stay_and_a_metric_says_so() {
    let database = TestDatabase::create().await;
    database.execute(&Sample::default().plugin("OCR").sql()).await;
    let (mut app, recorder) = with_recorder(app(database.db()));
    let _recording = ::metrics::set_default_local_recorder(&recorder);
    let jobs = "taskmanager_jobs{plugin=\"OCR\",state=\"QUEUED\"}";
    let up = "taskmanager_database_up";
    let before = ask(&router(app.clone()), "/metrics").await;
    assert_eq!((value(&before, up), value(&before, jobs)), (Some("1"), Some("0")));
    let failures = "taskmanager_jobs_finished_total{plugin=\"OCR\",outcome=\"error\"}";
    assert_eq!(value(&before, failures), Some("0"), "{}", before.body);

    app.db = away::nowhere();
    let after = ask(&router(app), "/metrics").await;
    assert_eq!((value(&after, up), value(&after, jobs)), (Some("0"), Some("0")));
}
