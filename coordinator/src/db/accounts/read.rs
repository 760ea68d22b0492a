//! Users, tokens and sessions, as pages and the API show them. Nothing secret is among it.

use deadpool_postgres::Transaction;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::{Error, Transact, role};
use crate::control::Role;

/// Somebody who may log in.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct KnownUser {
    /// The name.
    pub name: String,
    /// What he or she may do.
    pub role: Role,
    /// With which plugins, if not with all.
    pub plugins: Option<Vec<String>>,
    /// May not log in for now.
    pub disabled: bool,
    /// Since when there is the account.
    pub created_at: Timestamp,
    /// When a page was last asked for.
    pub seen_at: Option<Timestamp>,
    /// Browsers that are logged in.
    pub sessions: i64,
}

/// A program's token.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct KnownToken {
    /// By which it is revoked.
    pub id: Uuid,
    /// What it is for.
    pub title: String,
    /// What it may do.
    pub role: Role,
    /// With which plugins, if not with all.
    pub plugins: Option<Vec<String>>,
    /// Who has made it.
    pub made_by: String,
    /// When.
    pub created_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// It is good no more.
    pub expired: bool,
    /// When it was last used, to the minute.
    pub seen_at: Option<Timestamp>,
}

/// All of them.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Accounts {
    /// People, by name.
    pub users: Vec<KnownUser>,
    /// Programs' tokens, by title.
    pub tokens: Vec<KnownToken>,
}

/// Reads users and tokens.
#[derive(Debug)]
pub struct ReadAccounts;

impl Transact for ReadAccounts {
    const NAME: &'static str = "accounts.read";
    type Output = Accounts;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Accounts, Error> {
        let users = tx
            .prepare_cached(
                "-- accounts.users
                 SELECT u.name, u.role, u.plugins, u.disabled, u.created_at, s.seen_at, s.sessions
                 FROM users u CROSS JOIN LATERAL (
                     SELECT max(seen_at) AS seen_at, count(*) AS sessions FROM sessions WHERE user_name = u.name) s
                 ORDER BY lower(u.name)",
            )
            .await?;
        let users = tx.query(&users, &[]).await?;
        let users = users.iter().map(|row| {
            let name: String = row.get("name");
            Ok(KnownUser {
                role: role(row, "users", &name)?,
                name,
                plugins: row.get("plugins"),
                disabled: row.get("disabled"),
                created_at: row.get("created_at"),
                seen_at: row.get("seen_at"),
                sessions: row.get("sessions"),
            })
        });
        let users = users.collect::<Result<_, Error>>()?;
        let tokens = tx
            .prepare_cached(
                "-- accounts.tokens
                 SELECT id, title, role, plugins, made_by, created_at, expires_at, expires_at <= tm_now() AS expired,
                        seen_at
                 FROM api_tokens ORDER BY lower(title), id",
            )
            .await?;
        let tokens = tx.query(&tokens, &[]).await?;
        let tokens = tokens.iter().map(|row| {
            let title: String = row.get("title");
            Ok(KnownToken {
                id: row.get("id"),
                role: role(row, "api_tokens", &title)?,
                title,
                plugins: row.get("plugins"),
                made_by: row.get("made_by"),
                created_at: row.get("created_at"),
                expires_at: row.get("expires_at"),
                expired: row.get("expired"),
                seen_at: row.get("seen_at"),
            })
        });
        Ok(Accounts {
            users,
            tokens: tokens.collect::<Result<_, Error>>()?,
        })
    }
}

/// A browser in which a user is logged in.
#[derive(Debug, Clone)]
pub struct KnownSession {
    /// By which it is ended.
    pub id: Uuid,
    /// What the browser calls itself.
    pub browser: String,
    /// Since when.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
}

/// Reads a user's sessions, the last used first.
#[derive(Debug)]
pub struct ReadSessions<'a> {
    /// Whose.
    pub user: &'a str,
}

impl Transact for ReadSessions<'_> {
    const NAME: &'static str = "accounts.sessions";
    type Output = Vec<KnownSession>;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        let read = tx
            .prepare_cached(
                "-- accounts.sessions
                 SELECT id, browser, created_at, seen_at FROM sessions WHERE user_name = $1
                 ORDER BY seen_at DESC, id DESC LIMIT 100",
            )
            .await?;
        let rows = tx.query(&read, &[&self.user]).await?;
        let sessions = rows.iter().map(|row| KnownSession {
            id: row.get("id"),
            browser: row.get("browser"),
            created_at: row.get("created_at"),
            seen_at: row.get("seen_at"),
        });
        Ok(sessions.collect())
    }
}
