//! Transfer slots: what an attempt asks for before it moves its data, and what it is told.
//!
//! Both are parts of a heartbeat and its answer. Whoever asks is answered in each heartbeat until it asks no more; a
//! coordinator that knows nothing of slots says nothing, which is as good as a slot.

use serde::{Deserialize, Serialize};

/// Which of its data an attempt moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transfer {
    /// Inputs travel to the worker, from the storage of the job's source.
    Source,
    /// Outputs are moved into place, on the storage of the job's target.
    Target,
    /// Something that only a newer release knows: nothing here limits it.
    #[serde(other)]
    Other,
}

/// What an attempt asks for with each heartbeat, for as long as it waits and as it moves data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TransferAsk {
    /// Which data.
    pub of: Transfer,
    /// It has been told before that it may, and moves them: it counts, whatever the limit says by now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub begun: bool,
}

/// What is answered to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum TransferReply {
    /// It may: the slot is the attempt's until it asks no more or its lease ends.
    Granted,
    /// Not yet: to be asked again.
    Wait {
        /// The storage, by its path.
        storage: String,
        /// How many transfers of it run.
        running: u32,
        /// How many may.
        most: u32,
        /// How many attempts wait that came before this one.
        ahead: u32,
    },
    /// Something that only a newer release knows: as good as no answer.
    #[serde(other)]
    Other,
}
