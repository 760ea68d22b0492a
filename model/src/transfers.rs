//! Transfer slots: jobs on one storage that takes one transfer at a time, and heartbeats that get lost.
//!
//! A worker waits until it has heard that it may move its data, moves them, works, and ends. What it asks for goes with
//! each heartbeat; a coordinator settles it as `coordinator/src/db/transfers.rs` does. Heartbeats of one worker do not
//! overtake each other here.

mod state;

use shared::job::JobState;
use stateright::{Model, Property};

use crate::explore::Explored;
use crate::report::Bound;
use crate::steps::{End, Kind, Steps};
use state::{Action, State, steps_of};

/// Jobs, each with a worker of its own.
const JOBS: usize = 3;
/// Transfers that the storage takes at a time.
const MOST: i64 = 1;
/// How often a heartbeat or its answer is lost.
const LOSSES: u8 = 1;
/// How often a worker dies, or loses its lease although it lives.
const TROUBLES: u8 = 1;

const LIMIT: &str = "no more attempts move data than may, but those whose lease had ended while they lived";
const COUNT: &str = "as many slots are counted as leases have one";
const FAIR: &str = "nobody gets a slot before who came first";

/// The model.
#[derive(Debug, Clone, Default)]
pub(crate) struct Transfers {
    steps: Steps,
}

impl Model for Transfers {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::initial()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.steps.enter(state);
        if !state.is_broken() {
            actions.extend((0..JOBS).flat_map(|at| steps_of(state, at)));
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        next.apply(action);
        if next == *state {
            return None;
        }
        let kind = match action {
            Action::Lose(_) | Action::ExpireEarly(_) | Action::Kill(_) => Kind::Fault,
            _ => Kind::Progress,
        };
        let end = End::of(next.is_broken(), next.is_finished());
        self.steps.note(&next, kind, end);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(LIMIT, |_, state: &State| state.keeps_the_limit()),
            Property::always(COUNT, |_, state: &State| state.counts_right()),
            Property::always(FAIR, |_, state: &State| !state.overtaken),
            Property::sometimes(ALL_DONE, |_, state: &State| {
                state.places.iter().all(|place| place.job.state == JobState::Done)
            }),
            Property::sometimes(ABOVE, |_, state: &State| state.running > MOST),
        ]
    }
}

const ALL_DONE: &str = "all jobs are DONE";
const ABOVE: &str = "an attempt comes back with its transfer under way and counts beyond the limit";

impl Explored for Transfers {
    fn name(&self) -> &'static str {
        "transfers"
    }

    fn about(&self) -> &'static str {
        "jobs take turns to move data on one storage; heartbeats are lost, leases end early, workers die"
    }

    fn bounds(&self) -> Vec<Bound> {
        [
            ("jobs", JOBS as u64),
            ("transfers at a time", MOST.unsigned_abs()),
            ("lost heartbeats or answers", LOSSES.into()),
            ("deaths of workers, and leases that end early", TROUBLES.into()),
        ]
        .map(|(what, most)| Bound { what, most })
        .to_vec()
    }

    fn steps(&self) -> &Steps {
        &self.steps
    }
}
