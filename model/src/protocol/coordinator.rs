//! What a coordinator does with a request: it locks the row, asks the decision, writes, commits, and answers.
//! Coordinators keep nothing between requests, so that it does not matter which of them it is.

use shared::job::JobState;
use shared::job::Stage;
use shared::job::decide::{self, ClaimAnswer, ClaimAsk, EndAnswer, Gate, HeartbeatAnswer, Pause};

use super::packet::{Agreed, Outcome, Owner, Reply, Request, Verdict, claim_id};
use super::rule::Rule;
use super::scope::Scope;
use super::world::{PluginState, World};

impl World {
    /// Handles a request and gives its answer.
    pub(crate) fn handle(&mut self, scope: &Scope, request: Request) -> Reply {
        match request {
            Request::Claim { job, dispatch, claim } => self.claim(scope, job, dispatch, claim),
            Request::Heartbeat { run, publishing } => self.heartbeat(run, publishing),
            Request::Publish { run } => self.publish(run),
            Request::Result { run, outcome } => self.result(scope, run, outcome),
        }
    }

    /// Whether the plugin runs fewer jobs than it may.
    pub(crate) fn has_room(&self, scope: &Scope) -> bool {
        scope.running_max.is_none_or(|most| self.rows.running < most)
    }

    fn claim(&mut self, scope: &Scope, job: u8, dispatch: i64, claim: u8) -> Reply {
        let row = *self.row(job);
        let gate = Gate {
            plugin_running: self.rows.plugin == PluginState::Running,
            autostart: self.rows.autostart,
            has_room: self.has_room(scope),
            has_quota: true,
            storages_have_room: true,
            worker_has_room: true,
        };
        let ask = ClaimAsk {
            dispatch,
            claim_id: claim_id(claim),
        };
        match decide::claim(&row.job, ask, gate) {
            ClaimAnswer::Grant(next) => {
                let running = self
                    .rows
                    .jobs
                    .iter()
                    .filter(|row| row.job.state.is_running())
                    .count();
                let within = scope.running_max.is_none_or(|most| running < usize::from(most));
                let waits = row.job.state == JobState::Queued
                    && row.job.dispatch == dispatch
                    && !row.job.held
                    && !row.job.cancel_requested;
                let open = gate.plugin_running && (row.job.start_now || (gate.autostart && within));
                self.broken.unless(Rule::GrantIsDue, waits && open);
                self.broken.unless(Rule::OneLease, row.lease.is_none());
                self.write(job, next);
                let run = Owner::of(job, next.token.expect("a granted job has a token"));
                self.lease(run);
                self.grant(run)
            }
            ClaimAnswer::GrantAgain => {
                let token = row.job.token.expect("a running job has a token");
                self.grant(Owner::of(job, token))
            }
            ClaimAnswer::Refuse(_) => Reply::Refused { claim },
            ClaimAnswer::Postpone(_, next) => {
                self.write(job, next);
                Reply::Refused { claim }
            }
        }
    }

    fn grant(&self, run: Owner) -> Reply {
        let row = self.row(run.job);
        Reply::Granted {
            run,
            manifest: row.manifest.filter(|_| row.job.publish_granted),
        }
    }

    fn heartbeat(&mut self, run: Owner, publishing: bool) -> Reply {
        let row = *self.row(run.job);
        let stage = if publishing {
            Stage::Download
        } else {
            Stage::Processing
        };
        let (verdict, next) = match decide::heartbeat(&row.job, run.token(), stage, self.pause()) {
            HeartbeatAnswer::Ok(next) => (Verdict::Ok, next),
            HeartbeatAnswer::Cancel(next) => (Verdict::Cancel, next),
            HeartbeatAnswer::Yield(next) => (Verdict::Yield, next),
            HeartbeatAnswer::Interrupt(next) => (Verdict::Interrupt, next),
            HeartbeatAnswer::Lost => {
                return Reply::Verdict {
                    run,
                    verdict: Verdict::Lost,
                };
            }
        };
        self.broken
            .unless(Rule::LeaseIsTheOwners, row.job.token == Some(run.token()));
        self.broken
            .unless(Rule::EndsOnce, !self.rows.ended.contains(&run));
        self.write(run.job, next);
        self.lease(run);
        Reply::Verdict { run, verdict }
    }

    /// What the plugin asks of its running attempts.
    fn pause(&self) -> Pause {
        match self.rows.plugin {
            PluginState::Running => Pause::No,
            PluginState::Stopping => Pause::AtNextItem,
            PluginState::Overdue => Pause::AtOnce,
        }
    }

    fn publish(&mut self, run: Owner) -> Reply {
        let row = *self.row(run.job);
        let (answer, next) = decide::ask_to_publish(&row.job, run.token(), self.pause());
        if next.publish_granted && answer == decide::PublishAnswer::Granted {
            self.broken
                .unless(Rule::PublishGrantIsTheOwners, row.job.token == Some(run.token()));
            self.broken
                .unless(Rule::EndsOnce, !self.rows.ended.contains(&run));
            self.write(run.job, next);
            self.lease(run);
            if !row.job.publish_granted {
                self.row_mut(run.job).manifest = Some(run.claim);
                self.agreed.insert((run.job, run.claim));
            }
        }
        Reply::Publish {
            run,
            answer: Agreed::of(answer, self.row(run.job).manifest),
        }
    }

    fn result(&mut self, scope: &Scope, run: Owner, outcome: Outcome) -> Reply {
        let row = *self.row(run.job);
        if let EndAnswer::Record(next) =
            decide::result(&row.job, run.token(), outcome.into(), scope.retries_max)
        {
            self.broken
                .unless(Rule::OutcomeIsTheOwners, row.job.token == Some(run.token()));
            let is_first = self.rows.ended.insert(run);
            self.broken.unless(Rule::EndsOnce, is_first);
            self.write(run.job, next);
            self.end_lease(run.job);
        }
        Reply::Settled { run }
    }

    /// The sweeper ends the job's lease.
    pub(crate) fn expire(&mut self, job: u8) {
        let row = *self.row(job);
        let Some(run) = row.lease else { return };
        if let Some(next) = decide::lease_expired(&row.job, run.token()) {
            self.write(job, next);
            self.end_lease(job);
        }
    }
}
