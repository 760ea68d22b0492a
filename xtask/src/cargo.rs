//! Cargo, as the commands call it: in the workspace, with its usual target folder.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};
use launcher::{Place, run_in_foreground, workspace};

/// `cargo` with these arguments. The programs that it builds have to be found, so nobody may move the target folder.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(workspace());
    command
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("CARGO_BUILD_TARGET");
    command
}

/// The folder that `cargo` writes to.
pub(crate) fn target() -> PathBuf {
    workspace().join("target")
}

/// The folder of the programs of a profile: `debug` or `release`.
pub(crate) fn programs(profile: &str) -> PathBuf {
    target().join(profile)
}

/// Runs it with our terminal, and fails where it fails; it has said why.
pub(crate) fn build(place: &Place, arguments: &[&str]) -> Result<()> {
    let status = run_in_foreground(place, &cargo(arguments))?;
    ensure!(
        status.success(),
        "the build failed, see above (cargo {})",
        arguments.join(" ")
    );
    Ok(())
}
