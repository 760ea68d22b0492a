//! Puts the coordinator's parts together and runs them until a signal.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use shared::amqp::Address;
use shared::amqp::publisher::{Publisher, publisher};
use shared::error::Chain;
use shared::lifecycle::Lifecycle;
use shared::metrics;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::accounts::setup;
use crate::background::deliveries::Sender;
use crate::background::identity::Watch;
use crate::background::{dispatcher::Dispatcher, housekeeping, presence, probe, schedule, storages, sweeper};
use crate::broker::{Broker, Patience, Status};
use crate::config::Config;
use crate::control::Control;
use crate::db::Db;
use crate::db::migrate::migrate;
use crate::db::notify::Changes;
use crate::deliveries::{Allowed, Patience as Persistence, Post};
use crate::deployment::Deployment;
use crate::goobi::{Goobi, Status as GoobiStatus, Tickets};
use crate::http::{self, App, LastFigures};
use crate::intake::{Intake, PathRules, Templates};
use crate::notifications::{Notifier, notifications};
use crate::secrets::Secrets;
use crate::worker_users::WorkerUsers;

/// Pause before the database is tried again at the start.
const DATABASE_PAUSE: Duration = Duration::from_secs(1);

/// Runs a coordinator until it is asked to end. The exit code tells whether it ended well.
///
/// # Errors
/// When it can't start: an address in use, a schema that is not this release's.
pub async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    let address = Address::parse(&config.amqp_url()?)?;
    let database_url = config.database_url()?;
    let db = Db::new(&database_url, config.db_connections)?;
    let prometheus =
        metrics::install(metrics::Program::Coordinator).context("the metrics recorder can't be installed")?;
    let listener = listener(&config).await?;

    let lifecycle = Lifecycle::default();
    let stop = lifecycle.stop.clone();
    let changes = Changes::default();
    let (publisher, slot) = publisher();
    let (notifier, notifications) = notifications(publisher.clone());
    let status = Status::new(publisher.clone());
    let queue_missing = Arc::new(Notify::new());
    let sender = sender(&config, &db, &changes)?;
    let intake = intake(&config, &db, &changes, &notifier, &sender)?;
    let tickets = tickets(&config, &intake, &publisher)?;
    let schema_ready = Arc::new(AtomicBool::new(false));

    let control = Control::new(db.clone(), changes.clone(), notifier.clone(), publisher.clone())
        .with_goobi(config.goobi_web()?);
    let app = App {
        db: db.clone(),
        intake: intake.clone(),
        control: control.clone(),
        door: config.door(),
        changes: changes.clone(),
        broker: status.clone(),
        goobi: tickets.as_ref().map(|tickets| tickets.status.clone()),
        stop: stop.clone(),
        prometheus: prometheus.clone(),
        figures: LastFigures::default(),
        schema_ready: Arc::clone(&schema_ready),
        deployment: Arc::new(Deployment::of(&config)?),
    };
    let presence = app.deployment.coordinator();
    tracing::info!("listening on http://{}", config.listen);
    lifecycle.spawn("http", http::serve(listener, app));
    lifecycle.spawn("metrics upkeep", metrics::upkeep(prometheus, stop.clone()));
    lifecycle.spawn(
        "publish",
        Broker::publish(slot, address.clone(), status.clone(), stop.clone()),
    );

    lifecycle.spawn("notifications", notifications.send(stop.clone()));

    let broker = Broker {
        db: db.clone(),
        intake,
        changes: changes.clone(),
        notifier,
        publisher: publisher.clone(),
        status: status.clone(),
        queue_missing: Arc::clone(&queue_missing),
        making_queues: Arc::default(),
        patience: Patience {
            emptied_seconds: config.resend_after_seconds.into(),
            thinned_seconds: config.resend_missing_after_seconds.into(),
        },
        worker_users: WorkerUsers::new(&config.worker_users),
        lease_seconds: config.lease_seconds,
        queue_type: config.queue_type,
    };
    let rest = lifecycle.clone();
    let dispatcher = Dispatcher {
        db: db.clone(),
        publisher: publisher.clone(),
        status: status.clone(),
        changes: changes.clone(),
        queue_missing,
        window: config.window,
    };
    let invitation = (!config.without_login).then(|| (config.listen, config.public_url.clone()));
    lifecycle.spawn("start", async move {
        if !prepare_schema(&database_url, &rest.stop).await {
            return;
        }
        // Before anything may start: in a database that was put back from a copy nothing does.
        let Some(watch) = Watch::begin(db.clone(), control.clone(), &rest.stop).await else {
            return;
        };
        schema_ready.store(true, Ordering::SeqCst);
        invite(&db, invitation).await;
        let stop = || rest.stop.clone();
        pass_changes_on(&rest, &changes, &db, database_url);
        rest.spawn("identity", watch.run(stop()));
        rest.spawn("deliveries", sender.run(stop()));
        if let Some(tickets) = tickets {
            rest.spawn("goobi's tickets", tickets.run(stop()));
        }
        rest.spawn("dispatcher", dispatcher.run(stop()));
        rest.spawn("sweeper", sweeper::run(db.clone(), control.clone(), stop()));
        rest.spawn("storages", storages::run(db.clone(), changes, stop()));
        rest.spawn("schedule", schedule::run(db.clone(), control, stop()));
        rest.spawn("presence", presence::run(db.clone(), presence, stop()));
        rest.spawn("housekeeping", housekeeping::run(db, stop()));
        rest.spawn(
            "probe",
            probe::run(publisher, status, address.user().to_owned(), stop()),
        );
        broker.consume(address, stop()).await;
    });
    Ok(lifecycle.run_until_stopped(config.grace()).await?)
}

