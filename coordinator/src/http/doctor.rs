//! `GET /api/v1/doctor`: everything that can be wrong with a deployment, and what to do about it.
//!
//! Invariant: it always answers, whatever is broken; each check that is not ok says what to do.

mod deliveries;
mod rejected;
mod search;
mod stores;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use shared::amqp::refusals::ADVICE;
use shared::amqp::topology::OtherArguments;
use shared::error::Chain;
use shared::message::worker::Check;

use super::{App, health, openapi::Operation, recovery};
use crate::db::pages::{PluginRow, ReadSurroundings, Surroundings, WorkerRow};

/// The oldest PostgreSQL that the statements are written for.
const POSTGRES_OLDEST: i32 = 150_000;
/// This build's release.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The doctor's answer.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "Findings")]
pub(super) struct Report {
    checks: Vec<Check>,
}

/// What the API says of [`examine`].
pub(super) fn describe_examine() -> Operation {
    Operation::answering::<Report>("examine")
}

/// `GET /api/v1/doctor`
pub(super) async fn examine(State(app): State<App>) -> Json<Report> {
    let mut checks = vec![health::database(&app).await];
    let reachable = checks.iter().all(|check| check.ok);
    checks.extend([
        health::database_has_room(&app).await,
        health::schema(&app),
        health::broker(&app),
        health::broker_unblocked(&app),
    ]);
    checks.extend(broker_in_use(&app));
    checks.extend(health::goobi(&app));
    // Without the schema every statement would fail for that one reason.
    if reachable && app.schema_is_ready() {
        match app.db.run(&ReadSurroundings).await {
            Ok(found) => {
                checks.extend(surroundings(&found));
                checks.extend(app.broker.user().map(|user| users(user, &found.workers)));
            }
            Err(error) => {
                tracing::warn!("the doctor can't look around: {}", Chain(&error));
                let said = format!("{error}: the coordinator's log has the details");
                checks.push(failed("workers", said));
            }
        }
        checks.extend(stores::look(&app).await);
    }
    Json(Report { checks })
}

/// What a person may have to mend in RabbitMQ while the coordinator goes on.
pub(super) fn broker_in_use(app: &App) -> Vec<Check> {
    let mut checks = vec![broker_permissions(app.broker.refused())];
    if app.broker.connected() {
        checks.push(queues(&app.broker.missing_queues()));
        checks.push(arguments(&app.broker.other_arguments()));
        checks.push(rejected::check(app.broker.rejected()));
    }
    checks
}

fn surroundings(found: &Surroundings) -> Vec<Check> {
    let mut checks = vec![
        postgres(found),
        permissions(found),
        search::check(found.can_search_parts),
        recovery::check(found.restore.as_ref()),
        deliveries::check(&found.deliveries),
    ];
    if found.plugins.is_empty() {
        checks.push(failed(
            "plugins",
            "no worker has ever announced one: start a worker".to_owned(),
        ));
    }
    checks.extend(found.plugins.iter().map(plugin));
    for worker in found.workers.iter().filter(|worker| worker.alive) {
        checks.push(version(worker));
        let prefixed = |check: &Check| Check {
            name: format!("{}: {}", worker.name, check.name),
            ..check.clone()
        };
        checks.extend(worker.checks.iter().map(prefixed));
    }
    checks
}

fn postgres(found: &Surroundings) -> Check {
    let name = "database version";
    if found.server_version_number >= POSTGRES_OLDEST {
        passed(name, format!("PostgreSQL {}", found.server_version))
    } else {
        failed(
            name,
            format!(
                "PostgreSQL {} is too old: version 15 or newer is needed",
                found.server_version
            ),
        )
    }
}

fn permissions(found: &Surroundings) -> Check {
    let name = "database permissions";
    if found.may_create_tables {
        passed(name, "tables can be made".to_owned())
    } else {
        let what = "the coordinator's user may not make tables, which each month needs";
        failed(name, format!("{what}: GRANT CREATE ON SCHEMA to it"))
    }
}

fn queues(missing: &[String]) -> Check {
    let name = "broker queues";
    if missing.is_empty() {
        passed(name, "all are there".to_owned())
    } else {
        let missing = missing.join(", ");
        failed(
            name,
            format!(
                "missing: {missing}; the coordinator makes them when it connects, if its user may: look into its log"
            ),
        )
    }
}

fn broker_permissions(refused: Option<String>) -> Check {
    let name = "broker permissions";
    match refused {
        None => passed(name, "nothing is refused".to_owned()),
        Some(said) => failed(
            name,
            format!("RabbitMQ has just refused the coordinator's user something: {said}; {ADVICE}"),
        ),
    }
}

fn arguments(others: &[OtherArguments]) -> Check {
    let name = "broker queues' arguments";
    if others.is_empty() {
        return passed(name, "they are ours".to_owned());
    }
    let say = |other: &OtherArguments| {
        let OtherArguments { queue, said } = other;
        format!(
            "somebody has made {queue} with other arguments, and it is used as it is ({said}); {}",
            other.advice()
        )
    };
    let lines: Vec<String> = others.iter().map(say).collect();
    failed(name, lines.join("\n"))
}

/// A hint, no fault: one user for all is how a trial runs.
fn users(own: &str, workers: &[WorkerRow]) -> Check {
    let name = "broker users";
    let sharing: Vec<&str> = workers
        .iter()
        .filter(|worker| worker.alive && worker.amqp_user == own)
        .map(|worker| worker.name.as_str())
        .collect();
    let message = if sharing.is_empty() {
        format!("no worker uses the coordinator's user \"{own}\"")
    } else {
        format!(
            "hint: these workers use the coordinator's own user \"{own}\", which may do everything: {}; \
             `taskmanager broker setup` makes users that may do no more than they need",
            sharing.join(", ")
        )
    };
    passed(name, message)
}

