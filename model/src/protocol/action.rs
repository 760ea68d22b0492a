//! Everything that can happen next, and what it does.

use super::control::Control;
use super::packet::{Outcome, Packet};
use super::scope::Scope;
use super::worker::Hand;
use super::world::{Dispatch, PluginState, World};
use crate::steps::Kind;

/// One step. Jobs, workers and dispatchers are counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// The job is picked, published and marked in one step.
    Dispatch { job: u8 },
    /// A dispatcher picks and reserves the job.
    Pick { dispatcher: u8, job: u8 },
    /// A dispatcher publishes what it has picked, or marks what it has published.
    Relay { dispatcher: u8 },
    /// Reconcile finds that the broker has lost the job's message.
    Redispatch { job: u8 },
    /// A worker takes a message and claims its job.
    Take { worker: u8, dispatch: Dispatch },
    /// A message arrives: a request is decided and answered, an answer is obeyed.
    Deliver(Packet),
    /// A worker says that its attempt is alive.
    Heartbeat { worker: u8 },
    /// A worker's plugin is done with all items.
    FinishItems { worker: u8 },
    /// A worker moves the next file into its place.
    PlaceFile { worker: u8 },
    /// A worker's attempt comes to its next item and yields.
    Yield { worker: u8 },
    /// The sweeper ends the job's lease.
    Expire { job: u8 },
    /// The job's time has come.
    TimeHasCome { job: u8 },
    /// A person lets the held job go on.
    Release { job: u8 },
    /// A person starts the stopped plugin.
    StartPlugin,
    /// A person switches autostart on.
    AutostartOn,
    /// The running jobs of a stopping plugin had their time to yield.
    DeadlinePasses,

    /// An answer or a request stays away for ever.
    Lose(Packet),
    /// A request is decided, its answer lost, and the request delivered again later.
    DeliverTwice(Packet),
    /// A dispatcher's coordinator dies.
    KillDispatcher { dispatcher: u8 },
    /// The broker loses the plugin's queue.
    Wipe,
    /// A worker is killed and started anew.
    KillWorker { worker: u8 },
    /// The broker takes a living worker for dead.
    Redeliver { worker: u8 },
    /// A worker gives up waiting for the answer to its claim.
    GiveBack { worker: u8 },
    /// A worker shuts down and gives its attempt back.
    ShutDown { worker: u8 },
    /// An attempt fails.
    Fail { worker: u8, outcome: Outcome },
    /// A person does something; what concerns no single job names job 0.
    Control { control: Control, job: u8 },
    /// The database goes on from a standby that lacks the last commits.
    Failover { commits: usize },
}

impl Action {
    /// Whether it comes by itself.
    pub(crate) fn kind(self, world: &World) -> Kind {
        match self {
            Self::Lose(_)
            | Self::DeliverTwice(_)
            | Self::KillDispatcher { .. }
            | Self::Wipe
            | Self::KillWorker { .. }
            | Self::Redeliver { .. }
            | Self::GiveBack { .. }
            | Self::ShutDown { .. }
            | Self::Fail { .. }
            | Self::Control { .. }
            | Self::Failover { .. } => Kind::Fault,
            Self::Expire { job } if world.row(job).lease.is_some_and(|run| world.is_alive(run)) => {
                Kind::Fault
            }
            _ => Kind::Progress,
        }
    }
}

impl World {
    /// Lists what can happen next.
    pub(crate) fn possible(&self, scope: &Scope, actions: &mut Vec<Action>) {
        self.coordinators_can(scope, actions);
        for worker in 0..scope.workers {
            self.worker_can(scope, worker, actions);
        }
        for packet in &self.network {
            actions.push(Action::Deliver(*packet));
            // What is repeated anyway comes again by itself.
            if !self.is_repeated(*packet) {
                actions.push(Action::Lose(*packet));
                if self.left.doubled_messages > 0 && matches!(packet, Packet::Request(..)) {
                    actions.push(Action::DeliverTwice(*packet));
                }
            }
        }
        if self.left.wipes > 0 {
            actions.push(Action::Wipe);
        }
        if self.left.failovers > 0 {
            actions.extend((1..=self.earlier.len()).map(|commits| Action::Failover { commits }));
        }
        self.persons_can(scope, actions);
    }

