//! The coordinator's process: settings, logging, exit code.
#![expect(
    clippy::print_stderr,
    reason = "what is wrong before logging starts goes to the terminal"
)]

use std::process::ExitCode;

use clap::Parser;
use coordinator::config::Config;
use shared::telemetry::start_logging;

#[tokio::main]
async fn main() -> ExitCode {
    let config = Config::parse();
    if let Err(problem) = start_logging(config.log_format, &config.log) {
        eprintln!("{problem}");
        return ExitCode::FAILURE;
    }
    match coordinator::serve(config).await {
        Ok(code) => code,
        Err(error) => {
            tracing::error!("the coordinator can't run: {error:#}");
            ExitCode::FAILURE
        }
    }
}
