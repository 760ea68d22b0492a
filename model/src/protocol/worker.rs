//! A worker with one slot: it takes a message, claims, works, asks to publish, publishes, and reports until it is
//! answered. Being cut off is not a state of it: its messages only stay away for as long as one likes.

use std::collections::BTreeSet;

use shared::mutant::{self, Mutant};

use super::packet::{Agreed, Outcome, Owner, Packet, Reply, Request, Verdict};
use super::rule::Rule;
use super::scope::Scope;
use super::world::{Dispatch, World};

/// A worker.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Worker {
    /// What its slot is used for.
    pub(crate) hand: Hand,
    /// Grants that nobody waited for, being given back.
    pub(crate) releasing: BTreeSet<Owner>,
}

/// What a slot is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Hand {
    /// Nothing.
    Idle,
    /// It holds a message and asks for its job.
    Claiming {
        dispatch: Dispatch,
        claim: u8,
        /// The broker still counts the message as this worker's.
        returnable: bool,
    },
    /// The plugin runs.
    Working {
        run: Owner,
        /// An earlier attempt's, to be completed.
        manifest: Option<u8>,
        /// It is to give the job back at the next item.
        yields: bool,
    },
    /// All files are in the item store; it asks to publish.
    Asking { run: Owner },
    /// It moves files into place.
    Publishing { run: Owner, manifest: u8, placed: usize },
    /// It tells how it ended.
    Reporting { run: Owner, outcome: Outcome },
}

impl Hand {
    /// The attempt in hand.
    pub(crate) fn run(self) -> Option<Owner> {
        match self {
            Self::Idle | Self::Claiming { .. } => None,
            Self::Working { run, .. }
            | Self::Asking { run }
            | Self::Publishing { run, .. }
            | Self::Reporting { run, .. } => Some(run),
        }
    }

    /// The claim in hand.
    pub(crate) fn claim(self) -> Option<u8> {
        match self {
            Self::Claiming { claim, .. } => Some(claim),
            _ => self.run().map(|run| run.claim),
        }
    }

    /// The heartbeat of the attempt in hand.
    pub(crate) fn heartbeat(self) -> Option<Request> {
        let publishing = matches!(self, Self::Publishing { .. } | Self::Reporting { .. });
        self.run().map(|run| Request::Heartbeat { run, publishing })
    }

    pub(crate) fn has_message(self, message: Dispatch) -> bool {
        matches!(self, Self::Claiming { dispatch, .. } if dispatch == message)
    }
}

impl Worker {
    pub(crate) fn idle() -> Self {
        Self {
            hand: Hand::Idle,
            releasing: BTreeSet::new(),
        }
    }

    /// Whether this answer would change anything.
    pub(crate) fn awaits(&self, reply: Reply) -> bool {
        match reply {
            Reply::Granted { run, .. } => {
                let acts_on_it = self.hand.run().is_some_and(|own| own.claim == run.claim);
                !acts_on_it && !self.releasing.contains(&run)
            }
            Reply::Refused { claim } => {
                matches!(self.hand, Hand::Claiming { claim: own, .. } if own == claim)
            }
            Reply::Verdict { run, verdict } => {
                let listens = matches!(self.hand, Hand::Working { run: own, .. } | Hand::Asking { run: own } if own == run);
                listens && verdict != Verdict::Ok
            }
            Reply::Publish { run, .. } => self.hand == Hand::Asking { run },
            Reply::Settled { run } => {
                matches!(self.hand, Hand::Reporting { run: own, .. } if own == run)
                    || self.releasing.contains(&run)
            }
        }
    }

    /// What it says again and again: what it has no answer to, and that its attempt is alive.
    pub(crate) fn repeats(&self) -> Vec<Request> {
        let mut requests = self.unanswered();
        requests.extend(self.hand.heartbeat());
        requests
    }

    /// What it asks until it is answered.
    fn unanswered(&self) -> Vec<Request> {
        let own = match self.hand {
            Hand::Claiming { dispatch, claim, .. } => Some(Request::Claim {
                job: dispatch.job,
                dispatch: dispatch.number,
                claim,
            }),
            Hand::Asking { run } => Some(Request::Publish { run }),
            Hand::Reporting { run, outcome } => Some(Request::Result { run, outcome }),
            Hand::Idle | Hand::Working { .. } | Hand::Publishing { .. } => None,
        };
        let releases = self.releasing.iter().map(|run| Request::Result {
            run: *run,
            outcome: Outcome::Interrupted,
        });
        own.into_iter().chain(releases).collect()
    }
}

impl World {
    /// A worker takes a message and asks for its job.
    pub(crate) fn take(&mut self, scope: &Scope, worker: u8, dispatch: Dispatch) {
        let place = self.queue.iter().position(|queued| *queued == dispatch);
        self.queue
            .remove(place.expect("a message that is taken is there"));
        let hand = Hand::Claiming {
            dispatch,
            claim: self.fresh_claim(),
            returnable: true,
        };
        self.turn_to(scope, worker, hand);
    }

    /// The worker's slot is used for this from now on; what it has to ask is asked.
    pub(crate) fn turn_to(&mut self, scope: &Scope, worker: u8, hand: Hand) {
        self.workers[usize::from(worker)].hand = hand;
        for request in self.workers[usize::from(worker)].unanswered() {
            self.ask(scope, worker, request);
        }
    }

