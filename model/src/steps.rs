//! The graph of a model's states, written down while it is explored, and the search through it for dead ends.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Whether a step is one that always comes, or one that may stay away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What the system does by itself, or a person who undoes what keeps a job waiting.
    Progress,
    /// A fault, or a person's whim: nothing may depend on its coming.
    Fault,
}

/// What a state is the end of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// All jobs have ended.
    Finished,
    /// An invariant does not hold.
    Broken,
}

impl End {
    /// What a state is the end of, if of anything.
    pub(crate) fn of(broken: bool, finished: bool) -> Option<Self> {
        match (broken, finished) {
            (true, _) => Some(Self::Broken),
            (false, true) => Some(Self::Finished),
            (false, false) => None,
        }
    }
}

/// All steps of one exploration.
#[derive(Debug, Clone, Default)]
pub(crate) struct Steps(Arc<Mutex<Graph>>);

#[derive(Debug, Default)]
struct Graph {
    numbers: HashMap<u64, usize>,
    states: Vec<Node>,
    /// The state that steps are written down from.
    current: usize,
    /// The first state that breaks an invariant.
    broken: Option<usize>,
    /// Progress only: from, to.
    progress: Vec<(usize, usize)>,
}

#[derive(Debug)]
struct Node {
    fingerprint: u64,
    /// Where the exploration came from when it first saw this state.
    parent: Option<usize>,
    finished: bool,
}

impl Steps {
    /// Begins with these states.
    pub(crate) fn begin<S: Hash>(&self, initial: &[S]) {
        let mut graph = self.graph();
        *graph = Graph::default();
        for state in initial {
            graph.number(Self::fingerprint(state), None, false);
        }
    }

    /// The steps that are written down from now on begin in this state.
    pub(crate) fn enter<S: Hash>(&self, state: &S) {
        let fingerprint = Self::fingerprint(state);
        let mut graph = self.graph();
        graph.current = graph.number(fingerprint, None, false);
    }

    /// Writes one step down.
    pub(crate) fn note<S: Hash>(&self, to: &S, kind: Kind, end: Option<End>) {
        let to = Self::fingerprint(to);
        let mut graph = self.graph();
        let from = graph.current;
        let to = graph.number(to, Some(from), end == Some(End::Finished));
        if end == Some(End::Broken) && graph.broken.is_none() {
            graph.broken = Some(to);
        }
        if kind == Kind::Progress {
            graph.progress.push((from, to));
        }
    }

    /// The trail of fingerprints to the state that was the first to break an invariant.
    pub(crate) fn broken(&self) -> Option<Vec<u64>> {
        let graph = self.graph();
        graph.broken.map(|number| graph.trail(number))
    }

    /// How many states were seen.
    pub(crate) fn seen(&self) -> usize {
        self.graph().states.len()
    }

    /// Trails of fingerprints to those states from which progress alone leads to no finished state, shortest first.
    pub(crate) fn stuck(&self) -> Vec<Vec<u64>> {
        let graph = self.graph();
        let mut before: Vec<Vec<usize>> = vec![Vec::new(); graph.states.len()];
        for (from, to) in &graph.progress {
            before[*to].push(*from);
        }
        let mut can_finish: Vec<bool> = graph.states.iter().map(|node| node.finished).collect();
        let mut frontier: Vec<usize> = (0..can_finish.len())
            .filter(|number| can_finish[*number])
            .collect();
        while let Some(number) = frontier.pop() {
            for earlier in &before[number] {
                if !std::mem::replace(&mut can_finish[*earlier], true) {
                    frontier.push(*earlier);
                }
            }
        }
        let mut trails: Vec<Vec<u64>> = (0..can_finish.len())
            .filter(|number| !can_finish[*number])
            .map(|number| graph.trail(number))
            .collect();
        trails.sort_by_key(Vec::len);
        trails
    }

    /// What tells a state from all others.
    pub(crate) fn fingerprint<S: Hash>(state: &S) -> u64 {
        let mut hasher = DefaultHasher::new();
        state.hash(&mut hasher);
        hasher.finish()
    }

    fn graph(&self) -> MutexGuard<'_, Graph> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Graph {
    fn number(&mut self, fingerprint: u64, parent: Option<usize>, finished: bool) -> usize {
        let Self { numbers, states, .. } = self;
        *numbers.entry(fingerprint).or_insert_with(|| {
            states.push(Node {
                fingerprint,
                parent,
                finished,
            });
            states.len() - 1
        })
    }

    fn trail(&self, end: usize) -> Vec<u64> {
        let mut trail = vec![self.states[end].fingerprint];
        let mut number = end;
        while let Some(parent) = self.states[number].parent {
            trail.push(self.states[parent].fingerprint);
            number = parent;
        }
        trail.reverse();
        trail
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_that_only_a_fault_leads_out_of_is_stuck() {
        let steps = Steps::default();
        steps.begin(&["start"]);
        steps.enter(&"start");
        steps.note(&"middle", Kind::Progress, None);
        steps.enter(&"middle");
        steps.note(&"end", Kind::Progress, Some(End::Finished));
        steps.note(&"pit", Kind::Fault, None);
        steps.enter(&"pit");
        steps.note(&"end", Kind::Fault, Some(End::Finished));
        let trail: Vec<u64> = ["start", "middle", "pit"]
            .iter()
            .map(Steps::fingerprint)
            .collect();
        assert_eq!(steps.stuck(), [trail]);
    }
}
