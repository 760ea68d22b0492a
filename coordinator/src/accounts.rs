//! Who comes in: people with a name and a password, programs with a token.
//!
//! ```text
//!  log_in     a name and a password become a session
//!  password   what people know: checked against a slow hash
//!  secret     what browsers and programs hold: random, kept as a hash
//!  setup      the way in for the first administrator
//! ```
//!
//! Invariant: the database holds nothing that anybody could come in with; what is secret is never printed, but for the
//! code of the one-time link.

mod log_in;
mod password;
mod secret;
pub mod setup;

pub use log_in::{LoginAnswer, log_in};
pub use password::{Busy, Password, PasswordHash, Passwords};
pub use secret::{Secret, SecretHash};
