//! Submitters as a site has them: each repeats what is not acknowledged, and notes each acknowledgement.
//!
//! **Invariant**: what an acknowledgement is, only the submitter's side says: an answer, or for those that ask for none
//! the broker's confirm.

mod amqp;
mod http;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Value, json};
use shared::job::JobId;
use shared::message::submit::SubmitReply;

use super::journal::Journal;
use super::random::Random;
use super::site::{self, Site};

/// Pause before a submission is repeated.
const PAUSE: Duration = Duration::from_millis(250);
/// How long an answer may take before the submission is repeated.
const PATIENCE: Duration = Duration::from_secs(5);

/// One job that somebody wants done.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) number: u32,
    at_ms: u64,
    pub(super) way: Way,
    pub(super) kind: Kind,
    /// Items that it is to have written.
    pub(super) items: u32,
    body: Value,
    /// Submitted once more after it was acknowledged.
    again: bool,
}

impl Order {
    /// When it is submitted for the first time.
    pub(super) fn at_ms(&self) -> u64 {
        self.at_ms
    }
}

/// How it is submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// A message that asks for an answer.
    Answered,
    /// A message whose confirm has to do.
    Confirmed,
    /// A request to any coordinator.
    Http,
}

/// What it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Writes its items.
    Writes,
    /// Writes its items, and then fails.
    Fails,
    /// Runs a command.
    Command,
}

/// What a submitter was told.
#[derive(Debug, Clone)]
pub(super) struct Acknowledged {
    pub(super) number: u32,
    pub(super) at_ms: u64,
    /// Its job; a confirm names none.
    pub(super) job: Option<JobId>,
}

/// What is not as it should be for a submitter.
pub(super) type Complaint = String;

/// The jobs of a seed, spread over the time, with folders beneath `data`.
pub(super) fn orders(seed: u64, jobs: u32, length_ms: u64, data: &Path) -> Vec<Order> {
    let mut random = Random::new(seed, "orders");
    let mut orders: Vec<Order> = (1..=jobs)
        .map(|number| order(number, length_ms, &mut random, data))
        .collect();
    orders.sort_by_key(|order| order.at_ms);
    orders
}

fn order(number: u32, length_ms: u64, random: &mut Random, data: &Path) -> Order {
    let way = random.one_of(&[Way::Answered, Way::Answered, Way::Confirmed, Way::Http, Way::Http]);
    let kind = match random.between(1, 100) {
        1..=18 => Kind::Command,
        19..=26 => Kind::Fails,
        _ => Kind::Writes,
    };
    let long = random.percent(8);
    let items = u32::try_from(random.between(1, if long { 8 } else { 4 })).unwrap_or(1);
    let item_ms = random.between(10, if long { 1_500 } else { 700 });
    let mut body = json!({
        "plugin": "NOOP",
        "title": title(number),
        "priority": random.between(0, 10),
        "idempotency_key": format!("key of order {number}"),
        "source": site::witness(data),
        "target": site::target(data, number),
        "parameters": {"items": items, "item_ms": item_ms, "write": true, "witness": number.to_string()},
    });
    match kind {
        Kind::Writes => {}
        Kind::Fails => body["parameters"]["fail"] = random.one_of(&["retryable", "permanent"]).into(),
        Kind::Command => {
            body["plugin"] = "SHELL".into();
            body["template"] = "faults".into();
            let tenths = random.between(1, 30);
            body["parameters"] = json!({"seconds": format!("{}.{}", tenths / 10, tenths % 10)});
        }
    }
    Order {
        number,
        at_ms: random.between(0, length_ms),
        way,
        kind,
        items,
        body,
        again: random.percent(15),
    }
}

/// The title of the order's job.
pub(super) fn title(number: u32) -> String {
    format!("order {number}")
}

/// Somebody who submits.
trait Submitter: Send {
    /// Submits once; an error says why there is no acknowledgement.
    fn submit(&mut self, body: &Value) -> Result<Answer, String>;
}

/// An acknowledgement, or a refusal.
enum Answer {
    Acknowledged(Option<JobId>),
    Refused(String),
}

impl From<SubmitReply> for Answer {
    fn from(reply: SubmitReply) -> Self {
        match reply {
            SubmitReply::Accepted { job_id } | SubmitReply::Duplicate { job_id } => {
                Self::Acknowledged(Some(job_id))
            }
            SubmitReply::Rejected { reason } => Self::Refused(reason),
        }
    }
}

