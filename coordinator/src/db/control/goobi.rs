//! A person's message to Goobi about jobs.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use shared::job::JobId;
use uuid::Uuid;

use super::audit::{self, Line};
use super::jobs::{Done, JobOutcome, WhyNot, audited, plugins_of};
use crate::control::{Actor, GoobiMessage, JobAction, Object, authorise};
use crate::db::{Error, Transact, deliveries, job_row};
use crate::deliveries::{GoobiWeb, goobi_message};

/// Records it for each of the jobs, to be sent; unfinished ones or ended ones.
#[derive(Debug)]
pub struct MessageGoobi<'a> {
    /// Who wants it.
    pub actor: &'a Actor,
    /// About which jobs.
    pub ids: &'a [JobId],
    /// What.
    pub message: &'a GoobiMessage,
    /// Where Goobi is; `None` where nobody has said that.
    pub goobi: Option<&'a GoobiWeb>,
}

impl Transact for MessageGoobi<'_> {
    const NAME: &'static str = "control.message_goobi";
    type Output = Done;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Done, Error> {
        let action = JobAction::MessageGoobi(self.message.clone());
        // Locked, so that the messages of two people get different numbers.
        job_row::lock(tx, self.ids).await?;
        let processes = processes(tx, self.ids).await?;
        let plugins = plugins_of(tx, self.ids).await?;
        let mut outcomes = Vec::new();
        let mut lines = Vec::new();
        for id in self.ids {
            let Some(plugin) = plugins.get(id) else {
                outcomes.push((*id, JobOutcome::Unknown));
                continue;
            };
            let outcome = if authorise(self.actor, action.verb(), Object::Plugin(plugin)) {
                let process = processes.get(id).map(String::as_str);
                self.record(tx, *id, plugin, process).await?
            } else {
                JobOutcome::Forbidden
            };
            lines.push(Line {
                plugin: Some(plugin),
                job_id: Some(*id),
                worker_id: None,
                outcome: audited(&outcome),
            });
            outcomes.push((*id, outcome));
        }
        audit::write(tx, self.actor, action.name(), &action, &lines).await?;
        Ok(Done {
            outcomes,
            ..Done::default()
        })
    }
}

impl MessageGoobi<'_> {
    async fn record(
        &self,
        tx: &Transaction<'_>,
        id: JobId,
        plugin: &str,
        process: Option<&str>,
    ) -> Result<JobOutcome, Error> {
        let refused = |why| Ok(JobOutcome::Refused { why });
        let Some(goobi) = self.goobi.filter(|goobi| goobi.takes_messages()) else {
            return refused(WhyNot::NoGoobi);
        };
        let message = process.and_then(|process| goobi_message(goobi, self.actor, process, self.message));
        let Some((kind, new)) = message else {
            return refused(WhyNot::NoProcess);
        };
        deliveries::by_hand(tx, id, plugin, kind, &new).await?;
        Ok(JobOutcome::Done)
    }
}

/// The processes of these jobs; rows of ended ones are locked, as those of unfinished ones are already.
async fn processes(tx: &Transaction<'_>, ids: &[JobId]) -> Result<HashMap<JobId, String>, Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let ended = tx
        .prepare_cached(
            "-- control.ended_processes
             SELECT id, process_id FROM job_history WHERE id = ANY($1) ORDER BY id FOR UPDATE",
        )
        .await?;
    let unfinished = tx
        .prepare_cached(
            "-- control.processes\nSELECT job_id, process_id FROM job_details WHERE job_id = ANY($1)",
        )
        .await?;
    let mut rows = tx.query(&ended, &[&ids]).await?;
    rows.extend(tx.query(&unfinished, &[&ids]).await?);
    let known = rows
        .iter()
        .filter_map(|row| Some((JobId(row.get(0)), row.get::<_, Option<String>>(1)?)));
    Ok(known.collect())
}
