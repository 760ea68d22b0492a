//! Signs of life: every ten seconds or thrice a lease, and sooner when something has changed, at most once a second.
//!
//! A task of its own, which no busy plugin delays.

use std::time::Duration;

use shared::error::Chain;
use shared::message::reply::Reply;
use shared::message::worker::{AttemptReport, Heartbeat, WorkerMessage};
use tokio_util::sync::CancellationToken;

use crate::identity::{Identity, rss_bytes};
use crate::requests::Requests;
use crate::running::{Attempt, Running};

/// Longest time between two heartbeats.
const INTERVAL: Duration = Duration::from_secs(10);
/// Shortest time between two heartbeats.
const SHORTEST: Duration = Duration::from_secs(1);

/// Sends heartbeats until `end`. `stop` tells coordinators that this worker takes no new jobs.
pub async fn run(
    running: Running,
    requests: Requests,
    identity: Identity,
    stop: CancellationToken,
    end: CancellationToken,
) {
    let mut troubled = false;
    loop {
        if requests.connected() {
            let beaten = tokio::select! {
                beaten = beat(&running, &requests, &identity, stop.is_cancelled()) => beaten,
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
            () = tokio::time::sleep(interval(running.shortest_lease()).saturating_sub(SHORTEST)) => {}
            () = running.changed.notified() => {}
            () = end.cancelled() => return,
        }
    }
}

/// Two heartbeats may be lost before a lease ends.
fn interval(shortest_lease: Option<Duration>) -> Duration {
    shortest_lease.map_or(INTERVAL, |lease| INTERVAL.min(lease / 3))
}

/// Tells coordinators that this worker has ended, so that nobody counts on its slots; they notice anyway.
pub async fn farewell(requests: &Requests, identity: &Identity) {
    if requests.connected() {
        let nothing = Running::default();
        let last = beat(&nothing, requests, identity, true);
        if !matches!(tokio::time::timeout(SHORTEST, last).await, Ok(Ok(()))) {
            tracing::debug!("nobody heard that this worker ends");
        }
    }
}

async fn beat(
    running: &Running,
    requests: &Requests,
    identity: &Identity,
    draining: bool,
) -> Result<(), crate::requests::Error> {
    let attempts: Vec<Attempt> = running.all();
    let reports: Vec<AttemptReport> = attempts
        .iter()
        .map(|attempt| attempt.progress.report(attempt.job_id, attempt.token))
        .collect();
    let heartbeat = Heartbeat {
        worker_id: identity.id.clone(),
        rss_bytes: rss_bytes(),
        draining,
        attempts: reports.clone(),
    };
    let Reply::Heartbeat { verdicts } = requests.ask(&WorkerMessage::Heartbeat(heartbeat)).await? else {
        tracing::warn!("a heartbeat was answered with something else");
        return Ok(());
    };
    let mut more = false;
    for ((attempt, report), verdict) in attempts.iter().zip(&reports).zip(&verdicts) {
        if verdict.claim_id == attempt.token.claim_id {
            more |= attempt.progress.confirmed(report);
            running.obey(verdict.claim_id, verdict.verdict);
        }
    }
    if more {
        running.changed.notify_one();
    }
    Ok(())
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
