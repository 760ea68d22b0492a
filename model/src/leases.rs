//! Silence and its reasons: a job's lease ends because its worker is gone, and for no other reason.
//!
//! Time passes in ticks, [`LEASE`] of them a lease. In each tick a worker that is well gets a heartbeat through, and
//! the coordinators a probe, unless the path between workers and database (broker, coordinators, database) has a
//! gap in it. The sweeper ends a lease by the rule of `coordinator/src/db/sweep.rs`.

use shared::job::decide::{
    self, ClaimAnswer, ClaimAsk, EndAnswer, Gate, HeartbeatAnswer, Job, OutcomeKind, Pause,
};
use shared::job::{ClaimId, JobState, Stage, Token};
use shared::mutant::{self, Mutant};
use stateright::{Model, Property};
use uuid::Uuid;

use crate::explore::Explored;
use crate::report::Bound;
use crate::steps::{End, Kind, Steps};

/// A lease's length in ticks.
const LEASE: u8 = 3;
/// Workers.
const WORKERS: usize = 2;
/// How often the path is cut.
const OUTAGES: u8 = 2;
/// How often a worker is cut off.
const ABSENCES: u8 = 1;
/// How often a worker dies.
const DEATHS: u8 = 1;

const HEALTHY: &str =
    "no lease of a worker that was well ends: silence counts only while heartbeats get through";

/// The model.
#[derive(Debug, Clone, Default)]
pub(crate) struct Leases {
    steps: Steps,
}

/// A lease and the time since its last renewal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Lease {
    token: Token,
    worker: usize,
    /// It was renewed in this tick.
    renewed: bool,
    /// Whole ticks since then; those beyond twice its length change nothing.
    silent: u8,
    /// Of these, ticks in which its worker was away while the path had no gap.
    away: u8,
}

/// A worker: whether it runs the job, and can be heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Worker {
    run: Option<Token>,
    connected: bool,
    /// A heartbeat got through in this tick.
    heard: bool,
}

/// Everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each is true or false by itself")]
pub(crate) struct State {
    job: Job,
    lease: Option<Lease>,
    workers: [Worker; WORKERS],
    path_open: bool,
    /// The path was cut for some of this tick.
    gap: bool,
    /// A probe got through in this tick.
    probed: bool,
    /// For how many ticks probes have got through without a gap.
    continuous: u8,
    claims: u8,
    outages: u8,
    absences: u8,
    deaths: u8,
    /// A lease of a worker that was well was ended.
    wronged: bool,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// A worker gets the job.
    Claim { worker: usize },
    /// A worker's heartbeat gets through.
    Heartbeat { worker: usize },
    /// A coordinator's probe gets through.
    Probe,
    /// A worker ends the job.
    Finish { worker: usize },
    /// Time passes.
    Tick,
    /// The sweeper ends the lease.
    Expire,
    /// The path works again.
    Mend,
    /// A worker that was cut off is back.
    Reconnect { worker: usize },
    /// The path is cut: broker, database or all coordinators are down.
    Cut,
    /// A worker alone is cut off.
    Disconnect { worker: usize },
    /// A worker dies.
    Kill { worker: usize },
}

impl State {
    /// Whether the sweeper ends the lease: it is over, and probes came all along for as long as a lease lasts.
    fn is_over(&self) -> bool {
        self.lease.is_some_and(|lease| {
            let heard_of = self.path_open && self.continuous >= LEASE;
            lease.silent >= LEASE && (heard_of || mutant::is_active(Mutant::ExpiryWithoutProbe))
        })
    }

    /// Whether the tick may end: what is well was heard of.
    fn tick_is_complete(&self) -> bool {
        let owed = |worker: &Worker| worker.connected && worker.run.is_some();
        self.gap || (self.probed && self.workers.iter().all(|worker| !owed(worker) || worker.heard))
    }

    fn apply(&mut self, action: Action) {
        match action {
            Action::Claim { worker } => self.claim(worker),
            Action::Heartbeat { worker } => self.heartbeat(worker),
            Action::Probe => self.probed = true,
            Action::Finish { worker } => self.finish(worker),
            Action::Tick => self.tick(),
            Action::Expire => self.expire(),
            Action::Mend => self.path_open = true,
            Action::Reconnect { worker } => self.workers[worker].connected = true,
            Action::Cut => {
                self.outages -= 1;
                self.path_open = false;
                self.gap = true;
            }
            Action::Disconnect { worker } => {
                self.absences -= 1;
                self.workers[worker].connected = false;
            }
            Action::Kill { worker } => {
                self.deaths -= 1;
                self.workers[worker].run = None;
            }
        }
    }

