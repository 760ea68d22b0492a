//! What administrators do with users and tokens, from the wish to the audit log.

use super::{AccountAction, Actor, Control};
use crate::accounts::{Busy, Secret};
use crate::db;
use crate::db::accounts::{AccountOutcome, ActOnAccounts};

impl Control {
    /// Acts on users or tokens; gives what became of that, and a new token, which nobody can read again.
    /// What [`AccountAction::check`] finds wrong is not to get here.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn act_on_accounts(
        &self,
        actor: &Actor,
        action: &AccountAction,
    ) -> Result<(AccountOutcome, Option<Secret>), db::Error> {
        let password = match action.password() {
            Some(password) => match self.passwords.hash(password).await {
                Ok(hash) => Some(hash),
                Err(Busy) => return Ok((AccountOutcome::Busy, None)),
            },
            None => None,
        };
        let token = matches!(action, AccountAction::AddToken { .. }).then(|| Secret::generate("tm_"));
        let hash = token.as_ref().map(Secret::hash);
        let outcome = self
            .db
            .run(&ActOnAccounts {
                actor,
                action,
                password: password.as_ref(),
                token: hash.as_ref(),
            })
            .await?;
        Ok((outcome, token.filter(|_| outcome == AccountOutcome::Done)))
    }
}
