//! The invariants, by name, and the record of those that a state has broken.

use stateright::Property;

use super::world::World;
use crate::protocol::Protocol;

/// What must hold always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Rule {
    OneOutcome,
    OutcomeIsTheOwners,
    LeaseIsTheOwners,
    PublishGrantIsTheOwners,
    StartsOnce,
    EndsOnce,
    FinalIsFinal,
    LegalStep,
    GrantIsDue,
    OneLease,
    NumbersGrow,
    VisibleOnlyAfterGrant,
    OneManifest,
    CancelledShowsNothing,
    DoneShowsAll,
    MarkedIsConfirmed,
    CountsAreRight,
    NothingBeginsOverdue,
}

impl Rule {
    /// What it says.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::OneOutcome => "a job has at most one outcome",
            Self::OutcomeIsTheOwners => {
                "an accepted outcome is the current claim's, or the last one's while nobody has claimed since"
            }
            Self::LeaseIsTheOwners => "only the current claim's heartbeat keeps a lease or revives one",
            Self::PublishGrantIsTheOwners => "only the current claim is allowed to publish",
            Self::StartsOnce => "each (attempt, claim) starts at most once",
            Self::EndsOnce => "an attempt whose result was recorded has no say any more",
            Self::FinalIsFinal => "DONE, ERROR and CANCELLED are never left",
            Self::LegalStep => "a job's state changes only as the state machine allows",
            Self::GrantIsDue => {
                "a claim is granted only for a waiting, current, unheld, uncancelled job of a running plugin within its limits"
            }
            Self::OneLease => "a job has a lease exactly while it runs, and it is its claim's",
            Self::NumbersGrow => {
                "attempt and dispatch numbers only grow, the latter with each entry into QUEUED"
            }
            Self::VisibleOnlyAfterGrant => "nothing becomes visible before its publication was granted",
            Self::OneManifest => "files of one manifest only become visible",
            Self::CancelledShowsNothing => "a cancelled job has published nothing",
            Self::DoneShowsAll => "a job that is DONE has all its files in place",
            Self::MarkedIsConfirmed => {
                "a dispatch is marked as published only after the broker has confirmed it"
            }
            Self::CountsAreRight => "the maintained count of running jobs equals the recount",
            Self::NothingBeginsOverdue => {
                "beyond the deadline of a stop no lease begins, and none begins anew"
            }
        }
    }
}

/// Which rules a state has broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Broken(u32);

impl Broken {
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn has(self, rule: Rule) -> bool {
        self.0 & (1 << rule as u32) != 0
    }

    /// Notes that `rule` is broken unless `holds`.
    pub(crate) fn unless(&mut self, rule: Rule, holds: bool) {
        if !holds {
            self.0 |= 1 << rule as u32;
        }
    }
}

/// Each rule as a property that must hold always.
pub(crate) fn properties() -> Vec<Property<Protocol>> {
    macro_rules! always {
        ($($rule:ident),*) => {
            vec![$(Property::always(Rule::$rule.as_str(), |_, world: &World| !world.broken.has(Rule::$rule))),*]
        };
    }
    always![
        OneOutcome,
        OutcomeIsTheOwners,
        LeaseIsTheOwners,
        PublishGrantIsTheOwners,
        StartsOnce,
        EndsOnce,
        FinalIsFinal,
        LegalStep,
        GrantIsDue,
        OneLease,
        NumbersGrow,
        VisibleOnlyAfterGrant,
        OneManifest,
        CancelledShowsNothing,
        DoneShowsAll,
        MarkedIsConfirmed,
        CountsAreRight,
        NothingBeginsOverdue
    ]
}
