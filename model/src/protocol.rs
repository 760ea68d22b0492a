//! The protocol between dispatchers, broker, workers and the database's rows, with everything that may go wrong.
//!
//! One machinery, many models: a [`Scope`] says which parts speak over a bad network, which faults happen and how
//! often, and what persons do. Whatever a scope leaves out happens at once and without faults, so that each model
//! stays small enough to be explored completely.
//!
//! All decisions are `shared::job::decide`'s; here stands only what the coordinator does with the answers.

mod action;
mod control;
mod coordinator;
mod dispatcher;
mod fact;
mod packet;
mod rule;
mod scope;
mod worker;
mod world;

use stateright::{Model, Property};

pub(crate) use action::Action;
pub(crate) use control::Control;
pub(crate) use scope::{Budget, Network, Scope};
use world::World;

use crate::explore::Explored;
use crate::report::Bound;
use crate::steps::{End, Steps};

/// The protocol within a scope.
#[derive(Debug, Clone)]
pub(crate) struct Protocol {
    scope: Scope,
    steps: Steps,
}

impl Protocol {
    /// A model of this scope.
    pub(crate) fn new(scope: Scope) -> Self {
        Self {
            scope,
            steps: Steps::default(),
        }
    }
}

impl Model for Protocol {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(&self.scope)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        self.steps.enter(world);
        // What comes after a broken invariant shows nothing.
        if world.broken.is_empty() {
            world.possible(&self.scope, actions);
        }
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let next = world.after(&self.scope, action);
        if next == *world {
            return None;
        }
        let end = End::of(!next.broken.is_empty(), next.all_ended());
        self.steps.note(&next, action.kind(world), end);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = rule::properties();
        properties.extend(fact::properties(&self.scope));
        properties
    }
}

impl Explored for Protocol {
    fn name(&self) -> &'static str {
        self.scope.name
    }

    fn about(&self) -> &'static str {
        self.scope.about
    }

    fn bounds(&self) -> Vec<Bound> {
        self.scope.bounds()
    }

    fn steps(&self) -> &Steps {
        &self.steps
    }
}
