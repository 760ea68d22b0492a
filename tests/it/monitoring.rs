//! Metrics, rules, alerts, runbooks and dashboards: what they name is there, and a real Prometheus that reads a running
//! system answers every question of every dashboard with what the load should give.

mod dashboards;
mod load;
mod names;
mod promtool;
mod runbooks;
mod scan;
mod scraped;
mod server;

use std::fs;
use std::path::{Path, PathBuf};

use launcher::workspace;

/// A file of the repository with its text.
#[derive(Debug)]
struct Source {
    file: PathBuf,
    text: String,
}

impl Source {
    /// Its name without what comes after the last dot.
    fn stem(&self) -> String {
        self.file.file_stem().unwrap().to_string_lossy().into_owned()
    }
}

/// The files with this extension in a folder of the repository, by name.
fn files(folder: &str, extension: &str) -> Vec<Source> {
    let folder = workspace().join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    assert!(!files.is_empty(), "{} has no .{extension}", folder.display());
    files.sort();
    files.iter().map(|file| read(file)).collect()
}

fn read(file: &Path) -> Source {
    Source {
        file: file.to_owned(),
        text: fs::read_to_string(file).unwrap(),
    }
}

/// A file of `deploy/prometheus`.
fn rules(name: &str) -> Source {
    read(&workspace().join("deploy/prometheus").join(name))
}

/// What stands behind a key of the rules' files, which are written a key a line: `alert`, `record`.
fn values_of<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let begin = format!("- {key}: ");
    text.lines()
        .filter_map(|line| line.trim_start().strip_prefix(&begin))
        .map(str::trim)
        .collect()
}
