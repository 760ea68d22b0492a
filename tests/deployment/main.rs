//! What the project is deployed with: images, compose file and Helm chart, without an engine or a cluster to run them.
//!
//! The tools are those of the others: Helm's engine renders, Kubernetes' and the operators' schemas judge, Compose reads
//! its file, hadolint the Dockerfile. What only a cluster could show stands in `docs/unproven.md`.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod chart;
mod compose;
mod configuration_page;
mod custom;
mod health;
mod images;
mod network;
mod pods;
mod schemas;
mod secrets;
mod values;
mod variables;
mod wiring;

use std::process::{Command, Output};

/// Runs a tool that has to succeed.
#[track_caller]
fn succeed(tool: &mut Command) -> Output {
    let output = tool.output().unwrap();
    assert!(
        output.status.success(),
        "{tool:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}
