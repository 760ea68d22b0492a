//! Users, their sessions, tokens of programs: who comes in, and what administrators change about that.
//!
//! Invariant: whatever changes who may come in is one of [`ActOnAccounts`]' actions, [`SetUp`] or [`LogIn`], and stands
//! in the audit log.

mod act;
mod log_in;
mod read;
mod recognise;
mod setup;

pub use act::{AccountOutcome, ActOnAccounts, WhyNot};
pub use log_in::{ChangeOwnPassword, CountTry, FindPassword, LogIn, LogOut, NoteStranger};
pub use read::{Accounts, KnownSession, KnownToken, KnownUser, ReadAccounts, ReadSessions};
pub(super) use recognise::session_is_over;
pub use recognise::{FindSession, FindToken, Found, NoteTurnedAway, SESSION_MAX_SECONDS};
pub use setup::{CheckSetup, OfferSetup, SetUp};

use tokio_postgres::Row;

use super::{Error, Transact};
use crate::control::{Actor, Role};

/// The actor that a row of `users` or `api_tokens` is.
fn actor(row: &Row, table: &'static str, name: String) -> Result<Actor, Error> {
    Ok(Actor {
        role: role(row, table, &name)?,
        plugins: row.get("plugins"),
        name,
    })
}

fn role(row: &Row, table: &'static str, name: &str) -> Result<Role, Error> {
    Role::named(row.get("role")).ok_or_else(|| Error::Inconsistent {
        table,
        column: "role",
        row: name.to_owned(),
    })
}
