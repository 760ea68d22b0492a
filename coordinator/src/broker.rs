//! The coordinator's side of RabbitMQ: one connection that consumes and acknowledges, one that publishes.
//!
//! Invariant: a message is acknowledged only after what it caused has been committed.

mod batch;
mod claims;
mod events;
mod heartbeats;
mod reconcile;
mod rejected;
mod results;
mod status;
mod submissions;

use std::sync::Arc;
use std::time::Duration;

use shared::amqp::link::{self, Session};
use shared::amqp::publisher::{Publisher, PublisherSlot};
use shared::amqp::queue_type::QueueType;
use shared::amqp::{Address, Error, topology};
use shared::error::Chain;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::db::Db;
use crate::db::notify::Changes;
use crate::db::plugins::All;
use crate::intake::Intake;
use crate::notifications::Notifier;
use crate::worker_users::WorkerUsers;
pub use reconcile::Patience;
pub use status::{Rejected, Status};

/// Pause before the database is looked for again.
const DATABASE_PAUSE: Duration = Duration::from_secs(1);

/// What the handlers of messages share.
#[derive(Debug, Clone)]
pub struct Broker {
    /// The database.
    pub db: Db,
    /// Where submissions go.
    pub intake: Intake,
    /// Told of every change.
    pub changes: Changes,
    /// Told of jobs that have started or ended.
    pub notifier: Notifier,
    /// The publishing connection.
    pub publisher: Publisher,
    /// What health checks see.
    pub status: Status,
    /// Woken when a plugin's queue is missing.
    pub queue_missing: Arc<Notify>,
    /// Held while a plugin's queue is made.
    pub making_queues: Arc<tokio::sync::Mutex<()>>,
    /// Which RabbitMQ user may serve which plugins.
    pub worker_users: WorkerUsers,
    /// When published jobs count as lost.
    pub patience: Patience,
    /// Lease of plugins that are announced for the first time, seconds.
    pub lease_seconds: i32,
    /// What queues are made as.
    pub queue_type: QueueType,
}

impl Broker {
    /// Keeps the consuming connection up until `stop`, or until the broker turns out not to suit our queues, which only a
    /// person can mend.
    pub async fn consume(self, address: Address, stop: CancellationToken) {
        self.status.set_user(address.user());
        let stop = stop.child_token();
        let serve = |session: Session| {
            let (broker, stop) = (self.clone(), stop.clone());
            async move {
                let version = session.version.as_deref().unwrap_or_default();
                if let Err(error) = broker.queue_type.suits(version) {
                    tracing::error!("{error}");
                    stop.cancel();
                    return Ok(());
                }
                Box::pin(broker.serve(session, &stop)).await
            }
        };
        let failed = |error: &Error| self.status.set_trouble(error);
        link::run_telling("consume", &address, &stop, serve, failed).await;
    }

    async fn serve(&self, session: Session, stop: &CancellationToken) -> Result<(), Error> {
        self.status.set_version(session.version.clone());
        if !self.begin(&session, stop).await? {
            return Ok(());
        }
        // Also when the session is over and this is dropped.
        let _consuming = self.status.consuming();
        tokio::try_join!(
            batch::consume(
                &session,
                topology::SUBMIT_QUEUE,
                submissions::Submissions(self),
                stop
            ),
            batch::consume(&session, topology::CLAIMS_QUEUE, claims::Claims(self), stop),
            batch::consume(
                &session,
                topology::HEARTBEATS_QUEUE,
                heartbeats::Heartbeats(self, &session),
                stop
            ),
            batch::consume(&session, topology::RESULTS_QUEUE, results::Results(self), stop),
            reconcile::run(self, &session, stop),
        )?;
        Ok(())
    }

    /// Declares what is to be consumed, and waits until the database answers: without it, taking messages would
    /// only keep them from coordinators that have one. `false` when the process stops before.
    async fn begin(&self, session: &Session, stop: &CancellationToken) -> Result<bool, Error> {
        topology::declare_fixed(session, self.queue_type).await?;
        while let Err(error) = self.db.run(&All).await {
            tracing::debug!(
                "no messages are taken as long as the database is away: {}",
                Chain(&error)
            );
            tokio::select! {
                () = tokio::time::sleep(DATABASE_PAUSE) => {}
                () = stop.cancelled() => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Keeps the publishing connection up until `stop`.
    pub async fn publish(slot: PublisherSlot, address: Address, status: Status, stop: CancellationToken) {
        let run = |session: Session| {
            let slot = slot.clone();
            let stop = stop.clone();
            async move {
                let channel = slot.open(&session).await?;
                slot.set(&session, channel);
                tokio::select! {
                    () = session.over.cancelled() => {}
                    () = stop.cancelled() => {}
                }
                slot.clear();
                Ok(())
            }
        };
        let failed = |error: &Error| status.note_refusal(error);
        link::run_telling("publish", &address, &stop, run, failed).await;
    }
}