    fn coordinators_can(&self, scope: &Scope, actions: &mut Vec<Action>) {
        for job in 0..scope.jobs {
            if self.is_to_be_dispatched(scope, job) {
                if scope.dispatchers == 0 {
                    actions.push(Action::Dispatch { job });
                }
                for dispatcher in 0..scope.dispatchers {
                    if self.dispatchers[usize::from(dispatcher)].is_none() {
                        actions.push(Action::Pick { dispatcher, job });
                    }
                }
            }
            if self.is_lost_by_broker(job) {
                actions.push(Action::Redispatch { job });
            }
            let row = self.row(job);
            if let Some(run) = row.lease
                && (!self.is_alive(run) || self.left.early_expiries > 0)
            {
                actions.push(Action::Expire { job });
            }
            if row.job.state == shared::job::JobState::Scheduled {
                actions.push(Action::TimeHasCome { job });
            }
        }
        for dispatcher in 0..scope.dispatchers {
            if self.dispatchers[usize::from(dispatcher)].is_some() {
                actions.push(Action::Relay { dispatcher });
                if self.left.dispatcher_deaths > 0 {
                    actions.push(Action::KillDispatcher { dispatcher });
                }
            }
        }
    }

    fn worker_can(&self, scope: &Scope, worker: u8, actions: &mut Vec<Action>) {
        let left = &self.left;
        let mut may = |budget: u8, action| {
            if budget > 0 {
                actions.push(action);
            }
        };
        let hand = self.hand(worker);
        match hand {
            // Of workers that are all the same, the first one will do.
            Hand::Idle if self.is_fresh(worker) && (0..worker).any(|other| self.is_fresh(other)) => {}
            Hand::Idle => {
                let mut queue = self.queue.clone();
                queue.dedup();
                for dispatch in queue {
                    may(1, Action::Take { worker, dispatch });
                }
            }
            Hand::Claiming { returnable, .. } => {
                may(left.give_backs, Action::GiveBack { worker });
                if returnable {
                    may(left.redeliveries, Action::Redeliver { worker });
                }
            }
            Hand::Working { manifest, yields, .. } => {
                may(1, Action::FinishItems { worker });
                may(yields.into(), Action::Yield { worker });
                if manifest.is_none() {
                    for outcome in [Outcome::MayPass, Outcome::Permanent] {
                        may(left.failures, Action::Fail { worker, outcome });
                    }
                }
            }
            Hand::Publishing { .. } => may(1, Action::PlaceFile { worker }),
            Hand::Asking { .. } | Hand::Reporting { .. } => {}
        }
        if hand.run().is_some() {
            may((!scope.network.heartbeats).into(), Action::Heartbeat { worker });
            if !matches!(hand, Hand::Reporting { .. }) {
                may(left.shutdowns, Action::ShutDown { worker });
            }
        }
        if hand != Hand::Idle || !self.workers[usize::from(worker)].releasing.is_empty() {
            may(left.worker_deaths, Action::KillWorker { worker });
        }
    }

    fn persons_can(&self, scope: &Scope, actions: &mut Vec<Action>) {
        for job in 0..scope.jobs {
            if self.row(job).job.held && !self.row(job).job.state.is_final() {
                actions.push(Action::Release { job });
            }
        }
        match self.rows.plugin {
            PluginState::Running => {}
            PluginState::Stopping => actions.extend([Action::StartPlugin, Action::DeadlinePasses]),
            PluginState::Overdue => actions.push(Action::StartPlugin),
        }
        if !self.rows.autostart {
            actions.push(Action::AutostartOn);
        }
        if self.left.controls > 0 {
            for control in scope.controls.iter().copied() {
                let jobs = if control.concerns_a_job() { scope.jobs } else { 1 };
                actions.extend((0..jobs).map(|job| Action::Control { control, job }));
            }
        }
    }

    /// The world after this step.
    pub(crate) fn after(&self, scope: &Scope, action: Action) -> Self {
        let mut next = self.clone();
        next.apply(scope, action);
        let lost = matches!(action, Action::Failover { .. });
        if next.left.failovers == 0 {
            next.earlier.clear();
        } else if !lost && next.rows != self.rows {
            next.earlier.push(self.rows.clone());
            if next.earlier.len() > usize::from(scope.lost_commits) {
                next.earlier.remove(0);
            }
        }
        next.settle(scope);
        next
    }

