//! `GET /api/v1/figures` and `GET /api/v1/statistics/months`: what there is and was to do, in numbers.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::App;
use super::openapi::Operation;
use super::problem::Error;
use crate::db::pages::{AllFigures, Figures, Month, PluginState, ReadFigures, ReadMonths, Sums, Today};

/// Most months that can be asked for: a thousand years.
const MONTHS_MAX: i32 = 12_000;

/// What there is to count at this moment.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Figures")]
pub(super) struct FiguresBody {
    /// When this was so, by the database's clock.
    now: Timestamp,
    /// All plugins are stopped: whatever is shut down now interrupts no job.
    safe_to_shut_down: bool,
    /// Plugins that run, or are still being stopped.
    not_stopped: Vec<String>,
    /// Of all plugins together.
    all: FiguresOf,
    /// Of each plugin, by name.
    plugins: Vec<PluginFigures>,
}

/// What there is to count of one plugin.
#[derive(Debug, Serialize, JsonSchema)]
struct PluginFigures {
    name: String,
    #[serde(flatten)]
    figures: FiguresOf,
}

/// What there is to count of one plugin, or of all.
#[derive(Debug, Serialize, JsonSchema)]
struct FiguresOf {
    /// What ended today; days are counted in UTC.
    today: TodayBody,
    /// Unfinished jobs; files, bytes and pages are those that running attempts have reported.
    queue: SumsBody,
    /// Jobs that are done and still kept.
    done: SumsBody,
    /// Jobs that ended in ERROR or CANCELLED and are still kept.
    error: SumsBody,
}

/// What ended today.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Today")]
struct TodayBody {
    /// Jobs that are done.
    done: i64,
    /// Jobs that ended in ERROR.
    failed: i64,
    /// Pages of all jobs that ended.
    pages: i64,
}

/// What some jobs together are.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Sums")]
struct SumsBody {
    jobs: i64,
    files: i64,
    /// Input read.
    bytes: i64,
    /// Pages that are done.
    pages: i64,
}

impl From<Figures> for FiguresOf {
    fn from(figures: Figures) -> Self {
        let Today { done, failed, items } = figures.today;
        Self {
            today: TodayBody {
                done,
                failed,
                pages: items,
            },
            queue: figures.queue.into(),
            done: figures.done.into(),
            error: figures.error.into(),
        }
    }
}

impl From<Sums> for SumsBody {
    fn from(sums: Sums) -> Self {
        Self {
            jobs: sums.jobs,
            files: sums.files,
            bytes: sums.bytes,
            pages: sums.pages,
        }
    }
}

impl From<AllFigures> for FiguresBody {
    fn from(all: AllFigures) -> Self {
        let others = all
            .plugins
            .into_iter()
            .filter(|plugin| plugin.state != PluginState::Stopped);
        let not_stopped: Vec<String> = others.map(|plugin| plugin.name).collect();
        let of_plugins = all.of_plugins.into_iter();
        Self {
            now: all.now,
            safe_to_shut_down: not_stopped.is_empty(),
            not_stopped,
            all: all.all.into(),
            plugins: of_plugins
                .map(|(name, figures)| PluginFigures {
                    name,
                    figures: figures.into(),
                })
                .collect(),
        }
    }
}

/// What the API says of [`show`].
pub(super) fn describe_show() -> Operation {
    Operation::answering::<FiguresBody>("getFigures")
}

/// `GET /api/v1/figures`
pub(super) async fn show(State(app): State<App>) -> Result<Json<FiguresBody>, Error> {
    Ok(Json(app.db.run(&ReadFigures).await?.into()))
}

/// Which months are wanted.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct MonthsQuery {
    /// Only so many, the present one among them; without it all.
    #[serde(default)]
    #[schemars(range(min = 1, max = 12_000))]
    last: Option<i32>,
}

/// What ended in each month, the oldest first.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Months")]
pub(super) struct MonthsBody {
    months: Vec<MonthBody>,
}

/// What one plugin's jobs came to in one month.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Month")]
struct MonthBody {
    /// Such as 2026-11; months are counted in UTC.
    month: String,
    plugin: String,
    /// Jobs that are done.
    done: i64,
    /// Jobs that ended in ERROR.
    failed: i64,
    /// Jobs that were cancelled.
    cancelled: i64,
    /// Pages of all of them that were done.
    pages: i64,
    /// Input that they read.
    bytes: i64,
    /// From their first starts to their ends.
    seconds: f64,
}

impl From<Month> for MonthBody {
    fn from(month: Month) -> Self {
        Self {
            month: month.month.strftime("%Y-%m").to_string(),
            plugin: month.plugin,
            done: month.done,
            failed: month.failed,
            cancelled: month.cancelled,
            pages: month.pages,
            bytes: month.bytes,
            seconds: month.seconds,
        }
    }
}

/// What the API says of [`months`].
pub(super) fn describe_months() -> Operation {
    Operation::answering::<MonthsBody>("listMonths")
        .with_query::<MonthsQuery>()
        .noting("Months in which nothing of a plugin ended are left out. `/statistics/months.csv` is the same as CSV.")
}

/// `GET /api/v1/statistics/months`
pub(super) async fn months(
    State(app): State<App>,
    query: Result<Query<MonthsQuery>, QueryRejection>,
) -> Result<Json<MonthsBody>, Error> {
    let wrong = || {
        Error::BadQuery(format!(
            "parameter last must be a number of months, 1 to {MONTHS_MAX}"
        ))
    };
    let Query(MonthsQuery { last }) = query.map_err(|_| wrong())?;
    if last.is_some_and(|last| !(1..=MONTHS_MAX).contains(&last)) {
        return Err(wrong());
    }
    let months = app.db.run(&ReadMonths { last }).await?;
    Ok(Json(MonthsBody {
        months: months.into_iter().map(MonthBody::from).collect(),
    }))
}
