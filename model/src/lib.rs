//! Small models of the protocol, explored completely: every order of steps, deaths, losses and repetitions within
//! each model's bounds.
//!
//! The models ask the very functions that the coordinator asks (`shared::job::decide`), so that what is shown here
//! is shown of them. A model's bounds, its size and whether it was complete stand in its [`Report`].

mod explore;
mod leases;
mod models;
mod protocol;
mod report;
mod steps;
mod submissions;
mod transfers;

pub use models::Checkable;
pub use report::{Bound, Report, Violation};
