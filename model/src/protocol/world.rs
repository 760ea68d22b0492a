//! The state of a model of the protocol: rows, broker, network, workers, target folders; and what it remembers to
//! check the rules against.

use std::collections::BTreeSet;

use shared::job::JobState;
use shared::job::decide::Job;

use super::packet::{Owner, Packet, Request};
use super::rule::{Broken, Rule};
use super::scope::{Budget, Scope};
use super::worker::{Hand, Worker};

/// Most files of a job's manifest: with two of them a publication can be seen half done.
pub(crate) const FILES_MAX: usize = 2;

/// Everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct World {
    /// The database.
    pub(crate) rows: Rows,
    /// What the database was before its last commits, oldest first, as far as a failover can go back.
    pub(crate) earlier: Vec<Rows>,
    /// The plugin's queue in the broker.
    pub(crate) queue: Vec<Dispatch>,
    /// The broker may lack messages that were published.
    pub(crate) wiped: bool,
    /// What each dispatcher has in hand.
    pub(crate) dispatchers: Vec<Option<Relay>>,
    /// Messages between workers and coordinators.
    pub(crate) network: BTreeSet<Packet>,
    /// The workers.
    pub(crate) workers: Vec<Worker>,
    /// Each job's target: which manifest's file is in each place.
    pub(crate) targets: Vec<[Option<u8>; FILES_MAX]>,
    /// What may still happen.
    pub(crate) left: Budget,
    /// Remembered: the highest dispatch of each job that the broker has confirmed.
    pub(crate) confirmed: Vec<i64>,
    /// Remembered: attempts that were started, as long as a message could start them again.
    pub(crate) started: BTreeSet<Owner>,
    /// Remembered: manifests whose publication was granted, with their jobs.
    pub(crate) agreed: BTreeSet<(u8, u8)>,
    /// Remembered: files of two manifests became visible after a failover.
    pub(crate) published_twice: bool,
    /// Remembered: a grant that nobody waited for was given back.
    pub(crate) given_back: bool,
    /// Rules that do not hold.
    pub(crate) broken: Broken,
}

/// What the database holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Rows {
    /// The jobs; those that have ended stay, as they do in history.
    pub(crate) jobs: Vec<Row>,
    /// Their plugin.
    pub(crate) plugin: PluginState,
    /// Jobs start by themselves.
    pub(crate) autostart: bool,
    /// The maintained count of the plugin's running jobs.
    pub(crate) running: u8,
    /// Remembered: attempts whose results are recorded, as long as they could still be heard of.
    pub(crate) ended: BTreeSet<Owner>,
}

/// What the database holds of one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Row {
    pub(crate) job: Job,
    pub(crate) published_dispatch: i64,
    pub(crate) lease: Option<Owner>,
    /// The granted manifest, named by the claim whose attempt made it.
    pub(crate) manifest: Option<u8>,
    pub(crate) outcomes: u8,
}

/// What a plugin does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum PluginState {
    Running,
    /// Running jobs are to yield.
    Stopping,
    /// They had their time for that: no lease is made longer any more.
    Overdue,
}

/// A message in the plugin's queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Dispatch {
    pub(crate) job: u8,
    pub(crate) number: i64,
}

/// What a dispatcher does with a dispatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Relay {
    pub(crate) dispatch: Dispatch,
    /// The first of its two effects (publishing, and marking it as published) has happened.
    pub(crate) half_done: bool,
}

impl World {
    /// All jobs submitted, nothing dispatched.
    pub(crate) fn new(scope: &Scope) -> Self {
        let row = Row {
            job: Job::submitted(),
            published_dispatch: 0,
            lease: None,
            manifest: None,
            outcomes: 0,
        };
        let jobs = usize::from(scope.jobs);
        Self {
            rows: Rows {
                jobs: vec![row; jobs],
                plugin: PluginState::Running,
                autostart: true,
                running: 0,
                ended: BTreeSet::new(),
            },
            earlier: Vec::new(),
            queue: Vec::new(),
            wiped: false,
            dispatchers: vec![None; usize::from(scope.dispatchers)],
            network: BTreeSet::new(),
            workers: vec![Worker::idle(); usize::from(scope.workers)],
            targets: vec![[None; FILES_MAX]; jobs],
            left: scope.budget,
            confirmed: vec![0; jobs],
            started: BTreeSet::new(),
            agreed: BTreeSet::new(),
            published_twice: false,
            given_back: false,
            broken: Broken::default(),
        }
    }

    pub(crate) fn row(&self, job: u8) -> &Row {
        &self.rows.jobs[usize::from(job)]
    }

    pub(crate) fn row_mut(&mut self, job: u8) -> &mut Row {
        &mut self.rows.jobs[usize::from(job)]
    }

    /// Whether all jobs have ended.
    pub(crate) fn all_ended(&self) -> bool {
        self.rows.jobs.iter().all(|row| row.job.state.is_final())
    }

    /// Whether a worker would still act for this attempt, or waits to hear that it has it.
    pub(crate) fn is_alive(&self, run: Owner) -> bool {
        self.workers
            .iter()
            .any(|worker| worker.hand.claim() == Some(run.claim) || worker.releasing.contains(&run))
    }

