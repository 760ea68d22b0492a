//! The outbox of messages to other systems: recorded with the end of a job, taken by one coordinator at a time, settled.
//!
//! Invariants: a job's deliveries are rows of the transaction that ends it; of one job only the first pending delivery
//! can be under way, so that their order is kept (people's messages have an order of their own, and hold up nothing else); what a coordinator took and did not settle is free again when its
//! lease is over, but one that must not be repeated is shown to a person then.

mod again;
mod by_hand;
mod record;
mod settle;
mod take;
#[cfg(test)]
mod tests;

pub(super) use again::send_again;
pub(super) use by_hand::by_hand;
pub(super) use record::record;
pub use settle::{Settle, Settled};
pub use take::Take;
