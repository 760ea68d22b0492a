//! What can go wrong with files on a storage, and what it means for the attempt.

use std::io;

use crate::objects;
use crate::plugin::AttemptError;

/// Why the item store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not a path that an output may have.
    #[error("\"{path}\" can't be the path of an output: {reason}")]
    InvalidPath {
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A file that should be in the store is not there, or differs from what was recorded.
    #[error("{0} is missing in the item store, or differs from what was recorded of it")]
    Missing(String),
    /// A file that is larger than object storage takes in one piece.
    #[error(
        "{0} has more than 5 GiB, which object storage does not copy in one piece: give the job a folder as its target"
    )]
    TooLarge(String),
    /// Somebody goes on writing to a store that is to be removed.
    #[error("{0} is still being written to")]
    InUse(String),
    /// The attempt was told to stop meanwhile.
    #[error("stopped before it was done")]
    Stopped,
    /// Object storage refuses, or does not answer.
    #[error(transparent)]
    Objects(#[from] objects::Failure),
    /// The system refuses.
    #[error("can't {action} {place}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// Where: an absolute path.
        place: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl From<Error> for AttemptError {
    fn from(error: Error) -> Self {
        match error {
            Error::InvalidPath { .. } | Error::TooLarge(_) => Self::permanent(error.to_string()),
            // A later attempt makes the item anew.
            Error::Missing(_) | Error::InUse(_) => Self::retryable(error.to_string()),
            Error::Io { ref source, .. } => storage_failure(&error.to_string(), source),
            Error::Stopped => Self::Stopped,
            Error::Objects(failure) => failure.into(),
        }
    }
}

/// A failure of input or output as the attempt's: what was tried, what the system said, what to do. All of them
/// may pass, so they are retryable.
pub(crate) fn storage_failure(what: &str, error: &io::Error) -> AttemptError {
    let advice = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; make room there (or raise the quota): what is done is kept"
        }
        io::ErrorKind::PermissionDenied => "; give the worker's user the right to do so",
        io::ErrorKind::ReadOnlyFilesystem => "; mount it so that the worker can write to it",
        io::ErrorKind::StaleNetworkFileHandle | io::ErrorKind::TimedOut | io::ErrorKind::HostUnreachable => {
            "; look at the file server and its mount on the worker's host"
        }
        _ => "",
    };
    AttemptError::retryable(format!("{what}: {error}{advice}"))
}

#[cfg(test)]
mod tests {
    use shared::job::decide::ErrorClass;

    use super::*;

    #[test]
    fn a_full_disk_is_retryable_and_the_message_says_where_and_what_to_do() {
        let error = Error::Io {
            action: "write to",
            place: "/data/27/.taskmanager-1".to_owned(),
            source: io::Error::from_raw_os_error(28),
        };
        let AttemptError::Failed { class, message, .. } = AttemptError::from(error) else {
            panic!()
        };
        assert_eq!(class, ErrorClass::Retryable);
        assert!(
            message.starts_with("can't write to /data/27/.taskmanager-1: "),
            "{message}"
        );
        assert!(message.contains("make room"), "{message}");
    }
}
