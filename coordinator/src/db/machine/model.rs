//! The pure side: jobs as the decisions see them, and what surrounds them.

use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;
use shared::job::decide::{
    self, ClaimAnswer, ClaimAsk, ControlAnswer, EndAnswer, ErrorClass, Gate, HeartbeatAnswer, Job,
    OutcomeKind, Pause, PluginState, PublishAnswer, TransferAnswer, TransferRoom,
};
use shared::job::{ClaimId, JobState, Stage, Token};
use uuid::Uuid;

use crate::control::JobAction;

/// Most jobs of a history.
const JOBS_MAX: usize = 4;
/// How often the plugin tries again: the schema's default.
pub(super) const RETRIES_MAX: i16 = 3;

/// Everything that decisions depend on.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) jobs: Vec<Job>,
    /// All tokens that were ever granted, with their jobs.
    pub(super) tokens: Vec<(usize, Token)>,
    pub(super) plugin: PluginState,
    /// Its stop's deadline has passed.
    overdue: bool,
    pub(super) autostart: bool,
    pub(super) running_max: Option<i32>,
    /// The storage that all jobs use, where it is known.
    pub(super) storage: Option<Storage>,
    /// Jobs that move their data.
    pub(super) moves: Vec<usize>,
    /// Jobs that wait for that, in the order in which they came.
    pub(super) queue: Vec<usize>,
}

/// The limits of a storage.
#[derive(Debug, Clone, Copy)]
pub(super) struct Storage {
    pub(super) running_max: Option<i32>,
    pub(super) transfers_max: Option<i32>,
}

impl World {
    /// How many attempts run.
    pub(super) fn running(&self) -> i64 {
        let running = self.jobs.iter().filter(|job| job.state.is_running());
        i64::try_from(running.count()).unwrap_or(i64::MAX)
    }

    /// An attempt has been heard of; it may have come back.
    fn runs_again(&mut self, job: usize, next: Job) {
        if self.jobs[job].state == JobState::Queued {
            self.plugin = self.plugin.with_running(self.running() + 1);
        }
        self.jobs[job] = next;
    }

    fn gate(&self) -> Gate {
        Gate {
            plugin_running: self.plugin == PluginState::Running,
            autostart: self.autostart,
            has_room: self.running_max.is_none_or(|most| self.running() < most.into()),
            has_quota: true,
            storages_have_room: self
                .storage
                .and_then(|storage| storage.running_max)
                .is_none_or(|most| self.running() < most.into()),
            worker_has_room: true,
        }
    }

    /// A heartbeat of a job's running attempt asks for a transfer, or does not.
    fn settle(&mut self, job: usize, token: Token, begun: Option<bool>) {
        let (Some(begun), Some(storage)) = (begun, self.storage) else {
            self.moves.retain(|moves| *moves != job);
            self.queue.retain(|waits| *waits != job);
            return;
        };
        let holds = self.moves.contains(&job);
        let ahead = self.queue.iter().position(|waits| *waits == job);
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let room = TransferRoom {
            running: number(self.moves.len()),
            most: storage.transfers_max.map(i64::from),
            ahead: number(ahead.unwrap_or(self.queue.len())),
        };
        match decide::transfer(&self.jobs[job], token, begun || holds, room) {
            TransferAnswer::Grant => {
                self.queue.retain(|waits| *waits != job);
                self.moves.retain(|moves| *moves != job);
                self.moves.push(job);
            }
            TransferAnswer::Wait if ahead.is_none() => self.queue.push(job),
            TransferAnswer::Wait => {}
        }
    }

    /// What an attempt has and waits for goes with its lease.
    fn forget_ended(&mut self) {
        let jobs = &self.jobs;
        self.moves.retain(|job| jobs[*job].state.is_running());
        self.queue.retain(|job| jobs[*job].state.is_running());
    }

    fn pause(&self) -> Pause {
        match (self.plugin, self.overdue) {
            (PluginState::Running, _) => Pause::No,
            (_, false) => Pause::AtNextItem,
            (_, true) => Pause::AtOnce,
        }
    }
}

