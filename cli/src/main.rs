//! `taskmanager`: the command line of the task manager. It speaks the coordinator's HTTP API and nothing else, except
//! that `broker` sets RabbitMQ up through its management API.
//!
//! Invariant: what a command is asked for goes to standard output, everything else to standard error; the exit
//! code is 0 (yes), 1 (no: the job ended badly, a check failed, the submission was refused) or 2 (the question
//! could not be asked or answered).

mod account;
mod accounts;
mod api;
mod arguments;
mod audit;
mod broker;
mod client;
mod control;
mod doctor;
mod list;
mod output;
mod password;
mod plugins;
mod pod_costs;
mod recover;
mod settings;
mod show;
mod statistics;
mod status;
mod storages;
mod submit;
mod table;
mod text;
mod wait;
mod workers;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use arguments::{Cli, Command};
use client::Client;

/// The answer to what a command was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// As wished: exit code 0.
    Yes,
    /// Not as wished: exit code 1; the command has said why.
    No,
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(Answer::Yes) => ExitCode::SUCCESS,
        Ok(Answer::No) => ExitCode::from(1),
        Err(error) => output::failure(&error),
    }
}

/// What to come in with, if there is anything.
#[expect(
    clippy::disallowed_methods,
    reason = "as an option of the command line everybody on the machine could read it"
)]
fn token(file: Option<&Path>) -> anyhow::Result<Option<String>> {
    let direct = std::env::var("TASKMANAGER_TOKEN")
        .ok()
        .filter(|token| !token.is_empty());
    file.map(password::first_line)
        .transpose()
        .map(|token| token.map(|token| token.trim().to_owned()).or(direct))
}

fn run(cli: Cli) -> anyhow::Result<Answer> {
    let client = Client::new(&cli.server, token(cli.token_file.as_deref())?);
    match cli.command {
        Command::Submit(arguments) => submit::run(&client, &arguments),
        Command::List(arguments) => list::run(&client, &arguments),
        Command::Show(arguments) => show::run(&client, &arguments),
        Command::Wait(arguments) => wait::run(&client, &arguments),
        Command::Control(command) => control::run_jobs(&client, &command),
        Command::Plugins(arguments) => plugins::run(&client, &arguments),
        Command::Plugin(command) => control::run_plugins(&client, &command),
        Command::Account(command) => account::run(&client, &command),
        Command::User(command) => accounts::run_users(&client, &command),
        Command::Token(command) => accounts::run_tokens(&client, &command),
        Command::Worker(command) => workers::run(&client, &command),
        Command::Storage(command) => storages::run(&client, &command),
        Command::Status(arguments) => status::run(&client, &arguments),
        Command::Statistics(arguments) => statistics::run(&client, &arguments),
        Command::Settings(command) => settings::run(&client, &command),
        Command::Audit(arguments) => audit::run(&client, &arguments),
        Command::Doctor(arguments) => doctor::run(&client, &arguments),
        Command::Recover(arguments) => recover::run(&client, &arguments),
        Command::Broker(arguments) => broker::run(&arguments),
    }
}
