//! Takes tickets from Goobi's message broker into the one intake. Every coordinator does, where a broker is named.
//!
//! Invariants: a ticket is acknowledged only after its job has been committed, or after it was put away and Goobi was
//! told; a ticket that comes again is the same job; no ticket ends the connection or holds up the next one. One that
//! can't be put away, as RabbitMQ is away, is tried again later: until then it is Goobi's broker's, and others go on.
//! Goobi's broker hands out none any more when there are as many of these as it hands out at a time: waiting is right then,
//! as nobody could be told of the next one either.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use shared::amqp::publisher::Publisher;
use shared::error::Chain;
use shared::failpoint::{self, Failpoint};
use shared::lifecycle::finish_soon;
use shared::message::goobi::{Command, LogType, NewStatus, Step, Ticket};
use shared::message::submit::{SubmitReply, Token};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::config::Broker;
use super::connection::{self, Connection, Unconfirmed};
use super::frame::{BODY_MAX_BYTES, Frame};
use super::put_away::put_away;
use super::{Goobi, Status};
use crate::deliveries::{Answer, goobi_target};
use crate::intake::{self, Incoming, Intake};

/// Tickets that the broker hands out before the first is acknowledged.
const PREFETCH: &str = "10";
/// Time between two tries to put away a ticket.
const PUT_AWAY_PAUSE: Duration = Duration::from_secs(10);
/// First pause after a connection that failed; doubled each time.
const PAUSE_FIRST: Duration = Duration::from_secs(1);
/// Longest pause between two tries.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// A connection that lasted this long starts the pauses anew.
const SESSION_GOOD: Duration = Duration::from_mins(1);
/// How long a ticket may go on that is under way when the process is to end.
const ENDING: Duration = Duration::from_secs(5);