fn plugin(plugin: &PluginRow) -> Check {
    let name = format!("plugin {}", plugin.name);
    let unfinished = plugin.waiting() + plugin.running();
    if plugin.workers > 0 {
        passed(
            &name,
            format!("workers: {}, slots: {}", plugin.workers, plugin.slots),
        )
    } else if unfinished == 0 {
        passed(&name, "no worker serves it, and no job needs one".to_owned())
    } else {
        let problem = "no worker that serves it is alive: start one, or look into its log";
        failed(&name, format!("unfinished jobs: {unfinished}, but {problem}"))
    }
}

fn version(worker: &WorkerRow) -> Check {
    let name = format!("{}: version", worker.name);
    if worker.version == VERSION {
        passed(&name, format!("{VERSION}, like the coordinator"))
    } else {
        failed(
            &name,
            format!(
                "worker {}, coordinator {VERSION}: they understand each other for one release; update the older",
                worker.version
            ),
        )
    }
}

fn passed(name: &str, message: String) -> Check {
    Check {
        name: name.to_owned(),
        ok: true,
        message,
    }
}

fn failed(name: &str, message: String) -> Check {
    Check {
        name: name.to_owned(),
        ok: false,
        message,
    }
}

#[cfg(test)]
mod tests {
    use shared::job::{JobState, ShownState};

    use super::*;
    use crate::db::pages::DeliveryFigures;
    use crate::db::pages::{PluginState, StateCount};

    fn ocr(workers: i64, waiting: i64) -> PluginRow {
        PluginRow {
            name: "OCR".to_owned(),
            title_en: String::new(),
            title_de: String::new(),
            state: PluginState::Running,
            counts: vec![StateCount {
                state: ShownState::As(JobState::Queued),
                jobs: waiting,
            }],
            oldest_queued_seconds: 0.0,
            slots: workers,
            workers,
        }
    }

    fn worker(alive: bool, version: &str) -> WorkerRow {
        WorkerRow {
            name: "scan1".to_owned(),
            host: "scan1".to_owned(),
            amqp_user: "ocr-workers".to_owned(),
            version: version.to_owned(),
            alive,
            draining: false,
            checks: vec![failed("language deu", "install tesseract-ocr-deu".to_owned())],
        }
    }

    fn wrong(plugins: Vec<PluginRow>, workers: Vec<WorkerRow>) -> Vec<String> {
        let found = Surroundings {
            server_version: "15.18".to_owned(),
            server_version_number: 150_018,
            may_create_tables: true,
            can_search_parts: true,
            workers,
            plugins,
            deliveries: DeliveryFigures::default(),
            restore: None,
        };
        surroundings(&found)
            .into_iter()
            .filter(|check| !check.ok)
            .map(|check| check.name)
            .collect()
    }

    #[test]
    fn waiting_jobs_without_a_live_worker_are_a_finding() {
        assert_eq!(wrong(vec![ocr(0, 3)], vec![]), ["plugin OCR"]);
        assert_eq!(wrong(vec![ocr(1, 3)], vec![]), Vec::<String>::new());
        assert_eq!(wrong(vec![ocr(0, 0)], vec![]), Vec::<String>::new());
        assert_eq!(wrong(vec![], vec![]), ["plugins"]);
    }

    #[test]
    fn a_live_workers_own_findings_carry_its_name_and_a_dead_ones_are_left_out() {
        assert_eq!(
            wrong(vec![ocr(1, 0)], vec![worker(true, VERSION)]),
            ["scan1: language deu"]
        );
        assert_eq!(
            wrong(vec![ocr(1, 0)], vec![worker(false, "0.0.1")]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn different_versions_are_a_finding() {
        assert!(wrong(vec![ocr(1, 0)], vec![worker(true, "0.0.1")]).contains(&"scan1: version".to_owned()));
    }

    #[test]
    fn workers_that_use_the_coordinators_user_are_a_hint_and_no_fault() {
        let shared = |own| users(own, &[worker(true, VERSION), worker(false, VERSION)]);
        assert!(shared("ocr-workers").ok && shared("coordinator").ok);
        assert!(
            shared("ocr-workers")
                .message
                .contains("may do everything: scan1;")
        );
        assert!(shared("coordinator").message.starts_with("no worker uses"));
    }

    #[test]
    fn a_queue_with_other_arguments_is_a_finding_that_says_what_to_do() {
        let other = |queue: &str| OtherArguments {
            queue: queue.to_owned(),
            said: "inequivalent arg".to_owned(),
        };
        assert!(arguments(&[]).ok);
        let found = arguments(&[other("taskmanager.jobs.ocr"), other("taskmanager.submit")]);
        assert!(!found.ok);
        let lines: Vec<&str> = found.message.lines().collect();
        assert!(
            lines[0].contains("delete_queue taskmanager.jobs.ocr") && lines[0].contains("nothing is lost")
        );
        assert!(lines[1].contains("once it is empty"), "{lines:?}");
    }

    #[test]
    fn an_old_database_and_missing_permissions_are_findings() {
        let old = Surroundings {
            server_version: "14.2".to_owned(),
            server_version_number: 140_002,
            may_create_tables: false,
            can_search_parts: false,
            workers: vec![],
            plugins: vec![],
            deliveries: DeliveryFigures::default(),
            restore: None,
        };
        assert!(!postgres(&old).ok);
        assert!(!permissions(&old).ok);
        assert!(!queues(&["taskmanager.jobs.ocr".to_owned()]).ok);
    }
}
