//! Applying migrations: whichever coordinator starts first does it, the others wait for it.
//!
//! Invariant: a migration beside coordinators that work holds them up for seconds at most. It gives up where it has to
//! wait for a lock, is rolled back, and is tried again; so does one that lost a race or its connection.

use std::error::Error as _;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_postgres::error::SqlState;

use super::connect::connect;
use super::{Error, session_config};

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// Key of the advisory lock that one migrating coordinator holds.
const LOCK_KEY: i64 = 0x7461_736b_6d67_7231;
/// Who waits for a table's lock holds up everybody who comes later; they wait for five seconds at most.
const LOCK_TIMEOUT: &str = "SET lock_timeout = '3s'";

/// How long an answer may take that needs no work.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// How long the migrations may take: hours of rewriting are for a release note, not for a start.
const MIGRATIONS_LIMIT: Duration = Duration::from_hours(1);
/// How long a session that migrates may ask nothing: longer only if its coordinator is gone, and then it gives the lock
/// back.
const IDLE_LIMIT: Duration = Duration::from_mins(1);
/// Pause before it is asked again whether another one's migrations have ended.
const LOCK_PAUSE: Duration = Duration::from_secs(1);

/// A failed migration.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database can't be reached.
    #[error("can't connect to PostgreSQL to prepare its schema")]
    Connect(#[source] tokio_postgres::Error),
    /// The database was reached, and says nothing.
    #[error("PostgreSQL does not answer while its schema is prepared")]
    NoAnswer,
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
        match self {
            Self::Connect(_) | Self::NoAnswer => true,
            Self::Schema(error) => is_passing(error),
            Self::Config(_) | Self::TooOld { .. } => false,
        }
    }
}

/// Whether a migration failed for others' work, or for its connection.
fn is_passing(error: &refinery::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.downcast_ref().is_some_and(has_passing_code) {
            return true;
        }
        cause = error.source();
    }
    false
}

fn has_passing_code(error: &tokio_postgres::Error) -> bool {
    let lost = |code: &SqlState| {
        [
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::LOCK_NOT_AVAILABLE,
        ]
        .contains(code)
            || code.code().starts_with("08")
            || code.code().starts_with("57P0")
    };
    error.is_closed() || error.code().is_some_and(lost)
}

/// What the migrations of this release are, one after the other.
#[cfg(test)]
pub(crate) fn checksums() -> Vec<u64> {
    let runner = embedded::migrations::runner();
    runner
        .get_migrations()
        .iter()
        .map(refinery::Migration::checksum)
        .collect()
}

/// Brings the schema to this release's version. Refuses a schema that is newer or was altered.
///
/// # Errors
/// See [`MigrateError`].
pub async fn migrate(url: &str) -> Result<(), MigrateError> {
    migrate_within(url, ANSWER_LIMIT).await
}

async fn migrate_within(url: &str, limit: Duration) -> Result<(), MigrateError> {
    let config = migrating_session(url, IDLE_LIMIT)?;
    let (mut client, connection) = soon(limit, connect(&config)).await?;
    let drive = async {
        let version = "SELECT current_setting('server_version_num')::int, current_setting('server_version')";
        let version = soon(limit, client.query_one(version, &[])).await?;
        if version.get::<_, i32>(0) < 150_000 {
            return Err(MigrateError::TooOld {
                found: version.get(1),
            });
        }
        soon(limit, client.batch_execute(LOCK_TIMEOUT)).await?;
        let migrations = embedded::migrations::runner()
            .set_abort_divergent(true)
            .set_abort_missing(true);
        // Where nothing is to be done nobody's end is waited for: a dead coordinator's session may keep the lock for long.
        let limit = if soon(limit, is_applied(&client, &migrations)).await? {
            limit
        } else {
            // Asked again and again, as another coordinator's migrations may take as long as they need.
            let free = "SELECT pg_try_advisory_lock($1)";
            while !soon(limit, client.query_one(free, &[&LOCK_KEY]))
                .await?
                .get::<_, bool>(0)
            {
                sleep(LOCK_PAUSE).await;
            }
            MIGRATIONS_LIMIT
        };
        timeout(limit, migrations.run_async(&mut client))
            .await
            .map_err(|_| MigrateError::NoAnswer)?
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

/// A migration may take longer than a statement of daily work; its session ends by itself when it has been `idle`.
fn migrating_session(url: &str, idle: Duration) -> Result<tokio_postgres::Config, Error> {
    let idle = idle.as_millis();
    let mut config = session_config(url)?;
    config.options(format!(
        "-c timezone=UTC -c idle_session_timeout={idle} -c idle_in_transaction_session_timeout={idle}"
    ));
    Ok(config)
}

/// Whether the newest migration of this release has been applied.
async fn is_applied(
    client: &tokio_postgres::Client,
    migrations: &refinery::Runner,
) -> Result<bool, tokio_postgres::Error> {
    let has_history = "SELECT to_regclass('refinery_schema_history') IS NOT NULL";
    if !client.query_one(has_history, &[]).await?.get::<_, bool>(0) {
        return Ok(false);
    }
    let newest = migrations
        .get_migrations()
        .iter()
        .map(refinery::Migration::version)
        .max();
    let applied = "SELECT max(version)::bigint FROM refinery_schema_history";
    let applied: Option<i64> = client.query_one(applied, &[]).await?.get(0);
    Ok(applied >= newest.map(i64::from))
}

/// What comes of a question that needs no work.
async fn soon<T>(
    limit: Duration,
    question: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, MigrateError> {
    let answer = timeout(limit, question).await;
    answer
        .map_err(|_| MigrateError::NoAnswer)?
        .map_err(MigrateError::Connect)
}

#[cfg(test)]
mod tests;
