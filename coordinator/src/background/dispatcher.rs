//! Publishes waiting jobs: pick and reserve, publish with confirms, mark. Nothing is published in a transaction.
//!
//! A crash between publishing and marking leads to a second message with the same number, which its claim refuses.

use std::sync::Arc;
use std::time::Duration;

use lapin::BasicProperties;
use metrics::counter;
use shared::amqp::Error;
use shared::amqp::publisher::{Outgoing, Publisher};
use shared::amqp::topology::JOBS_EXCHANGE;
use shared::error::Chain;
use shared::failpoint::{self, Failpoint};
use shared::job::Priority;
use shared::lifecycle::finish_soon;
use shared::message::dispatch::Dispatch;
use shared::message::encode;
use shared::metrics::DISPATCHES;
use shared::mutant::{self, Mutant};
use shared::telemetry::Trouble;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::PATIENCE;
use crate::broker::Status;
use crate::db::dispatch::{Mark, Pick};
use crate::db::notify::Changes;
use crate::db::{self, Db};

/// It looks this often even if nobody wakes it.
const INTERVAL: Duration = Duration::from_secs(1);

/// What the dispatcher works with.
#[derive(Debug)]
pub struct Dispatcher {
    /// The database.
    pub db: Db,
    /// The publishing connection.
    pub publisher: Publisher,
    /// Whether exchanges and queues are declared and messages can be sent.
    pub status: Status,
    /// Wakes it.
    pub changes: Changes,
    /// Told when a plugin's queue is missing.
    pub queue_missing: Arc<Notify>,
    /// Published messages that each priority level of a plugin holds at most.
    pub window: i64,
}

impl Dispatcher {
    /// Runs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut changed = self.changes.subscribe();
        let mut trouble = Trouble::none("waiting jobs can't be published");
        while !stop.is_cancelled() {
            let Some(round) = finish_soon(&stop, PATIENCE, self.run_once()).await else {
                return;
            };
            match round {
                // More may be waiting than one round takes.
                Ok(published) if published > 0 => continue,
                Ok(_) => trouble.ends(),
                Err(error) => trouble.begins(&error),
            }
            tokio::select! {
                () = tokio::time::sleep(INTERVAL) => {}
                _ = changed.changed(), if !trouble.is_present() => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// One round; how many jobs were published.
    async fn run_once(&self) -> Result<usize, db::Error> {
        if !self.status.connected() || self.status.blocked() {
            return Ok(0);
        }
        let picked = self.db.run(&Pick { window: self.window }).await?;
        if picked.is_empty() {
            return Ok(0);
        }
        let messages = picked
            .iter()
            .map(|(dispatch, priority)| message(dispatch, *priority))
            .collect();
        if mutant::is_active(Mutant::MarkBeforePublish) {
            let published: Vec<Dispatch> = picked.iter().map(|(dispatch, _)| dispatch.clone()).collect();
            self.db
                .run(&Mark {
                    published: &published,
                    failed: &[],
                })
                .await?;
        }
        failpoint::reach(Failpoint::DispatchBeforePublish);
        let results = self.publisher.publish_all(messages).await;
        failpoint::reach(Failpoint::DispatchBeforeMark);
        let mut published = Vec::new();
        let mut failed = Vec::new();
        for ((dispatch, _), result) in picked.into_iter().zip(results) {
            match result {
                Ok(()) => {
                    counter!(DISPATCHES, "plugin" => dispatch.plugin.to_string()).increment(1);
                    published.push(dispatch);
                }
                Err(error) => {
                    if matches!(error, Error::Returned) {
                        self.queue_missing.notify_one();
                    }
                    tracing::debug!(job.id = %dispatch.job_id, "job not published: {}", Chain(&error));
                    failed.push(dispatch);
                }
            }
        }
        self.db
            .run(&Mark {
                published: &published,
                failed: &failed,
            })
            .await?;
        // After a failure the next look is the next interval's: no hurry against a wall.
        Ok(if failed.is_empty() { published.len() } else { 0 })
    }
}

fn message(dispatch: &Dispatch, priority: Priority) -> Outgoing {
    let properties = BasicProperties::default()
        .with_delivery_mode(2)
        .with_priority(priority.get())
        .with_content_type("application/json".into())
        .with_message_id(format!("{}:{}", dispatch.job_id, dispatch.dispatch).into());
    Outgoing {
        exchange: JOBS_EXCHANGE,
        routing_key: dispatch.plugin.routing_key(),
        body: encode(dispatch),
        properties,
        mandatory: true,
    }
}
