//! A running system is read by a real Prometheus with the real rules, and asked whatever the dashboards ask.

use std::collections::BTreeSet;

use shared::metrics::{ALL, Metric, Origin};
use tests::{LIMIT, eventually};

use super::dashboards::{Dashboard, dashboards, fill_in};
use super::load::{
    self, CONTRACT, DONE, DUPLICATE, FAILED, ITEMS, NOOP_SLOTS, PAUSED, REFUSED, SHELL_SLOTS, WAITING,
};
use super::promtool::faults_of_metrics;
use super::scan::{faults, selectors};
use super::server::Server;
use super::{rules, values_of};

/// The programs of a cluster that are read: two coordinators and a worker.
const PROGRAMS: usize = 3;

#[test]
fn what_the_programs_export_is_what_the_constants_name_and_what_prometheus_likes() {
    let cluster = load::quiet_system("exported");
    load::put_on(&cluster);
    let coordinator = cluster.api().get("/metrics").unwrap().body;
    let worker = cluster.api_of(&cluster.workers[0]).get("/metrics").unwrap().body;
    let of_coordinators = [Origin::Database, Origin::Coordinator, Origin::Both];
    for (text, origins) in [
        (coordinator, of_coordinators.as_slice()),
        (worker, &[Origin::Worker, Origin::Both]),
    ] {
        let found = faults(&text, &[]);
        assert!(found.is_empty(), "{found:#?}");
        if let Some(faults) = faults_of_metrics(&text) {
            panic!("{faults}");
        }
        let exported: BTreeSet<String> = selectors(&text)
            .into_iter()
            .map(|selector| selector.name)
            .collect();
        let belongs = |metric: &&Metric| origins.contains(&metric.origin);
        for metric in ALL.iter().filter(|metric| !belongs(metric)) {
            assert!(!exported.contains(metric.name), "{} is exported", metric.name);
        }
        // Nobody has named a message broker of Goobi's.
        let there = ALL
            .iter()
            .filter(belongs)
            .filter(|metric| metric.name != shared::metrics::GOOBI_CONNECTED);
        for metric in there {
            assert!(exported.contains(metric.name), "{} is not exported", metric.name);
        }
    }
    load::end(&cluster);
}

#[test]
fn every_panel_has_something_to_show_before_anything_has_happened() {
    let cluster = load::quiet_system_of_two("no-traffic");
    let server = Server::start(&cluster);
    server.wait_until_it_has_read(PROGRAMS);
    for dashboard in dashboards() {
        for question in dashboard.questions() {
            let expression = question.filled_in(".*");
            // A rate needs two readings.
            eventually(LIMIT, &format!("{}, {}", dashboard.name, question.panel), || {
                let samples = server.query(&expression)?;
                let shows = !samples.is_empty() && samples.iter().all(|sample| sample.value.is_finite());
                if shows || question.is_annotation {
                    Ok(())
                } else {
                    Err(format!("{expression}: {samples:?}"))
                }
            });
        }
    }
}

/// What a panel has to show: the dashboard, the panel, the plugin that was chosen, a label's value of the series that are
/// meant (none: all), and what they come to.
type Shown = (
    &'static str,
    &'static str,
    &'static str,
    Option<(&'static str, &'static str)>,
    f64,
);

