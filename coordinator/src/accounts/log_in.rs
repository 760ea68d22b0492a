//! From a name and a password to a session.

use super::{Password, Passwords, Secret};
use crate::db::accounts::{CountTry, FindPassword, LogIn, NoteStranger};
use crate::db::{self, Db};

/// When to come again while too many passwords wait to be looked at, seconds.
const BUSY_SECONDS: f64 = 5.0;

/// What became of trying to log in.
#[derive(Debug)]
pub enum LoginAnswer {
    /// It worked: what the browser shall hold from now on.
    In(Secret),
    /// The name or the password is wrong; nobody is told which.
    Wrong,
    /// Too many have been wrong lately: to be tried again after so many seconds.
    Wait(f64),
}

/// Opens a session if name and password belong together.
///
/// # Errors
/// When the database fails.
pub async fn log_in(
    db: &Db,
    passwords: &Passwords,
    name: &str,
    password: &Password,
    browser: &str,
) -> Result<LoginAnswer, db::Error> {
    if name.contains('\0') {
        return Ok(LoginAnswer::Wrong);
    }
    if let Some(seconds) = db.run(&CountTry { name }).await? {
        return Ok(LoginAnswer::Wait(seconds));
    }
    let known = db.run(&FindPassword { name }).await?;
    let kept = known.as_ref().map(|(_, kept)| kept);
    let Ok(matches) = passwords.matches(password, kept).await else {
        return Ok(LoginAnswer::Wait(BUSY_SECONDS));
    };
    // As it was registered, however it was typed.
    let Some((name, kept)) = known.as_ref() else {
        db.run(&NoteStranger).await?;
        return Ok(LoginAnswer::Wrong);
    };
    let secret = Secret::generate("");
    let open = LogIn {
        name,
        kept,
        secret: matches.then(|| secret.hash()),
        browser,
    };
    Ok(if db.run(&open).await? {
        LoginAnswer::In(secret)
    } else {
        LoginAnswer::Wrong
    })
}
