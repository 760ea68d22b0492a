//! Charts drawn by the server: completed jobs by month, and page contracts. Each stands beside a table that says the
//! same in numbers.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::forecast::{Forecast, forecast};
use crate::control::Period;
use crate::db::pages::{Allowed, Contract, Month};
use crate::http::format::fill;
use crate::http::language::Locale;
use crate::http::text::sections::Text as Sections;

/// Months of a chart.
const MONTHS: i64 = 12;
/// Width of a month in a chart, and of its bar.
const STEP: i64 = 20;
const BAR: i64 = 14;
/// Height of the highest bar.
const HEIGHT: i64 = 56;

/// Completed jobs by month.
#[derive(Debug)]
pub(super) struct Months {
    pub(super) charts: Vec<MonthChart>,
    /// The months, the newest first, with the jobs of each plugin.
    pub(super) rows: Vec<MonthRow>,
    pub(super) totals: Vec<String>,
    pub(super) first: String,
    pub(super) last: String,
}

/// A plugin's chart.
#[derive(Debug)]
pub(super) struct MonthChart {
    pub(super) plugin: String,
    pub(super) total: String,
    /// What the chart shows, for those who do not see it.
    pub(super) label: String,
    pub(super) bars: Vec<Bar>,
}

/// A bar of a chart.
#[derive(Debug)]
pub(super) struct Bar {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) height: i64,
    pub(super) title: String,
}

/// A month of the table.
#[derive(Debug)]
pub(super) struct MonthRow {
    pub(super) month: String,
    pub(super) jobs: Vec<String>,
    pub(super) total: String,
}

impl Months {
    /// None where nothing was completed.
    pub(super) fn new(locale: &Locale, now: Timestamp, months: &[Month]) -> Option<Self> {
        let this = now.to_zoned(TimeZone::UTC).date().first_of_month();
        let shown: Vec<Date> = (0..MONTHS)
            .rev()
            .filter_map(|ago| this.checked_sub(ago.months()).ok())
            .collect();
        let jobs = |plugin: &str, month: Date| -> i64 {
            let those = months
                .iter()
                .filter(|row| row.month == month && row.plugin == plugin);
            those.map(|row| row.done).sum()
        };
        let mut plugins: Vec<&str> = months
            .iter()
            .filter(|row| row.done > 0 && shown.contains(&row.month))
            .map(|row| row.plugin.as_str())
            .collect();
        plugins.sort_unstable();
        plugins.dedup();
        let (first, last) = (shown.first()?, shown.last()?);
        if plugins.is_empty() {
            return None;
        }
        let charts: Vec<MonthChart> = plugins
            .iter()
            .map(|plugin| {
                let each: Vec<(Date, i64)> =
                    shown.iter().map(|month| (*month, jobs(plugin, *month))).collect();
                chart(locale, plugin, &each)
            })
            .collect();
        let rows = shown.iter().rev().map(|month| {
            let each: Vec<i64> = plugins.iter().map(|plugin| jobs(plugin, *month)).collect();
            MonthRow {
                month: locale.month(*month),
                total: locale.number(each.iter().sum::<i64>()),
                jobs: each.into_iter().map(|jobs| locale.number(jobs)).collect(),
            }
        });
        let all: i64 = months.iter().map(|row| row.done).sum();
        Some(Self {
            rows: rows.collect(),
            totals: charts
                .iter()
                .map(|chart| chart.total.clone())
                .chain([locale.number(all)])
                .collect(),
            charts,
            first: locale.month(*first),
            last: locale.month(*last),
        })
    }
}

fn chart(locale: &Locale, plugin: &str, months: &[(Date, i64)]) -> MonthChart {
    let words = Sections::of(locale.language);
    let most = months.iter().map(|(_, jobs)| *jobs).max().unwrap_or(0);
    let bars = months.iter().zip(0..).map(|((month, jobs), place)| {
        // Little is not nothing.
        let height = match jobs {
            0 => 0,
            jobs => (jobs * HEIGHT / most).max(2),
        };
        Bar {
            x: place * STEP + (STEP - BAR) / 2,
            y: HEIGHT - height,
            height,
            title: format!("{}: {}", locale.month(*month), locale.number(*jobs)),
        }
    });
    MonthChart {
        plugin: plugin.to_owned(),
        total: locale.number(months.iter().map(|(_, jobs)| jobs).sum::<i64>()),
        label: fill(words.months_chart, &[&plugin, &locale.number(most)]),
        bars: bars.collect(),
    }
}

