//! What a job's page offers to do with it. Offered is what its state allows and whoever looks may do; whether it still
//! can be done is decided when it is asked for.

use shared::job::{JobState, Priority, ShownState};

use crate::control::{Actor, Object, Verb, authorise};
use crate::db::pages::JobDetail;
use crate::http::format::fill;
use crate::http::language::Locale;

/// The buttons.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each of them is a button that is there or not"
)]
pub(super) struct Controls {
    pub(super) cancel: bool,
    pub(super) hold: bool,
    pub(super) release: bool,
    pub(super) start_now: bool,
    /// Its priority, which that of a running job is once it is back in its queue.
    pub(super) priority: bool,
    /// Its place in the queue; only what waits there has one.
    pub(super) place: bool,
    /// The next lower and the next higher priority, with what their buttons are called; none where there is no such.
    pub(super) lower: Option<(i16, String)>,
    pub(super) higher: Option<(i16, String)>,
    pub(super) retry: bool,
    pub(super) delete: bool,
    /// Somebody was not told, or perhaps not.
    pub(super) send_again: bool,
}

impl Controls {
    pub(super) fn of(locale: &Locale, actor: &Actor, job: &JobDetail) -> Self {
        let plugin = Object::Plugin(&job.summary.plugin);
        let may = authorise(actor, Verb::ControlJobs, plugin);
        let ended = job.summary.is_final();
        let waiting = job.summary.waiting.as_ref();
        let open = may
            && waiting
                .is_some_and(|waiting| waiting.state != JobState::Download && !waiting.cancel_requested);
        let held = waiting.is_some_and(|waiting| waiting.held);
        let waits = open && waiting.is_some_and(|waiting| !waiting.state.is_running());
        let priority = job.summary.priority;
        Self {
            cancel: open,
            hold: open && !held,
            release: open && held,
            start_now: waits,
            priority: open,
            place: waits,
            lower: level(locale, locale.text.do_lower, priority - 1),
            higher: level(locale, locale.text.do_raise, priority + 1),
            retry: may
                && matches!(
                    job.summary.state,
                    ShownState::As(JobState::Error | JobState::Done)
                ),
            send_again: may
                && ended
                && job
                    .deliveries
                    .iter()
                    .any(|delivery| matches!(delivery.state.as_str(), "failed" | "unclear")),
            delete: ended && authorise(actor, Verb::DeleteJobs, plugin),
        }
    }
}

/// A priority that a button gives, and what the button is called; none where there is no such priority.
fn level(locale: &Locale, name: &str, priority: i16) -> Option<(i16, String)> {
    Priority::try_from(i64::from(priority)).ok()?;
    Some((priority, fill(name, &[&locale.number(priority)])))
}
