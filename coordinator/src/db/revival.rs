//! Attempts that come back after their lease has ended: what has to be locked for them, and in which order.
//!
//! Invariant: the plugin's row is locked before the jobs', so that a stop is either complete before an attempt comes
//! back, and undone by it to "stopping", or sees it run.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use shared::job::decide::{Job, PluginState};
use shared::job::{JobId, JobState, Token};
use uuid::Uuid;

use super::{Error, limits};

/// Plugins that are locked, as attempts of their jobs seem to come back.
#[derive(Debug, Default)]
pub(super) struct Expected {
    plugin_of: HashMap<JobId, String>,
    states: HashMap<String, PluginState>,
}

/// Looks which of these attempts have no lease any more, and locks their plugins; before any job is locked.
pub(super) async fn expect(tx: &Transaction<'_>, attempts: &[(JobId, Token)]) -> Result<Expected, Error> {
    let ids: Vec<Uuid> = attempts.iter().map(|(id, _)| id.0).collect();
    let claims: Vec<Uuid> = attempts.iter().map(|(_, token)| token.claim_id.0).collect();
    let waiting = tx
        .prepare_cached(
            "-- revival.waiting
             SELECT jobs.id, jobs.plugin
             FROM unnest($1::uuid[], $2::uuid[]) AS said(id, claim_id) JOIN jobs USING (id, claim_id)
             WHERE jobs.state = 'QUEUED'",
        )
        .await?;
    let rows = tx.query(&waiting, &[&ids, &claims]).await?;
    if rows.is_empty() {
        return Ok(Expected::default());
    }
    let plugin_of: HashMap<JobId, String> = rows.iter().map(|row| (JobId(row.get(0)), row.get(1))).collect();
    let names: Vec<&str> = plugin_of.values().map(String::as_str).collect();
    let lock = tx
        .prepare_cached(
            "-- revival.lock_plugins
             SELECT name, state FROM plugins CROSS JOIN settings WHERE name = ANY($1)
             ORDER BY name FOR NO KEY UPDATE OF plugins FOR SHARE OF settings",
        )
        .await?;
    let mut states = HashMap::new();
    for row in tx.query(&lock, &[&names]).await? {
        let name: String = row.get(0);
        let state = row.get::<_, &str>(1).parse().map_err(|_| Error::Inconsistent {
            table: "plugins",
            column: "state",
            row: name.clone(),
        })?;
        states.insert(name, state);
    }
    Ok(Expected { plugin_of, states })
}

impl Expected {
    /// Takes note of the jobs that were decided to run again: locks what they count against, and has their stopped
    /// plugins stop anew. `decided` are the rows as they were under lock, with the workers that speak for them.
    pub(super) async fn confirm<'a>(
        &self,
        tx: &Transaction<'_>,
        decided: impl Iterator<Item = (JobId, &'a Job, &'a str)>,
        transaction: &'static str,
    ) -> Result<(), Error> {
        let revived: Vec<(JobId, &str)> = decided
            .filter(|(_, job, _)| job.state == JobState::Queued)
            .map(|(id, _, worker)| (id, worker))
            .collect();
        if revived.is_empty() {
            return Ok(());
        }
        let mut plugins = Vec::new();
        for (id, _) in &revived {
            // It had its lease when it was looked at: the repetition sees that it has none.
            plugins.push(
                self.plugin_of
                    .get(id)
                    .ok_or(Error::Overtaken { transaction })?
                    .as_str(),
            );
        }
        plugins.sort_unstable();
        plugins.dedup();
        limits::lock_keys(tx, &limits::keys_of(tx, &revived).await?).await?;
        let stop_anew = tx
            .prepare_cached("-- revival.stop_anew\nUPDATE plugins SET state = $2 WHERE name = $1")
            .await?;
        for name in plugins {
            let state = self.states.get(name).ok_or(Error::Overtaken { transaction })?;
            let next = state.with_running(1);
            if next != *state {
                tx.execute(&stop_anew, &[&name, &next.as_str()]).await?;
            }
        }
        Ok(())
    }
}