    fn apply(&mut self, scope: &Scope, action: Action) {
        match action {
            Action::Dispatch { job } => self.dispatch(job),
            Action::Pick { dispatcher, job } => self.pick(dispatcher, job),
            Action::Relay { dispatcher } => self.relay(dispatcher),
            Action::Redispatch { job } => self.redispatch(job),
            Action::Take { worker, dispatch } => self.take(scope, worker, dispatch),
            Action::Deliver(packet) => {
                self.network.remove(&packet);
                self.deliver(scope, packet);
            }
            Action::Heartbeat { worker } => {
                if let Some(request) = self.hand(worker).heartbeat() {
                    self.ask(scope, worker, request);
                }
            }
            Action::FinishItems { worker } => self.finish_items(scope, worker),
            Action::PlaceFile { worker } => self.place_file(scope, worker),
            Action::Yield { worker } => self.end_attempt(scope, worker, Outcome::Interrupted),
            Action::Expire { job } => {
                if self.row(job).lease.is_some_and(|run| self.is_alive(run)) {
                    self.left.early_expiries -= 1;
                }
                self.expire(job);
            }
            Action::TimeHasCome { job } => {
                if let Some(next) = shared::job::decide::time_has_come(&self.row(job).job) {
                    self.write(job, next);
                }
            }
            Action::Release { job } => self.release(job),
            Action::StartPlugin => self.rows.plugin = PluginState::Running,
            Action::AutostartOn => self.rows.autostart = true,
            Action::DeadlinePasses => self.rows.plugin = PluginState::Overdue,
            fault => self.suffer(scope, fault),
        }
    }

    fn suffer(&mut self, scope: &Scope, fault: Action) {
        match fault {
            Action::DeliverTwice(packet) => {
                self.left.doubled_messages -= 1;
                self.deliver(scope, packet);
            }
            Action::KillDispatcher { dispatcher } => {
                self.left.dispatcher_deaths -= 1;
                self.dispatchers[usize::from(dispatcher)] = None;
            }
            Action::Wipe => {
                self.left.wipes -= 1;
                self.wipe();
            }
            Action::KillWorker { worker } => {
                self.left.worker_deaths -= 1;
                self.kill_worker(worker);
            }
            Action::Redeliver { worker } => {
                self.left.redeliveries -= 1;
                self.redeliver(worker);
            }
            Action::GiveBack { worker } => {
                self.left.give_backs -= 1;
                self.give_back(worker);
            }
            Action::ShutDown { worker } => {
                self.left.shutdowns -= 1;
                self.end_attempt(scope, worker, Outcome::Interrupted);
            }
            Action::Fail { worker, outcome } => {
                self.left.failures -= 1;
                self.end_attempt(scope, worker, outcome);
            }
            Action::Control { control, job } => {
                self.left.controls -= 1;
                self.control(control, job);
            }
            Action::Failover { commits } => {
                self.left.failovers -= 1;
                self.rows = self.earlier[self.earlier.len() - commits].clone();
                // Messages may be used up that are now to be waited for again.
                self.wiped = true;
            }
            Action::Lose(packet) => {
                self.network.remove(&packet);
            }
            progress => unreachable!("{progress:?} is no fault"),
        }
    }

    fn deliver(&mut self, scope: &Scope, packet: Packet) {
        match packet {
            Packet::Request(worker, request) => {
                let reply = self.handle(scope, request);
                self.network.insert(Packet::Reply(worker, reply));
            }
            Packet::Reply(worker, reply) => self.receive(scope, worker, reply),
        }
    }

    fn is_repeated(&self, packet: Packet) -> bool {
        match packet {
            Packet::Request(worker, request) => {
                self.workers[usize::from(worker)].repeats().contains(&request)
            }
            Packet::Reply(..) => false,
        }
    }

    /// The broker forgets all messages of the plugin's queue, also those that workers hold.
    fn wipe(&mut self) {
        self.queue.clear();
        self.wiped = true;
        for worker in &mut self.workers {
            if let Hand::Claiming { returnable, .. } = &mut worker.hand {
                *returnable = false;
            }
        }
    }
}
