//! The dispatcher's steps: pick and reserve, publish, mark as published; a coordinator may die between any two.
//!
//! Reservations are not modelled: another dispatcher may pick the same job at any time, as it may when one has run
//! out.

use shared::job::JobState;
use shared::mutant::{self, Mutant};

use super::scope::Scope;
use super::world::{Dispatch, PluginState, Relay, World};

impl World {
    /// Whether a dispatcher would pick this job now.
    pub(crate) fn is_to_be_dispatched(&self, scope: &Scope, job: u8) -> bool {
        let row = self.row(job);
        let starts = row.job.start_now || (self.rows.autostart && self.has_room(scope));
        row.job.state == JobState::Queued
            && !row.job.held
            && row.published_dispatch < row.job.dispatch
            && self.rows.plugin == PluginState::Running
            && starts
    }

    /// Picks, publishes and marks in one step, for models in which nothing happens in between.
    pub(crate) fn dispatch(&mut self, job: u8) {
        let dispatch = self.current(job);
        self.publish_dispatch(dispatch);
        self.mark(dispatch);
    }

    /// A dispatcher picks the job.
    pub(crate) fn pick(&mut self, dispatcher: u8, job: u8) {
        self.dispatchers[usize::from(dispatcher)] = Some(Relay {
            dispatch: self.current(job),
            half_done: false,
        });
    }

    /// A dispatcher does the next of its steps.
    pub(crate) fn relay(&mut self, dispatcher: u8) {
        let hand = &mut self.dispatchers[usize::from(dispatcher)];
        let Some(relay) = hand.take() else { return };
        if !relay.half_done {
            *hand = Some(Relay {
                half_done: true,
                ..relay
            });
        }
        let publishes_now = relay.half_done == mutant::is_active(Mutant::MarkBeforePublish);
        if publishes_now {
            self.publish_dispatch(relay.dispatch);
        } else {
            self.mark(relay.dispatch);
        }
    }

    /// Whether reconcile would find that the broker has lost this job's message.
    pub(crate) fn is_lost_by_broker(&self, job: u8) -> bool {
        let row = self.row(job);
        let dispatch = self.current(job);
        self.wiped
            && row.job.state == JobState::Queued
            && row.published_dispatch == row.job.dispatch
            && !self.queue.contains(&dispatch)
            && !self
                .workers
                .iter()
                .any(|worker| worker.hand.has_message(dispatch))
    }

    /// Reconcile has the job published once more, under the same number.
    pub(crate) fn redispatch(&mut self, job: u8) {
        let row = self.row_mut(job);
        row.published_dispatch = row.job.dispatch - 1;
    }

    fn current(&self, job: u8) -> Dispatch {
        Dispatch {
            job,
            number: self.row(job).job.dispatch,
        }
    }

    fn publish_dispatch(&mut self, dispatch: Dispatch) {
        self.enqueue(dispatch);
        let confirmed = &mut self.confirmed[usize::from(dispatch.job)];
        *confirmed = dispatch.number.max(*confirmed);
    }

    fn mark(&mut self, dispatch: Dispatch) {
        let row = self.row_mut(dispatch.job);
        if row.job.dispatch == dispatch.number {
            row.published_dispatch = dispatch.number;
        }
    }
}
