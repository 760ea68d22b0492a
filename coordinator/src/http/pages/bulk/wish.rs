//! What can be wanted of many jobs at once, and how it is called.

use shared::job::Priority;

use crate::control::{JobAction, Place, RetryItems, Verb};
use crate::http::text::Text;

/// Something to be done with many jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    /// One of the actions.
    Do(JobAction),
    /// Cancel all that have not ended and delete all that have (Kitodo's "delete all").
    Clear,
}

impl Wish {
    /// What a list offers; the priority is chosen beside it.
    pub(super) const ALL_OFFERED: &'static [Self] = &[
        Self::Do(JobAction::StartNow),
        Self::Do(JobAction::Hold),
        Self::Do(JobAction::Release),
        Self::Do(JobAction::SetPriority {
            priority: Priority::HIGHEST,
        }),
        Self::Do(JobAction::Retry {
            items: RetryItems::Failed,
        }),
        Self::Do(JobAction::Cancel),
        Self::Do(JobAction::Delete),
    ];

    /// The wish with a name, and with the priority where it needs one.
    pub(super) fn named(name: &str, priority: Option<&str>) -> Option<Self> {
        if name == Self::Clear.name() {
            return Some(Self::Clear);
        }
        if name == "move" {
            // Rows only: where a refusal is told, it does not matter in which direction.
            return Some(Self::Do(JobAction::Move { to: Place::Up }));
        }
        let offered = Self::ALL_OFFERED.iter().find(|wish| wish.name() == name)?;
        match offered {
            Self::Do(JobAction::SetPriority { .. }) => {
                let priority = priority?.parse::<i64>().ok()?.try_into().ok()?;
                Some(Self::Do(JobAction::SetPriority { priority }))
            }
            other => Some(other.clone()),
        }
    }

    /// Its name in forms and addresses.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Do(action) => action.name(),
            Self::Clear => "clear",
        }
    }

    /// The priority that it gives.
    pub(super) fn priority(&self) -> Option<Priority> {
        match self {
            Self::Do(JobAction::SetPriority { priority }) => Some(*priority),
            _ => None,
        }
    }

    /// Which permission it needs.
    pub(super) fn verb(&self) -> Verb {
        match self {
            Self::Do(action) => action.verb(),
            Self::Clear => Verb::DeleteJobs,
        }
    }

    /// Whether it is about jobs that have ended; `None`: about both.
    pub(super) fn ended(&self) -> Option<bool> {
        match self {
            Self::Do(action) => Some(action.is_about_ended_jobs()),
            Self::Clear => None,
        }
    }

    /// Whether it takes something away that does not come back.
    pub(super) fn is_destructive(&self) -> bool {
        matches!(
            self,
            Self::Clear | Self::Do(JobAction::Cancel | JobAction::Delete)
        )
    }

    /// Its word in a menu.
    pub(super) fn word(&self, text: &Text) -> &'static str {
        match self {
            Self::Do(JobAction::StartNow) => text.do_start_now,
            Self::Do(JobAction::Hold) => text.do_hold,
            Self::Do(JobAction::Release) => text.do_release,
            Self::Do(JobAction::SetPriority { .. }) => text.lists.bulk_priority,
            Self::Do(JobAction::Retry { .. }) => text.do_retry,
            Self::Do(JobAction::Cancel) => text.lists.bulk_cancel,
            Self::Do(JobAction::Move { .. }) => text.lists.do_move,
            Self::Do(_) => text.lists.bulk_delete,
            Self::Clear => text.lists.delete_all,
        }
    }

    /// What it will mean.
    pub(super) fn meaning(&self, text: &Text) -> &'static str {
        match self {
            Self::Do(JobAction::StartNow) => text.lists.sure_many_start,
            Self::Do(JobAction::Hold) => text.lists.sure_many_hold,
            Self::Do(JobAction::Release) => text.lists.sure_many_release,
            Self::Do(JobAction::SetPriority { .. }) => text.lists.sure_many_priority,
            Self::Do(JobAction::Retry { .. }) => text.lists.sure_many_retry,
            Self::Do(JobAction::Cancel) => text.lists.sure_many_cancel,
            Self::Do(_) => text.lists.sure_many_delete,
            Self::Clear => text.lists.sure_clear,
        }
    }
}