    /// A worker gets an answer.
    pub(crate) fn receive(&mut self, scope: &Scope, worker: u8, reply: Reply) {
        let hand = self.hand(worker);
        match (reply, hand) {
            (Reply::Granted { run, manifest }, Hand::Claiming { claim, .. }) if claim == run.claim => {
                let is_new = self.started.insert(run);
                self.broken.unless(Rule::StartsOnce, is_new);
                self.turn_to(
                    scope,
                    worker,
                    Hand::Working {
                        run,
                        manifest,
                        yields: false,
                    },
                );
            }
            // Its own attempt's grant, said again.
            (Reply::Granted { run, .. }, _) if hand.run().is_some_and(|own| own.claim == run.claim) => {}
            (Reply::Granted { run, .. }, _) => self.give_grant_back(scope, worker, run),
            (Reply::Refused { claim }, Hand::Claiming { claim: own, .. }) if claim == own => {
                self.turn_to(scope, worker, Hand::Idle);
            }
            (Reply::Verdict { run, verdict }, Hand::Working { run: own, .. } | Hand::Asking { run: own })
                if run == own =>
            {
                self.obey(scope, worker, run, verdict);
            }
            (Reply::Publish { run, answer }, Hand::Asking { run: own }) if run == own => {
                let next = match answer {
                    Agreed::To(manifest) => Hand::Publishing {
                        run,
                        manifest,
                        placed: 0,
                    },
                    Agreed::Lost => Hand::Idle,
                    Agreed::Cancelled => Hand::Reporting {
                        run,
                        outcome: Outcome::Cancelled,
                    },
                };
                self.turn_to(scope, worker, next);
            }
            (Reply::Settled { run }, _) => {
                self.workers[usize::from(worker)].releasing.remove(&run);
                if matches!(hand, Hand::Reporting { run: own, .. } if own == run) {
                    self.turn_to(scope, worker, Hand::Idle);
                }
            }
            _ => {}
        }
    }

    /// Nobody waits for this grant any more.
    fn give_grant_back(&mut self, scope: &Scope, worker: u8, run: Owner) {
        if self.workers[usize::from(worker)].releasing.insert(run) {
            self.given_back = true;
            let outcome = Outcome::Interrupted;
            self.ask(scope, worker, Request::Result { run, outcome });
        }
    }

    /// From the publish grant on an attempt listens to no verdict: it is through in a moment.
    fn obey(&mut self, scope: &Scope, worker: u8, run: Owner, verdict: Verdict) {
        let ends_as = |outcome| Hand::Reporting { run, outcome };
        let next = match (verdict, self.hand(worker)) {
            (Verdict::Lost, _) => Hand::Idle,
            (Verdict::Cancel, _) => ends_as(Outcome::Cancelled),
            (Verdict::Interrupt, _) => ends_as(Outcome::Interrupted),
            (Verdict::Yield, Hand::Working { run, manifest, .. }) => Hand::Working {
                run,
                manifest,
                yields: true,
            },
            (Verdict::Yield | Verdict::Ok, _) => return,
        };
        self.turn_to(scope, worker, next);
    }

    /// The plugin is done with all items.
    pub(crate) fn finish_items(&mut self, scope: &Scope, worker: u8) {
        let Hand::Working { run, manifest, .. } = self.hand(worker) else {
            return;
        };
        let next = if mutant::is_active(Mutant::PublishWithoutGrant) {
            Hand::Publishing {
                run,
                manifest: manifest.unwrap_or(run.claim),
                placed: 0,
            }
        } else {
            Hand::Asking { run }
        };
        self.turn_to(scope, worker, next);
    }

    /// A worker moves the next file into its place, unless it is there already.
    pub(crate) fn place_file(&mut self, scope: &Scope, worker: u8) {
        let Hand::Publishing {
            run,
            manifest,
            placed,
        } = self.hand(worker)
        else {
            return;
        };
        let target = &mut self.targets[usize::from(run.job)];
        let of_one = target.iter().flatten().all(|shown| *shown == manifest);
        target[placed] = Some(manifest);
        if scope.budget.failovers > 0 {
            self.published_twice |= !of_one;
        } else {
            self.broken.unless(Rule::OneManifest, of_one);
        }
        self.broken.unless(
            Rule::VisibleOnlyAfterGrant,
            self.agreed.contains(&(run.job, manifest)),
        );
        let placed = placed + 1;
        let next = if placed < scope.files {
            Hand::Publishing {
                run,
                manifest,
                placed,
            }
        } else {
            Hand::Reporting {
                run,
                outcome: Outcome::Done,
            }
        };
        self.turn_to(scope, worker, next);
    }

    /// The attempt in hand ends like this.
    pub(crate) fn end_attempt(&mut self, scope: &Scope, worker: u8, outcome: Outcome) {
        if let Some(run) = self.hand(worker).run() {
            self.turn_to(scope, worker, Hand::Reporting { run, outcome });
        }
    }

    /// A worker gives its message back to the broker.
    pub(crate) fn give_back(&mut self, worker: u8) {
        if let Hand::Claiming {
            dispatch, returnable, ..
        } = self.hand(worker)
        {
            if returnable {
                self.enqueue(dispatch);
            }
            self.workers[usize::from(worker)].hand = Hand::Idle;
        }
    }

    /// kill -9, and the worker is started anew: its message goes back, answers to it go nowhere.
    pub(crate) fn kill_worker(&mut self, worker: u8) {
        self.give_back(worker);
        self.workers[usize::from(worker)] = Worker::idle();
        self.network
            .retain(|packet| !matches!(packet, Packet::Reply(to, _) if *to == worker));
    }

    /// The broker takes the worker for dead and delivers its message again.
    pub(crate) fn redeliver(&mut self, worker: u8) {
        let hand = &mut self.workers[usize::from(worker)].hand;
        if let Hand::Claiming {
            dispatch, returnable, ..
        } = hand
        {
            *returnable = false;
            let dispatch = *dispatch;
            self.enqueue(dispatch);
        }
    }
}
