//! The first administrator: a link that works once, while there is no user.

use deadpool_postgres::Transaction;

use super::{Error, Transact};
use crate::accounts::{PasswordHash, SecretHash};
use crate::control::{Actor, Role};
use crate::db::control::note_account;

/// How long a link works, seconds.
const LINK_SECONDS: f64 = 24.0 * 3600.0;

/// Keeps a link's code, if there is no user yet; tells whether it has.
#[derive(Debug)]
pub struct OfferSetup<'a> {
    /// The code, hashed.
    pub secret: &'a SecretHash,
}

impl Transact for OfferSetup<'_> {
    const NAME: &'static str = "accounts.offer_setup";
    type Output = bool;

    async fn run(&self, tx: &Transaction<'_>) -> Result<bool, Error> {
        let keep = tx
            .prepare_cached(
                "-- accounts.offer_setup
                 INSERT INTO setup_links (secret, expires_at)
                 SELECT $1, tm_now() + make_interval(secs => $2) WHERE NOT EXISTS (SELECT 1 FROM users)",
            )
            .await?;
        Ok(tx
            .execute(&keep, &[&self.secret.0.as_slice(), &LINK_SECONDS])
            .await?
            == 1)
    }
}

/// Whether a link is good, before anything that takes time is done for it.
#[derive(Debug)]
pub struct CheckSetup<'a> {
    /// The code, hashed.
    pub secret: &'a SecretHash,
}

impl Transact for CheckSetup<'_> {
    const NAME: &'static str = "accounts.check_setup";
    type Output = bool;

    async fn run(&self, tx: &Transaction<'_>) -> Result<bool, Error> {
        let check = tx
            .prepare_cached(
                "-- accounts.check_setup
                 SELECT EXISTS (SELECT 1 FROM setup_links WHERE secret = $1 AND expires_at > tm_now())
                     AND NOT EXISTS (SELECT 1 FROM users)",
            )
            .await?;
        Ok(tx.query_one(&check, &[&self.secret.0.as_slice()]).await?.get(0))
    }
}

/// Makes the first administrator; tells whether the link was good for that.
#[derive(Debug)]
pub struct SetUp<'a> {
    /// The code, hashed.
    pub secret: &'a SecretHash,
    /// The administrator's name.
    pub name: &'a str,
    /// What is kept of the password.
    pub password: &'a PasswordHash,
}

impl Transact for SetUp<'_> {
    const NAME: &'static str = "accounts.set_up";
    type Output = bool;

    async fn run(&self, tx: &Transaction<'_>) -> Result<bool, Error> {
        // Of two links that are used at once one is used.
        tx.batch_execute("-- accounts.lock_setup\nLOCK TABLE setup_links IN EXCLUSIVE MODE")
            .await?;
        let make = tx
            .prepare_cached(
                "-- accounts.set_up
                 INSERT INTO users (name, role, password)
                 SELECT $2, 'admin', $3 WHERE NOT EXISTS (SELECT 1 FROM users)
                     AND EXISTS (SELECT 1 FROM setup_links WHERE secret = $1 AND expires_at > tm_now())",
            )
            .await?;
        let secret = self.secret.0.as_slice();
        if tx
            .execute(&make, &[&secret, &self.name, &self.password.as_str()])
            .await?
            == 0
        {
            return Ok(false);
        }
        tx.batch_execute("-- accounts.forget_setup\nDELETE FROM setup_links")
            .await?;
        note_account(
            tx,
            &Actor::with(self.name.to_owned(), Role::Admin),
            "set_up",
            self.name,
            true,
        )
        .await?;
        Ok(true)
    }
}
