//! Introducing this worker: after each connect, then every minute, until a coordinator has answered.

use std::sync::Arc;
use std::time::Duration;

use shared::error::Chain;
use shared::message::reply::Reply;
use shared::message::worker::{Announcement, WorkerMessage};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::identity::Identity;
use crate::requests::Requests;
use crate::self_check::SelfCheck;

/// Time between two announcements.
const INTERVAL: Duration = Duration::from_mins(1);
/// Pause before an unanswered announcement is repeated.
const PAUSE: Duration = Duration::from_secs(1);

/// What an announcement is made of.
#[derive(Debug)]
pub struct Announcer {
    /// Who we are.
    pub identity: Identity,
    /// What we can do, and what we find out about ourselves.
    pub self_check: SelfCheck,
    /// Programs that templates call; `None` before a coordinator has told.
    pub programs: Option<Vec<String>>,
    /// Asks coordinators.
    pub requests: Requests,
    /// Told after each connect.
    pub connected: Arc<Notify>,
}

impl Announcer {
    /// Announces until `end`; `drain` says that no new jobs are taken.
    pub async fn run(mut self, drain: CancellationToken, end: CancellationToken) {
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
    async fn announce(&mut self, draining: bool) -> Duration {
        let checks = self
            .self_check
            .look(self.programs.as_deref().unwrap_or_default())
            .await;
        let benches = &self.self_check.benches;
        let announcement = Announcement {
            worker_id: self.identity.id.clone(),
            name: self.identity.name.clone(),
            host: self.identity.host.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            plugins: benches.iter().map(|bench| bench.plugin.offer()).collect(),
            draining,
            checks,
            roots: self.self_check.roots(),
        };
        match self.requests.ask(&WorkerMessage::Announce(announcement)).await {
            Ok(Reply::Refused { reason }) => {
                tracing::warn!("the coordinator refuses this worker: {reason}");
                INTERVAL
            }
            Ok(Reply::Announced { programs }) => {
                // All that is offered may be served.
                for bench in benches {
                    bench.standing.allow(&bench.plugin.offer().name);
                }
                // One that is missing is told at once the first time; all else with the next announcement.
                let soon = self.programs.is_none() && self.self_check.lacks(&programs).await;
                self.programs = Some(programs);
                if soon { PAUSE } else { INTERVAL }
            }
            Ok(_) => INTERVAL,
            Err(error) => {
                tracing::debug!("the announcement has no answer yet: {}", Chain(&error));
                PAUSE
            }
        }
    }
}
