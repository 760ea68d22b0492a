//! Every metric name, its labels and what it means, and the recorder that collects them. Nothing else in the project spells a metric's name.

mod list;

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

pub use list::*;

/// This build's release.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What kind of figure a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Distribution.
    Histogram,
}

/// Who exports a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Every coordinator, from the database: the same figure everywhere.
    Database,
    /// Every coordinator, of itself.
    Coordinator,
    /// Every worker, of itself.
    Worker,
    /// Every coordinator and every worker, of itself.
    Both,
}

/// A program that exports metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// The coordinator.
    Coordinator,
    /// The worker.
    Worker,
}

impl Program {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Coordinator => "coordinator",
            Self::Worker => "worker",
        }
    }

    /// Whether it exports figures of this origin about itself.
    fn exports(self, origin: Origin) -> bool {
        match origin {
            Origin::Both => true,
            Origin::Coordinator => self == Self::Coordinator,
            Origin::Worker => self == Self::Worker,
            Origin::Database => false,
        }
    }
}

/// A label of a metric.
#[derive(Debug, Clone, Copy)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// What it can say.
    pub values: Values,
}

/// What a label can say.
#[derive(Debug, Clone, Copy)]
pub enum Values {
    /// One of these.
    These(&'static [&'static str]),
    /// Whatever there is; what that is.
    Any(&'static str),
}

const fn these(name: &'static str, values: &'static [&'static str]) -> Label {
    Label {
        name,
        values: Values::These(values),
    }
}

const fn any(name: &'static str, what: &'static str) -> Label {
    Label {
        name,
        values: Values::Any(what),
    }
}

/// A metric as the documentation and the exporter know it.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// The name in Prometheus.
    pub name: &'static str,
    /// What kind of figure it is.
    pub kind: Kind,
    /// What is counted or measured; `none` where it only says yes or no.
    pub unit: &'static str,
    /// Who exports it.
    pub origin: Origin,
    /// Its labels, in the order in which they are given.
    pub labels: &'static [Label],
    /// What it means.
    pub help: &'static str,
}

/// Upper bounds of the histograms' buckets in seconds: from milliseconds to six hours.
const BUCKETS_SECONDS: [f64; 17] = [
    0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 1_800.0, 3_600.0, 7_200.0,
    21_600.0,
];

/// How often the recorder tidies its histograms up.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Installs this process's recorder. Call it once, early in `main`.
///
/// # Errors
/// When another recorder is installed already.
pub fn install(program: Program) -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets(&BUCKETS_SECONDS)?
        .install_recorder()?;
    describe();
    gauge!(BUILD_INFO, "program" => program.as_str(), "version" => VERSION).set(1.0);
    start_at_zero(program, None);
    Ok(handle)
}

/// Lets the program's counters and histograms of a plugin, or those without one, begin at 0 where nothing was counted
/// yet: nobody sees the growth of a series that begins with 1.
pub fn start_at_zero(program: Program, plugin: Option<&str>) {
    for metric in ALL.iter().filter(|metric| program.exports(metric.origin)) {
        let of_plugins = metric.labels.iter().any(|label| label.name == "plugin");
        if of_plugins != plugin.is_some() {
            continue;
        }
        for labels in all_labels(metric.labels, plugin) {
            match metric.kind {
                Kind::Counter => counter!(metric.name, &labels).increment(0),
                // It is there from now on.
                Kind::Histogram => drop(histogram!(metric.name, &labels)),
                Kind::Gauge => {}
            }
        }
    }
}

/// Each combination of values that the labels can have; none where they can have any.
fn all_labels(labels: &[Label], plugin: Option<&str>) -> Vec<Vec<(&'static str, String)>> {
    let mut combinations = vec![Vec::new()];
    for label in labels {
        let values: Vec<String> = match (label.values, plugin) {
            (Values::These(values), _) => values.iter().map(|value| (*value).to_owned()).collect(),
            (Values::Any(_), Some(plugin)) if label.name == "plugin" => vec![plugin.to_owned()],
            (Values::Any(_), _) => Vec::new(),
        };
        combinations = combinations
            .iter()
            .flat_map(|before: &Vec<_>| {
                values.iter().map(|value| {
                    let mut combination = before.clone();
                    combination.push((label.name, value.clone()));
                    combination
                })
            })
            .collect();
    }
    combinations
}

/// Keeps the recorder tidy until `stop`.
pub async fn upkeep(recorder: PrometheusHandle, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(UPKEEP_INTERVAL) => recorder.run_upkeep(),
            () = stop.cancelled() => return,
        }
    }
}

/// Tells the recorder in use what each metric means.
pub fn describe() {
    for metric in ALL {
        match metric.kind {
            Kind::Counter => describe_counter!(metric.name, metric.help),
            Kind::Gauge => describe_gauge!(metric.name, metric.help),
            Kind::Histogram => describe_histogram!(metric.name, Unit::Seconds, metric.help),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rule_and_are_unique() {
        for (index, metric) in ALL.iter().enumerate() {
            assert!(metric.name.starts_with("taskmanager_"), "{}", metric.name);
            assert_eq!(
                metric.name.ends_with("_total"),
                metric.kind == Kind::Counter,
                "{}",
                metric.name
            );
            assert_eq!(
                metric.name.ends_with("_seconds"),
                metric.unit == "seconds",
                "{}",
                metric.name
            );
            assert!(
                ALL.iter().skip(index + 1).all(|other| other.name != metric.name),
                "{}",
                metric.name
            );
            assert!(!metric.help.is_empty());
        }
    }

    #[test]
    fn no_label_names_a_job_a_worker_or_a_host() {
        let known = [
            "answer",
            "connection",
            "kind",
            "name",
            "outcome",
            "plugin",
            "program",
            "span",
            "state",
            "stuck",
            "trouble",
            "version",
        ];
        for label in ALL.iter().flat_map(|metric| metric.labels) {
            assert!(
                known.contains(&label.name),
                "{}: is the number of its values bounded?",
                label.name
            );
        }
    }

    #[test]
    fn counters_and_histograms_begin_at_zero_with_each_value_that_their_labels_can_have() {
        let recorder = PrometheusBuilder::new()
            .set_buckets(&BUCKETS_SECONDS)
            .unwrap()
            .build_recorder();
        metrics::with_local_recorder(&recorder, || {
            counter!(JOBS_FINISHED, "plugin" => "OCR", "outcome" => "done").increment(2);
            start_at_zero(Program::Coordinator, None);
            start_at_zero(Program::Coordinator, Some("OCR"));
        });
        let text = recorder.handle().render();
        for line in [
            "taskmanager_expired_leases_total 0",
            "taskmanager_deliveries_total{kind=\"callback\",outcome=\"unclear\"} 0",
            "taskmanager_jobs_finished_total{plugin=\"OCR\",outcome=\"done\"} 2",
            "taskmanager_jobs_finished_total{plugin=\"OCR\",outcome=\"error\"} 0",
            "taskmanager_job_wait_seconds_bucket{plugin=\"OCR\",le=\"+Inf\"} 0",
            "taskmanager_job_wait_seconds_count{plugin=\"OCR\"} 0",
        ] {
            assert!(
                text.lines().any(|other| other == line),
                "{line} is not in\n{text}"
            );
        }
        assert!(!text.contains("taskmanager_worker_items_total"), "{text}");
        assert!(!text.contains("taskmanager_db_transactions_total"), "{text}");
    }
}
