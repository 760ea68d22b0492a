//! The coordinator's process: settings, logging, exit code.
#![expect(
    clippy::print_stderr,
    reason = "what is wrong before logging starts goes to the terminal"
)]

use std::process::ExitCode;
use std::time::Duration;

use coordinator::config::Config;
use shared::configuration::{WRONG_SETTINGS, load};
use shared::telemetry::start_logging;

fn main() -> ExitCode {
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
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!("no threads can be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let served = runtime.block_on(coordinator::serve(config));
    // A thread that hangs in a dead file system must not keep the process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    match served {
        Ok(code) => code,
        Err(error) => {
            tracing::error!("the coordinator can't run: {error:#}");
            ExitCode::FAILURE
        }
    }
}