/// All panels that show what is exactly known.
fn shown() -> Vec<Shown> {
    let [done, items, failed, paused] = [DONE, ITEMS, FAILED, PAUSED].map(f64::from);
    let [used, noop_slots, waiting] = [SHELL_SLOTS, NOOP_SLOTS, WAITING].map(f64::from);
    let slots = used + noop_slots;
    let (noop, shell) = (Some(("plugin", "NOOP")), Some(("plugin", "SHELL")));
    let all = ".*";
    vec![
        ("overview", "Waiting", all, None, waiting),
        ("overview", "Waiting", "NOOP", None, 0.0),
        ("overview", "Running", all, None, used),
        ("overview", "Paused", all, None, paused),
        ("overview", "Done today", all, None, done),
        ("overview", "Failed today", all, None, failed),
        ("overview", "Workers", all, None, 1.0),
        ("overview", "Slots in use", all, None, used / slots),
        ("overview", "Alerts", all, None, 0.0),
        ("overview", "Waiting jobs", all, shell, waiting),
        ("overview", "Waiting jobs", all, noop, 0.0),
        ("overview", "Slots in use, by plugin", all, shell, used),
        ("overview", "State of the plugins", all, noop, 2.0),
        ("overview", "State of the plugins", all, shell, 0.0),
        ("plugin", "State", "NOOP", noop, 2.0),
        ("plugin", "Jobs start by themselves", "NOOP", noop, 1.0),
        ("plugin", "Workers", "NOOP", noop, 1.0),
        ("plugin", "Waiting", "SHELL", None, waiting),
        ("plugin", "Running", "SHELL", None, used),
        ("plugin", "Running", "NOOP", None, 0.0),
        ("plugin", "Held by a person", "NOOP", None, 0.0),
        ("plugin", "Done today", "NOOP", None, done),
        ("plugin", "Failed today", "NOOP", None, failed),
        ("plugin", "Failed today", "SHELL", None, 0.0),
        ("plugin", "Pages today", "NOOP", None, done * items),
        (
            "plugin",
            "Jobs by state",
            "NOOP",
            Some(("state", "PAUSED")),
            paused,
        ),
        (
            "plugin",
            "Jobs by state",
            "SHELL",
            Some(("state", "QUEUED")),
            waiting,
        ),
        (
            "plugin",
            "Jobs by state",
            "SHELL",
            Some(("state", "PROCESSING")),
            used,
        ),
        (
            "plugin",
            "Page contracts",
            "NOOP",
            noop,
            done * items / f64::from(CONTRACT),
        ),
        ("workers", "At work", all, None, 1.0),
        ("workers", "Silent", all, None, 0.0),
        ("workers", "Slots", all, None, slots),
        ("workers", "Slots in use", all, None, used),
        ("workers", "Workers", all, Some(("state", "working")), 1.0),
        ("workers", "Workers by plugin", all, shell, 1.0),
        ("workers", "Slots in use of those there are", all, shell, 1.0),
        ("workers", "Releases", all, Some(("program", "coordinator")), 2.0),
        ("workers", "Releases", all, Some(("program", "worker")), 1.0),
        ("broker-and-database", "Coordinators", all, None, 2.0),
        ("broker-and-database", "RabbitMQ is connected", all, None, 1.0),
        ("broker-and-database", "RabbitMQ blocks", all, None, 0.0),
        ("broker-and-database", "RabbitMQ refuses", all, None, 0.0),
        ("broker-and-database", "Queues to look after", all, None, 0.0),
        ("broker-and-database", "Database answers", all, None, 1.0),
        ("broker-and-database", "Database is full", all, None, 0.0),
        ("broker-and-database", "Database was put back", all, None, 0.0),
        ("integrations", "Goobi's tickets are taken", all, None, -1.0),
        ("integrations", "Messages that wait, now", all, None, 0.0),
        (
            "integrations",
            "Messages that wait",
            all,
            Some(("kind", "callback")),
            0.0,
        ),
        (
            "integrations",
            "Folders that could not be removed",
            all,
            None,
            0.0,
        ),
    ]
}

/// Panels that show growth, which Prometheus only estimates: there is some.
const GROWS: [(&str, &str, &str); 12] = [
    ("overview", "Ended within an hour", "outcome=done"),
    ("overview", "Ended within an hour", "outcome=error"),
    ("overview", "Came in within an hour", "plugin=SHELL"),
    ("plugin", "Came in and ended within an hour", "outcome=error"),
    ("plugin", "Run time of the last attempt", ""),
    (
        "plugin",
        "Failed of those that ended within an hour",
        "plugin=NOOP",
    ),
    ("workers", "Pages within an hour", "outcome=done"),
    ("workers", "Claims", "answer=granted"),
    ("broker-and-database", "Transactions", "outcome=ok"),
    (
        "broker-and-database",
        "Slowest transactions",
        "name=pages.measures",
    ),
    ("integrations", "Submissions refused within a day", ""),
    ("integrations", "Submitted twice within a day", ""),
];

/// Counters and histograms as they stand.
fn counted() -> Vec<(String, f64)> {
    let [done, items, failed, paused] = [DONE, ITEMS, FAILED, PAUSED].map(f64::from);
    let ended = done + failed;
    let shells = f64::from(SHELL_SLOTS + WAITING);
    [
        (
            "taskmanager_jobs_finished_total{plugin=\"NOOP\",outcome=\"done\"}",
            done,
        ),
        (
            "taskmanager_jobs_finished_total{plugin=\"NOOP\",outcome=\"error\"}",
            failed,
        ),
        ("taskmanager_jobs_finished_total{plugin=\"SHELL\"}", 0.0),
        (
            "taskmanager_jobs_submitted_total{plugin=\"NOOP\"}",
            ended + paused,
        ),
        ("taskmanager_jobs_submitted_total{plugin=\"SHELL\"}", shells),
        ("taskmanager_jobs_duplicate_total", f64::from(DUPLICATE)),
        ("taskmanager_submissions_rejected_total", f64::from(REFUSED)),
        ("taskmanager_job_wait_seconds_count{plugin=\"NOOP\"}", ended),
        (
            "taskmanager_job_wait_seconds_bucket{plugin=\"NOOP\",le=\"+Inf\"}",
            ended,
        ),
        (
            "taskmanager_attempt_run_seconds_bucket{plugin=\"NOOP\",le=\"21600\"}",
            ended,
        ),
        (
            "taskmanager_worker_items_total{plugin=\"NOOP\",outcome=\"done\"}",
            done * items,
        ),
        ("taskmanager_expired_leases_total", 0.0),
    ]
    .map(|(series, value)| (format!("sum({series})"), value))
    .into()
}

