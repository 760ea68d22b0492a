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

use super::{Broker, Rejected};
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
    /// Where its queue holds fewer messages than jobs are published; twice as long each time that sending them again has
    /// not helped.
    pub thinned_seconds: f64,
}

pub(super) async fn run(broker: &Broker, session: &Session, stop: &CancellationToken) -> Result<(), Error> {
    let mut trouble = Trouble::none("the queues can't be compared with the database");
    let mut seen = Seen::default();
    loop {
        match finish_soon(stop, PATIENCE, compare(broker, session, &mut trouble, &mut seen)).await {
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
    seen: &mut Seen,
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
                let doubtful = unclaimed.iter().find(|(plugin, _, _)| plugin == name);
                let (published, age) = doubtful.map_or((0, 0.0), |(_, published, age)| (*published, *age));
                if seen.is_lost(name, depth, published, age, &broker.patience, Instant::now()) {
                    redispatch(broker, name, "messages are missing from its queue").await;
                }
            }
        }
    }
    broker.status.set_other_arguments(others);
    let ready = async |queue| {
        Ok::<_, Error>(
            topology::depth(session, queue)
                .await?
                .map_or(0, |depth| depth.ready),
        )
    };
    broker.status.set_rejected(Rejected {
        submissions: ready(topology::SUBMIT_REJECTED_QUEUE).await?,
        events: ready(topology::EVENTS_REJECTED_QUEUE).await?,
    });
    Ok(())
}

/// Longest patience with a queue that stays thinned, as a multiple of the first one: ten hours.
const THINNED_TIMES_MAX: f64 = 64.0;

/// What was seen of the queues, comparison after comparison.
#[derive(Debug, Default)]
struct Seen {
    /// Since when a queue has been empty although workers wait for messages.
    empty_since: HashMap<PluginName, Instant>,
    /// How many times as much patience there is with a thinned queue as at first.
    thinned_times: HashMap<PluginName, f64>,
}

impl Seen {
    /// Whether messages must be gone: for long nothing has been ready although jobs are published and idle consumers
    /// would have taken them, or for very long fewer are ready than are published. A queue that has just run empty is
    /// neither: its last messages are with workers whose claims are under way.
    ///
    /// `published` jobs are unclaimed, the oldest for `age_seconds`.
    fn is_lost(
        &mut self,
        plugin: &PluginName,
        depth: Depth,
        published: i64,
        age_seconds: f64,
        patience: &Patience,
        now: Instant,
    ) -> bool {
        let empty_for = self.empty_for(plugin, depth, now);
        if published == 0 {
            return false;
        }
        if i64::from(depth.ready) >= published {
            self.thinned_times.remove(plugin);
            return false;
        }
        let emptied = empty_for >= patience.emptied_seconds;
        let times = self.thinned_times.get(plugin).copied().unwrap_or(1.0);
        let thinned = age_seconds > patience.thinned_seconds * times;
        if thinned {
            let longer = (times * 2.0).min(THINNED_TIMES_MAX);
            self.thinned_times.insert(plugin.clone(), longer);
        }
        emptied || thinned
    }

    /// How long the queue has been empty although workers wait for messages, seconds; zero where it is not.
    fn empty_for(&mut self, plugin: &PluginName, depth: Depth, now: Instant) -> f64 {
        if depth.ready > 0 || depth.consumers == 0 {
            self.empty_since.remove(plugin);
            return 0.0;
        }
        let since = *self.empty_since.entry(plugin.clone()).or_insert(now);
        now.duration_since(since).as_secs_f64()
    }
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

    const PATIENCE: Patience = Patience {
        emptied_seconds: 30.0,
        thinned_seconds: 600.0,
    };

    fn depth(ready: u32, consumers: u32) -> Depth {
        Depth { ready, consumers }
    }

    #[test]
    fn a_queue_that_stays_empty_although_workers_wait_is_noticed() {
        let (mut seen, plugin, began) = (Seen::default(), "OCR".parse().unwrap(), Instant::now());
        let mut is_lost = |depth, published, seconds| {
            let now = began + Duration::from_secs(seconds);
            seen.is_lost(&plugin, depth, published, 31.0, &PATIENCE, now)
        };
        assert!(!is_lost(depth(0, 1), 5, 0), "the last ones are being claimed");
        assert!(!is_lost(depth(0, 2), 5, 29));
        assert!(is_lost(depth(0, 2), 5, 30));
        assert!(!is_lost(depth(0, 2), 0, 31), "there is nothing to be lost");
        assert!(!is_lost(depth(3, 1), 5, 32), "it is not empty");
        assert!(!is_lost(depth(0, 1), 5, 40), "not for long");
        assert!(!is_lost(depth(0, 0), 5, 60), "nobody would take anything");
        assert!(!is_lost(depth(0, 1), 5, 89));
        assert!(!is_lost(depth(0, 1), 5, 118));
        assert!(is_lost(depth(0, 1), 5, 119));
    }

    #[test]
    fn a_thinned_queue_is_noticed_after_long_and_later_each_time_that_it_stays_so() {
        let (mut seen, plugin) = (Seen::default(), "OCR".parse().unwrap());
        let mut is_lost = |ready, published, age| {
            seen.is_lost(
                &plugin,
                depth(ready, 1),
                published,
                age,
                &PATIENCE,
                Instant::now(),
            )
        };
        // Sent again, its jobs' messages are new: they grow old anew.
        for minutes in [10.0, 20.0, 40.0] {
            assert!(!is_lost(3, 5, minutes * 60.0 - 1.0), "{minutes}");
            assert!(is_lost(3, 5, minutes * 60.0 + 1.0), "{minutes}");
            assert!(!is_lost(3, 0, 0.0));
        }
        assert!(!is_lost(5, 5, 9_999.0), "all messages are there");
        assert!(is_lost(3, 5, 601.0), "it has begun anew");
        for _ in 0..20 {
            is_lost(3, 5, 999_999.0);
        }
        assert!(is_lost(3, 5, 64.0 * 600.0 + 1.0), "but not for ever");
    }
}
