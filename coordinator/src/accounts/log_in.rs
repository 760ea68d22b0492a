//! From a name and a password to a session.

use super::{Password, Passwords, Secret};
use crate::db::accounts::{CountTry, FindPassword, LogIn};
use crate::db::{self, Db};

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
    let secret = passwords
        .matches(password, kept)
        .await
        .then(|| Secret::generate(""));
    let hash = secret.as_ref().map(Secret::hash);
    // As it was registered, however it was typed.
    let name = known.as_ref().map_or(name, |(name, _)| name);
    db.run(&LogIn {
        name,
        secret: hash.as_ref(),
        browser,
    })
    .await?;
    Ok(secret.map_or(LoginAnswer::Wrong, LoginAnswer::In))
}
