//! `GET /api/v1/plugins`: the plugins with their queues, how they stand, their settings and page contracts.
//!
//! Invariant: settings are told only to whoever may see their page.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use super::App;
use super::openapi::Operation;
use super::problem::Error;
use super::who::Who;
use crate::control::{Object, Period, Settings, Verb, authorise};
use crate::db::pages::{Contract, PluginRow, PluginsInFull, ReadPluginsInFull, Standing, Standings};

/// The plugins, by name.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Plugins")]
pub(super) struct PluginsBody {
    /// Whether jobs start by themselves, as far as the switch for all plugins goes.
    autostart: bool,
    /// Since when that switch stands so.
    autostart_since: Timestamp,
    /// Who has set it; null while nobody has.
    autostart_by: Option<String>,
    plugins: Vec<PluginBody>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Plugin")]
struct PluginBody {
    name: String,
    title_en: String,
    title_de: String,
    #[schemars(extend("enum" = ["running", "stopping", "stopped"]))]
    state: &'static str,
    /// Since when it is in its state.
    since: Option<Timestamp>,
    /// Who has brought it there; null where it was never stopped.
    by: Option<String>,
    /// Why it is stopped.
    reason: Option<String>,
    /// When jobs that still run are interrupted.
    deadline: Option<Timestamp>,
    /// When it starts again by itself.
    resume_at: Option<Timestamp>,
    /// Whether its jobs start by themselves, as far as its own switch goes.
    autostart: bool,
    queued: i64,
    /// Those of the queued ones that a person, or their stopped plugin, holds back.
    paused: i64,
    running: i64,
    slots: i64,
    workers: i64,
    /// How long its oldest startable job has waited for a worker.
    longest_wait_seconds: f64,
    /// Its page contract; null where pages are not limited.
    contract: Option<ContractBody>,
    /// Its settings, by the names that `configure` takes; null for whoever may not see them.
    settings: Option<Settings>,
}

/// A page contract and what is used of it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PageContract")]
pub(super) struct ContractBody {
    /// Pages allowed in all.
    pages_total: Option<i64>,
    /// Pages used in all, where that is limited.
    used_total: Option<i64>,
    /// Pages allowed in a period.
    pages_a_period: Option<i64>,
    /// Pages used in the present period, where that is limited.
    used_in_period: Option<i64>,
    period: Period,
    /// The first day of the next period.
    next_period: Date,
    /// Pages done lately: on the last 28 days before today, or fewer where it has not worked that long.
    pages_lately: i64,
    /// On how many days these were done.
    days_lately: i32,
}

impl From<&Contract> for ContractBody {
    fn from(contract: &Contract) -> Self {
        Self {
            pages_total: contract.total.map(|allowed| allowed.pages),
            used_total: contract.total.map(|allowed| allowed.used),
            pages_a_period: contract.in_period.map(|allowed| allowed.pages),
            used_in_period: contract.in_period.map(|allowed| allowed.used),
            period: contract.period,
            next_period: contract.next_period,
            pages_lately: contract.lately,
            days_lately: contract.lately_days,
        }
    }
}

/// What the API says of [`list`].
pub(super) fn describe_list() -> Operation {
    Operation::answering::<PluginsBody>("listPlugins").noting("To see their settings one needs `configure`.")
}

/// `GET /api/v1/plugins`
pub(super) async fn list(who: Who, State(app): State<App>) -> Result<Json<PluginsBody>, Error> {
    let PluginsInFull {
        plugins,
        standings,
        mut settings,
        contracts,
    } = app.db.run(&ReadPluginsInFull).await?;
    let of_plugin = |plugin: PluginRow| {
        let may = authorise(&who.actor, Verb::Configure, Object::Plugin(&plugin.name));
        let own = settings.plugins.iter_mut().find(|own| own.name == plugin.name);
        let own = own.filter(|_| may).map(|own| std::mem::take(&mut own.settings));
        let contract = contracts.iter().find(|contract| contract.plugin == plugin.name);
        one(plugin, &standings, contract, own)
    };
    Ok(Json(PluginsBody {
        plugins: plugins.into_iter().map(of_plugin).collect(),
        autostart: standings.autostart,
        autostart_since: standings.autostart_since,
        autostart_by: standings.autostart_by.clone(),
    }))
}

fn one(
    plugin: PluginRow,
    standings: &Standings,
    contract: Option<&Contract>,
    settings: Option<Settings>,
) -> PluginBody {
    // One that a worker has announced between two statements stands as new ones do.
    let standing = standings.of(&plugin.name);
    let text = |of: fn(&Standing) -> &Option<String>| standing.and_then(|standing| of(standing).clone());
    PluginBody {
        state: plugin.state.as_str(),
        since: standing.map(|standing| standing.since),
        by: text(|standing| &standing.by),
        reason: text(|standing| &standing.reason),
        deadline: standing.and_then(|standing| standing.deadline),
        resume_at: standing.and_then(|standing| standing.resume_at),
        autostart: standing.is_none_or(|standing| standing.autostart),
        queued: plugin.waiting(),
        paused: plugin.paused(),
        running: plugin.running(),
        slots: plugin.slots,
        workers: plugin.workers,
        longest_wait_seconds: plugin.oldest_queued_seconds,
        contract: contract.map(ContractBody::from),
        settings,
        name: plugin.name,
        title_en: plugin.title_en,
        title_de: plugin.title_de,
    }
}
