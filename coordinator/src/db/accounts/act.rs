//! What administrators change about users and tokens.

use deadpool_postgres::Transaction;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::{Error, Transact};
use crate::accounts::{PasswordHash, SecretHash};
use crate::control::{AccountAction, Actor, Object, Role, authorise};
use crate::db::control::note_account_action;

/// What became of an action on accounts.
///
/// The API answers what is not done as a problem: its schema has the other outcomes only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum AccountOutcome {
    /// It was done.
    Done,
    /// It was so already.
    Unchanged,
    /// It can't be done.
    #[schemars(skip)]
    Refused {
        /// Why.
        why: WhyNot,
    },
    /// The actor may not do it.
    #[schemars(skip)]
    Forbidden,
    /// There is no such user or token.
    #[schemars(skip)]
    Unknown,
    /// Too many passwords wait to be looked at: nothing was done.
    #[schemars(skip)]
    Busy,
}

/// Why it can't be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyNot {
    /// There is a user of that name.
    NameTaken,
    /// Nobody could manage accounts any more.
    LastAdmin,
}

/// Does something with a user or a token.
#[derive(Debug)]
pub struct ActOnAccounts<'a> {
    /// Who wants it.
    pub actor: &'a Actor,
    /// What; it has been checked.
    pub action: &'a AccountAction,
    /// What is to be kept of the action's password.
    pub password: Option<&'a PasswordHash>,
    /// A new token, hashed, for [`AccountAction::AddToken`].
    pub token: Option<&'a SecretHash>,
}

impl Transact for ActOnAccounts<'_> {
    const NAME: &'static str = "accounts.act";
    type Output = AccountOutcome;

    async fn run(&self, tx: &Transaction<'_>) -> Result<AccountOutcome, Error> {
        let may = authorise(self.actor, self.action.verb(), Object::Everything);
        let outcome = if may {
            self.act(tx).await?
        } else {
            AccountOutcome::Forbidden
        };
        note_account_action(tx, self.actor, self.action, outcome).await?;
        Ok(outcome)
    }
}

