//! The coordinator's process: settings, logging, exit code.
#![expect(
    clippy::print_stderr,
    reason = "what is wrong before logging starts goes to the terminal"
)]

use std::process::ExitCode;

use coordinator::config::Config;
use shared::configuration::{WRONG_SETTINGS, load};
use shared::telemetry::start_logging;

#[tokio::main]
async fn main() -> ExitCode {
    let config: Config = match load() {
        Ok(config) => config,
        Err(wrong) => {
            eprintln!("the coordinator can't start: {wrong}");
            return ExitCode::from(WRONG_SETTINGS);
        }
    };
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
