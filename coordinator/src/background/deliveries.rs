//! Sends what other systems are to be told. Every coordinator does; each delivery is one's at a time.
//!
//! Invariants: few requests are under way at once, and fewer to one host, so that one that hangs holds up no other;
//! dying at any point costs at most a repetition, which the receiver knows by its id.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use metrics::counter;
use shared::error::Chain;
use shared::lifecycle::finish_soon;
use shared::metrics::DELIVERIES;
use shared::telemetry::Trouble;
use tokio_util::sync::CancellationToken;

use super::PATIENCE;
use crate::db::deliveries::{Settle, Settled, Take};
use crate::db::notify::Changes;
use crate::db::{Db, Error};
use crate::deliveries::{Answer, Delivery, Message, Next, Patience, Post, next, of_name};
use crate::goobi::Goobi;
use crate::secrets::Secrets;

/// How often the table is looked at when nothing is under way.
const INTERVAL: Duration = Duration::from_secs(1);
/// Most requests under way.
const UNDER_WAY_MAX: usize = 32;
/// Most of them to one host.
const UNDER_WAY_PER_HOST: i32 = 4;
/// How much longer than its request a delivery is its coordinator's, so that the answer can be recorded.
const RECORDING: Duration = Duration::from_secs(10);
/// Pause before recording an answer is tried again.
const RECORDING_PAUSE: Duration = Duration::from_secs(1);

/// Sends deliveries.
#[derive(Debug)]
pub struct Sender {
    /// The database.
    pub db: Db,
    /// Is told what became of them.
    pub changes: Changes,
    /// Sends the requests.
    pub post: Post,
    /// The Goobi whose tickets are taken.
    pub goobi: Option<Goobi>,
    /// Opens tokens.
    pub secrets: Arc<Secrets>,
    /// How long is tried.
    pub patience: Patience,
}

impl Sender {
    /// Runs until `stop`; what is under way then may end within seconds.
    pub async fn run(self, stop: CancellationToken) {
        let mut trouble = Trouble::none("deliveries to other systems can't be looked at");
        let mut hosts: HashMap<String, i32> = HashMap::new();
        let mut under_way = FuturesUnordered::new();
        while !stop.is_cancelled() {
            let room = UNDER_WAY_MAX - under_way.len().min(UNDER_WAY_MAX);
            let mut ended: Vec<String> = Vec::new();
            let taken = {
                let taking = self.take(room, &hosts, &stop);
                tokio::pin!(taking);
                // What is under way goes on meanwhile: a slow database must not use up a request's time.
                loop {
                    tokio::select! {
                        taken = &mut taking => break taken,
                        Some(host) = under_way.next(), if !under_way.is_empty() => ended.push(host),
                    }
                }
            };
            for host in ended {
                leave(&mut hosts, &host);
            }
            match taken {
                None => break,
                Some(Ok(taken)) => {
                    trouble.ends();
                    for delivery in taken {
                        *hosts.entry(delivery.host.clone()).or_default() += 1;
                        under_way.push(self.deliver(delivery));
                    }
                }
                Some(Err(error)) => trouble.begins(&error),
            }
            tokio::select! {
                Some(host) = under_way.next(), if !under_way.is_empty() => leave(&mut hosts, &host),
                () = tokio::time::sleep(INTERVAL) => {}
                () = stop.cancelled() => {}
            }
        }
        // What is cut off here is sent again when its lease is over.
        finish_soon(&stop, PATIENCE, under_way.collect::<Vec<String>>()).await;
    }

    /// Takes what is due, as long as there is room; `None` when it took too long to stop.
    async fn take(
        &self,
        room: usize,
        hosts: &HashMap<String, i32>,
        stop: &CancellationToken,
    ) -> Option<Result<Vec<Delivery>, Error>> {
        if room == 0 {
            return Some(Ok(Vec::new()));
        }
        let take = Take {
            limit: i64::try_from(room).unwrap_or_default(),
            limit_per_host: UNDER_WAY_PER_HOST,
            under_way: hosts,
            lease_seconds: (self.post.timeout + RECORDING).as_secs_f64(),
        };
        finish_soon(stop, PATIENCE, self.db.run_where_known(&take)).await
    }