impl ActOnAccounts<'_> {
    async fn act(&self, tx: &Transaction<'_>) -> Result<AccountOutcome, Error> {
        // Administrators are locked together, so that of two who remove each other one stays.
        let lock = tx
            .prepare_cached(
                "-- accounts.lock_admins
                 SELECT name FROM users WHERE role = 'admin' AND NOT disabled ORDER BY name FOR UPDATE",
            )
            .await?;
        let admins: Vec<String> = tx.query(&lock, &[]).await?.iter().map(|row| row.get(0)).collect();
        let is_last_admin = |name: &str| admins.len() == 1 && admins[0] == name;
        let last_admin = AccountOutcome::Refused {
            why: WhyNot::LastAdmin,
        };
        match self.action {
            AccountAction::AddUser {
                name, role, plugins, ..
            } => self.add_user(tx, name, *role, plugins.as_deref()).await,
            AccountAction::SetRole { name, role, .. } if *role != Role::Admin && is_last_admin(name) => {
                Ok(last_admin)
            }
            AccountAction::Disable { name } | AccountAction::RemoveUser { name } if is_last_admin(name) => {
                Ok(last_admin)
            }
            AccountAction::SetRole { name, role, plugins } => {
                let set = tx
                    .prepare_cached(
                        "-- accounts.set_role
                         UPDATE users SET role = $2, plugins = $3 WHERE name = $1",
                    )
                    .await?;
                let changed = tx.execute(&set, &[name, &role.name(), plugins]).await?;
                Ok(done_or_unknown(changed))
            }
            AccountAction::SetPassword { name, .. } => {
                let set = tx
                    .prepare_cached(
                        "-- accounts.set_password\nUPDATE users SET password = $2 WHERE name = $1",
                    )
                    .await?;
                let password = self.password.expect("the action brings a password");
                let changed = tx.execute(&set, &[name, &password.as_str()]).await?;
                end_sessions(tx, name).await?;
                Ok(done_or_unknown(changed))
            }
            AccountAction::Disable { name } => {
                end_sessions(tx, name).await?;
                set_disabled(tx, name, true).await
            }
            AccountAction::Enable { name } => set_disabled(tx, name, false).await,
            AccountAction::RemoveUser { name } => {
                let remove = tx
                    .prepare_cached("-- accounts.remove_user\nDELETE FROM users WHERE name = $1")
                    .await?;
                Ok(done_or_unknown(tx.execute(&remove, &[name]).await?))
            }
            AccountAction::AddToken {
                title,
                role,
                plugins,
                days,
            } => {
                let add = tx
                    .prepare_cached(
                        "-- accounts.add_token
                         INSERT INTO api_tokens (id, secret, title, role, plugins, made_by, expires_at)
                         VALUES ($1, $2, $3, $4, $5, $6, tm_now() + make_interval(days => $7))",
                    )
                    .await?;
                let secret = self.token.expect("the action brings a token").0.as_slice();
                let days = i32::try_from(*days).unwrap_or(i32::MAX);
                let (id, by) = (Uuid::now_v7(), &self.actor.name);
                tx.execute(&add, &[&id, &secret, title, &role.name(), plugins, by, &days])
                    .await?;
                Ok(AccountOutcome::Done)
            }
            AccountAction::RevokeToken { id } => {
                let revoke = tx
                    .prepare_cached("-- accounts.revoke_token\nDELETE FROM api_tokens WHERE id = $1")
                    .await?;
                Ok(done_or_unknown(tx.execute(&revoke, &[id]).await?))
            }
        }
    }

    async fn add_user(
        &self,
        tx: &Transaction<'_>,
        name: &str,
        role: Role,
        plugins: Option<&[String]>,
    ) -> Result<AccountOutcome, Error> {
        let add = tx
            .prepare_cached(
                "-- accounts.add_user
                 INSERT INTO users (name, role, plugins, password)
                 SELECT $1, $2, $3, $4 WHERE NOT EXISTS (SELECT 1 FROM users WHERE lower(name) = lower($1))",
            )
            .await?;
        let password = self.password.expect("the action brings a password");
        let added = tx
            .execute(&add, &[&name, &role.name(), &plugins, &password.as_str()])
            .await;
        match added {
            Ok(1) => Ok(AccountOutcome::Done),
            Ok(_) => Ok(AccountOutcome::Refused {
                why: WhyNot::NameTaken,
            }),
            Err(error) => Err(error.into()),
        }
    }
}

fn done_or_unknown(changed: u64) -> AccountOutcome {
    if changed == 0 {
        AccountOutcome::Unknown
    } else {
        AccountOutcome::Done
    }
}

async fn end_sessions(tx: &Transaction<'_>, name: &str) -> Result<(), Error> {
    let end = tx
        .prepare_cached("-- accounts.end_sessions_of\nDELETE FROM sessions WHERE user_name = $1")
        .await?;
    tx.execute(&end, &[&name]).await?;
    Ok(())
}

async fn set_disabled(tx: &Transaction<'_>, name: &str, disabled: bool) -> Result<AccountOutcome, Error> {
    let lock = tx
        .prepare_cached("-- accounts.lock_user\nSELECT disabled FROM users WHERE name = $1 FOR UPDATE")
        .await?;
    match tx
        .query_opt(&lock, &[&name])
        .await?
        .map(|row| row.get::<_, bool>(0))
    {
        None => return Ok(AccountOutcome::Unknown),
        Some(now) if now == disabled => return Ok(AccountOutcome::Unchanged),
        Some(_) => {}
    }
    let set = tx
        .prepare_cached("-- accounts.set_disabled\nUPDATE users SET disabled = $2 WHERE name = $1")
        .await?;
    tx.execute(&set, &[&name, &disabled]).await?;
    Ok(AccountOutcome::Done)
}
