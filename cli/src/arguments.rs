//! The command line as a whole: the server's address and the list of commands. Each command's own options stand
//! in its file.

use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand};

use crate::client::Server;
use crate::{
    account, accounts, audit, broker, control, doctor, list, plugins, recover, settings, show, statistics,
    status, storages, submit, wait, workers,
};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXIT_CODES: &str = "\
Exit codes: 0 yes; 1 no (the job ended in ERROR or CANCELLED, a check failed, the submission was refused); \
2 the question could not be asked or answered (wrong usage, coordinator not reachable, no such job).";

/// Hand long jobs to the task manager and follow them.
#[derive(Debug, Parser)]
#[command(name = "taskmanager", version, styles = STYLES, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// The coordinator's address.
    #[arg(
        long,
        global = true,
        display_order = 100,
        value_name = "URL",
        env = "TASKMANAGER_URL",
        hide_env_values = true,
        default_value = "http://127.0.0.1:8080"
    )]
    pub(crate) server: Server,

    /// File whose first line is the token to come in with. The variable `TASKMANAGER_TOKEN` may hold the token itself.
    #[arg(
        long,
        global = true,
        display_order = 101,
        value_name = "FILE",
        env = "TASKMANAGER_TOKEN_FILE"
    )]
    pub(crate) token_file: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Submit(Box<submit::Arguments>),
    List(list::Arguments),
    Show(show::Arguments),
    Wait(wait::Arguments),
    #[command(flatten)]
    Control(control::JobCommand),
    Plugins(plugins::Arguments),
    Plugin(control::PluginCommand),
    Worker(workers::WorkerCommand),
    Storage(storages::StorageCommand),
    Status(status::Arguments),
    Statistics(statistics::Arguments),
    Settings(settings::SettingsCommand),
    Audit(audit::Arguments),
    Account(account::AccountCommand),
    User(accounts::UserCommand),
    Token(accounts::TokenCommand),
    Doctor(doctor::Arguments),
    Recover(recover::Arguments),
    Broker(broker::Arguments),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_of_the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
