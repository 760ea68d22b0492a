//! Runs a model to its end: stateright visits every state and holds the invariants against it; meanwhile each step
//! is written down, and a search backwards from the finished states shows from which states a job could not end.
//!
//! Invariant: a report says "complete" only if every reachable state within the bounds was visited.

use std::fmt::Debug;
use std::hash::Hash;
use std::num::NonZeroUsize;
use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model};

use crate::report::{Bound, Report, Violation};
use crate::steps::Steps;

/// A model that is not explored further after this many steps; none of the models comes near.
const STEPS_MAX: usize = 40_000_000;

/// What the name of the liveness property is, in reports.
pub(crate) const CAN_FINISH: &str = "from every state the job can still end when faults cease";

/// A model with what its report says of it.
pub(crate) trait Explored:
    Model<State: Clone + Debug + Eq + Hash + Send + Sync, Action: Debug + Clone + PartialEq>
    + Clone
    + Send
    + Sync
    + 'static
{
    /// Its name in reports.
    fn name(&self) -> &'static str;

    /// What it is about, in one sentence.
    fn about(&self) -> &'static str;

    /// How far it goes.
    fn bounds(&self) -> Vec<Bound>;

    /// Where its steps are written down.
    fn steps(&self) -> &Steps;
}

/// Visits all states of `model`; `until_violated` ends with the first invariant that does not hold.
pub(crate) fn explore<M: Explored>(model: &M, until_violated: bool) -> Report {
    let began = Instant::now();
    let initial = model.init_states();
    model.steps().begin(&initial);
    let invariants: Vec<&'static str> = model
        .properties()
        .iter()
        .filter(|property| property.expectation.discovery_is_failure())
        .map(|property| property.name)
        .collect();
    let builder = model.clone().checker().target_state_count(STEPS_MAX);
    let builder = if until_violated {
        builder.finish_when(HasDiscoveries::AnyFailures)
    } else {
        builder
    };
    // One thread: only then are the paths the shortest ones.
    let checker = builder.threads(NonZeroUsize::MIN.get()).spawn_bfs().join();
    let mut violations = Vec::new();
    let mut reached = Vec::new();
    for (name, path) in checker.discoveries() {
        let shown = Violation {
            invariant: name.to_owned(),
            path: path
                .into_actions()
                .iter()
                .map(|action| format!("{action:?}"))
                .collect(),
        };
        if model.property(name).expectation.discovery_is_failure() {
            violations.push(shown);
        } else {
            reached.push(shown);
        }
    }
    // Stateright shows one of the first violations; the very first has the shortest path.
    if let Some(trail) = model.steps().broken() {
        let (path, state) = follow(model, &trail);
        for property in model.properties() {
            if property.expectation.discovery_is_failure() && !(property.condition)(model, &state) {
                violations.retain(|violation| violation.invariant != property.name);
                violations.push(Violation {
                    invariant: property.name.to_owned(),
                    path: path.clone(),
                });
            }
        }
    }
    violations.sort_by_key(|violation| violation.path.len());
    reached.sort_by_key(|fact| fact.path.len());
    // Where an invariant is broken, nothing goes on: only a whole graph tells who can finish.
    let stuck = if violations.is_empty() {
        model.steps().stuck()
    } else {
        Vec::new()
    };
    if let Some(trail) = stuck.first() {
        violations.push(Violation {
            invariant: CAN_FINISH.to_owned(),
            path: follow(model, trail).0,
        });
    }
    Report {
        name: model.name().to_owned(),
        about: model.about().to_owned(),
        bounds: model.bounds(),
        invariants: invariants
            .into_iter()
            .map(str::to_owned)
            .chain([CAN_FINISH.to_owned()])
            .collect(),
        unique_states: checker.unique_state_count(),
        steps: checker.state_count(),
        depth: checker.max_depth(),
        // Two ways of telling states apart that agree are no coincidence.
        complete: violations.is_empty()
            && checker.state_count() < STEPS_MAX
            && checker.unique_state_count() == model.steps().seen(),
        stuck_states: stuck.len(),
        violations,
        reached,
        milliseconds: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}

/// The actions along a trail of fingerprints that begins with an initial state, and the state at its end.
fn follow<M: Explored>(model: &M, trail: &[u64]) -> (Vec<String>, M::State) {
    let mut state = model
        .init_states()
        .into_iter()
        .find(|state| trail.first() == Some(&Steps::fingerprint(state)))
        .expect("a trail begins with an initial state");
    let mut path = Vec::new();
    for next in &trail[1..] {
        let mut actions = Vec::new();
        model.actions(&state, &mut actions);
        let (action, after) = actions
            .into_iter()
            .find_map(|action| {
                let after = model.next_state(&state, action.clone())?;
                (Steps::fingerprint(&after) == *next).then_some((action, after))
            })
            .expect("a trail follows steps of the model");
        path.push(format!("{action:?}"));
        state = after;
    }
    (path, state)
}
