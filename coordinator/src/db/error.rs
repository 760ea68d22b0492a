//! What can go wrong on the way to PostgreSQL, and what follows from it.

use deadpool_postgres::PoolError;
use tokio_postgres::error::SqlState;

/// A failed transaction.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The settings are wrong.
    #[error("{0}")]
    Config(String),
    /// No connection could be had.
    #[error("PostgreSQL can't be reached")]
    Pool(#[from] PoolError),
    /// The server or the connection failed.
    #[error("PostgreSQL refused or lost the statement")]
    Driver(#[from] tokio_postgres::Error),
    /// No answer in time.
    #[error("PostgreSQL did not answer in time (transaction {transaction})")]
    Timeout {
        /// The transaction's name.
        transaction: &'static str,
    },
    /// The newest beat of this process is missing: the database may be a copy, which is found out first.
    #[error(
        "this coordinator's last beat is missing in the database: whether that is a copy is looked at first"
    )]
    NotLookedAt,
    /// Something was locked too late, as it has changed since it was looked at: the transaction is repeated.
    #[error("rows have changed before they could be locked (transaction {transaction})")]
    Overtaken {
        /// The transaction's name.
        transaction: &'static str,
    },
    /// A row holds something that this build can't read.
    #[error("table {table}, column {column}: unexpected value in the row of {row}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's key.
        row: String,
    },
}

impl Error {
    /// Another transaction was faster (deadlock, serialization failure, rows that have changed); repeating it helps.
    pub fn is_lost_race(&self) -> bool {
        matches!(self, Self::Overtaken { .. })
            || matches!(self.code(), Some(code)
            if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED)
    }

    /// Somebody else held a lock for too long; another time it may be free.
    pub fn is_lock_timeout(&self) -> bool {
        self.code() == Some(&SqlState::LOCK_NOT_AVAILABLE)
    }

    /// The server refused the data itself: repeating the same never helps.
    pub fn is_bad_data(&self) -> bool {
        // Class 23: integrity constraint; 54: program limit exceeded.
        self.is_no_value() || self.is_of_class("23") || self.is_of_class("54")
    }

    /// A value that was sent is none that the server knows: a NUL character, a time far outside its calendar.
    pub fn is_no_value(&self) -> bool {
        // Class 22: data exception.
        self.is_of_class("22")
            || matches!(self, Self::Driver(error) if error.code().is_none() && !error.is_closed() && is_conversion(error))
    }

    fn is_of_class(&self, class: &str) -> bool {
        self.code().is_some_and(|code| code.code().starts_with(class))
    }

    /// The server has no room to write.
    pub fn is_disk_full(&self) -> bool {
        self.code() == Some(&SqlState::DISK_FULL)
    }

    /// The connection must not be used again.
    pub fn condemns_connection(&self) -> bool {
        match self {
            Self::Timeout { .. } => true,
            Self::Driver(error) => {
                error.is_closed()
                    || error.code().is_some_and(|code| {
                        let code = code.code();
                        // Read-only after a failover; shutting down or crashed; connection exceptions.
                        code == "25006" || code.starts_with("57P0") || code.starts_with("08")
                    })
            }
            Self::Config(_)
            | Self::Pool(_)
            | Self::NotLookedAt
            | Self::Overtaken { .. }
            | Self::Inconsistent { .. } => false,
        }
    }

    fn code(&self) -> Option<&SqlState> {
        match self {
            Self::Driver(error) => error.code(),
            _ => None,
        }
    }
}

/// The driver itself could not write a parameter into the statement.
fn is_conversion(error: &tokio_postgres::Error) -> bool {
    error.to_string().starts_with("error serializing parameter")
}