async fn listener(config: &Config) -> anyhow::Result<TcpListener> {
    TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("the address {} can't be listened on", config.listen))
}

/// Tells other coordinators of changes, and hears of theirs.
fn pass_changes_on(lifecycle: &Lifecycle, changes: &Changes, db: &Db, database_url: String) {
    let (out, coming) = (changes.clone(), changes.clone());
    let (db, stop) = (db.clone(), lifecycle.stop.clone());
    lifecycle.spawn("changes out", async move { out.send(db, stop).await });
    let stop = lifecycle.stop.clone();
    lifecycle.spawn(
        "changes in",
        async move { coming.listen(database_url, stop).await },
    );
}

/// What takes tickets of Goobi's; none where nobody has named its message broker.
fn tickets(config: &Config, intake: &Intake, publisher: &Publisher) -> anyhow::Result<Option<Tickets>> {
    Ok(config.goobi.broker()?.map(|broker| Tickets {
        broker,
        intake: intake.clone(),
        publisher: publisher.clone(),
        status: GoobiStatus::connecting(),
    }))
}

/// Prints the way in for the first administrator, if there is none yet; nothing where nobody logs in.
#[expect(
    clippy::print_stdout,
    reason = "it is for the person who starts the program, and no secret belongs into a log"
)]
async fn invite(db: &Db, invitation: Option<(SocketAddr, Option<String>)>) {
    let Some((listen, public_url)) = invitation else {
        return;
    };
    match setup::offer(db).await {
        Ok(Some(code)) => println!("{}", setup::notice(&code, listen, public_url.as_deref())),
        Ok(None) => {}
        Err(error) => tracing::warn!("whether there is a user is not known: {}", Chain(&error)),
    }
}

/// What takes submissions in.
fn intake(
    config: &Config,
    db: &Db,
    changes: &Changes,
    notifier: &Notifier,
    sender: &Sender,
) -> anyhow::Result<Intake> {
    let templates = config
        .templates
        .as_deref()
        .map_or_else(|| Ok(Templates::default()), Templates::load)?;
    let paths = PathRules::new(config.roots()?, config.path_map.clone());
    let callbacks = Allowed::new(config.callback_allow.clone());
    let intake = Intake::new(db.clone(), changes.clone(), notifier.clone(), paths, templates);
    Ok(intake.with_callbacks(callbacks, Arc::clone(&sender.secrets)))
}

/// What sends messages to other systems.
fn sender(config: &Config, db: &Db, changes: &Changes) -> anyhow::Result<Sender> {
    let callbacks = Allowed::new(config.callback_allow.clone());
    Ok(Sender {
        db: db.clone(),
        changes: changes.clone(),
        post: Post::new(callbacks, Duration::from_secs(config.callback_timeout_seconds))?
            .with_goobi(config.goobi_web()?)?,
        goobi: config.goobi.broker()?.map(Goobi::new),
        secrets: Arc::new(Secrets::load(&config.secrets_key_files)?),
        patience: Persistence {
            first_pause: Duration::from_secs(config.callback_retry_seconds),
            give_up_after: Duration::from_hours(config.callback_give_up_hours),
        },
    })
}

/// Waits for the database and brings its schema up to date; `false` when the process is to end.
async fn prepare_schema(database_url: &str, stop: &CancellationToken) -> bool {
    let mut troubled = false;
    loop {
        let result = tokio::select! {
            result = migrate(database_url) => result,
            () = stop.cancelled() => return false,
        };
        match result {
            Ok(()) => return true,
            Err(error) if error.is_transient() => {
                if !troubled {
                    tracing::warn!("waiting for the database: {}", Chain(&error));
                }
                troubled = true;
            }
            Err(error) => {
                tracing::error!("{}", Chain(&error));
                return false;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(DATABASE_PAUSE) => {}
            () = stop.cancelled() => return false,
        }
    }
}
