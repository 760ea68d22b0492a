//! Who a session's cookie or a token belongs to.

use deadpool_postgres::Transaction;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{Error, Transact, actor};
use crate::accounts::SecretHash;
use crate::control::Actor;
use crate::db::control::note_turned_away;

/// A session ends when nobody has used it for this long, seconds.
const IDLE_MAX_SECONDS: f64 = 12.0 * 3600.0;
/// And after this long in any case.
pub const SESSION_MAX_SECONDS: f64 = 7.0 * 24.0 * 3600.0;

/// What is true of a row of `sessions` that has ended by itself.
pub(in crate::db) fn session_is_over() -> String {
    format!(
        "(seen_at < tm_now() - make_interval(secs => {IDLE_MAX_SECONDS})
             OR created_at < tm_now() - make_interval(secs => {SESSION_MAX_SECONDS}))"
    )
}

/// Notes that a session or a token is used, and gives its id. Not at every request: a page may ask once a second.
async fn note_use(tx: &Transaction<'_>, found: &Row, note: &str) -> Result<Uuid, Error> {
    let id: Uuid = found.get("id");
    if found.get("stale") {
        tx.execute(&tx.prepare_cached(note).await?, &[&id]).await?;
    }
    Ok(id)
}

/// Somebody who is logged in.
#[derive(Debug, Clone)]
pub struct Found {
    /// Who it is.
    pub actor: Actor,
    /// The session.
    pub session: Uuid,
}

/// Finds the session with this secret.
#[derive(Debug)]
pub struct FindSession<'a> {
    /// What the cookie holds, hashed.
    pub secret: &'a SecretHash,
}

impl Transact for FindSession<'_> {
    const NAME: &'static str = "accounts.find_session";
    type Output = Option<Found>;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        let is_over = session_is_over();
        let find = tx
            .prepare_cached(&format!(
                "-- accounts.find_session
                 SELECT s.id, u.name, u.role, u.plugins, s.seen_at < tm_now() - interval '1 minute' AS stale
                 FROM (SELECT * FROM sessions WHERE secret = $1 AND NOT {is_over}) AS s
                 JOIN users u ON u.name = s.user_name WHERE NOT u.disabled"
            ))
            .await?;
        let Some(row) = tx.query_opt(&find, &[&self.secret.0.as_slice()]).await? else {
            return Ok(None);
        };
        let see = "-- accounts.see_session\nUPDATE sessions SET seen_at = tm_now() WHERE id = $1";
        let session = note_use(tx, &row, see).await?;
        let actor = actor(&row, "users", row.get("name"))?;
        Ok(Some(Found { actor, session }))
    }
}

/// Finds the token with this secret.
#[derive(Debug)]
pub struct FindToken<'a> {
    /// The token, hashed.
    pub secret: &'a SecretHash,
}

impl Transact for FindToken<'_> {
    const NAME: &'static str = "accounts.find_token";
    type Output = Option<Actor>;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        let find = tx
            .prepare_cached(
                "-- accounts.find_token
                 SELECT id, title, role, plugins,
                     seen_at IS NULL OR seen_at < tm_now() - interval '1 minute' AS stale
                 FROM api_tokens WHERE secret = $1 AND expires_at > tm_now()",
            )
            .await?;
        let Some(row) = tx.query_opt(&find, &[&self.secret.0.as_slice()]).await? else {
            return Ok(None);
        };
        let see = "-- accounts.see_token\nUPDATE api_tokens SET seen_at = tm_now() WHERE id = $1";
        note_use(tx, &row, see).await?;
        let title: String = row.get("title");
        actor(&row, "api_tokens", format!("token {title}")).map(Some)
    }
}

/// Notes that somebody has tried what he may never do.
#[derive(Debug)]
pub struct NoteTurnedAway<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// What.
    pub wish: &'a str,
}

impl Transact for NoteTurnedAway<'_> {
    const NAME: &'static str = "accounts.note_turned_away";
    type Output = ();

    async fn run(&self, tx: &Transaction<'_>) -> Result<(), Error> {
        note_turned_away(tx, self.actor, self.wish).await
    }
}
