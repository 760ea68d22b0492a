use std::collections::BTreeSet;

use jiff::civil::date;
use shared::metrics::{ALL, Metric, Origin};

use super::*;
use crate::control::Period;
use crate::db::pages::{Allowed, PendingDeliveries, StateCount, UselessStores, WorkerCounts};
use crate::deliveries::KINDS;

fn plugin(name: &str, state: PluginState, counts: Vec<StateCount>) -> (PluginRow, OfPlugin) {
    let row = PluginRow {
        name: name.to_owned(),
        title_en: String::new(),
        title_de: String::new(),
        state,
        counts,
        oldest_queued_seconds: 0.0,
        slots: 4,
        workers: 1,
    };
    (row, OfPlugin::default())
}

fn measures() -> Measures {
    let counts = vec![StateCount {
        state: ShownState::As(JobState::Processing),
        jobs: 3,
    }];
    Measures {
        plugins: vec![
            plugin("OCR", PluginState::Running, counts),
            plugin("NOOP", PluginState::Stopped, Vec::new()),
        ],
        workers: WorkerCounts::default(),
        contracts: vec![Contract {
            plugin: "OCR".to_owned(),
            total: Some(Allowed { pages: 9, used: 4 }),
            in_period: Some(Allowed { pages: 5, used: 4 }),
            period: Period::Month,
            next_period: date(2026, 12, 1),
            today: date(2026, 11, 2),
            lately: 0,
            lately_days: 0,
        }],
        stores: UselessStores::default(),
        deliveries: KINDS
            .iter()
            .map(|kind| PendingDeliveries {
                kind: kind.name().to_owned(),
                number: 0,
                oldest_seconds: 0.0,
            })
            .collect(),
        restored: false,
    }
}

fn contains(text: &str, line: &str) -> bool {
    text.lines().any(|other| other == line)
}

#[test]
fn every_plugin_has_every_unfinished_state_also_without_jobs() {
    let text = rendered(&measures());
    let jobs = text.lines().filter(|line| line.starts_with("taskmanager_jobs{"));
    assert_eq!(jobs.count(), 18, "{text}");
    for line in [
        "taskmanager_jobs{plugin=\"OCR\",state=\"PROCESSING\"} 3",
        "taskmanager_jobs{plugin=\"NOOP\",state=\"PAUSED\"} 0",
        "taskmanager_slots{plugin=\"NOOP\"} 4",
        "taskmanager_slots_used{plugin=\"OCR\"} 3",
        "taskmanager_oldest_queued_age_seconds{plugin=\"OCR\"} 0",
        "taskmanager_plugin_state{plugin=\"NOOP\",state=\"running\"} 0",
        "taskmanager_plugin_state{plugin=\"NOOP\",state=\"stopped\"} 1",
    ] {
        assert!(contains(&text, line), "{line} is not in\n{text}");
    }
}

/// The series of a text, each with the names and values of its labels.
fn series(text: &str) -> BTreeSet<String> {
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .filter_map(|line| Some(line.rsplit_once(' ')?.0.to_owned()))
        .collect()
}

/// All series that a metric can have when there are these plugins.
fn possible(metric: &Metric, plugins: &[&str]) -> BTreeSet<String> {
    let mut all = vec![Vec::new()];
    for label in metric.labels {
        let values = match label.values {
            shared::metrics::Values::These(values) => values,
            shared::metrics::Values::Any(_) => plugins,
        };
        all = all
            .iter()
            .flat_map(|before: &Vec<String>| {
                values.iter().map(|value| {
                    let mut labels = before.clone();
                    labels.push(format!("{}=\"{value}\"", label.name));
                    labels
                })
            })
            .collect();
    }
    all.into_iter()
        .map(|labels| match labels.as_slice() {
            [] => metric.name.to_owned(),
            labels => format!("{}{{{}}}", metric.name, labels.join(",")),
        })
        .collect()
}

#[test]
fn what_is_exported_of_the_database_is_what_the_constants_name_with_each_value_of_each_label() {
    let exported = series(&rendered(&measures()));
    let named: BTreeSet<String> = ALL
        .iter()
        .filter(|metric| metric.origin == Origin::Database)
        .flat_map(|metric| {
            let has_contract = metric.name.starts_with(CONTRACT_PAGES);
            possible(metric, if has_contract { &["OCR"] } else { &["OCR", "NOOP"] })
        })
        .collect();
    let difference: Vec<&String> = exported.symmetric_difference(&named).collect();
    assert!(difference.is_empty(), "{difference:#?}");
}
