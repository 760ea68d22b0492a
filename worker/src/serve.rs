//! Puts the worker's parts together and runs them until a signal.
//!
//! At the end attempts stop first, then their results are delivered, and only then are the connections closed.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use shared::amqp::Address;
use shared::amqp::link;
use shared::amqp::publisher::{PublisherSlot, publisher};
use shared::amqp::refusals::Refusals;
use shared::error::Chain;
use shared::lifecycle::Lifecycle;
use shared::message::reply::Grant;
use shared::metrics;
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use crate::announce::Announcer;
use crate::answers::{Answers, Broker};
use crate::attempt::Workshop;
use crate::claims::{Claimer, claimer};
use crate::config::Config;
use crate::consume::{Bench, Intake};
use crate::delivery::Delivery;
use crate::free_space::FreeSpace;
use crate::health::{self, Health};
use crate::heartbeat::{self, Heart};
use crate::identity::Identity;
use crate::inventory::Inventory;
use crate::plugin::Plugin;
use crate::plugins::{self, PluginSettings};
use crate::requests::Requests;
use crate::running::Running;
use crate::scratch::Scratch;
use crate::self_check::{Looks, SelfCheck};
use crate::standing::Standing;
use crate::stores::Removals;
use crate::tool::Wrapper;

/// Part of the grace period that attempts and their results may use.
const ATTEMPTS_SHARE: f64 = 0.8;

/// Runs a worker until it is asked to end. The exit code tells whether it ended well.
///
/// # Errors
/// When it can't start: wrong settings, folders that are not there.
pub async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    let broker = Broker {
        address: Address::parse(&config.amqp_url()?)?,
        refusals: Refusals::of("worker"),
    };
    let (roots, buckets) = (Arc::new(config.folders()?), config.buckets()?);
    let scratch = Scratch::prepare(&config.scratch)
        .with_context(|| format!("the scratch folder {} can't be used", config.scratch.display()))?;
    let identity = Identity::of_this_process(config.name.as_deref());
    let prometheus =
        metrics::install(metrics::Program::Worker).context("the metrics recorder can't be installed")?;
    let benches = benches(&config);
    tracing::info!(worker.id = %identity.id, "worker {} serves {}", identity.id, names(&benches));

    let lifecycle = Lifecycle::default();
    let (publisher, slot) = publisher();
    let requests = Requests::new(publisher, broker.address.user());
    let workshop = Workshop {
        identity,
        roots,
        buckets,
        space: FreeSpace {
            scratch: scratch.attempts().into(),
            scratch_min: config.scratch_free_min,
            target_min: config.target_free_min,
        },
        running: Running::default(),
        requests: requests.clone(),
        delivery: Delivery::new(requests, scratch.results()),
        // Connections and heartbeats outlast the wish to stop: results still have to go out.
        end: CancellationToken::new(),
    };
    if let Some(listen) = config.listen {
        let health = Health {
            requests: workshop.requests.clone(),
            refusals: broker.refusals.clone(),
            benches: benches.clone(),
            prometheus: prometheus.clone(),
        };
        serve_health(&lifecycle, listen, health).await?;
    }
    lifecycle.spawn(
        "metrics upkeep",
        metrics::upkeep(prometheus, lifecycle.stop.clone()),
    );
    // Ends before `stop` where a coordinator wants it: nothing new is taken, and what runs has all the time it needs.
    let drain = lifecycle.stop.child_token();
    let self_check = SelfCheck {
        benches: benches.clone(),
        roots: Arc::clone(&workshop.roots),
        buckets: workshop.buckets.clone(),
        space: workshop.space.clone(),
        secret_files: config.secret_files(),
        open_secrets: config.open_secrets(),
        refusals: broker.refusals.clone(),
        looks: Looks::default(),
    };
    let claimer = talk(&lifecycle, &drain, &workshop, self_check, slot, broker.clone());
    work(
        &lifecycle,
        drain,
        workshop,
        benches,
        claimer,
        broker,
        config.grace().mul_f64(ATTEMPTS_SHARE),
    );
    let code = lifecycle.run_until_stopped(config.grace()).await?;
    drop(scratch);
    Ok(code)
}

/// The plugins and their slots.
fn benches(config: &Config) -> Vec<Bench> {
    let settings = PluginSettings {
        slots: config.plugins.iter().cloned().collect(),
        ocr_cores: config.ocr_cores(),
        tessdata: config.tessdata.clone(),
        wrapper: Wrapper::default(),
    };
    let bench = |plugin: Arc<dyn Plugin>| {
        let size = plugin.offer().slots;
        let slots = Arc::new(Semaphore::new(size.into()));
        Bench {
            plugin,
            slots,
            size,
            standing: Standing::default(),
        }
    };
    plugins::all(&settings).into_iter().map(bench).collect()
}

async fn serve_health(lifecycle: &Lifecycle, listen: SocketAddr, health: Health) -> anyhow::Result<()> {
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("the address {listen} can't be listened on"))?;
    let stop = lifecycle.stop.clone();
    lifecycle.spawn("http", async move {
        if let Err(error) = health::serve(listener, health, stop).await {
            tracing::error!("the HTTP server ended: {}", Chain(&error));
        }
    });
    Ok(())
}

