//! What a plugin is: a type that can run jobs of one kind. It knows nothing of brokers, claims or leases.

use std::fmt;

use async_trait::async_trait;
use serde_json::{Map, Value};
use shared::job::decide::ErrorClass;
use shared::message::manifest::FileEntry;
use shared::message::worker::{Check, PluginOffer};

use crate::context::Context;

/// A job type. One instance serves all jobs of its kind, several at once.
#[async_trait]
pub trait Plugin: Send + Sync + fmt::Debug {
    /// Its name, titles, needs and the number of jobs it may run at once here.
    fn offer(&self) -> PluginOffer;

    /// Looks at what the plugin depends on (tools, data, folders), for `doctor` and the announcement.
    async fn checks(&self) -> Vec<Check>;

    /// Runs one attempt.
    ///
    /// Items listed in `context.grant.done_items` whose files the store still has are not done again. The
    /// attempt must end soon after `context.stop` is cancelled, and before its next item after `context.pause` is;
    /// what it has put into the item store stays.
    ///
    /// # Errors
    /// [`AttemptError`]: failed (retryable or permanent), stopped, or yielded.
    async fn run(&self, context: &Context) -> Result<Finished, AttemptError>;
}

/// A plugin's work is complete: these files in the item store are to be published.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Finished {
    /// Files in the item store; empty when the job has no outputs of its own.
    pub files: Vec<FileEntry>,
    /// Facts worth keeping with the job.
    pub summary: Map<String, Value>,
    /// Set when the files are to be published although the job counts as failed (a template may say so).
    pub failed: Option<AttemptError>,
}

/// Why an attempt did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttemptError {
    /// It failed.
    #[error("{message}")]
    Failed {
        /// Whether trying again can help.
        class: ErrorClass,
        /// What is wrong, where, and what to do; the first line is shown in lists.
        message: String,
        /// The tool's exit code, where a tool failed.
        exit_code: Option<i32>,
    },
    /// `context.stop` was cancelled before it was through.
    #[error("stopped before it was done")]
    Stopped,
    /// `context.pause` was cancelled, and it has ended between two items.
    #[error("yielded before it was done")]
    Yielded,
}

impl AttemptError {
    /// A failure that will repeat itself: bad parameters, missing source.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self::Failed {
            class: ErrorClass::Permanent,
            message: message.into(),
            exit_code: None,
        }
    }

    /// A failure that may pass: input and output, network.
    pub fn retryable(message: impl Into<String>) -> Self {
        Self::Failed {
            class: ErrorClass::Retryable,
            message: message.into(),
            exit_code: None,
        }
    }
}
