//! What the coordinator and the workers have in common.
//!
//! ```text
//!  job      the state machine: which states there are and who may change them (no input or output)
//!  message  every message on the wire, with its version
//!  amqp     names and arguments in RabbitMQ, connections, publishing with confirms
//!  plugin   plugin names and the queue name derived from them
//!  configuration, lifecycle, telemetry, metrics   settings, shutdown, logging, metric names
//!  exposure   whether a process leaves more open than it has to
//! ```
//!
//! Invariant: nothing here knows PostgreSQL, HTTP or how a plugin works.

pub mod amqp;
pub mod configuration;
pub mod error;
pub mod exposure;
pub mod failpoint;
pub mod job;
pub mod lifecycle;
pub mod location;
pub mod message;
pub mod metrics;
pub mod mutant;
pub mod plugin;
pub mod telemetry;
