//! Nothing that is written about metrics names one that the programs do not export, nor a label or value that it never has.

use launcher::workspace;

use super::dashboards::dashboards;
use super::scan::faults;
use super::{files, read, rules, values_of};

#[test]
fn rules_runbooks_and_documents_name_only_metrics_labels_and_values_that_there_are() {
    let recording = rules("recording.yml");
    let recorded = values_of(&recording.text, "record");
    let mut sources = vec![
        rules("alerts.yml"),
        rules("prometheus.yml"),
        read(&workspace().join("docs/metrics.md")),
    ];
    sources.extend(files("deploy/prometheus/tests", "yml"));
    sources.extend(files("docs/runbooks", "md"));
    sources.extend(files("docs", "md"));
    sources.push(read(&workspace().join("CHANGELOG.md")));
    let mut all: Vec<String> = Vec::new();
    for source in sources.iter().chain([&recording]) {
        let found = faults(&source.text, &recorded);
        all.extend(
            found
                .iter()
                .map(|fault| format!("{}: {fault}", source.file.display())),
        );
    }
    assert!(all.is_empty(), "{all:#?}");
}

#[test]
fn dashboards_ask_only_for_metrics_labels_and_values_that_there_are() {
    let recording = rules("recording.yml");
    let recorded = values_of(&recording.text, "record");
    let mut all = Vec::new();
    for dashboard in dashboards() {
        for question in dashboard.questions() {
            let mut found = faults(&question.expression, &recorded);
            found.extend(question.labels_shown_in_vain());
            all.extend(
                found
                    .iter()
                    .map(|fault| format!("{}, {}: {fault}", dashboard.name, question.panel)),
            );
        }
    }
    assert!(all.is_empty(), "{all:#?}");
}

#[test]
fn a_name_a_label_and_a_value_that_do_not_exist_are_noticed() {
    let recorded = ["namespace_plugin:taskmanager_a:ratio"];
    for (expression, fault) in [
        ("sum(taskmanager_jbs)", Some("there is no taskmanager_jbs")),
        (
            "taskmanager_jobs_bucket",
            Some("there is no taskmanager_jobs_bucket"),
        ),
        (
            "rate(taskmanager_job_wait_seconds_bucket{le=\"1\",plugin=\"OCR\"}[5m])",
            None,
        ),
        (
            "taskmanager_jobs{worker=\"a\"}",
            Some("taskmanager_jobs has no label worker"),
        ),
        (
            "taskmanager_jobs{state=\"WAITING\"}",
            Some("taskmanager_jobs: state is never = WAITING"),
        ),
        (
            "taskmanager_jobs{state=~\"QUEUED|DONE\", plugin=~\"$plugin\"}",
            Some("taskmanager_jobs: state is never =~ QUEUED|DONE"),
        ),
        (
            "max by (namespace, host) (taskmanager_jobs)",
            Some("nothing that is asked for has a label host"),
        ),
        ("max by (namespace, plugin) (taskmanager_jobs)", None),
        ("namespace_plugin:taskmanager_a:ratio{plugin=\"OCR\"}", None),
        (
            "namespace_plugin:taskmanager_a:ratio{outcome=\"done\"}",
            Some("namespace_plugin:taskmanager_a:ratio has no label outcome"),
        ),
        (
            "namespace:taskmanager_a:sum",
            Some("there is no namespace:taskmanager_a:sum"),
        ),
    ] {
        let found = faults(expression, &recorded);
        let wanted: Vec<String> = fault.iter().map(|fault| (*fault).to_owned()).collect();
        assert_eq!(found, wanted, "{expression}");
    }
}
