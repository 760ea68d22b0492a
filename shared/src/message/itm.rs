//! What the intranda `TaskManager` answers to a submission, as its callers understand it.
//!
//! Invariant: the words for a job that is known already never change, as callers compare them.

use serde::{Deserialize, Serialize};

use crate::job::JobId;

/// By these words callers know that the job is being done already.
pub const KNOWN_ALREADY: &str = "Job already in DB, not adding it!";

/// Taken or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// The job is recorded.
    Ok,
    /// It is not, or was before: the message says which.
    Error,
}

/// An answer to `POST /itm/service`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItmReply {
    /// Taken or not.
    #[serde(rename = "STATUS")]
    pub status: Status,
    /// Why not.
    #[serde(rename = "ERRORMESSAGE", skip_serializing_if = "Option::is_none", default)]
    pub error_message: Option<String>,
    /// The job's number. Missing where there is no job, and where it could not be read.
    #[serde(rename = "ID", skip_serializing_if = "Option::is_none", default)]
    pub id: Option<i64>,
    /// The job's id. Not of the intranda `TaskManager`.
    #[serde(rename = "JOBID", skip_serializing_if = "Option::is_none", default)]
    pub job_id: Option<JobId>,
}

impl ItmReply {
    /// Jobs are taken.
    pub fn well() -> Self {
        Self {
            status: Status::Ok,
            error_message: None,
            id: None,
            job_id: None,
        }
    }

    /// The job is recorded.
    pub fn accepted(job_id: JobId, id: Option<i64>) -> Self {
        Self {
            status: Status::Ok,
            error_message: None,
            id,
            job_id: Some(job_id),
        }
    }

    /// The job was recorded before.
    pub fn known_already(job_id: JobId, id: Option<i64>) -> Self {
        Self {
            status: Status::Error,
            error_message: Some(KNOWN_ALREADY.to_owned()),
            id,
            job_id: Some(job_id),
        }
    }

    /// There is no such job.
    pub fn refused(why: impl Into<String>) -> Self {
        Self {
            status: Status::Error,
            error_message: Some(why.into()),
            id: None,
            job_id: None,
        }
    }

    /// Whether the job is being done, by this submission or an earlier one.
    pub fn is_being_done(&self) -> bool {
        self.status == Status::Ok || self.error_message.as_deref() == Some(KNOWN_ALREADY)
    }
}
