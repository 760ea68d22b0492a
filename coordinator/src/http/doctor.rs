//! `GET /api/v1/doctor`: everything that can be wrong with a deployment, and what to do about it.
//!
//! Invariant: it always answers, whatever is broken; each check that is not ok says what to do.

mod coordinators;
mod database;
mod deliveries;
mod files;
mod hardening;
mod rejected;
mod search;
mod stores;
mod workers;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use shared::amqp::refusals::ADVICE;
use shared::amqp::topology::OtherArguments;
use shared::error::Chain;
use shared::location::Location;
use shared::message::worker::Check;

use super::{App, health, openapi::Operation, recovery};
use crate::db::pages::{PluginRow, ReadSurroundings, Surroundings, WorkerRow};
use crate::deployment::Deployment;

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
                checks.extend(surroundings(&app.deployment, app.intake.roots(), &found));
                checks.extend(app.broker.user().map(|user| workers::users(user, &found.workers)));
                checks.extend(files::look(&app.deployment).await);
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

fn surroundings(deployment: &Deployment, roots: &[Location], found: &Surroundings) -> Vec<Check> {
    let mut checks = database::checks(deployment, found);
    checks.extend([
        search::check(found.can_search_parts),
        recovery::check(found.restore.as_ref()),
        deliveries::check(&found.deliveries),
        coordinators::check(deployment, &found.coordinators),
    ]);
    checks.extend(hardening::checks(deployment, found));
    if found.plugins.is_empty() {
        checks.push(failed(
            "plugins",
            "no worker has ever announced one: start a worker".to_owned(),
        ));
    }
    checks.extend(found.plugins.iter().map(plugin));
    checks.extend(found.refused.iter().map(workers::refused));
    let alive: Vec<&WorkerRow> = found.workers.iter().filter(|worker| worker.alive).collect();
    checks.extend(
        alive
            .iter()
            .flat_map(|worker| workers::checks(roots, worker, &alive)),
    );
    checks
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

fn passed(name: &str, message: String) -> Check {
    Check::passed(name, message)
}

fn failed(name: &str, message: String) -> Check {
    Check::failed(name, message)
}

#[cfg(test)]
mod tests {
    use shared::job::{JobState, ShownState};

    use super::*;
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

    fn wrong(plugins: Vec<PluginRow>, alive: bool) -> Vec<String> {
        let worker = WorkerRow {
            name: "scan1".to_owned(),
            version: VERSION.to_owned(),
            alive,
            checks: vec![failed("language deu", "install tesseract-ocr-deu".to_owned())],
            ..WorkerRow::default()
        };
        let found = Surroundings {
            plugins,
            workers: vec![worker],
            can_search_parts: true,
            ..Surroundings::default()
        };
        surroundings(&Deployment::default(), &[], &found)
            .into_iter()
            .filter(|check| !check.ok && !check.name.starts_with("database"))
            .map(|check| check.name)
            .collect()
    }

    #[test]
    fn waiting_jobs_without_a_live_worker_are_a_finding() {
        assert_eq!(wrong(vec![ocr(0, 3)], false), ["plugin OCR"]);
        assert_eq!(wrong(vec![ocr(1, 3)], false), Vec::<String>::new());
        assert_eq!(wrong(vec![ocr(0, 0)], false), Vec::<String>::new());
        assert_eq!(wrong(vec![], false), ["plugins"]);
    }

    #[test]
    fn a_live_workers_own_findings_carry_its_name_and_a_dead_ones_are_left_out() {
        assert_eq!(wrong(vec![ocr(1, 0)], true), ["scan1: language deu"]);
        assert_eq!(wrong(vec![ocr(1, 0)], false), Vec::<String>::new());
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
        assert!(!queues(&["taskmanager.jobs.ocr".to_owned()]).ok);
    }
}
