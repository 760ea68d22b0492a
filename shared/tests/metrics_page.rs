//! `docs/metrics.md` has a table of all metrics: it is made from the constants.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use shared::metrics::{ALL, Kind, Label, Metric, Origin, Values};

/// What stands before the table.
const MARK: &str =
    "<!-- From here on made from shared/src/metrics/list.rs by shared/tests/metrics_page.rs. -->\n";

#[test]
fn the_page_of_metrics_has_the_table_of_this_build() {
    let page = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
    let found = fs::read_to_string(&page).unwrap();
    let (text, table) = found
        .split_once(MARK)
        .expect("the page has a mark before its table");
    let wanted = render();
    if table != wanted {
        let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join("metrics.md");
        fs::write(&made, format!("{text}{MARK}{wanted}")).unwrap();
        panic!(
            "docs/metrics.md is not of this build; look at the page that is, and take it: cp {} docs/metrics.md",
            made.display()
        );
    }
}

fn render() -> String {
    let mut table =
        String::from("\n| metric | kind | unit | labels | of | meaning |\n|---|---|---|---|---|---|\n");
    for metric in ALL {
        let Metric { name, unit, help, .. } = metric;
        let labels: Vec<String> = metric.labels.iter().map(label).collect();
        // Writing to a string does not fail.
        let _ = writeln!(
            table,
            "| `{name}` | {} | {unit} | {} | {} | {} |",
            kind(metric.kind),
            labels.join("; "),
            origin(metric.origin),
            help.trim()
        );
    }
    table
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    }
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Database => "the database",
        Origin::Coordinator => "a coordinator",
        Origin::Worker => "a worker",
        Origin::Both => "a coordinator, a worker",
    }
}

fn label(label: &Label) -> String {
    match label.values {
        Values::These(values) => {
            let values: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
            format!("`{}`: {}", label.name, values.join(", "))
        }
        Values::Any(what) => format!("`{}`: {what}", label.name),
    }
}
