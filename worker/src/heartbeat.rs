//! Signs of life: every ten seconds or thrice a lease, and sooner when something has changed, at most once a second.
//!
//! A task of its own, which no busy plugin delays.

use std::time::Duration;

use shared::error::Chain;
use shared::message::reply::{Reply, Verdict};
use shared::message::worker::{AttemptReport, Heartbeat, WorkerMessage};
use tokio_util::sync::CancellationToken;

use crate::identity::{Identity, rss_bytes};
use crate::inventory::Inventory;
use crate::requests::Requests;
use crate::running::{Attempt, Running};
use crate::stores::Removals;

/// Longest time between two heartbeats.
const INTERVAL: Duration = Duration::from_secs(10);
/// Shortest time between two heartbeats.
const SHORTEST: Duration = Duration::from_secs(1);

/// What heartbeats are made of, and who does what their answers say.
#[derive(Debug)]
pub struct Heart {
    /// The attempts in hand.
    pub running: Running,
    /// Item stores that are to be removed.
    pub removals: Removals,
    /// Item stores that coordinators are told of.
    pub inventory: Inventory,
    /// Asks coordinators.
    pub requests: Requests,
    /// Who we are.
    pub identity: Identity,
    /// Cancelled when this worker takes no new jobs any more, because it was told so here or elsewhere.
    pub drain: CancellationToken,
}

/// Sends heartbeats until `end`.
pub async fn run(heart: Heart, end: CancellationToken) {
    let (running, requests) = (&heart.running, &heart.requests);
    let mut troubled = false;
    loop {
        if requests.connected() {
            let beaten = tokio::select! {
                beaten = beat(&heart) => beaten,
                () = end.cancelled() => return,
            };
            match beaten {
                Ok(()) => troubled = false,
                // The connection is closed at the same moment, and may be faster.
                Err(_) if end.is_cancelled() => return,
                Err(error) if !troubled => {
                    tracing::warn!("heartbeat without an answer: {}", Chain(&error));
                    troubled = true;
                }
                Err(_) => {}
            }
        }
        tokio::select! {
            () = tokio::time::sleep(SHORTEST) => {}
            () = end.cancelled() => return,
        }
        tokio::select! {
            () = tokio::time::sleep(interval(running.least_patience()).saturating_sub(SHORTEST)) => {}
            () = running.changed.notified() => {}
            () = end.cancelled() => return,
        }
    }
}

/// Two heartbeats may be lost before an attempt's patience ends.
fn interval(least_patience: Option<Duration>) -> Duration {
    least_patience.map_or(INTERVAL, |patience| INTERVAL.min(patience / 3))
}

/// Tells coordinators that this worker has ended, so that nobody counts on its slots; they notice anyway.
pub async fn farewell(requests: &Requests, identity: &Identity) {
    if requests.connected() {
        let drain = CancellationToken::new();
        drain.cancel();
        let nothing = Heart {
            running: Running::default(),
            removals: Removals::default(),
            inventory: Inventory::default(),
            requests: requests.clone(),
            identity: identity.clone(),
            drain,
        };
        let last = beat(&nothing);
        if !matches!(tokio::time::timeout(SHORTEST, last).await, Ok(Ok(()))) {
            tracing::debug!("nobody heard that this worker ends");
        }
    }
}

async fn beat(heart: &Heart) -> Result<(), crate::requests::Error> {
    let Heart {
        running,
        removals,
        inventory,
        requests,
        identity,
        drain,
    } = heart;
    let removed = removals.ended();
    let stores = inventory.next();
    let attempts: Vec<Attempt> = running.all();
    let reports: Vec<AttemptReport> = attempts
        .iter()
        .map(|attempt| attempt.progress.report(attempt.job_id, attempt.token))
        .collect();
    let heartbeat = Heartbeat {
        worker_id: identity.id.clone(),
        rss_bytes: rss_bytes(),
        draining: drain.is_cancelled(),
        attempts: reports.clone(),
        removals: removed.clone(),
        stores: stores.clone(),
    };
    let Reply::Heartbeat {
        verdicts,
        drain: wanted,
        remove_stores,
        forget_stores,
        tell_stores_again,
        list_stores,
    } = requests.ask(&WorkerMessage::Heartbeat(heartbeat)).await?
    else {
        tracing::warn!("a heartbeat was answered with something else");
        return Ok(());
    };
    removals.confirmed(&removed);
    removals.add(remove_stores);
    removals.forget(forget_stores);
    if let Some(portion) = stores.as_ref().filter(|_| !tell_stores_again) {
        inventory.told(portion);
    }
    if let Some(request) = list_stores {
        inventory.ask(request);
    }
    if wanted {
        told_to_drain(drain);
    }
    // What is to be told again waits: others work with those stores.
    let mut more = !tell_stores_again && inventory.next().is_some();
    for ((attempt, report), verdict) in attempts.iter().zip(&reports).zip(&verdicts) {
        if verdict.claim_id == attempt.token.claim_id {
            more |= attempt.progress.confirmed(report);
            running.obey(verdict.claim_id, verdict.verdict);
            if let Some(asked) = report.transfer.filter(|_| verdict.verdict != Verdict::Lost) {
                attempt.progress.transfer().hear(asked, verdict.transfer.as_ref());
            }
        }
    }
    if more {
        running.changed.notify_one();
    }
    Ok(())
}

/// A coordinator wants this worker to end once it has given back its jobs.
pub fn told_to_drain(drain: &CancellationToken) {
    if !drain.is_cancelled() {
        tracing::info!("told to drain: jobs are given back at their next items, and no new ones are taken");
        drain.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_lease_is_renewed_thrice_in_its_time() {
        assert_eq!(interval(Some(Duration::from_secs(6))), Duration::from_secs(2));
        assert_eq!(interval(Some(Duration::from_mins(1))), INTERVAL);
        assert_eq!(interval(None), INTERVAL);
    }
}