    /// Writes a decided row, and holds the decision against the rules.
    pub(crate) fn write(&mut self, job: u8, next: Job) {
        let before = self.row(job).job;
        let ended = next.state.is_final() && !before.state.is_final();
        let row = self.row_mut(job);
        row.job = next;
        row.outcomes += u8::from(ended);
        let entered_queue = next.state == JobState::Queued && before.state != JobState::Queued;
        let broken = &mut self.broken;
        broken.unless(Rule::FinalIsFinal, !before.state.is_final() || before == next);
        broken.unless(
            Rule::LegalStep,
            before.state == next.state || before.state.may_become(next.state),
        );
        broken.unless(
            Rule::NumbersGrow,
            next.attempt >= before.attempt && next.dispatch >= before.dispatch + i64::from(entered_queue),
        );
    }

    /// Gives the job's attempt a lease, as an attempt that begins or comes back.
    pub(crate) fn lease(&mut self, run: Owner) {
        if self.row_mut(run.job).lease.replace(run).is_none() {
            self.rows.running += 1;
            self.broken.unless(
                Rule::NothingBeginsOverdue,
                self.rows.plugin != PluginState::Overdue,
            );
        }
    }

    /// Takes the lease away, if there is one.
    pub(crate) fn end_lease(&mut self, job: u8) {
        if self.row_mut(job).lease.take().is_some() {
            self.rows.running -= 1;
        }
    }

    /// Brings what is the same into the same form, and checks what must hold in every state.
    ///
    /// A request is repeated until it is answered: until then it is always on its way. An answer that nobody waits
    /// for any more changes nothing, and is dropped.
    pub(crate) fn settle(&mut self, scope: &Scope) {
        let Self { workers, network, .. } = self;
        network.retain(|packet| match packet {
            Packet::Request(..) => true,
            Packet::Reply(worker, reply) => workers[usize::from(*worker)].awaits(*reply),
        });
        for (number, worker) in (0..).zip(workers.iter()) {
            let requests = worker
                .repeats()
                .into_iter()
                .filter(|request| scope.network.carries(*request));
            network.extend(requests.map(|request| Packet::Request(number, request)));
        }
        self.rows.ended.retain(|run| {
            let asks = |packet: &Packet| packet.asks_for() == Some(*run);
            let acts = |worker: &Worker| worker.hand.run() == Some(*run) || worker.releasing.contains(run);
            network.iter().any(asks) || workers.iter().any(acts)
        });
        self.started
            .retain(|run| network.iter().any(|packet| packet.could_start(*run)));
        self.check(scope);
    }

    fn check(&mut self, scope: &Scope) {
        let running = self
            .rows
            .jobs
            .iter()
            .filter(|row| row.job.state.is_running())
            .count();
        self.broken
            .unless(Rule::CountsAreRight, usize::from(self.rows.running) == running);
        for (row, (target, confirmed)) in self
            .rows
            .jobs
            .iter()
            .zip(self.targets.iter().zip(&self.confirmed))
        {
            let broken = &mut self.broken;
            broken.unless(Rule::OneOutcome, row.outcomes <= 1);
            let owner = row.job.token.filter(|_| row.job.state.is_running());
            broken.unless(Rule::OneLease, row.lease.map(Owner::token) == owner);
            broken.unless(Rule::MarkedIsConfirmed, row.published_dispatch <= *confirmed);
            let shown = target.iter().flatten().count();
            broken.unless(
                Rule::DoneShowsAll,
                row.job.state != JobState::Done || shown == scope.files,
            );
            // A failover may lose the grant that came before a wish to cancel.
            broken.unless(
                Rule::CancelledShowsNothing,
                row.job.state != JobState::Cancelled || shown == 0 || scope.budget.failovers > 0,
            );
        }
    }

    /// Puts a message into the plugin's queue.
    pub(crate) fn enqueue(&mut self, dispatch: Dispatch) {
        self.queue.push(dispatch);
        self.queue.sort_unstable();
    }

    /// A worker asks, and is answered at once; what the network carries is sent by [`Self::settle`].
    pub(crate) fn ask(&mut self, scope: &Scope, worker: u8, request: Request) {
        if !scope.network.carries(request) {
            let reply = self.handle(scope, request);
            self.receive(scope, worker, reply);
        }
    }

    /// A claim id that nothing and nobody knows.
    pub(crate) fn fresh_claim(&self) -> u8 {
        let mut known = BTreeSet::new();
        for rows in self.earlier.iter().chain([&self.rows]) {
            known.extend(rows.ended.iter().map(|run| run.claim));
            for row in &rows.jobs {
                known.extend(row.manifest);
                known.extend(row.lease.map(|run| run.claim));
                known.extend(row.job.token.map(|token| Owner::of(0, token).claim));
            }
        }
        known.extend(self.workers.iter().filter_map(|worker| worker.hand.claim()));
        known.extend(
            self.workers
                .iter()
                .flat_map(|worker| &worker.releasing)
                .map(|run| run.claim),
        );
        known.extend(self.network.iter().flat_map(|packet| packet.claims()));
        known.extend(self.targets.iter().flatten().flatten());
        known.extend(self.started.iter().map(|run| run.claim));
        known.extend(self.agreed.iter().map(|(_, claim)| *claim));
        (1..u8::MAX)
            .find(|claim| !known.contains(claim))
            .expect("a model has fewer claims")
    }

    /// Whether another worker would do in this one's place: idle, and nothing is on its way from it or to it.
    pub(crate) fn is_fresh(&self, worker: u8) -> bool {
        let fresh = self.workers[usize::from(worker)] == Worker::idle();
        fresh && !self.network.iter().any(|packet| packet.party() == worker)
    }

    /// The worker's attempt in hand, if any.
    pub(crate) fn hand(&self, worker: u8) -> Hand {
        self.workers[usize::from(worker)].hand
    }
}
