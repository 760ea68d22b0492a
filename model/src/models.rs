//! The models: what each contains, and how far it goes.

use crate::explore::explore;
use crate::leases::Leases;
use crate::protocol::{Budget, Control, Network, Protocol, Scope};
use crate::report::Report;
use crate::submissions::Submissions;
use crate::transfers::Transfers;

/// A model that can be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checkable {
    /// From an acknowledged submission to a recorded job.
    Submissions,
    /// From a waiting job to its message in the broker.
    Dispatch,
    /// From a message to a started attempt.
    Claims,
    /// Grants that nobody waits for any more.
    UnwantedGrants,
    /// Who keeps a lease.
    Heartbeats,
    /// Silence, outages and the probe.
    Leases,
    /// From the request to publish to files in their places.
    Publishing,
    /// From an attempt's end to its recorded outcome.
    Results,
    /// What persons do with a job and its plugin.
    Controls,
    /// Retries, and what persons do meanwhile.
    Retries,
    /// Two jobs of a plugin that runs one at a time.
    Limits,
    /// Transfers that take turns on one storage.
    Transfers,
    /// A database that loses its last commits.
    Failover,
}

impl Checkable {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Submissions,
        Self::Dispatch,
        Self::Claims,
        Self::UnwantedGrants,
        Self::Heartbeats,
        Self::Leases,
        Self::Publishing,
        Self::Results,
        Self::Controls,
        Self::Retries,
        Self::Limits,
        Self::Transfers,
        Self::Failover,
    ];

    /// Explores all of it.
    pub fn check(self) -> Report {
        self.explore(false)
    }

    /// Explores it until something is violated.
    pub fn find_violation(self) -> Report {
        self.explore(true)
    }

    fn explore(self, until_violated: bool) -> Report {
        let scope = match self {
            Self::Submissions => return explore(&Submissions::default(), until_violated),
            Self::Transfers => return explore(&Transfers::default(), until_violated),
            Self::Leases => return explore(&Leases::default(), until_violated),
            Self::Dispatch => DISPATCH,
            Self::Claims => CLAIMS,
            Self::UnwantedGrants => UNWANTED,
            Self::Heartbeats => HEARTBEATS,
            Self::Publishing => PUBLISHING,
            Self::Results => RESULTS,
            Self::Controls => CONTROLS,
            Self::Retries => RETRIES,
            Self::Limits => LIMITS,
            Self::Failover => FAILOVER,
        };
        explore(&Protocol::new(scope), until_violated)
    }
}

const DISPATCH: Scope = Scope {
    dispatchers: 2,
    workers: 2,
    controls: &[Control::Replace, Control::Hold],
    budget: Budget {
        dispatcher_deaths: 2,
        wipes: 1,
        controls: 1,
        redeliveries: 1,
        worker_deaths: 1,
        give_backs: 1,
        ..Budget::NOTHING
    },
    ..Scope::calm(
        "dispatch",
        "two dispatchers die between their steps, the broker loses its queue, a job's message is replaced",
    )
};

const CLAIMS: Scope = Scope {
    workers: 2,
    network: Network {
        claims: true,
        ..Network::GOOD
    },
    budget: Budget {
        worker_deaths: 1,
        redeliveries: 1,
        doubled_messages: 1,
        ..Budget::NOTHING
    },
    ..Scope::calm(
        "claims",
        "claims and their answers are lost, doubled and late; messages come again",
    )
};

const UNWANTED: Scope = Scope {
    workers: 2,
    network: Network {
        claims: true,
        ..Network::GOOD
    },
    budget: Budget {
        early_expiries: 1,
        give_backs: 1,
        ..Budget::NOTHING
    },
    ..Scope::calm(
        "unwanted-grants",
        "a worker gives its message back while its claim is on the way; grants that nobody waits for are given back",
    )
};

const HEARTBEATS: Scope = Scope {
    workers: 2,
    network: Network {
        heartbeats: true,
        ..Network::GOOD
    },
    controls: &[Control::Cancel, Control::StopPlugin],
    budget: Budget {
        worker_deaths: 1,
        early_expiries: 1,
        controls: 1,
        ..Budget::NOTHING
    },
    ..Scope::calm(
        "heartbeats",
        "heartbeats and verdicts are lost and late; workers are cut off and come back",
    )
};

const PUBLISHING: Scope = Scope {
    workers: 2,
    files: 2,
    network: Network {
        publishing: true,
        ..Network::GOOD
    },
    controls: &[Control::Cancel, Control::Hold],
    budget: Budget {
        worker_deaths: 1,
        early_expiries: 2,
        controls: 1,
        ..Budget::NOTHING
    },
    ..Scope::calm(
        "publishing",
        "requests to publish and grants are lost, doubled and late; workers die between two files",
    )
};

const RESULTS: Scope = Scope {
    workers: 2,
    network: Network {
        results: true,
        ..Network::GOOD
    },
    controls: &[Control::Cancel],
    retries_max: 1,
    budget: Budget {
        worker_deaths: 1,
        early_expiries: 2,
        doubled_messages: 1,
        failures: 1,
        controls: 1,
        ..Budget::NOTHING
    },
    ..Scope::calm("results", "results are lost, doubled and later than their leases")
};

const CONTROLS: Scope = Scope {
    workers: 2,
    controls: &[
        Control::Cancel,
        Control::Hold,
        Control::StartNow,
        Control::Replace,
        Control::StopPlugin,
        Control::AutostartOff,
    ],
    budget: Budget {
        controls: 3,
        early_expiries: 1,
        worker_deaths: 1,
        ..Budget::NOTHING
    },
    ..Scope::calm(
        "controls",
        "persons cancel, hold, hurry and replace a job and stop its plugin at any moment",
    )
};

const RETRIES: Scope = Scope {
    workers: 2,
    retries_max: 2,
    controls: &[Control::Cancel, Control::Hold, Control::StartNow],
    budget: Budget {
        failures: 3,
        controls: 1,
        early_expiries: 1,
        worker_deaths: 2,
        ..Budget::NOTHING
    },
    ..Scope::calm(
        "retries",
        "attempts fail and are repeated, workers die, persons meddle meanwhile",
    )
};

const LIMITS: Scope = Scope {
    jobs: 2,
    workers: 2,
    running_max: Some(1),
    controls: &[Control::StartNow, Control::Hold],
    budget: Budget {
        controls: 1,
        early_expiries: 1,
        worker_deaths: 1,
        ..Budget::NOTHING
    },
    ..Scope::calm(
        "limits",
        "a plugin runs one job at a time; leases end and are revived, persons hurry a job",
    )
};

const FAILOVER: Scope = Scope {
    workers: 2,
    network: Network {
        publishing: true,
        ..Network::GOOD
    },
    budget: Budget {
        failovers: 1,
        early_expiries: 1,
        worker_deaths: 1,
        ..Budget::NOTHING
    },
    lost_commits: 2,
    ..Scope::calm(
        "failover",
        "the database goes on without its last commits: attempt numbers are given twice, and only the claim tells them apart",
    )
};
