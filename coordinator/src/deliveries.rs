//! What other systems are told, and how: at least once, in order for each job, until they take it or a person is asked.
//!
//! ```text
//!  kind       what is told: one file a kind (callback, goobi, goobi_message)
//!  allow      whom: only those that the operator has named
//!  outcome    what an answer means: taken, once more, given up, a person has to look
//!  send       the request itself, bounded in every way
//!  db/deliveries           the rows: written by the transaction that ends the job
//!  background/deliveries   the task that sends them
//! ```
//!
//! Invariant: nothing is sent to an address that is not allowed at that moment, and no redirect is followed.

mod allow;
mod callback;
mod goobi;
mod goobi_message;
mod goobi_web;
mod kind;
mod outcome;
mod send;

pub use allow::{Allowed, Target};
pub use goobi::goobi_target;
pub use goobi_message::goobi_message;
pub use goobi_web::GoobiWeb;
pub use kind::{Delivery, EndedJob, KINDS, Kind, Message, NewDelivery, Request, due, of_name};
pub use outcome::{Answer, Next, Patience, next};
pub use send::Post;
