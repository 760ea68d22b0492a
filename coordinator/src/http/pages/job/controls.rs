//! What a job's page offers to do with it. Offered is what its state allows and whoever looks may do; whether it still can be done is decided
//! when it is asked for.

use shared::job::{JobState, ShownState};

use crate::control::{Actor, Object, Verb, authorise};
use crate::db::pages::JobDetail;

/// The buttons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each of them is a button that is there or not"
)]
pub(super) struct Controls {
    pub(super) cancel: bool,
    pub(super) hold: bool,
    pub(super) release: bool,
    pub(super) start_now: bool,
    /// Priority and place in the queue.
    pub(super) order: bool,
    pub(super) retry: bool,
    pub(super) delete: bool,
}

impl Controls {
    pub(super) fn of(actor: &Actor, job: &JobDetail) -> Self {
        let plugin = Object::Plugin(&job.summary.plugin);
        let may = authorise(actor, Verb::ControlJobs, plugin);
        let ended = job.summary.is_final();
        let waiting = job.waiting.as_ref();
        let open = may
            && waiting
                .is_some_and(|waiting| waiting.state != JobState::Download && !waiting.cancel_requested);
        let held = waiting.is_some_and(|waiting| waiting.held);
        let waits = open && waiting.is_some_and(|waiting| !waiting.state.is_running());
        Self {
            cancel: open,
            hold: open && !held,
            release: open && held,
            start_now: waits,
            order: waits,
            retry: may
                && matches!(
                    job.summary.state,
                    ShownState::As(JobState::Error | JobState::Done)
                ),
            delete: ended && authorise(actor, Verb::DeleteJobs, plugin),
        }
    }
}
