//! What an exploration has found, for people and, as JSON, for the documents that quote it.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// How far a model goes in one respect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bound {
    /// In which.
    pub what: &'static str,
    /// At most this many.
    pub most: u64,
}

/// An invariant that does not hold, or something that was to be reached, with the shortest way there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Which.
    pub invariant: String,
    /// The steps that lead there.
    pub path: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, after {} steps:", self.invariant, self.path.len())?;
        for (number, step) in (1..).zip(&self.path) {
            write!(f, "\n  {number:3} {step}")?;
        }
        Ok(())
    }
}

/// What the exploration of one model has found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The model.
    pub name: String,
    /// What it is about.
    pub about: String,
    /// How far it goes.
    pub bounds: Vec<Bound>,
    /// What was held against every state.
    pub invariants: Vec<String>,
    /// Different states that were visited.
    pub unique_states: usize,
    /// Steps between them.
    pub steps: usize,
    /// The longest of the shortest ways to a state.
    pub depth: usize,
    /// Every reachable state within the bounds was visited.
    pub complete: bool,
    /// States from which a job can't end any more.
    pub stuck_states: usize,
    /// Invariants that do not hold.
    pub violations: Vec<Violation>,
    /// What has to be reachable for the model to show anything, and known limits.
    pub reached: Vec<Violation>,
    /// How long it took.
    pub milliseconds: u64,
}

impl Report {
    /// Writes it as `NAME.json` into `folder`, which is made if need be.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn write(&self, folder: &Path) -> std::io::Result<PathBuf> {
        std::fs::create_dir_all(folder)?;
        let file = folder.join(format!("{}.json", self.name));
        let mut json = serde_json::to_vec_pretty(self)?;
        json.push(b'\n');
        std::fs::write(&file, json)?;
        Ok(file)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bounds: Vec<String> = self
            .bounds
            .iter()
            .map(|bound| format!("{} {}", bound.most, bound.what))
            .collect();
        writeln!(f, "model {}: {}", self.name, self.about)?;
        writeln!(f, "  bounds: {}", bounds.join(", "))?;
        write!(
            f,
            "  {} states, {} steps, depth {}, {}, {} ms",
            self.unique_states,
            self.steps,
            self.depth,
            if self.complete { "complete" } else { "NOT complete" },
            self.milliseconds
        )?;
        for violation in &self.violations {
            write!(f, "\n  VIOLATED: {violation}")?;
        }
        let reached: Vec<&str> = self.reached.iter().map(|fact| fact.invariant.as_str()).collect();
        if !reached.is_empty() {
            write!(f, "\n  reached: {}", reached.join("; "))?;
        }
        Ok(())
    }
}
