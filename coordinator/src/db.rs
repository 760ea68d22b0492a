//! The way to PostgreSQL. Each transaction is a named type in a file below; there is no other SQL.
//!
//! Invariants: every call is bounded in time; a transaction that lost a race (deadlock, serialization) is
//! repeated; a connection that may point to a dead or read-only server leaves the pool.

pub mod accounts;
pub mod claims;
mod connect;
pub mod control;
pub mod coordinators;
pub mod deliveries;
pub mod dispatch;
mod error;
mod filter;
pub mod finish;
pub mod heartbeats;
pub mod identity;
pub mod itm;
mod job_row;
mod known;
mod limits;
#[cfg(test)]
mod lock_order;
#[cfg(test)]
mod machine;
pub mod maintenance;
pub mod migrate;
pub mod months;
pub mod notify;
pub mod overdue;
mod owner;
pub mod pages;
pub mod plugins;
pub mod publish;
pub mod recovery;
mod reports;
pub mod results;
pub mod retention;
mod revival;
mod room;
pub mod schedule;
mod storage_room;
pub mod storage_waits;
pub mod stores;
pub mod submit;
pub mod sums;
pub mod sweep;
pub mod transfers;
mod worker_room;
pub mod workers;

use std::future::Future;
use std::time::{Duration, Instant};

use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Timeouts, Transaction,
};
use metrics::{counter, histogram};
use shared::failpoint::{self, Failpoint};
use shared::metrics::{DB_TRANSACTION_SECONDS, DB_TRANSACTIONS};
use tokio_postgres::config::TargetSessionAttrs;

pub use error::Error;
use known::Known;
use room::Room;

/// How often a transaction that lost a race is tried.
const TRIES_MAX: u32 = 5;
/// Longest wait for a free connection, for connecting, and for the check of a used one.
const POOL_TIMEOUT: Duration = Duration::from_secs(5);
/// A client gives up on a transaction after this long; the server's own timeouts end it sooner.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(30);
/// Settings of every session: nothing in the database may take for ever. Compiling a statement takes longer than any of
/// ours runs.
const SESSION_OPTIONS: &str = "-c statement_timeout=15000 -c lock_timeout=5000 \
    -c idle_in_transaction_session_timeout=10000 -c timezone=UTC -c jit=off";

/// One transaction: its name, its input (the type's fields) and its statements.
pub trait Transact: Sync {
    /// The name in metrics and logs, and in the comment that its statements begin with.
    const NAME: &'static str;
    /// What it returns.
    type Output: Send;
    /// Where tests have a coordinator die when all statements are through and nothing is committed.
    const BEFORE_COMMIT: Option<Failpoint> = None;

    /// Runs the statements. May be called several times, each time in a new transaction.
    fn run(&self, tx: &Transaction<'_>) -> impl Future<Output = Result<Self::Output, Error>> + Send;
}

/// A pool of connections.
#[derive(Clone)]
pub struct Db {
    pool: Pool,
    room: Room,
    known: Known,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db")
            .field("status", &self.pool.status())
            .finish_non_exhaustive()
    }
}

impl Db {
    /// A pool of at most `connections` connections to `url`. Connects only when it is used.
    ///
    /// # Errors
    /// [`Error::Config`] when `url` can't be understood.
    pub fn new(url: &str, connections: usize) -> Result<Self, Error> {
        let manager = Manager::from_connect(
            session_config(url)?,
            connect::OneAfterTheOther,
            ManagerConfig {
                recycling_method: RecyclingMethod::Fast,
            },
        );
        let pool = Pool::builder(manager)
            .max_size(connections)
            .timeouts(Timeouts {
                wait: Some(POOL_TIMEOUT),
                create: Some(POOL_TIMEOUT),
                recycle: Some(POOL_TIMEOUT),
            })
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| Error::Config(error.to_string()))?;
        Ok(Self {
            pool,
            room: Room::default(),
            known: Known::default(),
        })
    }

    /// Runs a transaction and commits it; repeats it when it lost a race.
    ///
    /// # Errors
    /// What the transaction answers, or the reason why the database could not be reached.
    pub async fn run<T: Transact>(&self, work: &T) -> Result<T::Output, Error> {
        let started = Instant::now();
        let mut tries = 1;
        let result = loop {
            match self.run_once(work).await {
                Err(error) if error.is_lost_race() && tries < TRIES_MAX => {
                    tries += 1;
                    counter!(DB_TRANSACTIONS, "name" => T::NAME, "outcome" => "retry").increment(1);
                }
                result => break result,
            }
        };
        if result.as_ref().is_err_and(Error::is_disk_full) {
            self.room.note_refusal();
        }
        let outcome = if result.is_ok() { "ok" } else { "error" };
        counter!(DB_TRANSACTIONS, "name" => T::NAME, "outcome" => outcome).increment(1);
        histogram!(DB_TRANSACTION_SECONDS, "name" => T::NAME).record(started.elapsed().as_secs_f64());
        result
    }

    async fn run_once<T: Transact>(&self, work: &T) -> Result<T::Output, Error> {
        let mut client = self.pool.get().await?;
        let attempt = async {
            let tx = client.build_transaction().start().await?;
            let output = work.run(&tx).await?;
            if let Some(point) = T::BEFORE_COMMIT {
                failpoint::reach(point);
            }
            tx.commit().await?;
            Ok(output)
        };
        let result = tokio::time::timeout(TRANSACTION_TIMEOUT, attempt)
            .await
            .unwrap_or(Err(Error::Timeout { transaction: T::NAME }));
        if result.as_ref().is_err_and(Error::condemns_connection) {
            // Not back into the pool: the server behind it is gone, or is no longer the primary.
            drop(Object::take(client));
        }
        result
    }
}

/// How many servers an address names.
pub(crate) fn servers(config: &tokio_postgres::Config) -> usize {
    config.get_hosts().len().max(config.get_hostaddrs().len())
}

/// Connection settings for `url`, with this project's timeouts.
pub(crate) fn session_config(url: &str) -> Result<tokio_postgres::Config, Error> {
    // The error's own text may repeat the address and so a password: it is not shown.
    let mut config: tokio_postgres::Config = url.parse().map_err(|_| {
        Error::Config(
            "the database address can't be read: use postgres://user:password@host:5432/name, or \
             postgres://user:password@host1:5432,host2:5432/name?target_session_attrs=read-write"
                .to_owned(),
        )
    })?;
    if servers(&config) > 1 && config.get_target_session_attrs() == TargetSessionAttrs::Any {
        return Err(Error::Config(
            "the database address names several servers: add target_session_attrs=read-write, so that the one that \
             writes is found"
                .to_owned(),
        ));
    }
    config
        .application_name("taskmanager")
        .options(SESSION_OPTIONS)
        .connect_timeout(POOL_TIMEOUT)
        .keepalives(true)
        .keepalives_idle(Duration::from_secs(10))
        .keepalives_interval(Duration::from_secs(5))
        .keepalives_retries(3)
        .tcp_user_timeout(Duration::from_secs(15));
    Ok(config)
}
