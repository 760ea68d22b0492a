//! The four functions above Kitodo's list of tasks: refresh it, delete the finished ones, delete all, and whether new
//! ones start by themselves.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::bulk::back;
use super::said::see;
use crate::control::{Actor, Object, PluginAction, PluginsOutcome, Verb, authorise, could};
use crate::http::App;
use crate::http::problem::Error;
use crate::http::who::Who;

/// What stands above a list.
#[derive(Debug)]
pub(super) struct ListFunctions {
    /// The list's own address.
    pub(super) refresh: String,
    /// The plugin whose list it is; empty for all.
    pub(super) plugin: String,
    /// Whether whoever looks may delete jobs.
    pub(super) delete: bool,
    /// Whether he may say if jobs start by themselves.
    pub(super) switch: bool,
    /// They do.
    pub(super) autostart: bool,
}

impl ListFunctions {
    /// The functions above the list at the address `refresh`.
    pub(super) fn new(actor: &Actor, plugin: Option<&str>, refresh: String, autostart: bool) -> Self {
        let object = plugin.map_or(Object::Everything, Object::Plugin);
        Self {
            refresh,
            plugin: plugin.unwrap_or_default().to_owned(),
            delete: match plugin {
                Some(plugin) => authorise(actor, Verb::DeleteJobs, Object::Plugin(plugin)),
                None => could(actor, Verb::DeleteJobs),
            },
            switch: authorise(actor, Verb::RunPlugins, object),
            autostart,
        }
    }
}

/// The switch as a form sends it.
#[derive(Debug, Deserialize)]
pub(crate) struct Switch {
    on: bool,
    #[serde(default)]
    plugin: String,
    #[serde(default)]
    back: String,
}

/// `POST /autostart`
pub(crate) async fn on_switch(
    who: Who,
    State(app): State<App>,
    switch: Result<axum::Form<Switch>, axum::extract::rejection::FormRejection>,
) -> Result<Response, Error> {
    let axum::Form(switch) = switch.map_err(|rejection| Error::BadQuery(rejection.body_text()))?;
    let name = Some(switch.plugin.trim().to_uppercase()).filter(|name| !name.is_empty());
    let action = PluginAction::Autostart { on: switch.on };
    match app
        .control
        .act_on_plugins(&who.actor, name.as_deref(), &action)
        .await?
    {
        PluginsOutcome::Forbidden => Err(Error::Forbidden),
        PluginsOutcome::Unknown => Err(Error::UnknownPlugin),
        PluginsOutcome::Done { .. } => Ok(see(back(Some(&switch.back)))),
    }
}
