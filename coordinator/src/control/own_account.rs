//! What people do with their own password and sessions.
//!
//! Invariant: only a session can do it, as a token is nobody's account, whatever it is called.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::action::nothing_more;
use super::{Actor, Control};
use crate::accounts::{Busy, Password};
use crate::db;
use crate::db::accounts::{ChangeOwnPassword, CountTry, FindPassword, LogOut};

/// Something that a person does with the account that he or she has come in with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum OwnAccountAction {
    /// Another password; it ends all other sessions.
    ChangePassword {
        /// The one so far.
        now: Password,
        /// The new one.
        new: Password,
    },
    /// End a session.
    EndSession {
        /// Which.
        session: Uuid,
    },
    /// End all sessions but this one.
    #[serde(deserialize_with = "nothing_more")]
    EndOtherSessions,
}

impl OwnAccountAction {
    /// Finds passwords that nobody may have.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Self::ChangePassword { new, .. } => new.check(),
            Self::EndSession { .. } | Self::EndOtherSessions => Ok(()),
        }
    }
}

/// What became of it.
///
/// The API answers what is not done as a problem: its schema has the other outcomes only.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum OwnAccountOutcome {
    /// It was done.
    Done,
    /// The password so far is another one.
    #[schemars(skip)]
    WrongPassword,
    /// There were too many tries.
    #[schemars(skip)]
    Wait {
        /// How long until the next one.
        seconds: f64,
    },
    /// Too many passwords wait to be looked at.
    #[schemars(skip)]
    Busy,
}

impl Control {
    /// Does something with the account of whoever has come in with `session`. What [`OwnAccountAction::check`] finds
    /// wrong is not to get here.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn act_on_own_account(
        &self,
        actor: &Actor,
        session: Uuid,
        action: &OwnAccountAction,
    ) -> Result<OwnAccountOutcome, db::Error> {
        let (ended, except) = match action {
            OwnAccountAction::EndSession { session } => (Some(*session), None),
            OwnAccountAction::EndOtherSessions => (None, Some(session)),
            OwnAccountAction::ChangePassword { now, new } => {
                return self.change_own_password(actor, session, now, new).await;
            }
        };
        let end = LogOut {
            user: &actor.name,
            session: ended,
            except,
        };
        self.db.run(&end).await?;
        Ok(OwnAccountOutcome::Done)
    }

    async fn change_own_password(
        &self,
        actor: &Actor,
        session: Uuid,
        now: &Password,
        new: &Password,
    ) -> Result<OwnAccountOutcome, db::Error> {
        let name = &actor.name;
        // Whoever finds a browser open must not be able to guess here what he can't guess at the login.
        if let Some(seconds) = self.db.run(&CountTry { name }).await? {
            return Ok(OwnAccountOutcome::Wait { seconds });
        }
        let known = self.db.run(&FindPassword { name }).await?;
        let kept = known.as_ref().map(|(_, kept)| kept);
        match self.passwords.matches(now, kept).await {
            Ok(true) => {}
            Ok(false) => return Ok(OwnAccountOutcome::WrongPassword),
            Err(Busy) => return Ok(OwnAccountOutcome::Busy),
        }
        let Ok(password) = self.passwords.hash(new).await else {
            return Ok(OwnAccountOutcome::Busy);
        };
        let change = ChangeOwnPassword {
            actor,
            password: &password,
            except: Some(session),
        };
        self.db.run(&change).await?;
        Ok(OwnAccountOutcome::Done)
    }
}
