//! Results of attempts.

use lapin::message::Delivery;
use metrics::{counter, histogram};
use shared::amqp::publisher::Outgoing;
use shared::failpoint::{self, Failpoint};
use shared::message::reply::{Reply, ResultAnswer};
use shared::message::worker::{AttemptResult, WorkerMessage};
use shared::metrics::{ATTEMPT_RUN, FENCED_RESULTS, JOB_WAIT, JOBS_FINISHED};

use super::batch::{Failure, Handler};
use super::events::Event;
use super::rejected::PutAway;
use super::{Broker, events, notifications};
use crate::db::finish::Finished;
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
        finished.iter().for_each(tell);
        self.0.changes.announce();
        let mut messages: Vec<Outgoing> = finished
            .iter()
            .map(|job| notifications::changed(job.id, &job.plugin, job.state))
            .collect();
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

/// Says in log and metrics that a job has ended.
pub(crate) fn tell(finished: &Finished) {
    let Finished {
        id, plugin, state, ..
    } = finished;
    tracing::info!(job.id = %id, job.plugin = %plugin, "job {id} ended: {state}");
    counter!(JOBS_FINISHED, "plugin" => plugin.clone(), "outcome" => state.as_str().to_lowercase())
        .increment(1);
    if let Some(seconds) = finished.wait_seconds {
        histogram!(JOB_WAIT, "plugin" => plugin.clone()).record(seconds);
    }
    if let Some(seconds) = finished.run_seconds {
        histogram!(ATTEMPT_RUN, "plugin" => plugin.clone()).record(seconds);
    }
}