    fn claim(&mut self, worker: usize) {
        let ask = ClaimAsk {
            dispatch: self.job.dispatch,
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
        if let ClaimAnswer::Grant(next) = decide::claim(&self.job, ask, open) {
            let token = next.token.expect("a granted job has a token");
            self.claims += 1;
            self.job = next;
            self.workers[worker].run = Some(token);
            self.workers[worker].heard = true;
            self.renew(worker, token);
        }
    }

    fn heartbeat(&mut self, worker: usize) {
        let Some(token) = self.workers[worker].run else {
            return;
        };
        match decide::heartbeat(&self.job, token, Stage::Processing, Pause::No) {
            HeartbeatAnswer::Lost => self.workers[worker].run = None,
            HeartbeatAnswer::Ok(next)
            | HeartbeatAnswer::Cancel(next)
            | HeartbeatAnswer::Yield(next)
            | HeartbeatAnswer::Interrupt(next) => {
                self.job = next;
                self.renew(worker, token);
            }
        }
        self.workers[worker].heard = true;
    }

    fn renew(&mut self, worker: usize, token: Token) {
        self.lease = Some(Lease {
            token,
            worker,
            renewed: true,
            silent: 0,
            away: 0,
        });
    }

    fn finish(&mut self, worker: usize) {
        if let Some(token) = self.workers[worker].run.take()
            && let EndAnswer::Record(next) = decide::result(&self.job, token, OutcomeKind::Done, 0)
        {
            self.job = next;
            self.lease = None;
        }
    }

    fn tick(&mut self) {
        self.continuous = if self.probed && !self.gap {
            (self.continuous + 1).min(LEASE)
        } else {
            0
        };
        self.probed = false;
        for worker in &mut self.workers {
            worker.heard = false;
        }
        if let Some(lease) = &mut self.lease {
            let worker = self.workers[lease.worker];
            let well = worker.connected && worker.run == Some(lease.token);
            if !lease.renewed {
                lease.silent = (lease.silent + 1).min(2 * LEASE);
                lease.away = (lease.away + u8::from(!self.gap && !well)).min(LEASE);
            }
            lease.renewed = false;
        }
        self.gap = !self.path_open;
    }

    fn expire(&mut self) {
        let Some(lease) = self.lease else { return };
        if let Some(next) = decide::lease_expired(&self.job, lease.token) {
            self.wronged |= lease.away < LEASE;
            self.job = next;
            self.lease = None;
        }
    }
}

impl Model for Leases {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let worker = Worker {
            run: None,
            connected: true,
            heard: false,
        };
        vec![State {
            job: Job::submitted(),
            lease: None,
            workers: [worker; WORKERS],
            path_open: true,
            gap: false,
            probed: false,
            continuous: LEASE,
            claims: 1,
            outages: OUTAGES,
            absences: ABSENCES,
            deaths: DEATHS,
            wronged: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.steps.enter(state);
        if state.wronged || state.job.state.is_final() {
            return;
        }
        let may_cut_off = state.absences > 0;
        for (worker, is) in state.workers.iter().enumerate() {
            let reaches = is.connected && state.path_open;
            match is.run {
                None if reaches && state.job.state == JobState::Queued => {
                    actions.push(Action::Claim { worker });
                }
                Some(_) if reaches => {
                    actions.extend([Action::Heartbeat { worker }, Action::Finish { worker }]);
                }
                _ => {}
            }
            if is.run.is_some() && state.deaths > 0 {
                actions.push(Action::Kill { worker });
            }
            if !is.connected {
                actions.push(Action::Reconnect { worker });
            } else if is.run.is_some() && may_cut_off {
                actions.push(Action::Disconnect { worker });
            }
        }
        if state.path_open {
            actions.push(Action::Probe);
            if state.outages > 0 {
                actions.push(Action::Cut);
            }
        } else {
            actions.push(Action::Mend);
        }
        if state.tick_is_complete() {
            actions.push(Action::Tick);
        }
        if state.is_over() {
            actions.push(Action::Expire);
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        next.apply(action);
        if next == *state {
            return None;
        }
        let kind = match action {
            // A worker that is away does not come back just because its job waits for it.
            Action::Cut | Action::Disconnect { .. } | Action::Reconnect { .. } | Action::Kill { .. } => {
                Kind::Fault
            }
            _ => Kind::Progress,
        };
        let end = End::of(next.wronged, next.job.state.is_final());
        self.steps.note(&next, kind, end);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(HEALTHY, |_, state: &State| !state.wronged)]
    }
}

impl Explored for Leases {
    fn name(&self) -> &'static str {
        "leases"
    }

    fn about(&self) -> &'static str {
        "workers die and are cut off, the path between them and the database has outages; time passes"
    }

    fn bounds(&self) -> Vec<Bound> {
        [
            ("jobs", 1),
            ("workers", WORKERS as u64),
            ("ticks of a lease", LEASE.into()),
            ("outages", OUTAGES.into()),
            ("absences of a worker", ABSENCES.into()),
            ("deaths of workers", DEATHS.into()),
        ]
        .map(|(what, most)| Bound { what, most })
        .to_vec()
    }

    fn steps(&self) -> &Steps {
        &self.steps
    }
}
