//! What there is and what each step does to it.

use shared::job::decide::{
    self, ClaimAnswer, ClaimAsk, EndAnswer, Gate, HeartbeatAnswer, Job, OutcomeKind, Pause, TransferAnswer,
    TransferRoom,
};
use shared::job::{ClaimId, JobState, Stage, Token};
use uuid::Uuid;

use super::{JOBS, LOSSES, MOST, TROUBLES};

/// What a worker does with its job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Worker {
    /// There is none.
    Gone,
    /// It waits for its slot.
    Waits,
    /// It moves its data.
    Moves,
    /// It has what it needs.
    Works,
}

impl Worker {
    /// What its heartbeat asks for: nothing, or a transfer that has begun or not.
    fn asks(self) -> Option<bool> {
        match self {
            Self::Gone | Self::Works => None,
            Self::Waits => Some(false),
            Self::Moves => Some(true),
        }
    }
}

/// A heartbeat on its way, or its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Packet {
    Heartbeat { asks: Option<bool> },
    Answer { lost: bool, granted: bool },
}

/// A job with its worker and its lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(super) job: Job,
    worker: Worker,
    /// The attempt that the worker runs.
    run: Option<Token>,
    packet: Option<Packet>,
    leased: bool,
    /// The lease has a slot.
    held: bool,
    /// Its lease has ended while its worker lived.
    cut: bool,
}

/// Everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(super) places: [Place; JOBS],
    /// The count that is kept of slots.
    pub(super) running: i64,
    /// Who waits, in the order in which they came.
    queue: Vec<usize>,
    claims: u8,
    losses: u8,
    troubles: u8,
    /// Somebody was granted a slot before who came first.
    pub(super) overtaken: bool,
}

/// One step of one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// A worker gets it.
    Claim(usize),
    /// Its worker sends a heartbeat.
    Beat(usize),
    /// A coordinator handles that.
    Handle(usize),
    /// Its worker hears the answer.
    Hear(usize),
    /// Its data are there.
    Moved(usize),
    /// It ends well.
    Finish(usize),
    /// The lease of a worker that is gone ends.
    Expire(usize),
    /// A heartbeat or its answer is lost.
    Lose(usize),
    /// The lease of a worker that lives ends.
    ExpireEarly(usize),
    /// Its worker dies.
    Kill(usize),
}

impl State {
    /// All jobs wait for a worker.
    pub(super) fn initial() -> Self {
        let place = Place {
            job: Job::submitted(),
            worker: Worker::Gone,
            run: None,
            packet: None,
            leased: false,
            held: false,
            cut: false,
        };
        Self {
            places: [place; JOBS],
            running: 0,
            queue: Vec::new(),
            claims: 1,
            losses: LOSSES,
            troubles: TROUBLES,
            overtaken: false,
        }
    }

    pub(super) fn apply(&mut self, action: Action) {
        match action {
            Action::Claim(at) => self.claim(at),
            Action::Beat(at) => {
                let asks = self.places[at].worker.asks();
                self.places[at].packet = Some(Packet::Heartbeat { asks });
            }
            Action::Handle(at) => self.handle(at),
            Action::Hear(at) => self.hear(at),
            Action::Moved(at) => self.places[at].worker = Worker::Works,
            Action::Finish(at) => self.finish(at),
            Action::Expire(at) => self.expire(at),
            Action::Lose(at) => {
                self.losses -= 1;
                self.places[at].packet = None;
            }
            Action::ExpireEarly(at) => {
                self.troubles -= 1;
                self.places[at].cut = true;
                self.expire(at);
            }
            Action::Kill(at) => {
                self.troubles -= 1;
                self.places[at].worker = Worker::Gone;
            }
        }
    }

    fn claim(&mut self, at: usize) {
        let place = &mut self.places[at];
        let ask = ClaimAsk {
            dispatch: place.job.dispatch,
            claim_id: ClaimId(Uuid::from_u128(self.claims.into())),
        };
        let open = Gate {
            plugin_running: true,
            autostart: true,
            has_room: true,
            has_quota: true,
            storages_have_room: true,
            worker_has_room: true,
        };
        if let ClaimAnswer::Grant(next) = decide::claim(&place.job, ask, open) {
            self.claims += 1;
            *place = Place {
                job: next,
                worker: Worker::Waits,
                run: next.token,
                packet: None,
                leased: true,
                held: false,
                cut: false,
            };
        }
    }

    fn handle(&mut self, at: usize) {
        let place = &mut self.places[at];
        let (Some(Packet::Heartbeat { asks }), Some(token)) = (place.packet, place.run) else {
            return;
        };
        let lost = match decide::heartbeat(&place.job, token, Stage::Processing, Pause::No) {
            HeartbeatAnswer::Lost => true,
            HeartbeatAnswer::Ok(next)
            | HeartbeatAnswer::Cancel(next)
            | HeartbeatAnswer::Yield(next)
            | HeartbeatAnswer::Interrupt(next) => {
                place.job = next;
                place.leased = true;
                false
            }
        };
        let granted = !lost && self.settle(at, token, asks);
        self.places[at].packet = Some(Packet::Answer { lost, granted });
    }

