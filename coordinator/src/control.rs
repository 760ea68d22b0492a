//! What people do: one way for pages, API and command line, from the wish to the audit log.
//!
//! ```text
//!  actor      who wants it
//!  action     what is wanted
//!  authorise  whether that actor may: the one place, default deny
//!  db/control the transactions: decide, write, and record in the audit log, all at once
//! ```
//!
//! Invariant: nothing a person does changes a row without a line in the audit log in the same transaction.

mod account_action;
mod accounts;
mod action;
mod actor;
mod authorise;
mod goobi_message;
mod own_account;
mod setting_ranges;
mod settings_action;
mod storage_action;
mod store_action;
mod worker_action;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use shared::amqp::publisher::{Outgoing, Publisher};
use shared::amqp::topology::NAME_PREFIX;
use shared::error::Chain;
use shared::failpoint::{self, Failpoint};
use shared::job::{JobId, JobState};
use shared::message::encode;
use shared::message::reply::{AttemptVerdict, Reply};

use crate::accounts::Passwords;
use crate::db::control::{
    ActOnJobs, ActOnPlugins, ActOnSettings, ActOnStorage, ActOnStores, ActOnWorker, FIND_MAX, FindJobs,
    JobOutcome, MessageGoobi, SettingsOutcome, StorageOutcome, StoresOutcome, Told, WorkerOutcome,
};
use crate::db::notify::Changes;
use crate::db::recovery::{Recover, Recovery, RecoveryAction};
use crate::db::{self, Db};
use crate::deliveries::GoobiWeb;
use crate::notifications::Notifier;

pub use account_action::{AccountAction, TOKEN_MAX_DAYS, check_name};
pub use action::{JobAction, JobFilter, Period, PluginAction, Quota, RetryItems, Settings};
pub use shared::job::decide::Place;

pub use actor::{Actor, Role};
pub use authorise::{Object, Verb, authorise, could, could_in, reach};
pub use goobi_message::{GoobiMessage, MessageText, MessageType};
pub use own_account::{OwnAccountAction, OwnAccountOutcome};
pub use setting_ranges::{RANGES, Range};
pub use settings_action::{PageSettings, REFRESH_SECONDS, SettingsAction};
pub use storage_action::{StorageAction, StorageSettings};
pub use store_action::StoreAction;
pub use worker_action::WorkerAction;

/// Most jobs that one transaction acts on, except where they are moved.
const BATCH: usize = 200;
/// Longest time that one wish spends on telling workers, however many jobs it is about: a RabbitMQ that
/// is slow or hangs holds nobody up. Workers learn the same from the answer to their next heartbeat.
const TELL_MAX: Duration = Duration::from_secs(5);

/// Carries out what people want.
#[derive(Debug, Clone)]
pub struct Control {
    db: Db,
    changes: Changes,
    notifier: Notifier,
    publisher: Publisher,
    goobi: Option<GoobiWeb>,
    /// Works with passwords.
    pub(crate) passwords: Passwords,
}

/// What an action on several jobs came to.
#[derive(Debug, Default)]
pub struct Summary {
    /// What became of each job, in no particular order.
    pub outcomes: Vec<(JobId, JobOutcome)>,
}

impl Control {
    /// Controls that write to `db`, tell `changes` and listeners, and push to workers through `publisher`.
    pub fn new(db: Db, changes: Changes, notifier: Notifier, publisher: Publisher) -> Self {
        Self {
            db,
            changes,
            notifier,
            publisher,
            goobi: None,
            passwords: Passwords::default(),
        }
    }

    /// The same with a Goobi that can be told something.
    #[must_use]
    pub fn with_goobi(self, goobi: Option<GoobiWeb>) -> Self {
        Self { goobi, ..self }
    }

    /// Where Goobi is; `None` where nobody has said that.
    pub fn goobi(&self) -> Option<&GoobiWeb> {
        self.goobi.as_ref()
    }

    /// Acts on jobs; gives what became of each.
    ///
    /// # Errors
    /// When the database fails: what was done until then stays, and doing it again does no harm.
    pub async fn act_on_jobs(
        &self,
        actor: &Actor,
        ids: &[JobId],
        action: &JobAction,
    ) -> Result<Summary, db::Error> {
        let mut summary = Summary::default();
        let ids = each_once(ids);
        // The line is moved in one: in portions those at the border would pass each other.
        let batch = if matches!(action, JobAction::Move { .. }) {
            FIND_MAX
        } else {
            BATCH
        };
        let mut patience = TELL_MAX;
        for ids in ids.chunks(batch) {
            let done = match action {
                JobAction::MessageGoobi(message) => {
                    let goobi = self.goobi();
                    self.db
                        .run(&MessageGoobi {
                            actor,
                            ids,
                            message,
                            goobi,
                        })
                        .await?
                }
                _ => self.db.run(&ActOnJobs { actor, ids, action }).await?,
            };
            failpoint::reach(Failpoint::ControlBeforePush);
            patience = self.tell_within(done.told, patience).await;
            summary.outcomes.extend(done.outcomes);
        }
        Ok(summary)
    }

    /// Acts on all jobs that a filter finds at this moment among those that the actor may do this to; `None` when there
    /// can be none.
    ///
    /// # Errors
    /// As [`Self::act_on_jobs`].
    pub async fn act_on_found(
        &self,
        actor: &Actor,
        filter: &JobFilter,
        action: &JobAction,
    ) -> Result<Option<Summary>, db::Error> {
        match self.find_jobs(actor, filter, action).await? {
            Some(ids) => self.act_on_jobs(actor, &ids, action).await.map(Some),
            None => Ok(None),
        }
    }

