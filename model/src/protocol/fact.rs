//! What a model of the protocol has to reach, lest its invariants hold because nothing happens.

use shared::job::JobState;
use stateright::Property;

use super::scope::Scope;
use super::worker::Hand;
use super::world::World;
use crate::protocol::Protocol;

/// Each fact as a property that holds somewhere; not every model reaches every one.
pub(crate) fn properties(scope: &Scope) -> Vec<Property<Protocol>> {
    let mut facts: Vec<Property<Protocol>> = vec![
        Property::sometimes("a job is DONE", |_, world: &World| world.has(JobState::Done)),
        Property::sometimes("a job is in ERROR", |_, world: &World| world.has(JobState::Error)),
        Property::sometimes("a job is CANCELLED", |_, world: &World| {
            world.has(JobState::Cancelled)
        }),
        Property::sometimes("a job waits for its retry", |_, world: &World| {
            world.has(JobState::Scheduled)
        }),
        Property::sometimes("a second attempt runs", |_, world: &World| {
            let rows = &world.rows.jobs;
            rows.iter()
                .any(|row| row.job.state.is_running() && row.job.attempt > 1)
        }),
        Property::sometimes(
            "two workers believe that they run the same job",
            |_, world: &World| {
                let mut jobs: Vec<u8> = world
                    .workers
                    .iter()
                    .filter_map(|worker| worker.hand.run())
                    .map(|run| run.job)
                    .collect();
                jobs.sort_unstable();
                jobs.windows(2).any(|two| two[0] == two[1])
            },
        ),
        Property::sometimes(
            "a grant that nobody waits for is given back",
            |_, world: &World| world.given_back,
        ),
        Property::sometimes(
            "an attempt completes an earlier one's manifest",
            |_, world: &World| {
                let hands = world.workers.iter().map(|worker| worker.hand);
                hands.into_iter().any(
                    |hand| matches!(hand, Hand::Publishing { run, manifest, .. } if run.claim != manifest),
                )
            },
        ),
        Property::sometimes("a person's wish waits for the worker", |_, world: &World| {
            let rows = &world.rows.jobs;
            rows.iter()
                .any(|row| row.job.state.is_running() && (row.job.cancel_requested || row.job.held))
        }),
    ];
    if scope.budget.failovers > 0 {
        facts.push(Property::sometimes(
            "a publish grant that a failover has lost lets two manifests become visible",
            |_, world: &World| world.published_twice,
        ));
    }
    facts
}

impl World {
    fn has(&self, state: JobState) -> bool {
        self.rows.jobs.iter().any(|row| row.job.state == state)
    }
}
