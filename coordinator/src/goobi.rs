//! Goobi's own message broker: tickets come from there, and it is told there what became of them.
//!
//! ```text
//!  config      where the broker is and what the queues are called
//!  frame       STOMP on the wire
//!  connection  one connection, bounded in every way
//!  tickets     the task that takes tickets in
//!  put_away    tickets that can't be accepted, for a person
//!  tell        one message to Goobi
//!  status      whether tickets come in, for the doctor
//! ```
//!
//! Invariant: the ticket's `jwt` stands in no log, no message of ours and no column that is not encrypted.

mod config;
mod connection;
mod frame;
mod put_away;
mod status;
mod tell;
#[cfg(test)]
mod tests;
mod tickets;

pub use config::{Broker, BrokerAddress, Config};
pub use status::Status;
pub use tell::Goobi;
pub use tickets::Tickets;
