//! From a submission to its job: what its submitter holds for accepted is recorded, once.
//!
//! A submission lies in a durable queue; the broker confirms it, which its submitter takes for accepted. A
//! coordinator takes it, records the job with its key, acknowledges the message and answers; it may die between any
//! two of these. A submitter that hears nothing submits again with the same key.

use shared::mutant::{self, Mutant};
use stateright::{Model, Property};

use crate::explore::Explored;
use crate::report::Bound;
use crate::steps::{End, Kind, Steps};

/// Coordinators.
const COORDINATORS: usize = 2;
/// How often they die.
const DEATHS: u8 = 2;
/// How often the submitter submits.
const SUBMISSIONS: u8 = 2;
/// How often an answer gets lost.
const LOST_ANSWERS: u8 = 1;

/// The model.
#[derive(Debug, Clone, Default)]
pub(crate) struct Submissions {
    steps: Steps,
}

/// What a coordinator has done with the message in its hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Hand {
    committed: bool,
    acknowledged: bool,
}

/// Everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// Messages in the queue that nobody has taken.
    queued: u8,
    hands: [Option<Hand>; COORDINATORS],
    /// Jobs recorded for the key.
    jobs: u8,
    /// The broker has confirmed a submission, or a coordinator has answered one.
    accepted: bool,
    answered: bool,
    submissions: u8,
    deaths: u8,
    lost_answers: u8,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// The submitter submits; the broker confirms it.
    Submit,
    /// A coordinator takes a message.
    Take { coordinator: usize },
    /// A coordinator commits: the job is recorded, or its key is known already.
    Commit { coordinator: usize },
    /// A coordinator acknowledges its message.
    Acknowledge { coordinator: usize },
    /// A coordinator answers and is done.
    Answer { coordinator: usize },
    /// The answer does not arrive.
    LoseAnswer { coordinator: usize },
    /// A coordinator dies; its message, if not acknowledged, is delivered again.
    Kill { coordinator: usize },
}

impl State {
    /// Whether what is accepted is recorded, or lies where it will be recorded from.
    fn keeps_what_it_accepted(&self) -> bool {
        let on_its_way = self.queued > 0 || self.hands.iter().flatten().any(|hand| !hand.acknowledged);
        // Acknowledged, not committed, and its coordinator lives: lost as soon as that one dies.
        let in_hand = self.hands.iter().flatten().any(|hand| !hand.committed);
        !self.accepted || self.jobs > 0 || on_its_way || in_hand
    }

    fn apply(&mut self, action: Action) {
        match action {
            Action::Submit => {
                self.submissions -= 1;
                self.queued += 1;
                self.accepted = true;
            }
            Action::Take { coordinator } => {
                self.queued -= 1;
                self.hands[coordinator] = Some(Hand {
                    committed: false,
                    acknowledged: false,
                });
            }
            Action::Commit { coordinator } => {
                // The key is taken under a unique index: the second transaction finds the first one's job.
                self.jobs = self.jobs.max(1);
                self.change(coordinator, |hand| hand.committed = true);
            }
            Action::Acknowledge { coordinator } => self.change(coordinator, |hand| hand.acknowledged = true),
            Action::Answer { coordinator } => {
                self.hands[coordinator] = None;
                self.answered = true;
            }
            Action::LoseAnswer { coordinator } => {
                self.lost_answers -= 1;
                self.hands[coordinator] = None;
            }
            Action::Kill { coordinator } => {
                self.deaths -= 1;
                if self.hands[coordinator]
                    .take()
                    .is_some_and(|hand| !hand.acknowledged)
                {
                    self.queued += 1;
                }
            }
        }
    }

    fn change(&mut self, coordinator: usize, change: impl FnOnce(&mut Hand)) {
        if let Some(hand) = &mut self.hands[coordinator] {
            change(hand);
        }
    }
}

impl Model for Submissions {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            queued: 0,
            hands: [None; COORDINATORS],
            jobs: 0,
            accepted: false,
            answered: false,
            submissions: SUBMISSIONS,
            deaths: DEATHS,
            lost_answers: LOST_ANSWERS,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.steps.enter(state);
        if state.submissions > 0 {
            actions.push(Action::Submit);
        }
        let early = mutant::is_active(Mutant::AckBeforeCommit);
        for (coordinator, hand) in state.hands.iter().enumerate() {
            let Some(hand) = hand else {
                if state.queued > 0 {
                    actions.push(Action::Take { coordinator });
                }
                continue;
            };
            if !hand.committed && (hand.acknowledged || !early) {
                actions.push(Action::Commit { coordinator });
            }
            if !hand.acknowledged && (hand.committed || early) {
                actions.push(Action::Acknowledge { coordinator });
            }
            if hand.committed && hand.acknowledged {
                actions.push(Action::Answer { coordinator });
                if state.lost_answers > 0 {
                    actions.push(Action::LoseAnswer { coordinator });
                }
            }
            if state.deaths > 0 {
                actions.push(Action::Kill { coordinator });
            }
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        next.apply(action);
        let kind = match action {
            Action::LoseAnswer { .. } | Action::Kill { .. } => Kind::Fault,
            // Only the first one has to come; the repetition is the submitter's to decide.
            Action::Submit if state.accepted => Kind::Fault,
            _ => Kind::Progress,
        };
        let end = End::of(!next.keeps_what_it_accepted(), next.jobs > 0);
        self.steps.note(&next, kind, end);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("an acknowledged submission is never lost", |_, state: &State| {
                state.keeps_what_it_accepted()
            }),
            Property::always("an answered submission is recorded", |_, state: &State| {
                !state.answered || state.jobs > 0
            }),
            Property::always("a submission that comes twice is one job", |_, state: &State| {
                state.jobs <= 1
            }),
        ]
    }
}

impl Explored for Submissions {
    fn name(&self) -> &'static str {
        "submissions"
    }

    fn about(&self) -> &'static str {
        "a submission is repeated, coordinators die between commit, acknowledgement and answer"
    }

    fn bounds(&self) -> Vec<Bound> {
        [
            ("coordinators", COORDINATORS as u64),
            ("deaths of coordinators", DEATHS.into()),
            ("submissions with one key", SUBMISSIONS.into()),
            ("lost answers", LOST_ANSWERS.into()),
        ]
        .map(|(what, most)| Bound { what, most })
        .to_vec()
    }

    fn steps(&self) -> &Steps {
        &self.steps
    }
}
