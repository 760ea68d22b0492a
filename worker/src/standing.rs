//! Whether coordinators let this worker serve a plugin.
//!
//! A worker whose RabbitMQ user is not listed for a plugin gets none of its jobs. It takes no messages of it then, so
//! that they are left to those who may, and asks again from time to time.

use std::sync::Arc;
use std::time::Duration;

use shared::plugin::PluginName;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Pause before a plugin that was refused is tried again, unless a coordinator says sooner that it may be served.
const PAUSE: Duration = Duration::from_mins(1);

/// Where a worker stands with a plugin. Clones share it.
#[derive(Debug, Clone)]
pub struct Standing(Arc<watch::Sender<Now>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Now {
    /// It may serve it, as far as it knows.
    Allowed,
    /// It may not.
    Refused,
    /// It was refused, and asks again with one message.
    Trying,
}

impl Default for Standing {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Now::Allowed)))
    }
}

impl Standing {
    /// A coordinator has refused a claim for this reason.
    pub fn refuse(&self, plugin: &PluginName) {
        if self.0.send_replace(Now::Refused) == Now::Allowed {
            tracing::warn!(
                "coordinators do not let this worker's RabbitMQ user serve {plugin}: its messages are left to others; \
                 list the user for {plugin} with the coordinator's --worker-user, or give the worker another user"
            );
        }
    }

    /// A coordinator lets it.
    pub fn allow(&self, plugin: &PluginName) {
        if self.0.send_replace(Now::Allowed) != Now::Allowed {
            tracing::info!("coordinators let this worker serve {plugin} now");
        }
    }

    /// Whether the last word was that it may not.
    pub fn is_refused(&self) -> bool {
        *self.0.borrow() != Now::Allowed
    }

    /// Waits until it is refused.
    pub async fn refused(&self) {
        // The sender lives as long as this.
        let mut watched = self.0.subscribe();
        let _refused = watched.wait_for(|now| *now == Now::Refused).await;
    }

    /// Returns when messages may be taken: at once unless it was refused. `false` when `stop` came first.
    pub async fn may_try(&self, stop: &CancellationToken) -> bool {
        let mut watched = self.0.subscribe();
        tokio::select! {
            biased;
            () = stop.cancelled() => false,
            _ = watched.wait_for(|now| *now != Now::Refused) => true,
            () = tokio::time::sleep(PAUSE) => {
                self.0.send_if_modified(|now| {
                    let refused = *now == Now::Refused;
                    if refused {
                        *now = Now::Trying;
                    }
                    refused
                });
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_refused_plugin_is_tried_again_after_a_pause_and_stays_refused_until_it_is_allowed() {
        let (standing, stop) = (Standing::default(), CancellationToken::new());
        let plugin: PluginName = "OCR".parse().unwrap();
        assert!(standing.may_try(&stop).await && !standing.is_refused());
        for _ in 0..3 {
            standing.refuse(&plugin);
            let since = tokio::time::Instant::now();
            assert!(standing.may_try(&stop).await);
            assert_eq!(since.elapsed(), PAUSE);
            assert!(standing.is_refused(), "trying is not being allowed");
        }
        standing.refuse(&plugin);
        let allow = async {
            tokio::time::sleep(PAUSE / 2).await;
            standing.allow(&plugin);
        };
        let (tried, ()) = tokio::join!(standing.may_try(&stop), allow);
        assert!(tried && !standing.is_refused());
        standing.refuse(&plugin);
        stop.cancel();
        assert!(!standing.may_try(&stop).await);
    }
}
