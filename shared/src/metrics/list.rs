//! The list of all metrics. `docs/metrics.md` shows it, and a test compares the two.

use super::{Kind, Label, Metric, Origin, any, these};

macro_rules! metrics {
    ($($(#[doc = $help:literal])+ $constant:ident = $name:literal, $kind:ident of $unit:literal by $origin:ident, [$($label:expr),*];)+) => {
        $($(#[doc = $help])+ pub const $constant: &str = $name;)+

        /// All metrics, in the order of the documentation.
        pub const ALL: &[Metric] = &[
            $(Metric {
                name: $name,
                kind: Kind::$kind,
                unit: $unit,
                origin: Origin::$origin,
                labels: &[$($label),*],
                help: concat!($($help),+),
            },)+
        ];
    };
}

const PLUGIN: Label = any("plugin", "a plugin's name");
const OUTCOME: Label = these("outcome", &["done", "error", "cancelled"]);
const KIND: Label = these(
    "kind",
    &["callback", "goobi_journal", "goobi_step", "goobi_message"],
);
const STATE: Label = these(
    "state",
    &[
        "BLOCKED",
        "SCHEDULED",
        "QUEUED",
        "PAUSED",
        "STARTED",
        "WAITINGFORUPLOAD",
        "UPLOAD",
        "PROCESSING",
        "DOWNLOAD",
    ],
);
const SPAN: Label = these("span", &["total", "period"]);
const ANSWER: Label = these(
    "answer",
    &[
        "granted",
        "unknown",
        "stale",
        "not_queued",
        "held",
        "cancelled",
        "plugin_stopped",
        "autostart_off",
        "limit_reached",
        "storage_limit_reached",
        "quota_used_up",
        "user_not_allowed",
        "other",
    ],
);
const TRANSACTION: Label = any("name", "a transaction's name");

metrics! {
    /// Always 1; its labels say which release runs.
    BUILD_INFO = "taskmanager_build_info", Gauge of "none" by Both, [these("program", &["coordinator", "worker"]), any("version", "a release")];

    /// Unfinished jobs by state. PAUSED: held, or its plugin is stopped.
    JOBS = "taskmanager_jobs", Gauge of "jobs" by Database, [PLUGIN, STATE];
    /// Unfinished jobs that a person holds.
    JOBS_HELD = "taskmanager_jobs_held", Gauge of "jobs" by Database, [PLUGIN];
    /// Jobs that ended today; days are counted in UTC.
    JOBS_ENDED_TODAY = "taskmanager_jobs_ended_today", Gauge of "jobs" by Database, [PLUGIN, these("outcome", &["done", "error"])];
    /// Items (pages) of the jobs that ended today.
    ITEMS_ENDED_TODAY = "taskmanager_items_ended_today", Gauge of "items" by Database, [PLUGIN];
    /// Age of the oldest job that waits for a worker; 0 when none waits.
    OLDEST_QUEUED_AGE = "taskmanager_oldest_queued_age_seconds", Gauge of "seconds" by Database, [PLUGIN];
    /// Slots of workers that are alive and not about to end.
    SLOTS = "taskmanager_slots", Gauge of "slots" by Database, [PLUGIN];
    /// Slots in use: jobs that workers hold.
    SLOTS_USED = "taskmanager_slots_used", Gauge of "slots" by Database, [PLUGIN];
    /// Workers that are alive and serve the plugin. A worker may serve several.
    PLUGIN_WORKERS = "taskmanager_plugin_workers", Gauge of "workers" by Database, [PLUGIN];
    /// 1 for the state that the plugin is in, 0 for the others.
    PLUGIN_STATE = "taskmanager_plugin_state", Gauge of "none" by Database, [PLUGIN, these("state", &["running", "stopping", "stopped"])];
    /// For how long the plugin has been in its state.
    PLUGIN_STATE_AGE = "taskmanager_plugin_state_age_seconds", Gauge of "seconds" by Database, [PLUGIN];
    /// 1 where the plugin's jobs start by themselves.
    PLUGIN_AUTOSTART = "taskmanager_plugin_autostart", Gauge of "none" by Database, [PLUGIN];
    /// Pages that the plugin's contract allows; there only where there is one. span: in all, or in the present period.
    CONTRACT_PAGES = "taskmanager_contract_pages", Gauge of "pages" by Database, [PLUGIN, SPAN];
    /// Pages used of the plugin's contract.
    CONTRACT_PAGES_USED = "taskmanager_contract_pages_used", Gauge of "pages" by Database, [PLUGIN, SPAN];
    /// Workers: at work, about to end, or not heard of for 30 seconds and not forgotten yet.
    WORKERS = "taskmanager_workers", Gauge of "workers" by Database, [these("state", &["working", "draining", "silent"])];
    /// Item stores of jobs that are over, which no worker has removed yet; stuck are those that need a person's look.
    STORES_TO_REMOVE = "taskmanager_stores_to_remove", Gauge of "item stores" by Database, [these("stuck", &["yes", "no"])];
    /// Messages to other systems that are to be sent, or sent again, by kind.
    DELIVERIES_PENDING = "taskmanager_deliveries_pending", Gauge of "messages" by Database, [KIND];
    /// For how long the oldest of them has been tried, or has waited for its turn; 0 when none is pending.
    DELIVERIES_OLDEST_AGE = "taskmanager_deliveries_oldest_age_seconds", Gauge of "seconds" by Database, [KIND];
    /// 1 while the database was put back from a copy and nobody has looked after it yet: all plugins are stopped.
    DATABASE_RESTORED = "taskmanager_database_restored", Gauge of "none" by Database, [];

    /// Jobs accepted.
    JOBS_SUBMITTED = "taskmanager_jobs_submitted_total", Counter of "jobs" by Coordinator, [PLUGIN];
    /// Submissions answered with an existing job.
    JOBS_DUPLICATE = "taskmanager_jobs_duplicate_total", Counter of "submissions" by Coordinator, [PLUGIN];
    /// Submissions refused.
    SUBMISSIONS_REJECTED = "taskmanager_submissions_rejected_total", Counter of "submissions" by Coordinator, [];
    /// Jobs that ended, by outcome.
    JOBS_FINISHED = "taskmanager_jobs_finished_total", Counter of "jobs" by Coordinator, [PLUGIN, OUTCOME];
    /// Time from submission to the first start.
    JOB_WAIT = "taskmanager_job_wait_seconds", Histogram of "seconds" by Coordinator, [PLUGIN];
    /// Time of an attempt from its claim to its end.
    ATTEMPT_RUN = "taskmanager_attempt_run_seconds", Histogram of "seconds" by Coordinator, [PLUGIN];
    /// Messages published to the plugins' queues.
    DISPATCHES = "taskmanager_dispatches_total", Counter of "messages" by Coordinator, [PLUGIN];
    /// Claims by answer: granted, or why not.
    CLAIMS = "taskmanager_claims_total", Counter of "claims" by Coordinator, [ANSWER];
    /// Messages whose dispatch number was not current.
    STALE_MESSAGES = "taskmanager_stale_messages_total", Counter of "messages" by Coordinator, [];
    /// Results that did not count because the job had gone to another attempt.
    FENCED_RESULTS = "taskmanager_fenced_results_total", Counter of "results" by Coordinator, [];
    /// What did not count because it was said of an attempt that another RabbitMQ user has claimed.
    FOREIGN_REPORTS = "taskmanager_foreign_reports_total", Counter of "reports" by Coordinator, [];
    /// Leases that ended without a sign of life.
    EXPIRED_LEASES = "taskmanager_expired_leases_total", Counter of "leases" by Coordinator, [];
    /// 1 while both connections to RabbitMQ are up and everything is declared there.
    BROKER_CONNECTED = "taskmanager_broker_connected", Gauge of "none" by Coordinator, [];
    /// Queues that a person has to look after, by what is wrong.
    BROKER_QUEUES_WRONG = "taskmanager_broker_queues_wrong", Gauge of "queues" by Coordinator, [these("trouble", &["missing", "arguments"])];
    /// 1 while RabbitMQ blocks publishing (memory or disk alarm).
    BROKER_BLOCKED = "taskmanager_broker_blocked", Gauge of "none" by Coordinator, [];
    /// 1 while tickets are taken from Goobi's message broker; there only where one is named.
    GOOBI_CONNECTED = "taskmanager_goobi_connected", Gauge of "none" by Coordinator, [];
    /// Tries to deliver messages to other systems, by what became of each.
    DELIVERIES = "taskmanager_deliveries_total", Counter of "tries" by Coordinator, [KIND, these("outcome", &["delivered", "retry", "failed", "unclear"])];
    /// 1 where the figures of the database were read for this answer; else they are those of the last time.
    DATABASE_UP = "taskmanager_database_up", Gauge of "none" by Coordinator, [];
    /// 1 while PostgreSQL refuses to write because its disk is full.
    DATABASE_FULL = "taskmanager_database_full", Gauge of "none" by Coordinator, [];
    /// Transactions by name and outcome.
    DB_TRANSACTIONS = "taskmanager_db_transactions_total", Counter of "transactions" by Coordinator, [TRANSACTION, these("outcome", &["ok", "retry", "error"])];
    /// Duration of transactions by name.
    DB_TRANSACTION_SECONDS = "taskmanager_db_transaction_seconds", Histogram of "seconds" by Coordinator, [TRANSACTION];

    /// Connections to RabbitMQ that had to be made anew.
    BROKER_RECONNECTS = "taskmanager_broker_reconnects_total", Counter of "connections" by Both, [these("connection", &["consume", "publish"])];
    /// 1 while RabbitMQ refuses the program's user something that it needs.
    BROKER_REFUSED = "taskmanager_broker_refused", Gauge of "none" by Both, [];
    /// Published messages that no queue took.
    RETURNED_PUBLISHES = "taskmanager_returned_publishes_total", Counter of "messages" by Both, [];

    /// A worker's slots that are in use.
    WORKER_SLOTS_USED = "taskmanager_worker_slots_used", Gauge of "slots" by Worker, [PLUGIN];
    /// A worker's slots.
    WORKER_SLOTS = "taskmanager_worker_slots", Gauge of "slots" by Worker, [PLUGIN];
    /// Items (pages) that a worker finished, by outcome.
    WORKER_ITEMS = "taskmanager_worker_items_total", Counter of "items" by Worker, [PLUGIN, these("outcome", &["done", "failed", "skipped"])];
}