/// What all submitters have noted.
#[derive(Debug, Default)]
struct Notes {
    acknowledged: Mutex<Vec<Acknowledged>>,
    complaints: Mutex<Vec<Complaint>>,
    give_up: AtomicBool,
}

/// Submitters at work.
#[derive(Debug)]
pub(super) struct Submitters {
    orders: Vec<Order>,
    notes: Arc<Notes>,
    threads: Vec<JoinHandle<()>>,
}

/// What came of all orders.
#[derive(Debug)]
pub(super) struct Submitted {
    pub(super) orders: Vec<Order>,
    pub(super) acknowledged: Vec<Acknowledged>,
    pub(super) complaints: Vec<Complaint>,
}

impl Submitters {
    /// Starts two submitters of each kind, and one that relies on confirms.
    pub(super) fn start(site: &Site, journal: &Arc<Journal>, orders: Vec<Order>) -> Self {
        let notes = Arc::new(Notes::default());
        let url = site.amqp_url();
        let submitters: Vec<(Way, Vec<Box<dyn Submitter>>)> = vec![
            (
                Way::Answered,
                vec![
                    Box::new(amqp::Link::new(&url, true)),
                    Box::new(amqp::Link::new(&url, true)),
                ],
            ),
            (Way::Confirmed, vec![Box::new(amqp::Link::new(&url, false))]),
            (
                Way::Http,
                vec![
                    Box::new(http::Client::new(site.api_ports())),
                    Box::new(http::Client::new(site.api_ports())),
                ],
            ),
        ];
        let mut threads = Vec::new();
        for (way, group) in submitters {
            let shares = group.len();
            for (share, submitter) in group.into_iter().enumerate() {
                let mine = orders.iter().filter(|order| order.way == way);
                let mine: Vec<Order> = mine.skip(share).step_by(shares).cloned().collect();
                let (notes, journal) = (Arc::clone(&notes), Arc::clone(journal));
                threads.push(thread::spawn(move || work(submitter, &mine, &notes, &journal)));
            }
        }
        Self {
            orders,
            notes,
            threads,
        }
    }

    /// The order's job, once a submitter was told.
    pub(super) fn job(&self, number: u32) -> Option<JobId> {
        let acknowledged = self
            .notes
            .acknowledged
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        acknowledged
            .iter()
            .find(|ack| ack.number == number)
            .and_then(|ack| ack.job)
    }

    /// Whether every order is acknowledged.
    pub(super) fn are_done(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }

    /// Ends the submitters, who give up what is not acknowledged by now.
    pub(super) fn end(self) -> Submitted {
        self.notes.give_up.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
        let taken = |mutex: &Mutex<Vec<_>>| {
            std::mem::take(&mut *mutex.lock().unwrap_or_else(PoisonError::into_inner))
        };
        let complaints = std::mem::take(
            &mut *self
                .notes
                .complaints
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        Submitted {
            orders: self.orders,
            acknowledged: taken(&self.notes.acknowledged),
            complaints,
        }
    }
}

fn work(mut submitter: Box<dyn Submitter>, orders: &[Order], notes: &Notes, journal: &Journal) {
    for order in orders {
        journal.sleep_until(order.at_ms);
        for _ in 0..=u32::from(order.again) {
            match insist(submitter.as_mut(), order, notes) {
                Some(Answer::Acknowledged(job)) => {
                    let acknowledged = Acknowledged {
                        number: order.number,
                        at_ms: journal.now_ms(),
                        job,
                    };
                    notes
                        .acknowledged
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(acknowledged);
                }
                Some(Answer::Refused(reason)) => notes
                    .complaints
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(format!("{} was refused: {reason}", title(order.number))),
                None => return,
            }
        }
    }
}

/// Repeats the order until there is an answer; `None` when it is given up.
fn insist(submitter: &mut dyn Submitter, order: &Order, notes: &Notes) -> Option<Answer> {
    loop {
        if let Ok(answer) = submitter.submit(&order.body) {
            return Some(answer);
        }
        if notes.give_up.load(Ordering::Relaxed) {
            return None;
        }
        thread::sleep(PAUSE);
    }
}
