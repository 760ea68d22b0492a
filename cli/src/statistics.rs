//! `taskmanager statistics`: what was completed in each month, by plugin.

use std::time::Duration;

use clap::Args;
use serde::Deserialize;

use crate::client::Client;
use crate::output::Look;
use crate::table::{self, Column};
use crate::{Answer, output, text};

/// What the first line of the coordinator's own export says.
const CSV_HEAD: &str = "month,plugin,done,failed,cancelled,pages,bytes,seconds";

/// Show what was completed in each month, by plugin.
///
/// Statistics are kept for ever, also when the jobs themselves are removed. Months are counted in UTC.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Only the last months, the present one among them.
    #[arg(long, value_name = "MONTHS", value_parser = clap::value_parser!(u32).range(1..=12_000))]
    last: Option<u32>,
    /// Print them as CSV, for a spreadsheet.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Print the coordinator's answer as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Deserialize)]
struct Months {
    months: Vec<Month>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_field_names, reason = "the API calls it so")]
struct Month {
    month: String,
    plugin: String,
    done: u64,
    failed: u64,
    cancelled: u64,
    pages: u64,
    bytes: u64,
    seconds: f64,
}

pub(crate) fn run(client: &Client, arguments: &Arguments) -> anyhow::Result<Answer> {
    let last = arguments.last.map(|last| last.to_string());
    let query: Vec<_> = last.iter().map(|last| ("last", last.as_str())).collect();
    let answer = client.get("/api/v1/statistics/months", &query)?;
    if arguments.json {
        output::json(&answer.json)?;
        return Ok(Answer::Yes);
    }
    let months = answer.read::<Months>()?.months;
    if arguments.csv {
        output::result(&csv(&months))?;
    } else if months.is_empty() {
        output::result("No job has ended yet.\n")?;
    } else {
        output::result(&render(&months, Look::of_stdout()))?;
    }
    Ok(Answer::Yes)
}

/// The same lines as the coordinator's own export. Names of plugins need no quoting.
fn csv(months: &[Month]) -> String {
    let mut lines = format!("{CSV_HEAD}\r\n");
    for month in months {
        let line = format!(
            "{},{},{},{},{},{},{},{:.0}\r\n",
            text::printable(&month.month),
            text::printable(&month.plugin),
            month.done,
            month.failed,
            month.cancelled,
            month.pages,
            month.bytes,
            month.seconds
        );
        lines.push_str(&line);
    }
    lines
}

fn render(months: &[Month], look: Look) -> String {
    const COLUMNS: [Column; 8] = [
        Column::text("MONTH"),
        Column::text("PLUGIN"),
        Column::figure("DONE"),
        Column::figure("FAILED"),
        Column::figure("CANCELLED"),
        Column::figure("PAGES"),
        Column::figure("DATA"),
        Column::figure("TIME"),
    ];
    let rows: Vec<Vec<String>> = months
        .iter()
        .map(|month| {
            let time = Duration::try_from_secs_f64(month.seconds).unwrap_or_default();
            vec![
                text::printable(&month.month),
                text::printable(&month.plugin),
                month.done.to_string(),
                month.failed.to_string(),
                month.cancelled.to_string(),
                month.pages.to_string(),
                text::bytes(month.bytes),
                text::duration(time),
            ]
        })
        .collect();
    table::render(&COLUMNS, &rows, look)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn months() -> Vec<Month> {
        let months: Months = serde_json::from_value(serde_json::json!({"months": [
            {"month": "2026-06", "plugin": "OCR", "done": 1200, "failed": 3, "cancelled": 1, "pages": 240_000,
             "bytes": 86_000_000_000_u64, "seconds": 360_000.4},
            {"month": "2026-07", "plugin": "JP2", "done": 1, "failed": 0, "cancelled": 0, "pages": 4, "bytes": 640,
             "seconds": 8.4},
        ]}))
        .unwrap();
        months.months
    }

    #[test]
    fn months_are_listed_by_plugin() {
        insta::assert_snapshot!(render(&months(), Look::PLAIN));
    }

    #[test]
    fn as_csv_they_are_what_the_coordinator_exports() {
        assert_eq!(
            csv(&months()),
            "month,plugin,done,failed,cancelled,pages,bytes,seconds\r\n\
             2026-06,OCR,1200,3,1,240000,86000000000,360000\r\n\
             2026-07,JP2,1,0,0,4,640,8\r\n"
        );
    }
}
