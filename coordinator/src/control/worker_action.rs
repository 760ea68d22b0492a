//! What people can do with a worker.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Verb;

/// Something to be done with a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum WorkerAction {
    /// It takes no new jobs, gives back those that it has at their next items, and ends by itself.
    Drain,
}

impl WorkerAction {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Drain => "drain",
        }
    }

    /// Which permission it needs.
    pub fn verb(self) -> Verb {
        match self {
            Self::Drain => Verb::RunWorkers,
        }
    }
}
