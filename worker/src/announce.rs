//! Introducing this worker: after each connect, then every minute, until a coordinator has answered.

use std::sync::Arc;
use std::time::Duration;

use shared::error::Chain;
use shared::message::reply::Reply;
use shared::message::worker::{Announcement, WorkerMessage};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::consume::Bench;
use crate::identity::Identity;
use crate::objects::Buckets;
use crate::requests::Requests;
use crate::roots::Roots;

/// Time between two announcements.
const INTERVAL: Duration = Duration::from_mins(1);
/// Pause before an unanswered announcement is repeated.
const PAUSE: Duration = Duration::from_secs(1);

/// What an announcement is made of.
#[derive(Debug)]
pub struct Announcer {
    /// Who we are.
    pub identity: Identity,
    /// What we can do.
    pub benches: Vec<Bench>,
    /// Folders that jobs may use.
    pub roots: Arc<Roots>,
    /// Places on object storage that they may use.
    pub buckets: Buckets,
    /// Asks coordinators.
    pub requests: Requests,
    /// Told after each connect.
    pub connected: Arc<Notify>,
}

impl Announcer {
    /// Announces until `end`; `drain` says that no new jobs are taken.
    pub async fn run(self, drain: CancellationToken, end: CancellationToken) {
        loop {
            let pause = if self.requests.connected() {
                tokio::select! {
                    pause = self.announce(drain.is_cancelled()) => pause,
                    () = end.cancelled() => return,
                }
            } else {
                PAUSE
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.connected.notified() => {}
                () = end.cancelled() => return,
            }
        }
    }

    /// Announces once; how long to wait until the next time.
    async fn announce(&self, draining: bool) -> Duration {
        let mut checks = self.roots.checks();
        checks.extend(self.buckets.checks().await);
        for bench in &self.benches {
            checks.extend(bench.plugin.checks().await);
        }
        let announcement = Announcement {
            worker_id: self.identity.id.clone(),
            name: self.identity.name.clone(),
            host: self.identity.host.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            plugins: self.benches.iter().map(|bench| bench.plugin.offer()).collect(),
            draining,
            checks,
        };
        match self.requests.ask(&WorkerMessage::Announce(announcement)).await {
            Ok(Reply::Refused { reason }) => {
                tracing::warn!("the coordinator refuses this worker: {reason}");
                INTERVAL
            }
            Ok(Reply::Announced) => {
                // All that is offered may be served.
                for bench in &self.benches {
                    bench.standing.allow(&bench.plugin.offer().name);
                }
                INTERVAL
            }
            Ok(_) => INTERVAL,
            Err(error) => {
                tracing::debug!("the announcement has no answer yet: {}", Chain(&error));
                PAUSE
            }
        }
    }
}
