//! The hint in a plugin's queue: "look at job J, dispatch number D". It carries no authority and no parameters.

use serde::{Deserialize, Serialize};

use crate::job::JobId;
use crate::plugin::PluginName;

/// One publication of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispatch {
    /// The plugin whose queue it went to.
    pub plugin: PluginName,
    /// The job to look at.
    pub job_id: JobId,
    /// The dispatch number; stale when it is not the job's current one.
    pub dispatch: i64,
}
