//! `GET /api/v1/demand`: how many slots there is use for, for autoscalers.
//!
//! Invariant: a plugin that nobody knows yet has use for none; an autoscaler that starts before the first job is no
//! mistake.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::App;
use super::openapi::Operation;
use super::problem::Error;
use crate::db::pages::{Demand, ReadDemand};

/// Whose demand is wanted.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct DemandQuery {
    /// The plugins of one pool of workers, separated by commas; without it all.
    #[serde(default)]
    plugins: Option<String>,
}

/// How many slots there is use for at this moment.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Demand")]
pub(super) struct DemandBody {
    /// In all: jobs that run, and those that a worker could start now.
    demand: i64,
    /// Of each plugin, by name.
    plugins: Vec<PluginDemand>,
}

/// What one plugin has use for.
#[derive(Debug, Serialize, JsonSchema)]
struct PluginDemand {
    name: String,
    /// Jobs that run.
    running: i64,
    /// Jobs that a worker could start now, no more than the coordinators' window; what is held, stopped, waits for a
    /// limit or for its time is not among them.
    waiting: i64,
}

impl DemandBody {
    fn of(demands: impl Iterator<Item = Demand>) -> Self {
        let plugins: Vec<PluginDemand> = demands
            .map(|demand| PluginDemand {
                name: demand.plugin,
                running: demand.running,
                waiting: demand.waiting,
            })
            .collect();
        Self {
            demand: plugins.iter().map(|plugin| plugin.running + plugin.waiting).sum(),
            plugins,
        }
    }
}

/// What the API says of [`show`].
pub(super) fn describe_show() -> Operation {
    Operation::answering::<DemandBody>("getDemand")
        .with_query::<DemandQuery>()
        .noting("For autoscalers: the slots that a pool of workers should have together.")
}

/// `GET /api/v1/demand`
pub(super) async fn show(
    State(app): State<App>,
    query: Result<Query<DemandQuery>, QueryRejection>,
) -> Result<Json<DemandBody>, Error> {
    let wrong =
        |_| Error::BadQuery("parameter plugins must be plugins' names, separated by commas".to_owned());
    let Query(DemandQuery { plugins }) = query.map_err(wrong)?;
    let wanted: Option<Vec<&str>> = plugins
        .as_ref()
        .map(|names| names.split(',').map(str::trim).collect());
    let demands = app.db.run(&ReadDemand).await?.into_iter();
    Ok(Json(DemandBody::of(demands.filter(|demand| {
        wanted
            .as_ref()
            .is_none_or(|names| names.contains(&demand.plugin.as_str()))
    }))))
}
