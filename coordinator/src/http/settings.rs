//! `/api/v1/settings`: what can be set, as the settings' page shows it, and the settings that belong to no plugin.
//!
//! Those of plugins are changed where everything else is done with them: `POST /api/v1/plugins/{name}/actions`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::App;
use super::actions::read;
use super::openapi::Operation;
use super::problem::Error;
use super::who::Who;
use crate::control::{PageSettings, Period, Settings, SettingsAction};
use crate::db::control::SettingsOutcome;
use crate::db::pages::{AllSettings, PluginSettings, ReadSettings};

/// All that can be set.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AllSettings")]
pub(super) struct SettingsBody {
    /// Whether jobs start by themselves, whatever their plugin says.
    autostart: bool,
    /// Since when that is so.
    autostart_since: Timestamp,
    /// Who wants it so; null while nobody has changed it.
    autostart_by: Option<String>,
    pages: PageSettings,
    /// The plugins' own, by name.
    plugins: Vec<PluginBody>,
}

/// What is set for a plugin.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PluginSettings")]
struct PluginBody {
    name: String,
    title_en: String,
    title_de: String,
    /// Whether its jobs start by themselves, as far as its own switch goes.
    autostart: bool,
    /// By the names that `configure` takes.
    settings: Settings,
    /// Its page contract: pages allowed in all.
    pages_total: Option<u32>,
    /// Its page contract: pages allowed in a period.
    pages_a_period: Option<u32>,
    period: Period,
    /// Pages used in all, where pages were ever counted for a contract.
    used_total: Option<i64>,
    /// Pages used in the period that is now.
    used_in_period: Option<i64>,
}

impl From<PluginSettings> for PluginBody {
    fn from(plugin: PluginSettings) -> Self {
        Self {
            name: plugin.name,
            title_en: plugin.title_en,
            title_de: plugin.title_de,
            autostart: plugin.autostart,
            settings: plugin.settings,
            pages_total: plugin.quota.pages_total,
            pages_a_period: plugin.quota.pages_a_period,
            period: plugin.quota.period,
            used_total: plugin.used_total,
            used_in_period: plugin.used_in_period,
        }
    }
}

impl From<AllSettings> for SettingsBody {
    fn from(all: AllSettings) -> Self {
        Self {
            autostart: all.autostart,
            autostart_since: all.autostart_since,
            autostart_by: all.autostart_by,
            pages: all.pages,
            plugins: all.plugins.into_iter().map(PluginBody::from).collect(),
        }
    }
}

/// What the API says of [`show`].
pub(super) fn describe_show() -> Operation {
    Operation::answering::<SettingsBody>("getSettings")
}

/// `GET /api/v1/settings`
pub(super) async fn show(State(app): State<App>) -> Result<Json<SettingsBody>, Error> {
    Ok(Json(SettingsBody::from(app.db.run(&ReadSettings).await?)))
}

/// What the API says of [`act`].
pub(super) fn describe_act() -> Operation {
    Operation::answering::<SettingsOutcome>("actOnSettings")
        .with_body::<SettingsAction>()
        .noting("A plugin's settings, and the switch that keeps all jobs from starting, are changed as actions on plugins.")
}

/// `POST /api/v1/settings/actions`
pub(super) async fn act(
    who: Who,
    State(app): State<App>,
    body: Bytes,
) -> Result<Json<SettingsOutcome>, Error> {
    let action: SettingsAction = read(&body)?;
    action.check().map_err(Error::BadQuery)?;
    match app.control.act_on_settings(&who.actor, action).await? {
        SettingsOutcome::Forbidden => Err(Error::Forbidden),
        done @ (SettingsOutcome::Done | SettingsOutcome::Unchanged) => Ok(Json(done)),
    }
}
