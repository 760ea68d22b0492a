//! Comparing the broker with the truth: queues that are missing are made, messages that are gone are sent again.
//!
//! Idempotent and without input: it reads both sides each time. A message sent once too often is refused at its
//! claim, so doubt is always resolved by sending.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use shared::amqp::Error;
use shared::amqp::link::Session;
use shared::amqp::topology::{self, Depth};
use shared::error::Chain;
use shared::failpoint::{self, Failpoint};
use shared::lifecycle::finish_soon;
use shared::plugin::PluginName;
use shared::telemetry::Trouble;
use tokio_util::sync::CancellationToken;

use super::Broker;
use crate::db::dispatch::{Redispatch, Unclaimed};
use crate::db::plugins::All;

/// How often both sides are compared.
const INTERVAL: Duration = Duration::from_secs(5);
/// How long a comparison may take once the process is to stop.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a published job may stay unclaimed before its message counts as lost, seconds.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Where its queue has been empty for as long, although workers wait for messages.
    pub emptied_seconds: f64,
    /// Where its queue holds fewer messages than jobs are published.
    pub thinned_seconds: f64,
}

pub(super) async fn run(broker: &Broker, session: &Session, stop: &CancellationToken) -> Result<(), Error> {
    let mut trouble = Trouble::none("the queues can't be compared with the database");
    let mut empty = Empty::default();
    loop {
        match finish_soon(stop, PATIENCE, compare(broker, session, &mut trouble, &mut empty)).await {
            Some(compared) => compared?,
            None => return Ok(()),
        }
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = broker.queue_missing.notified() => {}
            () = stop.cancelled() => return Ok(()),
        }
    }
}

async fn compare(
    broker: &Broker,
    session: &Session,
    trouble: &mut Trouble,
    empty: &mut Empty,
) -> Result<(), Error> {
    let mut others = topology::declare_fixed(session, broker.queue_type).await?;
    let unclaimed = Unclaimed {
        older_than_seconds: broker.patience.emptied_seconds,
    };
    let (plugins, unclaimed) = match tokio::try_join!(broker.db.run(&All), broker.db.run(&unclaimed)) {
        Ok(read) => read,
        Err(error) => {
            trouble.begins(&error);
            return Ok(());
        }
    };
    trouble.ends();
    for plugin in &plugins {
        let name = &plugin.name;
        match topology::depth(session, &name.queue()).await? {
            None => make_queue(broker, session, name).await?,
            Some(depth) => {
                broker.status.set_queue_missing(&name.queue(), false);
                others.extend(topology::declare_plugin_queue(session, name, broker.queue_type).await?);
                let empty_for = empty.seen(name, depth, Instant::now());
                let doubtful = unclaimed.iter().find(|(plugin, _, _)| plugin == name);
                let patience = &broker.patience;
                if doubtful
                    .is_some_and(|(_, published, age)| is_lost(depth, empty_for, *published, *age, patience))
                {
                    redispatch(broker, name, "messages are missing from its queue").await;
                }
            }
        }
    }
    broker.status.set_other_arguments(others);
    Ok(())
}

/// Since when each plugin's queue has been empty, comparison after comparison.
#[derive(Debug, Default)]
struct Empty(HashMap<PluginName, Instant>);

impl Empty {
    /// How long the queue has been empty although workers wait for messages; zero where it is not.
    fn seen(&mut self, plugin: &PluginName, depth: Depth, now: Instant) -> Duration {
        if depth.ready > 0 || depth.consumers == 0 {
            self.0.remove(plugin);
            return Duration::ZERO;
        }
        now.duration_since(*self.0.entry(plugin.clone()).or_insert(now))
    }
}

/// Whether messages must be gone: for long nothing has been ready although jobs are published and idle consumers would
/// have taken them, or for very long fewer are ready than are published. A queue that has just run empty is neither:
/// its last messages are with workers whose claims are under way.
fn is_lost(depth: Depth, empty_for: Duration, published: i64, age_seconds: f64, patience: &Patience) -> bool {
    let emptied = empty_for.as_secs_f64() >= patience.emptied_seconds;
    let thinned = age_seconds > patience.thinned_seconds && i64::from(depth.ready) < published;
    emptied || thinned
}

/// Makes a plugin's queue where it is missing; what it held before is sent again.
///
/// The jobs are marked first and the queue made afterwards: as long as it is missing nothing can be published, so
/// none is sent again that was sent to the new queue. One at a time, so that the second finds the first one's queue.
pub(super) async fn make_queue(broker: &Broker, session: &Session, plugin: &PluginName) -> Result<(), Error> {
    let _one_at_a_time = broker.making_queues.lock().await;
    if topology::depth(session, &plugin.queue()).await?.is_some() {
        return Ok(());
    }
    broker.status.set_queue_missing(&plugin.queue(), true);
    if redispatch(broker, plugin, "its queue had to be made anew").await {
        failpoint::reach(Failpoint::ResendBeforeQueue);
        topology::declare_plugin_queue(session, plugin, broker.queue_type).await?;
        broker.status.set_queue_missing(&plugin.queue(), false);
        // What waited for the queue can be published now.
        broker.changes.announce();
    }
    Ok(())
}

/// Whether it could be done.
async fn redispatch(broker: &Broker, plugin: &PluginName, why: &str) -> bool {
    match broker.db.run(&Redispatch { plugin }).await {
        Ok(0) => true,
        Ok(jobs) => {
            tracing::warn!(job.plugin = %plugin, "{jobs} jobs of {plugin} are sent again: {why}");
            broker.changes.announce();
            true
        }
        // The next comparison finds the same again.
        Err(error) => {
            tracing::warn!("jobs of {plugin} can't be sent again now: {}", Chain(&error));
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_that_stays_empty_is_noticed_and_a_thinned_one_after_long() {
        let depth = |ready, consumers| Depth { ready, consumers };
        let patience = Patience {
            emptied_seconds: 30.0,
            thinned_seconds: 600.0,
        };
        let is_lost = |depth, empty, published, age| {
            is_lost(depth, Duration::from_secs(empty), published, age, &patience)
        };
        assert!(is_lost(depth(0, 1), 30, 5, 31.0));
        assert!(
            !is_lost(depth(0, 1), 5, 5, 31.0),
            "the last ones are being claimed"
        );
        assert!(!is_lost(depth(3, 1), 0, 5, 31.0));
        assert!(is_lost(depth(3, 1), 0, 5, 601.0));
        assert!(!is_lost(depth(5, 1), 0, 5, 601.0));
    }

    #[test]
    fn a_queue_is_empty_since_it_was_first_seen_so_and_not_where_nobody_would_take_anything() {
        let depth = |ready, consumers| Depth { ready, consumers };
        let (mut empty, plugin) = (Empty::default(), "OCR".parse().unwrap());
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        let mut seen = |depth, seconds| empty.seen(&plugin, depth, at(seconds)).as_secs();
        assert_eq!((seen(depth(0, 1), 0), seen(depth(0, 2), 5)), (0, 5));
        assert_eq!((seen(depth(1, 1), 10), seen(depth(0, 1), 15)), (0, 0));
        assert_eq!(
            (
                seen(depth(0, 0), 20),
                seen(depth(0, 1), 25),
                seen(depth(0, 1), 60)
            ),
            (0, 0, 35)
        );
    }
}
