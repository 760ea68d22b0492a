//! The coordinator: records jobs in PostgreSQL, publishes them to RabbitMQ, records what workers report, and
//! shows all of it.
//!
//! ```text
//!  intake       the one way in: validate, deduplicate, record
//!  broker       messages from RabbitMQ, in batches: submissions, claims, heartbeats, results
//!  background   dispatcher, sweeper, probe, housekeeping
//!  control      what people do, authorised and recorded
//!  db           the only SQL
//!  deliveries   what other systems are told
//!  notifications  events for anybody who listens
//!  goobi        tickets from Goobi's message broker
//!  deployment   what this process was told, for the doctor
//!  secrets      encrypts what must not stand in the database as it is
//!  http         pages, API, health, metrics
//! ```

pub mod accounts;
pub mod background;
pub mod broker;
pub mod config;
pub mod control;
pub mod db;
pub mod deliveries;
pub mod deployment;
pub mod goobi;
pub mod http;
pub mod intake;
pub mod notifications;
pub mod restore;
pub mod secrets;
mod serve;
#[cfg(test)]
mod testing;
pub mod worker_users;

pub use serve::serve;
