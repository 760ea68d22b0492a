//! Compares what submitters, witness, database, folders and kernel say. One check a promise.

pub(crate) mod counters;
mod facts;
mod faults;
mod jobs;
mod outputs;
mod remains;
mod submissions;

use serde::Serialize;

use super::journal::Journal;
use super::nemesis::CarriedOut;
use super::observe::{self, Used};
use super::settle::Settled;
use super::site::Site;
use facts::Facts;

/// How many findings of one check are shown; the logs and the database have the others.
const SHOWN: usize = 8;

/// One promise, and what contradicts it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Check {
    /// The promise.
    pub(super) name: &'static str,
    /// How many things it was asked of.
    pub(super) looked_at: usize,
    /// What contradicts it; empty where it is kept.
    pub(super) findings: Vec<String>,
    /// What would contradict it, had not a fault taken what nobody can bring back.
    pub(super) excused: Vec<String>,
}

/// All checks, and what programs used at the end.
#[derive(Debug)]
pub(super) struct Findings {
    pub(super) checks: Vec<Check>,
    pub(super) after: Vec<Used>,
    pub(super) states: Vec<(String, i64)>,
}

impl Check {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            looked_at: 0,
            findings: Vec::new(),
            excused: Vec::new(),
        }
    }

    /// Looks at one thing more.
    fn look(&mut self, holds: bool, finding: impl FnOnce() -> String) {
        self.looked_at += 1;
        if !holds {
            self.findings.push(finding());
        }
    }

    /// Whether the promise is kept.
    pub(super) fn passed(&self) -> bool {
        self.findings.is_empty()
    }

    /// The first findings.
    pub(super) fn shown(&self) -> impl Iterator<Item = &String> {
        self.findings.iter().take(SHOWN)
    }
}

/// Looks at everything, ends the programs, and looks at what is left.
pub(super) fn all(
    site: &mut Site,
    before: &[Used],
    carried_out: &CarriedOut,
    settled: &Settled,
    journal: &Journal,
) -> anyhow::Result<Findings> {
    let facts = Facts::gather(site, &carried_out.hurts, journal)?;
    let submitted = &settled.submitted;
    let mut checks = vec![
        submissions::acknowledged(submitted),
        submissions::none_lost(submitted, carried_out, &facts),
        submissions::none_twice(submitted, &facts),
        jobs::none_stuck(settled),
        jobs::one_end(settled, &facts),
        jobs::cancelled(settled, &facts),
        jobs::attempts(submitted, &facts),
        jobs::items(&facts),
        outputs::granted_and_whole(site, submitted, &facts),
        outputs::nothing_else(site, submitted, &facts),
        outputs::stores_gone(site, submitted, &facts),
    ];
    checks.extend(counters::all(site)?);
    checks.push(faults::carried_out(carried_out));
    checks.push(faults::none_ended_alone(carried_out));
    checks.push(faults::lost_with_reason(carried_out, &facts));
    checks.push(faults::sent_again_with_reason(carried_out, &facts));
    checks.push(faults::nothing_put_away(site)?);
    checks.push(faults::no_panic(&facts));
    checks.push(faults::no_deadlock(site)?);
    // While the programs run: what they have lost sight of ends with them.
    checks.push(remains::no_process(site));
    checks.push(remains::as_many_connections(site)?);
    let after = observe::programs(site);
    let states = facts.states();
    checks.push(remains::flat(before, &after));
    checks.push(remains::ended_well(site));
    checks.push(remains::no_connection(site)?);
    Ok(Findings {
        checks,
        after,
        states,
    })
}
