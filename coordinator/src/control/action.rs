//! What can be wanted. The same words stand in API bodies, in the audit log and on the command line.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use shared::job::decide::Place;
use shared::job::{JobId, JobState, Priority};

use super::authorise::Verb;
use super::goobi_message::GoobiMessage;

/// Something to be done with a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum JobAction {
    /// End it, for good.
    #[serde(deserialize_with = "nothing_more")]
    Cancel,
    /// Keep it from starting; a running one yields.
    #[serde(deserialize_with = "nothing_more")]
    Hold,
    /// Let a held one go on.
    #[serde(deserialize_with = "nothing_more")]
    Release,
    /// Start it although autostart is off, its time has not come, or its plugin is at its limit.
    #[serde(deserialize_with = "nothing_more")]
    StartNow,
    /// Give it another priority.
    SetPriority {
        /// The priority.
        priority: Priority,
    },
    /// Move it among the waiting jobs of its priority.
    Move {
        /// Where to.
        to: Place,
    },
    /// Do an ended one again, as a new job.
    Retry {
        /// How much of it.
        #[serde(default)]
        items: RetryItems,
    },
    /// Send its messages to other systems once more that were given up or may not have arrived.
    #[serde(deserialize_with = "nothing_more")]
    SendAgain,
    /// Say something about it in the journal of its process in Goobi.
    MessageGoobi(GoobiMessage),
    /// Remove an ended one from history.
    #[serde(deserialize_with = "nothing_more")]
    Delete,
}

/// An action that has no fields is read strictly, too: by itself `serde` takes whatever stands beside its name.
pub(super) fn nothing_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}
    Nothing::deserialize(deserializer).map(|Nothing {}| ())
}

/// Which items a retry does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RetryItems {
    /// Those that are not done; the others are kept.
    #[default]
    Failed,
    /// All, from the beginning.
    All,
}

impl JobAction {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::StartNow => "start_now",
            Self::SetPriority { .. } => "set_priority",
            Self::Move { .. } => "move",
            Self::Retry { .. } => "retry",
            Self::SendAgain => "send_again",
            Self::MessageGoobi(_) => "message_goobi",
            Self::Delete => "delete",
        }
    }

    /// Which permission it needs.
    pub fn verb(&self) -> Verb {
        match self {
            Self::Delete => Verb::DeleteJobs,
            _ => Verb::ControlJobs,
        }
    }

    /// Whether it is about jobs that have ended.
    pub fn is_about_ended_jobs(&self) -> bool {
        matches!(self, Self::Retry { .. } | Self::SendAgain | Self::Delete)
    }
}

/// Which jobs an action is for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobFilter {
    /// These; all others fields left out.
    #[serde(default)]
    pub jobs: Vec<JobId>,
    /// Of this plugin.
    #[serde(default)]
    pub plugin: Option<String>,
    /// In one of these states.
    #[serde(default)]
    pub states: Vec<JobState>,
    /// Whose title has this part, in capitals or not.
    #[serde(default)]
    pub title: Option<String>,
    /// Whose error has this part, in capitals or not; only jobs that have ended have one.
    #[serde(default)]
    pub error: Option<String>,
    /// Of this process of the workflow.
    #[serde(default)]
    pub process: Option<String>,
    /// Of this step of the workflow.
    #[serde(default)]
    pub step: Option<String>,
    /// Only those that are held back (shown as PAUSED), or only those that are not.
    #[serde(default)]
    pub paused: Option<bool>,
    /// Submitted at this time or later.
    #[serde(default)]
    pub submitted_from: Option<Timestamp>,
    /// Submitted before this time.
    #[serde(default)]
    pub submitted_to: Option<Timestamp>,
    /// Ended at this time or later.
    #[serde(default)]
    pub finished_from: Option<Timestamp>,
    /// Ended before this time.
    #[serde(default)]
    pub finished_to: Option<Timestamp>,
    /// Whatever else is asked for, of these plugins only: those that whoever asks may do something with.
    #[serde(skip)]
    pub among: Option<Vec<String>>,
}

impl JobFilter {
    /// The ids, where it names nothing else: these are the jobs, whatever has become of them.
    pub fn only_ids(&self) -> Option<&[JobId]> {
        let others = Self {
            jobs: Vec::new(),
            ..self.clone()
        };
        (!self.jobs.is_empty() && others.is_empty()).then_some(&self.jobs[..])
    }

    /// Whether jobs that have ended, or those that have not, can be among what it finds.
    pub fn can_find(&self, ended: bool) -> bool {
        self.states.is_empty() || self.states.iter().any(|state| state.is_final() == ended)
    }

