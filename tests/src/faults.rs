//! The whole system under fire: random faults from a seed, load meanwhile, and a comparison of everything afterwards.
//!
//! ```text
//!  schedule   what is hurt, when and for how long: a pure function of seed, minutes and lanes
//!  site       two coordinators, three workers, private servers, a proxy before each connection
//!  nemesis    carries the schedule out, one thread a lane
//!  load       submitters that note each acknowledgement
//!  controls   people's decisions at random meanwhile
//!  check      acknowledgements, witness, database, folders, processes, connections: do they agree?
//!  report     what happened, the verdict, the figures
//! ```
//!
//! **Invariant**: the checks believe nothing that the system says of itself where there is a witness: what was
//! submitted is known by the submitters, what ran by the plugin's own file, what was published by the folders.

pub(crate) mod check;
mod controls;
mod journal;
mod load;
mod nemesis;
mod observe;
mod random;
mod report;
mod schedule;
mod settle;
mod site;

use std::sync::Arc;

use shared::mutant::Mutant;

pub use report::Report;
pub use schedule::Schedule;

/// What a run is to be.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Decides the faults and the jobs.
    pub seed: u64,
    /// How long faults happen.
    pub minutes: f64,
    /// How many jobs are submitted.
    pub jobs: u32,
    /// The mistake that is built in; the lanes are then those that concern it.
    pub mutant: Option<Mutant>,
}

impl Options {
    /// What the run's files are called.
    fn name(&self) -> String {
        let mutant = self.mutant.map(|mutant| format!("-{}", mutant.as_str()));
        format!("seed-{}{}", self.seed, mutant.unwrap_or_default())
    }
}

/// Runs it from start to verdict.
///
/// # Errors
/// What kept the run from being carried out; a defect that was found is part of the report.
pub fn run(options: Options) -> anyhow::Result<Report> {
    let schedule = Schedule::new(options.seed, options.minutes, options.mutant);
    let mut site = site::Site::start(options.mutant)?;
    let orders = load::orders(options.seed, options.jobs, schedule.length_ms(), &site.data());
    let plan = controls::Plan::new(options.seed, &orders, schedule.length_ms());
    let before = observe::programs(&mut site);
    let journal = Arc::new(journal::Journal::begin());
    let submitters = load::Submitters::start(&site, &journal, orders);
    let (carried_out, decided) = std::thread::scope(|scope| {
        let ports = site.api_ports();
        let (submitters, journal) = (&submitters, journal.as_ref());
        let people = scope.spawn(move || plan.carry_out(&ports, submitters, journal));
        let carried_out = nemesis::carry_out(&mut site, &schedule, journal);
        let decided = people
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (carried_out, decided)
    });
    let settled = settle::settle(&mut site, submitters, decided, &journal);
    let findings = check::all(&mut site, &before, &carried_out, &settled, &journal);
    site.keep_logs(&options.name());
    Ok(Report::new(
        options,
        schedule,
        carried_out,
        &settled,
        before,
        findings?,
        &journal,
    ))
}