/// A limit of a page contract: what is used and what remains.
#[derive(Debug)]
pub(super) struct ContractRow {
    pub(super) plugin: String,
    /// In all, or in a period.
    pub(super) which: &'static str,
    pub(super) pages: String,
    pub(super) used: String,
    pub(super) left: String,
    pub(super) percent: i64,
    /// What the bar shows, for those who do not see it.
    pub(super) label: String,
    pub(super) forecast: String,
    pub(super) tone: &'static str,
}

/// The rows of all contracts.
pub(super) fn contracts(locale: &Locale, contracts: &[Contract]) -> Vec<ContractRow> {
    let words = Sections::of(locale.language);
    let mut rows = Vec::new();
    for contract in contracts {
        let this = match contract.period {
            Period::Month => words.contract_month,
            Period::Quarter => words.contract_quarter,
            Period::Year => words.contract_year,
        };
        let total = contract
            .total
            .map(|allowed| row(locale, contract, allowed, words.contract_total, None));
        let in_period = contract
            .in_period
            .map(|allowed| row(locale, contract, allowed, this, Some(contract.next_period)));
        rows.extend(total.into_iter().chain(in_period));
    }
    rows
}

fn row(
    locale: &Locale,
    contract: &Contract,
    allowed: Allowed,
    which: &'static str,
    next: Option<Date>,
) -> ContractRow {
    let words = Sections::of(locale.language);
    let (lately, days) = (contract.lately, contract.lately_days);
    let foretold = forecast(allowed, next, contract.today, lately, days);
    let pace = (locale.number(lately), days);
    let sentence = match foretold {
        Forecast::UsedUp(None) => words.forecast_used_up.to_owned(),
        Forecast::UsedUp(Some(day)) => fill(words.forecast_used_up_until, &[&locale.day(day)]),
        Forecast::Unknown => words.forecast_unknown.to_owned(),
        Forecast::RunsOut(day) => fill(words.forecast_runs_out, &[&locale.day(day), &pace.0, &pace.1]),
        Forecast::Lasts(day) => fill(words.forecast_lasts, &[&locale.day(day), &pace.0, &pace.1]),
        Forecast::Far => fill(words.forecast_far, &[&pace.0, &pace.1]),
    };
    let percent = match allowed.pages {
        0 => 100,
        pages => (allowed.used.saturating_mul(100) / pages).clamp(0, 100),
    };
    ContractRow {
        plugin: contract.plugin.clone(),
        which,
        pages: locale.number(allowed.pages),
        used: locale.number(allowed.used),
        left: locale.number((allowed.pages - allowed.used).max(0)),
        percent,
        label: fill(words.contract_chart, &[&contract.plugin, &which, &percent]),
        forecast: sentence,
        tone: if matches!(foretold, Forecast::UsedUp(_)) {
            "bad"
        } else {
            ""
        },
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::http::language::Language;

    fn month(month: Date, plugin: &str, done: i64) -> Month {
        Month {
            month,
            plugin: plugin.to_owned(),
            done,
            failed: 7,
            cancelled: 7,
            pages: 0,
            bytes: 0,
            seconds: 0.0,
        }
    }

    #[test]
    fn each_month_has_a_bar_as_high_as_its_share_of_the_best_one_and_a_row() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let rows = [
            month(date(2026, 9, 1), "OCR", 1_200),
            month(date(2026, 11, 1), "OCR", 600),
            month(date(2026, 11, 1), "JP2", 1),
            month(date(2026, 10, 1), "SHELL", 0),
        ];
        let shown = Months::new(&Locale::new(Language::German), now, &rows).unwrap();
        let plugins: Vec<&str> = shown.charts.iter().map(|chart| chart.plugin.as_str()).collect();
        assert_eq!(plugins, ["JP2", "OCR"], "nothing of SHELL was completed");
        let heights: Vec<i64> = shown.charts[1].bars.iter().map(|bar| bar.height).collect();
        assert_eq!(heights, [0, 0, 0, 0, 0, 0, 0, 0, 0, HEIGHT, 0, HEIGHT / 2]);
        assert_eq!(shown.rows.len(), 12);
        assert_eq!(
            (shown.first.as_str(), shown.last.as_str()),
            ("12/2025", "11/2026")
        );
        assert_eq!(shown.rows[0].jobs, ["1", "600"]);
        assert_eq!(shown.rows[0].total, "601");
        assert_eq!(shown.totals, ["1", "1.800", "1.801"]);
        assert!(Months::new(&Locale::new(Language::German), now, &rows[3..]).is_none());
    }
}
