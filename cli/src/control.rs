//! What a person does with jobs and plugins: cancel, hold, move, stop …

mod jobs;
mod plugins;
mod selection;

pub(crate) use jobs::{JobCommand, run as run_jobs};
pub(crate) use plugins::{PluginCommand, limit, run as run_plugins};