/// Starts what talks to coordinators over the publishing connection: claims, heartbeats, announcements, results.
fn talk(
    lifecycle: &Lifecycle,
    drain: &CancellationToken,
    workshop: &Workshop,
    self_check: SelfCheck,
    slot: PublisherSlot,
    broker: Broker,
) -> Claimer {
    let (stop, end) = (&lifecycle.stop, &workshop.end);
    let (unwanted, unwanted_grants) = mpsc::unbounded_channel();
    let (claimer, claim_sender) = claimer(unwanted.clone());
    let connected = Arc::new(Notify::new());
    let Workshop {
        identity,
        requests,
        running,
        ..
    } = workshop.clone();
    let answers = Answers {
        slot,
        requests: requests.clone(),
        connected: Arc::clone(&connected),
        claimer: claimer.clone(),
        running: running.clone(),
        drain: drain.clone(),
        unwanted,
    };
    let announcer = Announcer {
        identity: identity.clone(),
        self_check,
        programs: None,
        requests: requests.clone(),
        connected,
    };
    lifecycle.spawn("answers", answers.run(broker, end.clone()));
    lifecycle.spawn(
        "claims",
        claim_sender.run(requests.clone(), identity.id.clone(), end.clone()),
    );
    lifecycle.spawn("release", release(workshop.clone(), unwanted_grants, end.clone()));
    let removals = Removals::default();
    let removing = removals.clone().run(
        Arc::clone(&workshop.roots),
        workshop.buckets.clone(),
        Arc::clone(&running.changed),
        stop.clone(),
    );
    lifecycle.spawn("stores", removing);
    let inventory = Inventory::default();
    let listing = inventory.clone().run(
        Arc::clone(&workshop.roots),
        workshop.buckets.clone(),
        Arc::clone(&running.changed),
        stop.clone(),
    );
    lifecycle.spawn("inventory", listing);
    let heart = Heart {
        running,
        removals,
        inventory,
        requests,
        identity,
        drain: drain.clone(),
    };
    lifecycle.spawn("heartbeat", heartbeat::run(heart, end.clone()));
    lifecycle.spawn("announce", announcer.run(drain.clone(), end.clone()));
    let (delivery, end) = (workshop.delivery.clone(), end.clone());
    lifecycle.spawn_short(async move { delivery.deliver_left_over(end).await });
    claimer
}

/// Starts taking messages, and what ends it all in the right order.
fn work(
    lifecycle: &Lifecycle,
    drain: CancellationToken,
    workshop: Workshop,
    benches: Vec<Bench>,
    claimer: Claimer,
    broker: Broker,
    patience: Duration,
) {
    let stop = lifecycle.stop.clone();
    let attempts = Lifecycle::stopped_by(drain.clone());
    let intake = Intake {
        benches,
        claimer,
        workshop: workshop.clone(),
        lifecycle: attempts.clone(),
    };
    lifecycle.spawn("consume", {
        let (drain, stop) = (drain.clone(), stop.clone());
        async move {
            let serve = |session| {
                let intake = intake.clone();
                async move { intake.serve(session).await }
            };
            let failed = |error: &shared::amqp::Error| broker.refusals.note(error);
            link::run_telling("consume", &broker.address, &drain, serve, failed).await;
            stop.cancelled().await;
        }
    });
    lifecycle.spawn("drain", async move {
        drain.cancelled().await;
        yield_attempts(&attempts, &workshop.running, &stop).await;
        stop.cancel();
        stop_attempts(attempts, workshop.running, patience).await;
        heartbeat::farewell(&workshop.requests, &workshop.identity).await;
        workshop.end.cancel();
    });
}

/// Lets the attempts give back their jobs at their next items, however long these take, until `stop`.
async fn yield_attempts(attempts: &Lifecycle, running: &Running, stop: &CancellationToken) {
    let all_ended = attempts.ended();
    tokio::pin!(all_ended);
    loop {
        // An attempt may begin while we look: its claim was answered just before.
        running.drain();
        tokio::select! {
            () = &mut all_ended => return,
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_millis(100)) => {}
        }
    }
}

/// Lets the attempts end: half of `patience` to finish the items in hand, then at once; and waits, at most
/// `patience`, until their results are delivered.
async fn stop_attempts(attempts: Lifecycle, running: Running, patience: Duration) {
    let all_ended = attempts.ended();
    tokio::pin!(all_ended);
    let began = Instant::now();
    let deadline = tokio::time::sleep(patience);
    tokio::pin!(deadline);
    loop {
        // An attempt may begin while we look: its claim was answered just before.
        running.drain();
        if began.elapsed() > patience / 2 {
            running.shut_down();
        }
        tokio::select! {
            () = &mut all_ended => break,
            () = &mut deadline => {
                tracing::warn!("attempts are still running at the end of the grace period");
                break;
            }
            () = tokio::time::sleep(Duration::from_millis(100)) => {}
        }
    }
}

async fn release(workshop: Workshop, mut grants: mpsc::UnboundedReceiver<Grant>, end: CancellationToken) {
    loop {
        tokio::select! {
            grant = grants.recv() => match grant {
                Some(grant) => workshop.release(grant).await,
                None => return,
            },
            () = end.cancelled() => return,
        }
    }
}

fn names(benches: &[Bench]) -> String {
    let names: Vec<String> = benches
        .iter()
        .map(|bench| format!("{} ({} at once)", bench.plugin.offer().name, bench.size))
        .collect();
    names.join(", ")
}
