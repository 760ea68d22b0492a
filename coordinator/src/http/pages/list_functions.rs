//! The four functions above Kitodo's list of tasks: refresh it, delete the finished ones, delete all, and whether new
//! ones start by themselves.

use crate::control::{Actor, Object, Verb, authorise, could_in};

/// What stands above a list.
#[derive(Debug)]
pub(super) struct ListFunctions {
    /// The list's own address.
    pub(super) refresh: String,
    /// The plugin whose list it is; empty for all.
    pub(super) plugin: String,
    /// Whether whoever looks may delete jobs.
    pub(super) delete: bool,
    /// Where it goes that jobs are not to start by themselves; empty where whoever looks may not say so, and where they
    /// don't: the notice above says that, and has the button that turns it on again.
    pub(super) autostart_off: String,
}

impl ListFunctions {
    /// The functions above the list at the address `refresh`.
    pub(super) fn new(actor: &Actor, plugin: Option<&str>, refresh: String, autostart: bool) -> Self {
        let object = plugin.map_or(Object::Everything, Object::Plugin);
        Self {
            refresh,
            plugin: plugin.unwrap_or_default().to_owned(),
            delete: could_in(actor, Verb::DeleteJobs, plugin),
            autostart_off: match plugin {
                _ if !autostart || !authorise(actor, Verb::RunPlugins, object) => String::new(),
                Some(plugin) => format!("/plugins/{plugin}/actions"),
                None => "/plugins/actions".to_owned(),
            },
        }
    }
}