    /// Sends one and records what became of it; gives its host.
    async fn deliver(&self, delivery: Delivery) -> String {
        let (answer, said) = self.send(&delivery).await;
        let trying = Duration::try_from_secs_f64(delivery.trying_seconds).unwrap_or_default();
        let next = next(
            &answer,
            delivery.repeatable,
            delivery.tries,
            trying,
            self.patience,
        );
        let kind = delivery.kind.clone();
        let outcome = match next {
            Next::Delivered => "delivered",
            Next::TryAgain(_) => "retry",
            Next::GiveUp => "failed",
            Next::AskPerson => "unclear",
        };
        counter!(DELIVERIES, "kind" => kind, "outcome" => outcome).increment(1);
        match next {
            Next::Delivered => tracing::info!(
                job.id = %delivery.job_id, "{} of job {} delivered to {}", delivery.kind, delivery.job_id, delivery.host
            ),
            // The job's page says it; a receiver that is away for days must not fill the log.
            Next::TryAgain(_) => tracing::debug!(
                job.id = %delivery.job_id, "{} of job {} is tried again: {said}", delivery.kind, delivery.job_id
            ),
            Next::GiveUp | Next::AskPerson => tracing::warn!(
                job.id = %delivery.job_id,
                "{} of job {} to {} needs a person ({outcome} after {} tries): {said}",
                delivery.kind, delivery.job_id, delivery.host, delivery.tries
            ),
        }
        self.record(&delivery, next, &said).await;
        delivery.host
    }

    async fn send(&self, delivery: &Delivery) -> (Answer, String) {
        let token = delivery.token.as_deref();
        let token = match token
            .map(|sealed| self.secrets.open(delivery.job_id, sealed))
            .transpose()
        {
            Ok(token) => token,
            Err(error) => return (Answer::Impossible, error.to_string()),
        };
        match of_name(&delivery.kind) {
            Some(kind) => match (kind.message(delivery, token.as_ref()), &self.goobi) {
                (Message::Post(request), _) => self.post.send(&request).await,
                (Message::ToGoobi(Err(problem)), _) => (Answer::Impossible, problem),
                (Message::ToGoobi(Ok(command)), Some(goobi)) => goobi.tell(&command, token.as_ref()).await,
                (Message::ToGoobi(Ok(_)), None) => (
                    Answer::Impossible,
                    "this coordinator knows no Goobi: set --goobi-stomp-url".to_owned(),
                ),
            },
            None => (
                Answer::Impossible,
                format!("this release knows no {}", delivery.kind),
            ),
        }
    }

    /// Records an answer, as long as nobody else can have the delivery.
    async fn record(&self, delivery: &Delivery, next: Next, said: &str) {
        let settle = Settle {
            id: delivery.id,
            lease_id: delivery.lease_id,
            next,
            answer: said,
        };
        let recorded = async {
            loop {
                match self.db.run(&settle).await {
                    Ok(settled) => return settled,
                    Err(error) => tracing::debug!("an answer can't be recorded now: {}", Chain(&error)),
                }
                tokio::time::sleep(RECORDING_PAUSE).await;
            }
        };
        match tokio::time::timeout(RECORDING, recorded).await {
            Ok(Settled::Recorded) => self.changes.announce(),
            Ok(Settled::Superseded) => {
                tracing::debug!("another coordinator has sent {} meanwhile", delivery.id);
            }
            Err(_) => tracing::warn!(
                "what became of {} of job {} could not be recorded; it may be sent twice",
                delivery.kind,
                delivery.job_id
            ),
        }
    }
}

/// A request to this host is over.
fn leave(hosts: &mut HashMap<String, i32>, host: &str) {
    if let Some(number) = hosts.get_mut(host) {
        *number -= 1;
    }
    hosts.retain(|_, number| *number > 0);
}

#[cfg(test)]
mod tests;
