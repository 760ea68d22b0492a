//! `taskmanager broker`: RabbitMQ users with only the permissions that they need.
//!
//! What each of them may do stands in `shared::amqp::roles`; here it is only carried to the broker or written down.

mod definitions;
mod management;
mod passwords;
mod setup;
mod users;

use clap::{Args, Subcommand};

use crate::Answer;

/// Set RabbitMQ up: users with only the permissions that they need
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Setup(Box<setup::Arguments>),
    Definitions(definitions::Arguments),
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    match &arguments.command {
        Command::Setup(arguments) => setup::run(arguments),
        Command::Definitions(arguments) => definitions::run(arguments),
    }
}