/// One thing that happens. Jobs and tokens are chosen by their place, counted round.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Submit,
    Claim {
        job: usize,
        back: i64,
        claim_id: ClaimId,
    },
    Heartbeat {
        token: usize,
        stage: Stage,
        /// It asks for a transfer; whether that has begun.
        transfer: Option<bool>,
    },
    Publish {
        token: usize,
    },
    Result {
        token: usize,
        outcome: OutcomeKind,
    },
    Expire {
        job: usize,
    },
    Act {
        job: usize,
        action: JobAction,
    },
    /// With a deadline that has passed, or without one.
    StopPlugin {
        overdue: bool,
    },
    StartPlugin,
    FollowStops,
    Autostart(bool),
    Limit(Option<i32>),
    Storage(Option<Storage>),
    TimeComes,
}

/// The pure side of the comparison.
#[derive(Debug)]
pub(super) struct Decisions;

impl ReferenceStateMachine for Decisions {
    type State = World;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<World> {
        Just(World {
            jobs: Vec::new(),
            tokens: Vec::new(),
            plugin: PluginState::Running,
            overdue: false,
            autostart: true,
            running_max: None,
            storage: None,
            moves: Vec::new(),
            queue: Vec::new(),
        })
        .boxed()
    }

    fn transitions(world: &World) -> BoxedStrategy<Step> {
        if world.jobs.is_empty() {
            return Just(Step::Submit).boxed();
        }
        let jobs = 0..world.jobs.len();
        let tokens = 0..world.tokens.len().max(1);
        let claim_id = any::<u128>().prop_map(|number| ClaimId(Uuid::from_u128(number)));
        let stage = prop_oneof![
            Just(Stage::Started),
            Just(Stage::Upload),
            Just(Stage::Processing),
            Just(Stage::Download)
        ];
        let outcome = prop_oneof![
            Just(OutcomeKind::Done),
            Just(OutcomeKind::Failed(ErrorClass::Permanent)),
            Just(OutcomeKind::Failed(ErrorClass::Retryable)),
            Just(OutcomeKind::Interrupted),
            Just(OutcomeKind::Cancelled),
        ];
        let action = prop_oneof![
            Just(JobAction::Cancel),
            Just(JobAction::Hold),
            Just(JobAction::Release),
            Just(JobAction::StartNow),
        ];
        let transfer = prop_oneof![2 => Just(None), 5 => Just(Some(false)), 1 => Just(Some(true))];
        let most = prop_oneof![Just(None), Just(Some(1)), Just(Some(2))];
        let storage = (most.clone(), most.clone()).prop_map(|(running_max, transfers_max)| Storage {
            running_max,
            transfers_max,
        });
        prop_oneof![
            1 => Just(Step::Submit),
            8 => (jobs.clone(), 0..6_i64, claim_id)
                .prop_map(|(job, back, claim_id)| Step::Claim { job, back: i64::from(back == 0), claim_id }),
            8 => (tokens.clone(), stage, transfer)
                .prop_map(|(token, stage, transfer)| Step::Heartbeat { token, stage, transfer }),
            2 => tokens.clone().prop_map(|token| Step::Publish { token }),
            3 => (tokens, outcome).prop_map(|(token, outcome)| Step::Result { token, outcome }),
            2 => jobs.clone().prop_map(|job| Step::Expire { job }),
            3 => (jobs, action).prop_map(|(job, action)| Step::Act { job, action }),
            1 => any::<bool>().prop_map(|overdue| Step::StopPlugin { overdue }),
            2 => Just(Step::StartPlugin),
            2 => Just(Step::FollowStops),
            1 => any::<bool>().prop_map(Step::Autostart),
            1 => most.prop_map(Step::Limit),
            2 => prop::option::weighted(0.8, storage).prop_map(Step::Storage),
            2 => Just(Step::TimeComes),
        ]
        .boxed()
    }

