//! The states of a job and which may follow which. The same names stand in the database's CHECK constraints.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where a job is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum JobState {
    /// Waits for other jobs to end.
    Blocked,
    /// Waits for a point in time.
    Scheduled,
    /// Waits for a worker.
    Queued,
    /// A worker's claim was granted; it prepares its work.
    Started,
    /// Waits for a transfer slot of its storage, or for free space there.
    WaitingForUpload,
    /// Inputs travel to the worker.
    Upload,
    /// The plugin works.
    Processing,
    /// Results travel back and are published; the publish grant was given.
    Download,
    /// Ended well. Final.
    Done,
    /// Ended with an error. Final.
    Error,
    /// Ended by a person's wish. Final.
    Cancelled,
}

impl JobState {
    /// Every state, in the order of a job's way.
    pub const ALL: [Self; 11] = [
        Self::Blocked,
        Self::Scheduled,
        Self::Queued,
        Self::Started,
        Self::WaitingForUpload,
        Self::Upload,
        Self::Processing,
        Self::Download,
        Self::Done,
        Self::Error,
        Self::Cancelled,
    ];

    /// The state's name, as users, the database and messages know it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blocked => "BLOCKED",
            Self::Scheduled => "SCHEDULED",
            Self::Queued => "QUEUED",
            Self::Started => "STARTED",
            Self::WaitingForUpload => "WAITINGFORUPLOAD",
            Self::Upload => "UPLOAD",
            Self::Processing => "PROCESSING",
            Self::Download => "DOWNLOAD",
            Self::Done => "DONE",
            Self::Error => "ERROR",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// Whether a worker holds the job.
    pub fn is_running(self) -> bool {
        matches!(
            self,
            Self::Started | Self::WaitingForUpload | Self::Upload | Self::Processing | Self::Download
        )
    }

    /// Whether the job has ended; a final state is never left.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Error | Self::Cancelled)
    }

    /// Whether a job may go from this state to `next` in one step.
    ///
    /// From the first running state on the order of stages is the worker's to report, so any running state
    /// may follow any other, except that DOWNLOAD is never left for an earlier stage within one attempt.
    pub fn may_become(self, next: Self) -> bool {
        match (self, next) {
            (from, _) if from.is_final() => false,
            (Self::Blocked, to) => {
                matches!(to, Self::Queued | Self::Scheduled | Self::Cancelled | Self::Error)
            }
            (Self::Scheduled, to) => matches!(to, Self::Queued | Self::Cancelled),
            // A lease that ended is revived by its worker, whose stage is then any running one; and a late
            // result of the last claimer may end the job, or have it tried again later, while nobody has claimed
            // it anew.
            (Self::Queued, to) => to.is_running() || to.is_final() || to == Self::Scheduled,
            (Self::Download, to) => to == Self::Queued || to == Self::Scheduled || to.is_final(),
            (_, to) => to != Self::Blocked,
        }
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a job state")]
pub struct UnknownState(String);

impl FromStr for JobState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| UnknownState(text.chars().take(40).collect()))
    }
}

/// What a running attempt reports of itself; becomes the job's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Stage {
    /// Prepares.
    Started,
    /// Waits for a transfer slot or for free space.
    WaitingForUpload,
    /// Fetches its inputs.
    Upload,
    /// Works.
    Processing,
    /// Publishes its outputs.
    Download,
}

impl From<Stage> for JobState {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Started => Self::Started,
            Stage::WaitingForUpload => Self::WaitingForUpload,
            Stage::Upload => Self::Upload,
            Stage::Processing => Self::Processing,
            Stage::Download => Self::Download,
        }
    }
}

/// What a page shows as a job's state: the state itself, or PAUSED for a waiting job that is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ShownState {
    /// The state as it is.
    As(JobState),
    /// QUEUED, but held by a person or by its stopped plugin.
    Paused,
}

impl ShownState {
    /// What to show for a job in `state`; `held_back` when a hold or a stopped plugin keeps it from starting.
    pub fn of(state: JobState, held_back: bool) -> Self {
        if held_back && state == JobState::Queued {
            Self::Paused
        } else {
            Self::As(state)
        }
    }

    /// The name shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::As(state) => state.as_str(),
            Self::Paused => "PAUSED",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for state in JobState::ALL {
            assert_eq!(state.as_str().parse::<JobState>().unwrap(), state);
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
        assert!("done".parse::<JobState>().is_err());
    }

    #[test]
    fn final_states_are_never_left() {
        for from in JobState::ALL.into_iter().filter(|s| s.is_final()) {
            for to in JobState::ALL {
                assert!(!from.may_become(to), "{from} -> {to}");
            }
        }
    }

    #[test]
    fn publishing_is_never_left_for_an_earlier_stage() {
        for to in [
            JobState::Started,
            JobState::Upload,
            JobState::Processing,
            JobState::WaitingForUpload,
        ] {
            assert!(!JobState::Download.may_become(to), "{to}");
        }
    }

    #[test]
    fn only_a_waiting_job_is_shown_as_paused() {
        assert_eq!(ShownState::of(JobState::Queued, true).as_str(), "PAUSED");
        assert_eq!(ShownState::of(JobState::Processing, true).as_str(), "PROCESSING");
    }
}
