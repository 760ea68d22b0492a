//! Logging in and out. Whoever guesses passwords has to wait longer and longer, at whichever coordinator he tries.

use deadpool_postgres::Transaction;
use uuid::Uuid;

use super::{Error, Transact};
use crate::accounts::{PasswordHash, SecretHash};
use crate::control::{Actor, Role};
use crate::db::control::note_account;

/// Failures in a row that cost nothing: people mistype.
const FREE_FAILURES: i32 = 5;
/// Longest wait between two tries, seconds. Whoever goes on trying for others keeps them from logging in for so long, but
/// ends none of their sessions.
const WAIT_MAX_SECONDS: f64 = 60.0;
/// After this long without a try the failures are forgotten, seconds.
const FORGET_SECONDS: f64 = 15.0 * 60.0;
/// Names share this many counters, so that made-up ones can't fill the database.
const BUCKETS: i64 = 4096;
/// Characters kept of what a browser calls itself.
const BROWSER_CHARS: usize = 200;

/// Counts a try to log in before it is looked at, so that many at once can't all come first. Gives the seconds to wait
/// if it is too early for one.
#[derive(Debug)]
pub struct CountTry<'a> {
    /// The name that somebody gives.
    pub name: &'a str,
}

impl Transact for CountTry<'_> {
    const NAME: &'static str = "accounts.count_try";
    type Output = Option<f64>;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        let bucket = bucket(self.name);
        let wait = tx
            .prepare_cached(
                "-- accounts.login_wait
                 SELECT extract(epoch FROM last_at + make_interval(secs =>
                         least($3::float8, CASE WHEN failures < $2 THEN 0 ELSE 2::float8 ^ least(failures - $2, 30) END))
                     - tm_now())::float8
                 FROM login_tries WHERE bucket = $1 AND last_at > tm_now() - make_interval(secs => $4)
                 FOR UPDATE",
            )
            .await?;
        let wait = tx
            .query_opt(
                &wait,
                &[&bucket, &FREE_FAILURES, &WAIT_MAX_SECONDS, &FORGET_SECONDS],
            )
            .await?;
        let wait: f64 = wait.map_or(0.0, |row| row.get(0));
        if wait > 0.0 {
            return Ok(Some(wait));
        }
        let count = tx
            .prepare_cached(
                "-- accounts.count_try
                 INSERT INTO login_tries AS known (bucket, failures, last_at) VALUES ($1, 1, tm_now())
                 ON CONFLICT (bucket) DO UPDATE SET last_at = tm_now(), failures = 1 + CASE
                     WHEN known.last_at > tm_now() - make_interval(secs => $2) THEN known.failures ELSE 0 END",
            )
            .await?;
        tx.execute(&count, &[&bucket, &FORGET_SECONDS]).await?;
        Ok(None)
    }
}

/// The counter of a name, however it is spelt.
fn bucket(name: &str) -> i32 {
    let name = name.trim().to_lowercase();
    // FNV-1a: the same in every process.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    i32::try_from(hash % BUCKETS.unsigned_abs()).expect("there are few buckets")
}

/// Finds what is kept of a user's password; a disabled user has none.
#[derive(Debug)]
pub struct FindPassword<'a> {
    /// The name that somebody gives.
    pub name: &'a str,
}

impl Transact for FindPassword<'_> {
    const NAME: &'static str = "accounts.find_password";
    type Output = Option<(String, PasswordHash)>;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        let find = tx
            .prepare_cached(
                "-- accounts.find_password
                 SELECT name, password FROM users WHERE lower(name) = lower($1) AND NOT disabled",
            )
            .await?;
        let found = tx.query_opt(&find, &[&self.name.trim()]).await?;
        Ok(found.map(|row| (row.get(0), PasswordHash::read(row.get(1)))))
    }
}

/// Opens a session for a user who has given the right password, or notes that it was wrong; tells whether it has.
#[derive(Debug)]
pub struct LogIn<'a> {
    /// The user.
    pub name: &'a str,
    /// What the password was compared with: it counts only if it is still the user's.
    pub kept: &'a PasswordHash,
    /// The session's secret; `None` when the password was wrong.
    pub secret: Option<SecretHash>,
    /// What the browser calls itself.
    pub browser: &'a str,
}