    fn preconditions(world: &World, step: &Step) -> bool {
        match step {
            Step::Submit => world.jobs.len() < JOBS_MAX,
            Step::Claim { job, .. } | Step::Expire { job } | Step::Act { job, .. } => *job < world.jobs.len(),
            Step::Heartbeat { token, .. } | Step::Publish { token } | Step::Result { token, .. } => {
                *token < world.tokens.len()
            }
            _ => true,
        }
    }

    fn apply(mut world: World, step: &Step) -> World {
        match step {
            Step::Submit => world.jobs.push(Job::submitted()),
            Step::Claim { job, back, claim_id } => {
                let row = world.jobs[*job];
                let ask = ClaimAsk {
                    dispatch: row.dispatch - back,
                    claim_id: *claim_id,
                };
                match unfinished(&row).map(|row| decide::claim(row, ask, world.gate())) {
                    Some(ClaimAnswer::Grant(next)) => {
                        world.jobs[*job] = next;
                        world.tokens.extend(next.token.map(|token| (*job, token)));
                    }
                    Some(ClaimAnswer::Postpone(_, next)) => world.jobs[*job] = next,
                    _ => {}
                }
            }
            Step::Heartbeat {
                token,
                stage,
                transfer,
            } => {
                let (job, token) = world.tokens[*token];
                let answer = unfinished(&world.jobs[job])
                    .map(|row| decide::heartbeat(row, token, *stage, world.pause()));
                if let Some(
                    HeartbeatAnswer::Ok(next)
                    | HeartbeatAnswer::Cancel(next)
                    | HeartbeatAnswer::Yield(next)
                    | HeartbeatAnswer::Interrupt(next),
                ) = answer
                {
                    world.runs_again(job, next);
                    world.settle(job, token, *transfer);
                }
            }
            Step::Publish { token } => {
                let (job, token) = world.tokens[*token];
                if let Some((PublishAnswer::Granted, next)) =
                    unfinished(&world.jobs[job]).map(|row| decide::ask_to_publish(row, token, world.pause()))
                {
                    world.runs_again(job, next);
                }
            }
            Step::Result { token, outcome } => {
                let (job, token) = world.tokens[*token];
                let answer =
                    unfinished(&world.jobs[job]).map(|row| decide::result(row, token, *outcome, RETRIES_MAX));
                if let Some(EndAnswer::Record(next)) = answer {
                    world.jobs[job] = next;
                }
            }
            Step::Expire { job } => {
                let row = world.jobs[*job];
                if let Some(next) = row.token.and_then(|token| decide::lease_expired(&row, token)) {
                    world.jobs[*job] = next;
                }
            }
            Step::Act { job, action } => {
                let row = world.jobs[*job];
                if let Some(ControlAnswer::Change(next)) = unfinished(&row).map(|row| act(row, action)) {
                    world.jobs[*job] = next;
                }
            }
            Step::StopPlugin { overdue } => {
                world.plugin = PluginState::stopped_by_hand(world.running());
                world.overdue = *overdue;
            }
            Step::StartPlugin => world.plugin = PluginState::Running,
            Step::FollowStops => world.plugin = world.plugin.with_running(world.running()),
            Step::Autostart(on) => world.autostart = *on,
            Step::Limit(most) => world.running_max = *most,
            Step::Storage(storage) => world.storage = *storage,
            Step::TimeComes => {
                for job in &mut world.jobs {
                    *job = decide::time_has_come(job).unwrap_or(*job);
                }
            }
        }
        world.forget_ended();
        world
    }
}

/// A job that has ended has no row to decide about.
fn unfinished(job: &Job) -> Option<&Job> {
    (!job.state.is_final()).then_some(job)
}

fn act(job: &Job, action: &JobAction) -> ControlAnswer {
    match action {
        JobAction::Cancel => decide::cancel(job),
        JobAction::Hold => decide::hold(job),
        JobAction::Release => decide::release(job),
        JobAction::StartNow => decide::start_now(job),
        other => unreachable!("{other:?} is not drawn"),
    }
}

/// The state that history keeps.
pub(super) fn ended(job: &Job) -> Option<JobState> {
    job.state.is_final().then_some(job.state)
}
