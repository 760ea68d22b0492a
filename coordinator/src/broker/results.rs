//! Results of attempts.

use lapin::message::Delivery;
use metrics::counter;
use shared::failpoint::{self, Failpoint};
use shared::message::reply::{Reply, ResultAnswer};
use shared::message::worker::{AttemptResult, WorkerMessage};
use shared::metrics::FENCED_RESULTS;

use super::batch::{Failure, Handler};
use super::events::Event;
use super::rejected::PutAway;
use super::{Broker, events};
use crate::db::results::Record;

pub(super) struct Results<'a>(pub(super) &'a Broker);

impl Handler for Results<'_> {
    const BEFORE_ACK: Failpoint = Failpoint::ResultBeforeAck;

    async fn handle(&self, batch: &[Delivery], put_away: &PutAway) -> Result<(), Failure> {
        let events = events::read(self.0, batch, put_away).await?;
        let (senders, results): (Vec<&Event<'_>>, Vec<AttemptResult>) = events
            .iter()
            .filter_map(|event| match &event.message {
                WorkerMessage::Result(result) => Some((event, result.clone())),
                _ => None,
            })
            .unzip();
        if results.is_empty() {
            return Ok(());
        }
        let users: Vec<&str> = senders.iter().map(|event| event.user).collect();
        let record = Record {
            results: &results,
            users: &users,
        };
        let (answers, finished) = self.0.db.run(&record).await?;
        failpoint::reach(Failpoint::ResultBeforeReply);
        self.0.notifier.ended(&finished);
        self.0.changes.announce();
        let mut messages = Vec::new();
        for (event, answer) in senders.into_iter().zip(answers) {
            if answer == ResultAnswer::Superseded {
                counter!(FENCED_RESULTS).increment(1);
            }
            messages.extend(event.answer(&Reply::Result { answer }));
        }
        events::send(self.0, messages).await;
        Ok(())
    }

    async fn refuse(&self, delivery: &Delivery, reason: &str, put_away: &PutAway) -> Result<(), Failure> {
        events::refuse(self.0, delivery, reason, put_away).await?;
        // Its worker must not send it for ever: the job goes on when its lease ends.
        if let Ok(event) = events::event(delivery) {
            let answer = event.answer(&Reply::Result {
                answer: ResultAnswer::Unknown,
            });
            events::send(self.0, answer.into_iter().collect()).await;
        }
        Ok(())
    }
}
