//! What a run says in the end: for people, and as JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, Result};
use launcher::workspace;
use serde::Serialize;

use super::Options;
use super::check::{Check, Findings};
use super::journal::{Event, Journal};
use super::nemesis::{CarriedOut, Hurt};
use super::observe::Used;
use super::schedule::Schedule;
use super::settle::Settled;

/// All of a run.
#[derive(Debug, Serialize)]
pub struct Report {
    #[serde(skip)]
    name: String,
    seed: u64,
    minutes: f64,
    jobs: u32,
    mutant: Option<&'static str>,
    passed: usize,
    failed: usize,
    seconds_to_settle: f64,
    acknowledgements: usize,
    commits_cut: u32,
    decisions: BTreeMap<String, u32>,
    ended_jobs: Vec<(String, i64)>,
    checks: Vec<Check>,
    used_before: Vec<Used>,
    used_after: Vec<Used>,
    hurts: Vec<Hurt>,
    events: Vec<Event>,
    schedule: Schedule,
}

impl Report {
    pub(super) fn new(
        options: Options,
        schedule: Schedule,
        carried_out: CarriedOut,
        settled: &Settled,
        before: Vec<Used>,
        findings: Findings,
        journal: &Journal,
    ) -> Self {
        let passed = findings.checks.iter().filter(|check| check.passed()).count();
        Self {
            name: options.name(),
            seed: options.seed,
            minutes: options.minutes,
            jobs: options.jobs,
            mutant: options.mutant.map(shared::mutant::Mutant::as_str),
            passed,
            failed: findings.checks.len() - passed,
            seconds_to_settle: settled.seconds,
            acknowledgements: settled.submitted.acknowledged.len(),
            commits_cut: carried_out.commits_cut,
            decisions: settled.decided.answers.clone(),
            ended_jobs: findings.states,
            checks: findings.checks,
            used_before: before,
            used_after: findings.after,
            hurts: carried_out.hurts,
            events: journal.events(),
            schedule,
        }
    }

    /// Whether every check has passed.
    pub fn passed(&self) -> bool {
        self.failed == 0
    }

    /// Checks that had nothing to look at.
    pub fn idle_checks(&self) -> Vec<&'static str> {
        let idle = self.checks.iter().filter(|check| check.looked_at == 0);
        idle.map(|check| check.name).collect()
    }

    /// How many faults were carried out.
    pub fn hurts(&self) -> usize {
        self.hurts.len()
    }

    /// How many decisions of people were answered.
    pub fn decisions(&self) -> u32 {
        self.decisions.values().sum()
    }

    /// The last line.
    pub fn verdict(&self) -> String {
        format!("{} passed, {} failed", self.passed, self.failed)
    }

    /// Writes it to `target/faults/seed-N.json`, of a mutant to `seed-N-NAME.json`.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn keep(&self) -> Result<PathBuf> {
        let folder = workspace().join("target/faults");
        let file = folder.join(format!("{}.json", self.name));
        std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(&file, serde_json::to_vec_pretty(self)?))
            .with_context(|| format!("{} can't be written", file.display()))?;
        Ok(file)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seed, minutes, jobs, ..
        } = self;
        writeln!(
            f,
            "seed {seed}, {minutes} minutes, {jobs} jobs, mutant {}",
            self.mutant.unwrap_or("none")
        )?;
        writeln!(f, "\nschedule")?;
        for step in self.schedule.steps() {
            writeln!(f, "  {step}")?;
        }
        writeln!(f, "\nwhat happened")?;
        for Event { at_ms, what } in &self.events {
            writeln!(f, "  {:>4}.{:03} s  {what}", at_ms / 1000, at_ms % 1000)?;
        }
        writeln!(
            f,
            "\n{} acknowledgements, {} answers to commits cut off, jobs ended: {:?}, {:.0} s to settle",
            self.acknowledgements, self.commits_cut, self.ended_jobs, self.seconds_to_settle
        )?;
        writeln!(f, "decisions and answers: {:?}", self.decisions)?;
        writeln!(f, "\nused before and after")?;
        for (before, after) in self.used_before.iter().zip(&self.used_after) {
            writeln!(
                f,
                "  {:<14} {:>2} starts, files {:>3} -> {:>3}, threads {:>3} -> {:>3}, MiB {:>4} -> {:>4}",
                after.program,
                after.starts,
                before.file_descriptors,
                after.file_descriptors,
                before.threads,
                after.threads,
                before.memory_kib / 1024,
                after.memory_kib / 1024,
            )?;
        }
        writeln!(f, "\nchecks")?;
        for check in &self.checks {
            let verdict = if check.passed() { "ok    " } else { "FAILED" };
            writeln!(f, "  {verdict} {} ({})", check.name, check.looked_at)?;
            if !check.excused.is_empty() {
                writeln!(f, "           excused: {}", check.excused.join("; "))?;
            }
            for finding in check.shown() {
                writeln!(f, "           {finding}")?;
            }
            if check.findings.len() > check.shown().count() {
                writeln!(f, "           and {} in all", check.findings.len())?;
            }
        }
        Ok(())
    }
}
