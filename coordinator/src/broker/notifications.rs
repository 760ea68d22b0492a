//! Events for anybody who listens: one `CloudEvents` message (version 1.0, structured JSON) for each job that is accepted,
//! started or ended, on the exchange `taskmanager.notifications` under the key `job.<plugin>.<state>`.
//!
//! A courtesy, not a record: an event may be lost with its coordinator, and who needs certainty asks the API.

use lapin::BasicProperties;
use serde_json::json;
use shared::amqp::publisher::Outgoing;
use shared::amqp::topology::NOTIFICATIONS_EXCHANGE;
use shared::job::{JobId, JobState};
use uuid::Uuid;

/// The event that a job has come to `state`.
pub(crate) fn changed(id: JobId, plugin: &str, state: JobState) -> Outgoing {
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
