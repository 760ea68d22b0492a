//! What people can do about item stores that no job has.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::job::JobId;

use super::Verb;

/// Most stores that one wish names.
const STORES_MAX: usize = 1_000;

/// Something to be done about item stores on workers' storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum StoreAction {
    /// All workers look once more what is there.
    Look,
    /// These, which no job has, are removed with all that is in them.
    Remove {
        /// The jobs that they are named after.
        stores: Vec<JobId>,
    },
}

impl StoreAction {
    /// Its name in the audit log.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Look => "look_for_stores",
            Self::Remove { .. } => "remove_stores",
        }
    }

    /// Which permission it needs.
    pub fn verb(&self) -> Verb {
        Verb::Recover
    }

    /// Finds what can't be wanted.
    ///
    /// # Errors
    /// In words.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Self::Remove { stores } if stores.is_empty() => {
                Err("field \"stores\" names none: give the ids that `taskmanager recover` shows".to_owned())
            }
            Self::Remove { stores } if stores.len() > STORES_MAX => {
                Err(format!("field \"stores\" may name {STORES_MAX} at once"))
            }
            Self::Remove { .. } | Self::Look => Ok(()),
        }
    }
}