    /// Whether the attempt may move its data.
    fn settle(&mut self, at: usize, token: Token, asks: Option<bool>) -> bool {
        let Some(begun) = asks else {
            self.give_back(at);
            return false;
        };
        let place = &mut self.places[at];
        let ahead = self.queue.iter().position(|waits| *waits == at);
        let room = TransferRoom {
            running: self.running,
            most: Some(MOST),
            ahead: i64::try_from(ahead.unwrap_or(self.queue.len())).expect("few wait"),
        };
        match decide::transfer(&place.job, token, begun || place.held, room) {
            TransferAnswer::Grant => {
                self.overtaken |= room.ahead > 0 && !begun && !place.held;
                self.running += i64::from(!place.held);
                place.held = true;
                self.queue.retain(|waits| *waits != at);
                true
            }
            TransferAnswer::Wait => {
                if ahead.is_none() {
                    self.queue.push(at);
                }
                false
            }
        }
    }

    fn give_back(&mut self, at: usize) {
        self.queue.retain(|waits| *waits != at);
        self.running -= i64::from(std::mem::take(&mut self.places[at].held));
    }

    fn hear(&mut self, at: usize) {
        let place = &mut self.places[at];
        if let Some(Packet::Answer { lost, granted }) = place.packet.take() {
            if lost {
                place.worker = Worker::Gone;
            } else if granted && place.worker == Worker::Waits {
                place.worker = Worker::Moves;
            }
        }
    }

    fn finish(&mut self, at: usize) {
        let place = &mut self.places[at];
        let token = place.run.expect("who works runs an attempt");
        if let EndAnswer::Record(next) = decide::result(&place.job, token, OutcomeKind::Done, 0) {
            place.job = next;
            self.lease_goes(at);
        }
        self.places[at].worker = Worker::Gone;
        self.places[at].packet = None;
    }

    fn expire(&mut self, at: usize) {
        let place = &mut self.places[at];
        let token = place.job.token.expect("who has a lease was granted a claim");
        if let Some(next) = decide::lease_expired(&place.job, token) {
            place.job = next;
            self.lease_goes(at);
        }
    }

    fn lease_goes(&mut self, at: usize) {
        self.places[at].leased = false;
        self.give_back(at);
    }

    fn moving(&self) -> usize {
        let moves = |place: &&Place| place.worker == Worker::Moves && !place.cut;
        self.places.iter().filter(moves).count()
    }

    pub(super) fn keeps_the_limit(&self) -> bool {
        i64::try_from(self.moving()).is_ok_and(|moving| moving <= MOST)
    }

    pub(super) fn counts_right(&self) -> bool {
        let held = self.places.iter().filter(|place| place.leased && place.held);
        i64::try_from(held.count()) == Ok(self.running)
    }

    pub(super) fn is_broken(&self) -> bool {
        self.overtaken || !self.keeps_the_limit() || !self.counts_right()
    }

    pub(super) fn is_finished(&self) -> bool {
        self.places.iter().all(|place| place.job.state.is_final())
    }
}

/// What may happen with a job.
pub(super) fn steps_of(state: &State, at: usize) -> Vec<Action> {
    let place = state.places[at];
    let mut actions = Vec::new();
    let lives = place.worker != Worker::Gone;
    if place.job.state.is_final() {
        return actions;
    }
    match place.packet {
        None if lives => actions.push(Action::Beat(at)),
        Some(Packet::Heartbeat { .. }) => actions.push(Action::Handle(at)),
        Some(Packet::Answer { .. }) if lives => actions.push(Action::Hear(at)),
        // Nobody is there to send one, or to hear it.
        None | Some(Packet::Answer { .. }) => {}
    }
    match place.worker {
        // One job is like another: the first is the first to start.
        Worker::Gone if place.job.state == JobState::Queued => {
            if state.places[..at].iter().all(|before| before.job.attempt > 0) {
                actions.push(Action::Claim(at));
            }
        }
        Worker::Gone if place.leased => actions.push(Action::Expire(at)),
        Worker::Moves => actions.push(Action::Moved(at)),
        Worker::Works => actions.push(Action::Finish(at)),
        Worker::Gone | Worker::Waits => {}
    }
    if place.packet.is_some() && state.losses > 0 {
        actions.push(Action::Lose(at));
    }
    if lives && place.leased && state.troubles > 0 {
        actions.push(Action::ExpireEarly(at));
    }
    if lives && state.troubles > 0 {
        actions.push(Action::Kill(at));
    }
    actions
}