impl Transact for LogIn<'_> {
    const NAME: &'static str = "accounts.log_in";
    type Output = bool;

    async fn run(&self, tx: &Transaction<'_>) -> Result<bool, Error> {
        let Some(secret) = &self.secret else {
            note_account(tx, &user(self.name), "log_in", self.name, false).await?;
            return Ok(false);
        };
        let open = tx
            .prepare_cached(
                "-- accounts.open_session
                 INSERT INTO sessions (id, secret, user_name, browser)
                 SELECT $1, $2, name, $4 FROM users WHERE name = $3 AND password = $5 AND NOT disabled FOR SHARE",
            )
            .await?;
        let browser: String = self.browser.chars().take(BROWSER_CHARS).collect();
        let secret = secret.0.as_slice();
        let kept = self.kept.as_str();
        let opened = tx
            .execute(&open, &[&Uuid::now_v7(), &secret, &self.name, &browser, &kept])
            .await?;
        if opened == 0 {
            note_account(tx, &user(self.name), "log_in", self.name, false).await?;
            return Ok(false);
        }
        let forget = tx
            .prepare_cached("-- accounts.forget_tries_of\nDELETE FROM login_tries WHERE bucket = $1")
            .await?;
        tx.execute(&forget, &[&bucket(self.name)]).await?;
        note_account(tx, &user(self.name), "log_in", self.name, true).await?;
        Ok(true)
    }
}

/// Notes that somebody has given a name that nobody has. The name itself is not noted: people type passwords there.
#[derive(Debug)]
pub struct NoteStranger;

impl Transact for NoteStranger {
    const NAME: &'static str = "accounts.note_stranger";
    type Output = ();

    async fn run(&self, tx: &Transaction<'_>) -> Result<(), Error> {
        note_account(tx, &user("(unknown name)"), "log_in", "", false).await
    }
}

/// Whoever acts under this name; what he may do plays no part.
fn user(name: &str) -> Actor {
    Actor::with(name.to_owned(), Role::Viewer)
}

/// Ends one of a user's sessions, or all of them but one.
#[derive(Debug)]
pub struct LogOut<'a> {
    /// Whose.
    pub user: &'a str,
    /// Which; `None` for all but `except`.
    pub session: Option<Uuid>,
    /// The one that stays.
    pub except: Option<Uuid>,
}

impl Transact for LogOut<'_> {
    const NAME: &'static str = "accounts.log_out";
    type Output = ();

    async fn run(&self, tx: &Transaction<'_>) -> Result<(), Error> {
        let end = tx
            .prepare_cached(
                "-- accounts.end_sessions
                 DELETE FROM sessions
                 WHERE user_name = $1 AND ($2::uuid IS NULL OR id = $2) AND ($3::uuid IS NULL OR id <> $3)",
            )
            .await?;
        tx.execute(&end, &[&self.user, &self.session, &self.except])
            .await?;
        note_account(tx, &user(self.user), "log_out", self.user, true).await
    }
}

/// Gives a user another password, at his own wish, and ends his other sessions.
#[derive(Debug)]
pub struct ChangeOwnPassword<'a> {
    /// Whose.
    pub actor: &'a Actor,
    /// What is kept of it.
    pub password: &'a PasswordHash,
    /// The session that stays.
    pub except: Option<Uuid>,
}

impl Transact for ChangeOwnPassword<'_> {
    const NAME: &'static str = "accounts.change_own_password";
    type Output = ();

    async fn run(&self, tx: &Transaction<'_>) -> Result<(), Error> {
        let name = &self.actor.name;
        let set = tx
            .prepare_cached("-- accounts.own_password\nUPDATE users SET password = $2 WHERE name = $1")
            .await?;
        tx.execute(&set, &[name, &self.password.as_str()]).await?;
        let end = tx
            .prepare_cached(
                "-- accounts.end_other_sessions
                 DELETE FROM sessions WHERE user_name = $1 AND id IS DISTINCT FROM $2",
            )
            .await?;
        tx.execute(&end, &[name, &self.except]).await?;
        let forget = tx
            .prepare_cached("-- accounts.forget_own_tries\nDELETE FROM login_tries WHERE bucket = $1")
            .await?;
        tx.execute(&forget, &[&bucket(name)]).await?;
        note_account(tx, self.actor, "change_own_password", name, true).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_name_share_a_counter_and_all_are_within_the_table() {
        assert_eq!(bucket("Anna"), bucket(" anna "));
        assert_ne!(bucket("anna"), bucket("berta"));
        assert!((0..4096).contains(&bucket(&"ö".repeat(100_000))));
    }
}
