//! Every metric name, its labels and what it means, and the recorder that collects them. Nothing else in the project spells a metric's name.

use std::time::Duration;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

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

/// A metric as the documentation and the exporter know it.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// The name in Prometheus.
    pub name: &'static str,
    /// What kind of figure it is.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it means.
    pub help: &'static str,
}

macro_rules! metrics {
    ($($(#[doc = $help:literal])+ $constant:ident = $name:literal, $kind:ident, [$($label:literal),*];)+) => {
        $($(#[doc = $help])+ pub const $constant: &str = $name;)+

        /// All metrics, in the order of the documentation.
        pub const ALL: &[Metric] = &[
            $(Metric { name: $name, kind: Kind::$kind, labels: &[$($label),*], help: concat!($($help),+) },)+
        ];
    };
}

metrics! {
    /// Jobs accepted.
    JOBS_SUBMITTED = "taskmanager_jobs_submitted_total", Counter, ["plugin"];
    /// Submissions answered with an existing job.
    JOBS_DUPLICATE = "taskmanager_jobs_duplicate_total", Counter, ["plugin"];
    /// Submissions refused.
    SUBMISSIONS_REJECTED = "taskmanager_submissions_rejected_total", Counter, [];
    /// Jobs that ended, by outcome (done, error, cancelled).
    JOBS_FINISHED = "taskmanager_jobs_finished_total", Counter, ["plugin", "outcome"];
    /// Unfinished jobs by state.
    JOBS = "taskmanager_jobs", Gauge, ["plugin", "state"];
    /// Age of the oldest job that waits for a worker; 0 when none waits.
    OLDEST_QUEUED_AGE = "taskmanager_oldest_queued_age_seconds", Gauge, ["plugin"];
    /// Slots of workers that are alive.
    SLOTS = "taskmanager_slots", Gauge, ["plugin"];
    /// Item stores of jobs that are over, which no worker has removed yet; stuck are those that need a person's look.
    STORES_TO_REMOVE = "taskmanager_stores_to_remove", Gauge, ["stuck"];
    /// Time from submission to the first start.
    JOB_WAIT = "taskmanager_job_wait_seconds", Histogram, ["plugin"];
    /// Time of an attempt from its claim to its end.
    ATTEMPT_RUN = "taskmanager_attempt_run_seconds", Histogram, ["plugin"];
    /// Messages published to the plugins' queues.
    DISPATCHES = "taskmanager_dispatches_total", Counter, ["plugin"];
    /// Claims by answer (granted, again, or the refusal).
    CLAIMS = "taskmanager_claims_total", Counter, ["answer"];
    /// Messages whose dispatch number was not current.
    STALE_MESSAGES = "taskmanager_stale_messages_total", Counter, [];
    /// Results that did not count because the job had gone to another attempt.
    FENCED_RESULTS = "taskmanager_fenced_results_total", Counter, [];
    /// What did not count because it was said of an attempt that another RabbitMQ user has claimed.
    FOREIGN_REPORTS = "taskmanager_foreign_reports_total", Counter, [];
    /// Leases that ended without a sign of life.
    EXPIRED_LEASES = "taskmanager_expired_leases_total", Counter, [];
    /// Published messages that no queue took.
    RETURNED_PUBLISHES = "taskmanager_returned_publishes_total", Counter, [];
    /// Connections to RabbitMQ that had to be made anew.
    BROKER_RECONNECTS = "taskmanager_broker_reconnects_total", Counter, ["connection"];
    /// 1 while both connections to RabbitMQ are up and everything is declared there.
    BROKER_CONNECTED = "taskmanager_broker_connected", Gauge, [];
    /// Queues that a person has to look after, by what is wrong (missing, arguments).
    BROKER_QUEUES_WRONG = "taskmanager_broker_queues_wrong", Gauge, ["trouble"];
    /// 1 while RabbitMQ blocks publishing (memory or disk alarm).
    BROKER_BLOCKED = "taskmanager_broker_blocked", Gauge, [];
    /// 1 while RabbitMQ refuses the program's user something that it needs.
    BROKER_REFUSED = "taskmanager_broker_refused", Gauge, [];
    /// 1 while tickets are taken from Goobi's message broker; there only where one is named.
    GOOBI_CONNECTED = "taskmanager_goobi_connected", Gauge, [];
    /// Messages to other systems that are to be sent, or sent again, by kind.
    DELIVERIES_PENDING = "taskmanager_deliveries_pending", Gauge, ["kind"];
    /// Tries to deliver them, by what became of each (delivered, retry, failed, unclear).
    DELIVERIES = "taskmanager_deliveries_total", Counter, ["kind", "outcome"];
    /// 1 while PostgreSQL refuses to write because its disk is full.
    DATABASE_FULL = "taskmanager_database_full", Gauge, [];
    /// Transactions by name and outcome (ok, retry, error).
    DB_TRANSACTIONS = "taskmanager_db_transactions_total", Counter, ["name", "outcome"];
    /// Duration of transactions by name.
    DB_TRANSACTION_SECONDS = "taskmanager_db_transaction_seconds", Histogram, ["name"];
    /// A worker's slots that are in use.
    WORKER_SLOTS_USED = "taskmanager_worker_slots_used", Gauge, ["plugin"];
    /// A worker's slots.
    WORKER_SLOTS = "taskmanager_worker_slots", Gauge, ["plugin"];
    /// Items (pages) that a worker finished, by outcome (done, failed, skipped).
    WORKER_ITEMS = "taskmanager_worker_items_total", Counter, ["plugin", "outcome"];
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
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets(&BUCKETS_SECONDS)?
        .install_recorder()?;
    describe();
    Ok(handle)
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

/// Tells the installed recorder what each metric means.
fn describe() {
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
            assert!(
                ALL.iter().skip(index + 1).all(|other| other.name != metric.name),
                "{}",
                metric.name
            );
            assert!(!metric.help.is_empty());
        }
    }
}
