//! Whether this process lives, and whether it can work. For supervisors and load balancers.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use shared::error::Chain;
use shared::message::worker::Check;

use super::App;
use super::doctor::broker_in_use;
use crate::db::pages::Ping;

/// A probe wants an answer soon; a database that is slower than this is not ready.
const DATABASE_PATIENCE: Duration = Duration::from_secs(3);

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    /// Those that decide.
    checks: Vec<Check>,
    /// What a person has to mend although the coordinator can serve pages and take jobs in: taking it out of service would
    /// help nobody.
    findings: Vec<Check>,
}

/// `GET /healthz`
pub(super) async fn alive() -> &'static str {
    "ok"
}

/// `GET /readyz`
pub(super) async fn ready(State(app): State<App>) -> Response {
    let mut checks = vec![database(&app).await, schema(&app)];
    let mut findings = broker_in_use(&app);
    findings.extend([database_has_room(&app).await, broker_unblocked(&app)]);
    // A release or a setting that never reaches RabbitMQ must not take the place of one that did.
    let decides = if app.broker.has_connected() {
        &mut findings
    } else {
        &mut checks
    };
    decides.push(broker(&app));
    let ready = checks.iter().all(|check| check.ok);
    findings.retain(|check| !check.ok);
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (
        status,
        Json(Readiness {
            ready,
            checks,
            findings,
        }),
    )
        .into_response()
}

/// Whether the database answers.
pub(super) async fn database(app: &App) -> Check {
    let answer = tokio::time::timeout(DATABASE_PATIENCE, app.db.run(&Ping)).await;
    let problem = match answer {
        Ok(Ok(())) => None,
        Ok(Err(error)) => {
            tracing::warn!("the database does not answer: {}", Chain(&error));
            Some(error.to_string())
        }
        Err(_) => Some(format!(
            "PostgreSQL did not answer within {} s",
            DATABASE_PATIENCE.as_secs()
        )),
    };
    check("database", problem, "it answers", |problem| {
        format!(
            "{problem}: is PostgreSQL running, has its disk room, and is --database-url right? The coordinator's log has the details"
        )
    })
}

/// Whether the database can write.
pub(super) async fn database_has_room(app: &App) -> Check {
    let has_room = tokio::time::timeout(DATABASE_PATIENCE, app.db.has_room()).await;
    // One that does not answer in time is the other check's finding.
    let problem = (has_room == Ok(false)).then_some("PostgreSQL has no room left on its disk");
    check("database takes writes", problem, "none was refused", |problem| {
        format!(
            "{problem}: free disk space on its host. Nothing that was accepted is lost; new jobs wait or are refused \
             meanwhile, and it goes on by itself"
        )
    })
}

/// Whether the schema is this release's.
pub(super) fn schema(app: &App) -> Check {
    let problem = (!app.schema_is_ready()).then_some("migrations were not applied yet");
    check("database schema", problem, "it is this release's", |problem| {
        format!(
            "{problem}: the coordinator does so when it reaches the database; its log says what is in the way"
        )
    })
}

/// Whether RabbitMQ is there.
pub(super) fn broker(app: &App) -> Check {
    let problem = (!app.broker.connected()).then_some("RabbitMQ is not connected");
    let version = app.broker.version();
    let fine = format!("{} is connected", version.as_deref().unwrap_or("RabbitMQ"));
    check("broker", problem, &fine, |problem| {
        let trouble = app.broker.trouble();
        let said = trouble
            .as_ref()
            .map_or_else(String::new, |trouble| format!(" ({})", trouble.said));
        let advice = trouble.map_or("is it running, and is --amqp-url right?", |trouble| {
            trouble.advice
        });
        format!("{problem}{said}: {advice}. Nothing is lost meanwhile, and it goes on by itself")
    })
}

/// Whether RabbitMQ takes messages.
pub(super) fn broker_unblocked(app: &App) -> Check {
    let problem = app.broker.blocked().then_some("RabbitMQ blocks publishing");
    check(
        "broker takes messages",
        problem,
        "no memory or disk alarm",
        |problem| {
            format!(
                "{problem} (memory or disk alarm): free disk space on its host; `rabbitmq-diagnostics alarms` says which"
            )
        },
    )
}

/// Whether tickets come in from Goobi; none where nobody has named its message broker.
pub(super) fn goobi(app: &App) -> Option<Check> {
    let problem = app.goobi.as_ref()?.trouble();
    Some(check("goobi's tickets", problem, "they are taken", |problem| {
        format!(
            "tickets of Goobi are not all taken ({problem}): does its ActiveMQ run, are --goobi-stomp-url, user and password \
             right, and may that user use the queues? Tickets wait there meanwhile, and it goes on by itself"
        )
    }))
}

fn check<P>(name: &str, problem: Option<P>, fine: &str, say: impl FnOnce(P) -> String) -> Check {
    match problem {
        None => Check {
            name: name.to_owned(),
            ok: true,
            message: fine.to_owned(),
        },
        Some(problem) => Check {
            name: name.to_owned(),
            ok: false,
            message: say(problem),
        },
    }
}
