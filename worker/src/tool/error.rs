//! Why a tool gave no exit code, and what that means for the attempt.

use std::io;
use std::time::Duration;

use shared::error::Chain;

use crate::plugin::AttemptError;

/// Why a tool gave no exit code.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such program on this machine.
    #[error(
        "the program {0} is not installed on this worker: install the package that has it, or correct the name"
    )]
    NotFound(String),
    /// The wrapper or its pipes could not be set up.
    #[error("{program} can't be started")]
    Start {
        /// The program.
        program: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Its output or its end could not be waited for.
    #[error("{program} was lost sight of")]
    Lost {
        /// The program.
        program: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The attempt is to end; all of the tool's processes have.
    #[error("stopped")]
    Stopped,
    /// It ran longer than it may; all of its processes have been ended.
    #[error("{program} was ended because it ran longer than {} s", limit.as_secs())]
    TimedOut {
        /// The program.
        program: String,
        /// How long it may run.
        limit: Duration,
    },
    /// Not even SIGKILL ends it: it hangs in the kernel, mostly on a file server that doesn't answer.
    #[error("{0} can't be killed: it hangs in the system, look at the file servers that it uses")]
    Unkillable(String),
}

impl From<Error> for AttemptError {
    fn from(error: Error) -> Self {
        match error {
            Error::Stopped => Self::Stopped,
            // Another worker may have the program, and a file server may come back.
            other => Self::retryable(Chain(&other).to_string()),
        }
    }
}
