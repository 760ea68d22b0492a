//! Writes the figures of the last runs of the models and of the fault runner into `docs/reliability.md`.
//!
//! Run `cargo test -p model` and `cargo xtask faults` first: what they left under `target/` is what is written.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;

const DOCUMENT: &str = "docs/reliability.md";
const BEGIN: &str = "<!-- figures:";
const END: &str = "<!-- end of figures -->";

/// One explored model.
#[derive(Debug, Deserialize)]
struct Model {
    name: String,
    about: String,
    unique_states: u64,
    depth: u64,
    complete: bool,
    stuck_states: u64,
    violations: Vec<serde_json::Value>,
}

/// One run under random faults.
#[derive(Debug, Deserialize)]
struct Run {
    seed: u64,
    minutes: f64,
    jobs: u32,
    mutant: Option<String>,
    passed: u32,
    failed: u32,
    seconds_to_settle: f64,
    hurts: Vec<serde_json::Value>,
}

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("the package lies in the workspace")?;
    let mut models: Vec<Model> = read_all(&root.join("target/model"))?;
    let mut runs: Vec<Run> = read_all(&root.join("target/faults"))?;
    ensure!(
        !models.is_empty(),
        "there are no figures: run `cargo test -p model` first"
    );
    models.sort_by(|a, b| a.name.cmp(&b.name));
    runs.retain(|run| run.mutant.is_none());
    runs.sort_by_key(|run| run.seed);

    let path = root.join(DOCUMENT);
    let document = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let begin = document
        .find(BEGIN)
        .context("the document has no place for figures")?;
    let begin = begin + document[begin..].find('\n').context("the mark has an end")? + 1;
    let end = document.find(END).context("the place for figures has no end")?;
    let figures = format!("\n{}\n{}\n", table_of_models(&models)?, table_of_runs(&runs)?);
    fs::write(
        &path,
        format!("{}{figures}{}", &document[..begin], &document[end..]),
    )?;
    Ok(())
}

/// Every document in a folder; none where there is no such folder.
fn read_all<T: DeserializeOwned>(folder: &Path) -> Result<Vec<T>> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(Vec::new());
    };
    let mut all = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "json") {
            let text = fs::read_to_string(&path)?;
            all.push(serde_json::from_str(&text).with_context(|| path.display().to_string())?);
        }
    }
    Ok(all)
}

fn table_of_models(models: &[Model]) -> Result<String> {
    let mut table = String::from("### The models\n\n");
    table += "| model | about | states | depth | explored completely | states from which a job can't end | violations |\n";
    table += "|---|---|---|---|---|---|---|\n";
    for model in models {
        let complete = if model.complete { "yes" } else { "no" };
        writeln!(
            table,
            "| {} | {} | {} | {} | {complete} | {} | {} |",
            model.name,
            model.about,
            model.unique_states,
            model.depth,
            model.stuck_states,
            model.violations.len()
        )?;
    }
    Ok(table)
}

fn table_of_runs(runs: &[Run]) -> Result<String> {
    let mut table = String::from("### Random faults under load\n\n");
    if runs.is_empty() {
        table += "There was no run yet.\n";
        return Ok(table);
    }
    table += "| seed | minutes | jobs | faults | checks passed | checks failed | seconds until all was done again |\n";
    table += "|---|---|---|---|---|---|---|\n";
    for run in runs {
        writeln!(
            table,
            "| {} | {} | {} | {} | {} | {} | {:.0} |",
            run.seed,
            run.minutes,
            run.jobs,
            run.hurts.len(),
            run.passed,
            run.failed,
            run.seconds_to_settle
        )?;
    }
    Ok(table)
}