    /// Whether it can find nothing, as what it asks for lies outside of what it is limited to.
    pub fn is_among_none(&self) -> bool {
        let is_wanted = |plugin: &String| self.plugin.as_ref().is_none_or(|wanted| wanted == plugin);
        self.among
            .as_ref()
            .is_some_and(|among| !among.iter().any(is_wanted))
    }

    /// Whether it names nothing, and so would find every job.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Something to be done with a plugin, or with all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum PluginAction {
    /// Nothing new starts, running jobs yield at their next item.
    Stop {
        /// Why, for those who wonder.
        #[serde(default)]
        reason: Option<String>,
        /// After this long running jobs are interrupted; without it they have all the time they need.
        #[serde(default)]
        deadline_seconds: Option<u32>,
        /// When it starts again by itself.
        #[serde(default)]
        resume_at: Option<Timestamp>,
    },
    /// Jobs start again.
    #[serde(deserialize_with = "nothing_more")]
    Start,
    /// Whether jobs start by themselves. For all plugins this is a switch of its own, beside each plugin's.
    Autostart {
        /// They do.
        on: bool,
    },
    /// Change the settings that are named; `null` takes a limit away.
    Configure(Settings),
    /// Set the page contract; without any number there is none.
    Quota(Quota),
}

/// A page contract: how many pages a plugin may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// In all.
    #[serde(default)]
    pub pages_total: Option<u32>,
    /// In each period.
    #[serde(default)]
    pub pages_a_period: Option<u32>,
    /// The period.
    #[serde(default)]
    pub period: Period,
}

/// A stretch of the calendar, in UTC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// From the first of a month.
    #[default]
    Month,
    /// From the first of January, April, July, October.
    Quarter,
    /// From the first of January.
    Year,
}

impl Period {
    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }
}

/// A plugin's settings; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Jobs that run at once at most (Kitodo's parallel tasks).
    #[serde(default, with = "explicit", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i32>")]
    pub running_max: Option<Option<i32>>,
    /// How often a failure that may pass is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries_max: Option<i16>,
    /// Pause before the first retry, seconds; doubled each time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_first_seconds: Option<i32>,
    /// Longest pause before a retry, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_longest_seconds: Option<i32>,
    /// Waiting this long raises a job by one priority level, minutes.
    #[serde(default, with = "explicit", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i32>")]
    pub ageing_minutes: Option<Option<i32>>,
    /// Without a heartbeat for this long an attempt counts as lost, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_seconds: Option<i32>,
    /// How long an attempt may run, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_budget_seconds: Option<i32>,
    /// Without contact to any coordinator for this long, seconds, an attempt is broken off.
    #[serde(default, with = "explicit", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i32>")]
    pub disconnect_limit_seconds: Option<Option<i32>>,
    /// Priority of jobs that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_priority: Option<Priority>,
    /// Jobs that ended well: how many are kept.
    #[serde(default, with = "explicit", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i32>")]
    pub keep_done_jobs: Option<Option<i32>>,
    /// Jobs that ended well: how many days they are kept.
    #[serde(default, with = "explicit", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i32>")]
    pub keep_done_days: Option<Option<i32>>,
    /// Jobs that failed or were cancelled: how many are kept.
    #[serde(default, with = "explicit", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i32>")]
    pub keep_failed_jobs: Option<Option<i32>>,
    /// Jobs that failed or were cancelled: how many days they are kept.
    #[serde(default, with = "explicit", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i32>")]
    pub keep_failed_days: Option<Option<i32>>,
}

/// Tells a field that is null from one that is left out.
pub(super) mod explicit {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(
        clippy::option_option,
        reason = "left out, null, and a number are three things"
    )]
    pub(in crate::control) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Option<i32>>, D::Error> {
        Option::deserialize(from).map(Some)
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        clippy::ref_option,
        clippy::option_option,
        reason = "serde calls it so"
    )]
    pub(in crate::control) fn serialize<S: Serializer>(
        value: &Option<Option<i32>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        value.flatten().serialize(to)
    }
}

impl PluginAction {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Stop { .. } => "stop",
            Self::Start => "start",
            Self::Autostart { .. } => "autostart",
            Self::Configure(_) => "configure",
            Self::Quota(_) => "quota",
        }
    }

    /// Which permission it needs.
    pub fn verb(&self) -> Verb {
        match self {
            Self::Configure(_) | Self::Quota(_) => Verb::Configure,
            _ => Verb::RunPlugins,
        }
    }
}