#[test]
fn every_dashboard_and_every_rule_shows_what_a_known_load_gives() {
    let cluster = load::quiet_system_of_two("known-load");
    let server = Server::start(&cluster);
    server.wait_until_it_has_read(PROGRAMS);
    load::put_on(&cluster);
    let dashboards = dashboards();
    for (expression, value) in counted() {
        wait_for(
            &server,
            &expression,
            None,
            &|found| is(found, value),
            &format!("{value}"),
        );
    }
    for (dashboard, panel, plugin, series, value) in shown() {
        let expression = only_question(&dashboards, dashboard, panel, series.is_some()).filled_in(plugin);
        let what = format!("{dashboard}, {panel}: {value}");
        wait_for(&server, &expression, series, &|found| is(found, value), &what);
    }
    for (dashboard, panel, series) in GROWS {
        let series = series.split_once('=');
        let expression = only_question(&dashboards, dashboard, panel, series.is_some()).filled_in(".*");
        let what = format!("{dashboard}, {panel}: more than nothing");
        wait_for(&server, &expression, series, &|found| found > 0.0, &what);
    }
    everything_can_be_asked(&server, &dashboards);
    stops_and_releases_are_marked(&server, &dashboards[0]);
    rules_are_well(&server);
    assert_eq!(
        server.values("plugin", "taskmanager_plugin_state{namespace=~\".*\"}"),
        ["NOOP", "SHELL"],
        "what the variable `plugin` offers"
    );
    load::end(&cluster);
}

fn is(found: f64, value: f64) -> bool {
    (found - value).abs() < 1e-9
}

/// The question of a panel that shows a series by a label, or that has one value.
fn only_question<'a>(
    dashboards: &'a [Dashboard],
    dashboard: &str,
    panel: &str,
    by_label: bool,
) -> super::dashboards::Question {
    let dashboard: &'a Dashboard = dashboards.iter().find(|own| own.name == dashboard).unwrap();
    let mut questions = dashboard.asked_by(panel);
    if questions.len() > 1 {
        questions.retain(|question| question.legend.contains("{{") == by_label);
    }
    questions.remove(0)
}

fn wait_for(
    server: &Server,
    expression: &str,
    series: Option<(&str, &str)>,
    is_right: &dyn Fn(f64) -> bool,
    what: &str,
) {
    eventually(LIMIT, what, || {
        let samples = server.query(expression)?;
        let meant: Vec<f64> = samples
            .iter()
            .filter(|sample| {
                series.is_none_or(|(label, value)| sample.labels.get(label).is_some_and(|own| own == value))
            })
            .map(|sample| sample.value)
            .collect();
        if !meant.is_empty() && is_right(meant.iter().sum()) {
            Ok(())
        } else {
            Err(format!("{expression}: {samples:?}"))
        }
    });
}

/// Each question of each dashboard, of one plugin, of several and of all.
fn everything_can_be_asked(server: &Server, dashboards: &[Dashboard]) {
    for question in dashboards.iter().flat_map(Dashboard::questions) {
        for plugin in [".*", "NOOP", "(NOOP|SHELL)"] {
            server
                .query(&question.filled_in(plugin))
                .unwrap_or_else(|error| panic!("{}: {error}", question.panel));
        }
    }
}

fn stops_and_releases_are_marked(server: &Server, dashboard: &Dashboard) {
    let [stops, releases] = ["Stops", "Releases"].map(|mark| {
        let question = dashboard.asked_by(mark).remove(0);
        server.query(&fill_in(&question.expression, ".*")).unwrap()
    });
    let stopped: Vec<&str> = stops.iter().map(|stop| stop.labels["plugin"].as_str()).collect();
    assert_eq!(stopped, ["NOOP"]);
    let started: BTreeSet<&str> = releases
        .iter()
        .map(|release| release.labels["program"].as_str())
        .collect();
    assert_eq!(started, BTreeSet::from(["coordinator", "worker"]));
}

/// Each rule was evaluated, what is recorded is there, and nobody is woken.
fn rules_are_well(server: &Server) {
    let all = server.rules();
    let names: Vec<&str> = all.iter().map(|rule| rule.name.as_str()).collect();
    for (file, key) in [("alerts.yml", "alert"), ("recording.yml", "record")] {
        let text = rules(file).text;
        for name in values_of(&text, key) {
            assert!(names.contains(&name), "{name} was not loaded");
        }
    }
    for rule in &all {
        assert_eq!(rule.health, "ok", "{}: {}", rule.name, rule.error);
        assert_ne!(rule.state, "firing", "{}", rule.name);
        server
            .query(&rule.expression)
            .unwrap_or_else(|error| panic!("{}: {error}", rule.name));
        if rule.name.contains(':') {
            assert!(
                !server.query(&rule.name).unwrap().is_empty(),
                "{} records nothing",
                rule.name
            );
        }
    }
}
