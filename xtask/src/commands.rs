//! The commands, one a file.

pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod faults;
pub(crate) mod images;
pub(crate) mod servers;
pub(crate) mod test;
pub(crate) mod up;

use std::process::ExitStatus;

/// How a command ended that could do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// As it should.
    Done,
    /// What it ran has failed and said why; this is the exit code.
    Failed(u8),
}

impl From<ExitStatus> for Outcome {
    fn from(status: ExitStatus) -> Self {
        if status.success() {
            return Self::Done;
        }
        // A program that a signal has ended has no code.
        Self::Failed(
            status
                .code()
                .and_then(|code| u8::try_from(code).ok())
                .unwrap_or(1),
        )
    }
}
