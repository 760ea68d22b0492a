//! The real binary against a stand-in for the coordinator.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod accounts;
mod help;
mod look;
mod pod_costs;
mod program;
mod selection;
mod stand_in;
mod submit;
mod system;
mod taskclient;
mod trouble;
mod wait;