    /// The jobs that a filter means at this moment: those that it names, each once, or those that it finds among those
    /// that the actor may do this to; `None` when there can be none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_jobs(
        &self,
        actor: &Actor,
        filter: &JobFilter,
        action: &JobAction,
    ) -> Result<Option<Vec<JobId>>, db::Error> {
        if let Some(ids) = filter.only_ids() {
            return Ok(Some(each_once(ids)));
        }
        let find = FindJobs {
            actor,
            filter,
            action,
        };
        self.db.run(&find).await
    }

    /// Acts on one plugin, or on all; gives the names of those that have changed, `None` when the actor may not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn act_on_plugins(
        &self,
        actor: &Actor,
        plugin: Option<&str>,
        action: &PluginAction,
    ) -> Result<PluginsOutcome, db::Error> {
        let done = self
            .db
            .run(&ActOnPlugins {
                actor,
                plugin,
                action,
            })
            .await?;
        failpoint::reach(Failpoint::ControlBeforePush);
        self.tell(done.1).await;
        Ok(done.0)
    }

    /// Acts on one worker; gives what became of that.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn act_on_worker(
        &self,
        actor: &Actor,
        id: &str,
        action: &WorkerAction,
    ) -> Result<WorkerOutcome, db::Error> {
        let (outcome, told) = self.db.run(&ActOnWorker { actor, id, action }).await?;
        self.tell(told).await;
        Ok(outcome)
    }

    /// Acts on the settings that belong to no plugin; gives what became of that.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn act_on_settings(
        &self,
        actor: &Actor,
        action: SettingsAction,
    ) -> Result<SettingsOutcome, db::Error> {
        let outcome = self.db.run(&ActOnSettings { actor, action }).await?;
        self.changes.announce();
        Ok(outcome)
    }

    /// Acts on item stores that no job has; gives what became of that, `None` when the actor may not. Workers hear of it
    /// in the answers to their next heartbeats.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn act_on_stores(
        &self,
        actor: &Actor,
        action: &StoreAction,
    ) -> Result<Option<StoresOutcome>, db::Error> {
        self.db.run(&ActOnStores { actor, action }).await
    }

    /// Acts on one storage; gives what became of that.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn act_on_storage(
        &self,
        actor: &Actor,
        action: &StorageAction,
    ) -> Result<StorageOutcome, db::Error> {
        let outcome = self.db.run(&ActOnStorage { actor, action }).await?;
        // The dispatcher looks at once whether there is room now.
        self.changes.announce();
        Ok(outcome)
    }

    /// Acts on a database that was put back from a copy; gives the report about it, `None` when the actor may not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn recover(
        &self,
        actor: &Actor,
        action: RecoveryAction,
    ) -> Result<Option<Recovery>, db::Error> {
        let (report, told) = self.db.run(&Recover { actor, action }).await?;
        self.tell(told).await;
        Ok(report)
    }

    /// Says what has happened to those who want to know: other coordinators, workers, listeners.
    pub(crate) async fn tell(&self, told: Told) {
        self.tell_within(told, TELL_MAX).await;
    }

    /// The same with so much patience; gives what is left of it.
    async fn tell_within(&self, told: Told, patience: Duration) -> Duration {
        self.changes.announce();
        for (id, plugin) in &told.retried {
            self.notifier.job(*id, plugin, JobState::Queued);
        }
        self.notifier.ended(&told.finished);
        let drains = told.drains.into_iter().map(|address| (address, Vec::new(), true));
        let pushes = told.pushes.into_iter();
        let pushes = pushes
            .map(|(address, verdicts)| (address, verdicts, false))
            .chain(drains);
        // Our own queues are not for workers to write to through us.
        let pushes = pushes.filter(|(address, ..)| !address.starts_with(NAME_PREFIX));
        let messages: Vec<Outgoing> = pushes
            .map(|(address, verdicts, drain)| push(address, verdicts, drain))
            .collect();
        if messages.is_empty() || !self.publisher.connected() || self.publisher.blocked() {
            return patience;
        }
        // Lost ones are no loss: the answer to the next heartbeat says the same.
        let started = Instant::now();
        let told = tokio::time::timeout(patience, self.publisher.publish_all(messages)).await;
        if told.is_err() {
            tracing::debug!("RabbitMQ is slow: workers are not told at once");
        }
        for error in told.into_iter().flatten().filter_map(Result::err) {
            tracing::debug!("a worker could not be told: {}", Chain(&error));
        }
        patience.saturating_sub(started.elapsed())
    }
}

pub use crate::db::control::PluginsOutcome;

/// A job that is named twice is one job.
fn each_once(ids: &[JobId]) -> Vec<JobId> {
    let mut named = HashSet::new();
    ids.iter().copied().filter(|id| named.insert(*id)).collect()
}

fn push(address: String, verdicts: Vec<AttemptVerdict>, drain: bool) -> Outgoing {
    Outgoing {
        exchange: "",
        routing_key: address,
        body: encode(&Reply::Control { verdicts, drain }),
        properties: lapin::BasicProperties::default().with_content_type("application/json".into()),
        mandatory: false,
    }
}

#[cfg(test)]
mod tests;
