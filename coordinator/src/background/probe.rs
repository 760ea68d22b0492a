//! Sends a message through the heartbeat queue every second, so that the sweeper can tell a silent worker from a
//! silent broker or database.

use std::time::Duration;

use lapin::BasicProperties;
use shared::amqp::publisher::{Outgoing, Publisher};
use shared::amqp::topology::EVENTS_EXCHANGE;
use shared::error::Chain;
use shared::message::encode;
use shared::message::worker::WorkerMessage;
use tokio_util::sync::CancellationToken;

use crate::broker::Status;

/// Time between two probes.
const INTERVAL: Duration = Duration::from_secs(1);
/// A probe that is older than this, milliseconds, shows nothing any more.
const EXPIRATION_MS: &str = "5000";

/// Runs until `stop`; `user` is the RabbitMQ user that this coordinator is.
pub async fn run(publisher: Publisher, status: Status, user: String, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        if !status.connected() {
            continue;
        }
        let probe = WorkerMessage::Probe;
        let message = Outgoing {
            exchange: EVENTS_EXCHANGE,
            routing_key: format!("{user}.{}", probe.kind()),
            body: encode(&probe),
            properties: BasicProperties::default()
                .with_user_id(user.as_str().into())
                .with_expiration(EXPIRATION_MS.into()),
            mandatory: false,
        };
        if let Err(error) = publisher.publish(message).await {
            tracing::debug!("probe not sent: {}", Chain(&error));
        }
    }
}
