//! Events for anybody who listens: one `CloudEvents` message (version 1.0, structured JSON) for each job that is accepted,
//! started or ended, on the exchange `taskmanager.notifications` under the key `job.<plugin>.<state>`.
//!
//! A courtesy, not a record: an event may be lost with its coordinator or while RabbitMQ is away, and who needs certainty
//! asks the API. So they leave by a task of their own: nobody who changes a job waits for listeners.

use lapin::BasicProperties;
use metrics::{counter, histogram};
use serde_json::json;
use shared::amqp::publisher::{Outgoing, Publisher};
use shared::amqp::topology::NOTIFICATIONS_EXCHANGE;
use shared::error::Chain;
use shared::job::{JobId, JobState};
use shared::metrics::{ATTEMPT_RUN, JOB_WAIT, JOBS_FINISHED};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::db::finish::Finished;

/// Most events that wait to be sent; what comes beyond is lost, so that a RabbitMQ that hangs costs little memory.
const WAITING_MAX: usize = 10_000;
/// Most events that are sent at once.
const BATCH: usize = 256;

/// Takes events for listeners. Clones share one line.
#[derive(Debug, Clone)]
pub struct Notifier {
    line: mpsc::Sender<Outgoing>,
}

/// Sends what a [`Notifier`] has taken.
#[derive(Debug)]
pub struct Notifications {
    line: mpsc::Receiver<Outgoing>,
    publisher: Publisher,
}

/// A notifier, and what sends its events.
pub fn notifications(publisher: Publisher) -> (Notifier, Notifications) {
    let (sender, line) = mpsc::channel(WAITING_MAX);
    (Notifier { line: sender }, Notifications { line, publisher })
}

impl Notifier {
    /// Tells listeners that a job has come to `state`. Never waits.
    pub fn job(&self, id: JobId, plugin: &str, state: JobState) {
        if let Err(error) = self.line.try_send(event(id, plugin, state)) {
            tracing::debug!(job.id = %id, "listeners are not told of job {id}: {}", Chain(&error));
        }
    }

    /// Says in log and metrics, and to listeners, that jobs have ended.
    pub fn ended(&self, finished: &[Finished]) {
        for job in finished {
            let (id, plugin, state) = (job.id, &job.plugin, job.state);
            tracing::info!(job.id = %id, job.plugin = %plugin, "job {id} ended: {state}");
            let outcome = state.as_str().to_lowercase();
            counter!(JOBS_FINISHED, "plugin" => plugin.clone(), "outcome" => outcome).increment(1);
            if let Some(seconds) = job.wait_seconds {
                histogram!(JOB_WAIT, "plugin" => plugin.clone()).record(seconds);
            }
            if let Some(seconds) = job.run_seconds {
                histogram!(ATTEMPT_RUN, "plugin" => plugin.clone()).record(seconds);
            }
            self.job(id, plugin, state);
        }
    }
}

impl Notifications {
    /// Sends events until `stop`; what waits then is lost.
    pub async fn send(mut self, stop: CancellationToken) {
        let send = async {
            let mut events = Vec::with_capacity(BATCH);
            while self.line.recv_many(&mut events, BATCH).await > 0 {
                for sent in self.publisher.publish_all(std::mem::take(&mut events)).await {
                    if let Err(error) = sent {
                        tracing::debug!("a listener could not be told: {}", Chain(&error));
                    }
                }
            }
        };
        tokio::select! {
            () = send => {}
            () = stop.cancelled() => {}
        }
    }
}

fn event(id: JobId, plugin: &str, state: JobState) -> Outgoing {
    let lower = state.as_str().to_lowercase();
    let event = json!({
        "specversion": "1.0",
        "id": Uuid::new_v4(),
        "source": "/taskmanager",
        "type": format!("taskmanager.job.{lower}"),
        "subject": id,
        "datacontenttype": "application/json",
        "data": { "job_id": id, "plugin": plugin, "state": state },
    });
    Outgoing {
        exchange: NOTIFICATIONS_EXCHANGE,
        routing_key: format!("job.{}.{lower}", plugin.to_lowercase()),
        body: event.to_string().into_bytes(),
        properties: BasicProperties::default().with_content_type("application/cloudevents+json".into()),
        mandatory: false,
    }
}
