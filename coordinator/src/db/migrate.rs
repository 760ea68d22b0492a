//! Applying migrations: whichever coordinator starts first does it, the others wait for it.

use super::connect::connect;
use super::{Error, session_config};

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// Key of the advisory lock that one migrating coordinator holds.
const LOCK_KEY: i64 = 0x7461_736b_6d67_7231;

/// A failed migration.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database can't be reached.
    #[error("can't connect to PostgreSQL to prepare its schema")]
    Connect(#[source] tokio_postgres::Error),
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] Error),
    /// The schema is not this release's, or a migration failed.
    #[error("the database schema can't be brought to this release's version")]
    Schema(#[source] refinery::Error),
    /// The server is too old.
    #[error("PostgreSQL {found} is too old: version 15 or newer is needed")]
    TooOld {
        /// The server's version.
        found: String,
    },
}

impl MigrateError {
    /// Whether waiting for the database can help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Connect(_))
    }
}

/// Brings the schema to this release's version. Refuses a schema that is newer or was altered.
///
/// # Errors
/// See [`MigrateError`].
pub async fn migrate(url: &str) -> Result<(), MigrateError> {
    let mut config = session_config(url)?;
    // A migration may take longer than a statement of daily work, and waits for another one that runs.
    config.options("-c timezone=UTC");
    let (mut client, connection) = connect(&config).await.map_err(MigrateError::Connect)?;
    let drive = async {
        let version = client
            .query_one(
                "SELECT current_setting('server_version_num')::int, current_setting('server_version')",
                &[],
            )
            .await
            .map_err(MigrateError::Connect)?;
        if version.get::<_, i32>(0) < 150_000 {
            return Err(MigrateError::TooOld {
                found: version.get(1),
            });
        }
        client
            .execute("SELECT pg_advisory_lock($1)", &[&LOCK_KEY])
            .await
            .map_err(MigrateError::Connect)?;
        embedded::migrations::runner()
            .set_abort_divergent(true)
            .set_abort_missing(true)
            .run_async(&mut client)
            .await
            .map_err(MigrateError::Schema)?;
        // Closing the session releases the lock.
        Ok(())
    };
    tokio::pin!(connection);
    tokio::select! {
        result = drive => result,
        closed = &mut connection => match closed {
            Err(error) => Err(MigrateError::Connect(error)),
            Ok(()) => unreachable!("the connection lives as long as its client"),
        },
    }
}

#[cfg(test)]
mod tests;