/// Why tickets can't be taken at the moment.
#[derive(Debug, thiserror::Error)]
enum Error {
    /// Goobi's broker.
    #[error(transparent)]
    Connection(#[from] connection::Error),
    /// Goobi's broker did not confirm the subscription.
    #[error(transparent)]
    Unconfirmed(#[from] Unconfirmed),
    /// The job could not be recorded.
    #[error(transparent)]
    Intake(#[from] intake::Error),
    /// A bad ticket could not be put away.
    #[error("a ticket can't be put away")]
    PutAway(#[from] shared::amqp::Error),
}

/// Takes tickets.
#[derive(Debug)]
pub struct Tickets {
    /// Goobi's message broker.
    pub broker: Broker,
    /// The way in for jobs.
    pub intake: Intake,
    /// Puts away what can't be accepted.
    pub publisher: Publisher,
    /// Is told whether tickets come in.
    pub status: Status,
}

impl Tickets {
    /// Runs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut pause = PAUSE_FIRST;
        while !stop.is_cancelled() {
            let began = Instant::now();
            let Err(error) = Box::pin(self.session(&stop)).await else {
                break;
            };
            let trouble = Chain(&error).to_string();
            if self.status.trouble().is_none_or(|known| known != trouble) {
                tracing::warn!(
                    "tickets of Goobi at {} can't be taken: {trouble}",
                    self.broker.address
                );
            }
            self.status.set(Some(trouble));
            if began.elapsed() > SESSION_GOOD {
                pause = PAUSE_FIRST;
            }
            tokio::select! {
                () = tokio::time::sleep(jittered(pause)) => {}
                () = stop.cancelled() => {}
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// One life of a connection; ends well only when the process is to end.
    async fn session(&self, stop: &CancellationToken) -> Result<(), Error> {
        let Some(connection) = finish_soon(stop, Duration::ZERO, self.subscribe()).await else {
            return Ok(());
        };
        let mut connection = connection?;
        tracing::info!(
            "tickets of Goobi are taken from {} at {}",
            self.broker.tickets,
            self.broker.address
        );
        self.status.set(None);
        let mut left: VecDeque<Frame> = VecDeque::new();
        let mut again = tokio::time::interval(PUT_AWAY_PAUSE);
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let frame = tokio::select! {
                frame = connection.next() => frame?,
                _ = again.tick(), if !left.is_empty() && self.publisher.usable() => {
                    left.pop_front().expect("there is one")
                }
                () = stop.cancelled() => {
                    // What is not acknowledged goes to others; that nobody hears this changes nothing.
                    let _ended = connection.send(&Frame::new("DISCONNECT", &[])).await;
                    return Ok(());
                }
            };
            let (Some(ack), "MESSAGE") = (frame.header("ack"), frame.command.as_str()) else {
                continue;
            };
            let taking = Box::pin(connection.beating(self.take(&frame)));
            match finish_soon(stop, ENDING, taking).await {
                None => return Ok(()),
                Some(taken) => match taken? {
                    Err(Error::PutAway(error)) => {
                        if left.is_empty() {
                            tracing::warn!("a ticket of Goobi can't be put away yet: {}", Chain(&error));
                        }
                        left.push_back(frame);
                        self.status.set(Some(format!(
                            "{} of its tickets can't be put away: {}",
                            left.len(),
                            Chain(&error)
                        )));
                        continue;
                    }
                    other => other?,
                },
            }
            failpoint::reach(Failpoint::TicketBeforeAck);
            connection.send(&Frame::new("ACK", &[("id", ack)])).await?;
            if left.is_empty() {
                self.status.set(None);
            }
        }
    }

    async fn subscribe(&self) -> Result<Connection, Error> {
        let mut connection = Connection::open(&self.broker).await?;
        let subscribe = Frame::new(
            "SUBSCRIBE",
            &[
                ("id", "tickets"),
                ("destination", &format!("/queue/{}", self.broker.tickets)),
                ("ack", "client-individual"),
                // ActiveMQ and others have names of their own for it.
                ("activemq.prefetchSize", PREFETCH),
                ("prefetch-count", PREFETCH),
            ],
        );
        connection.confirmed(subscribe).await?;
        Ok(connection)
    }

    /// Records a ticket's job, or puts the ticket away; afterwards it may be acknowledged.
    async fn take(&self, frame: &Frame) -> Result<(), Error> {
        let ticket = if frame.lost > 0 {
            Ticket::unreadable(format!("the ticket is larger than {BODY_MAX_BYTES} bytes"))
        } else {
            Ticket::read(&frame.body)
        };
        let reason = match ticket.job {
            Err(rejection) => rejection.reason,
            Ok(mut submission) => {
                submission.callback_url = Some(goobi_target(&self.broker.commands));
                let incoming = Incoming {
                    submission,
                    submitted_by: "goobi".to_owned(),
                    keys: key(frame).into_iter().collect(),
                    told_by_goobis_queue: true,
                };
                match self.intake.submit(incoming).await? {
                    SubmitReply::Accepted { .. } | SubmitReply::Duplicate { .. } => return Ok(()),
                    SubmitReply::Rejected { reason } => reason,
                }
            }
        };
        self.put_away(frame, &reason).await?;
        match (ticket.step, ticket.jwt) {
            (Some(step), Some(jwt)) => self.tell(frame, step, ticket.step_name, &jwt, &reason).await,
            // Nobody knows whom.
            _ => Ok(()),
        }
    }

    async fn put_away(&self, frame: &Frame, reason: &str) -> Result<(), Error> {
        Ok(put_away(&self.publisher, &self.broker.tickets, &frame.body, reason).await?)
    }

    /// Tells Goobi that a step can't be done: its journal says why, and the step is in error.
    async fn tell(
        &self,
        frame: &Frame,
        step: Step,
        step_name: Option<String>,
        jwt: &Token,
        reason: &str,
    ) -> Result<(), Error> {
        let goobi = Goobi::new(self.broker.clone());
        let why = format!("The task manager can't accept this step: {reason}");
        let commands = [
            Command::journal(step.clone(), LogType::Error, &why),
            Command::ChangeStep {
                step,
                step_name,
                new_status: NewStatus::Error,
                number_of_objects: 0,
            },
        ];
        for command in commands {
            let (answer, said) = goobi.tell(&command, Some(jwt)).await;
            if answer != Answer::Taken {
                // Once is enough: the ticket must not hold up the next one. A person sees it.
                let untold =
                    format!("Goobi could not be told ({said}) that this step can't be accepted: {reason}");
                return self.put_away(frame, &untold).await;
            }
        }
        Ok(())
    }
}

/// By what a ticket is known that comes again: the id that its sender or the broker gave it, and keeps.
fn key(frame: &Frame) -> Option<String> {
    let id = frame
        .header("amqp-message-id")
        .or_else(|| frame.header("message-id"))?;
    let plain = !id.is_empty() && !id.contains('\0') && id.chars().count() <= 300;
    plain.then(|| format!("goobi:{id}"))
}

/// Somewhere between half of `pause` and all of it, so that many processes do not come back in step.
fn jittered(pause: Duration) -> Duration {
    let random = u32::from(uuid::Uuid::new_v4().as_bytes()[0]);
    pause / 2 + pause / 2 * random / 255
}
