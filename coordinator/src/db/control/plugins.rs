//! Stops and settings of plugins, and what follows from a stop by itself.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use schemars::JsonSchema;
use serde::Serialize;
use shared::failpoint::Failpoint;
use shared::job::decide::PluginState;
use shared::message::reply::Verdict;

use super::audit::{self, AuditOutcome, Line};
use super::{Told, push};
use crate::control::{Actor, Object, PluginAction, Quota, Settings, authorise};
use crate::db::{Error, Transact};

/// What became of an action on plugins.
///
/// The API answers what is not done as a problem: its schema has the other outcomes only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum PluginsOutcome {
    /// These were changed; the others were so already.
    Done {
        /// Their names.
        changed: Vec<String>,
    },
    /// The actor may not do it.
    #[schemars(skip)]
    Forbidden,
    /// There is no such plugin.
    #[schemars(skip)]
    Unknown,
}

/// Does something with one plugin, or with all.
#[derive(Debug)]
pub struct ActOnPlugins<'a> {
    /// Who wants it.
    pub actor: &'a Actor,
    /// With which plugin; `None`: with all.
    pub plugin: Option<&'a str>,
    /// What.
    pub action: &'a PluginAction,
}

impl Transact for ActOnPlugins<'_> {
    const NAME: &'static str = "control.plugins";
    type Output = (PluginsOutcome, Told);
    const BEFORE_COMMIT: Option<Failpoint> = Some(Failpoint::ControlBeforeCommit);

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        // Claims hold these rows in share mode: a stop waits for those that are under way, and they for it.
        let lock = tx
            .prepare_cached(
                "-- control.lock_plugins
                 SELECT name FROM plugins WHERE $1::text IS NULL OR name = $1 ORDER BY name FOR NO KEY UPDATE",
            )
            .await?;
        let rows = tx.query(&lock, &[&self.plugin]).await?;
        let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        if self.plugin.is_some() && names.is_empty() {
            return Ok((PluginsOutcome::Unknown, Told::default()));
        }
        let object = self.plugin.map_or(Object::Everything, Object::Plugin);
        if !authorise(self.actor, self.action.verb(), object) {
            self.note(tx, &names, |_| AuditOutcome::Forbidden).await?;
            return Ok((PluginsOutcome::Forbidden, Told::default()));
        }
        let changed = self.change(tx, &names).await?;
        let mut told = Told::default();
        if let PluginAction::Stop { deadline_seconds, .. } = self.action {
            let verdict = if *deadline_seconds == Some(0) {
                Verdict::Interrupt
            } else {
                Verdict::Yield
            };
            let names: Vec<&str> = changed.iter().map(String::as_str).collect();
            told.pushes = push::to_plugins(tx, &names, verdict).await?;
        }
        self.note(tx, &names, |name| {
            if changed.iter().any(|changed| changed == name) {
                AuditOutcome::Done
            } else {
                AuditOutcome::Unchanged
            }
        })
        .await?;
        Ok((PluginsOutcome::Done { changed }, told))
    }
}

impl ActOnPlugins<'_> {
    async fn change(&self, tx: &Transaction<'_>, names: &[String]) -> Result<Vec<String>, Error> {
        let rows = match self.action {
            PluginAction::Stop {
                reason,
                deadline_seconds,
                resume_at,
            } => {
                let deadline = deadline_seconds.map(f64::from);
                let running = running(tx, names).await?;
                let states: Vec<&str> = names
                    .iter()
                    .map(|name| {
                        PluginState::stopped_by_hand(running.get(name).copied().unwrap_or(0)).as_str()
                    })
                    .collect();
                let statement = tx.prepare_cached(STOP).await?;
                tx.query(
                    &statement,
                    &[&names, &self.actor.name, reason, &deadline, resume_at, &states],
                )
                .await?
            }
            PluginAction::Start => {
                let statement = tx.prepare_cached(START).await?;
                tx.query(&statement, &[&names, &self.actor.name]).await?
            }
            PluginAction::Autostart { on } if self.plugin.is_none() => {
                let statement = tx
                    .prepare_cached(
                        "-- control.autostart_all
                         WITH changed AS (
                             UPDATE settings SET autostart = $1, autostart_since = tm_now(), autostart_by = $2
                             WHERE autostart <> $1 RETURNING 1)
                         SELECT name FROM plugins WHERE EXISTS (SELECT 1 FROM changed) ORDER BY name",
                    )
                    .await?;
                tx.query(&statement, &[on, &self.actor.name]).await?
            }
            PluginAction::Autostart { on } => {
                let statement = tx
                    .prepare_cached(
                        "-- control.autostart
                         UPDATE plugins SET autostart = $2 WHERE name = ANY($1) AND autostart <> $2 RETURNING name",
                    )
                    .await?;
                tx.query(&statement, &[&names, on]).await?
            }
            PluginAction::Configure(settings) => return configure(tx, names, settings).await,
            PluginAction::Quota(quota) => return set_quota(tx, names, *quota).await,
        };
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    async fn note(
        &self,
        tx: &Transaction<'_>,
        names: &[String],
        outcome: impl Fn(&str) -> AuditOutcome,
    ) -> Result<(), Error> {
        let mut lines: Vec<Line<'_>> = names
            .iter()
            .map(|name| Line {
                plugin: Some(name),
                job_id: None,
                worker_id: None,
                outcome: outcome(name),
            })
            .collect();
        if lines.is_empty() {
            // Nothing is announced yet; that somebody wanted it is recorded all the same.
            lines.push(Line {
                plugin: None,
                job_id: None,
                worker_id: None,
                outcome: outcome(""),
            });
        }
        audit::write(tx, self.actor, self.action.name(), self.action, &lines).await
    }
}

/// How many attempts of these plugins run, where there are some. Their rows must be locked: a statement of its own, so
/// that it sees what those have committed that it had to wait for.
async fn running(tx: &Transaction<'_>, names: &[String]) -> Result<HashMap<String, i64>, Error> {
    let statement = tx
        .prepare_cached(
            "-- control.running
             SELECT name, running::bigint FROM unnest($1::text[]) AS name JOIN limit_keys ON key = 'plugin:' || name",
        )
        .await?;
    let rows = tx.query(&statement, &[&names]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

const STOP: &str = "-- control.stop
    UPDATE plugins SET
        state = wanted.state,
        state_since = CASE WHEN plugins.state = 'running' THEN tm_now() ELSE state_since END,
        state_by = $2, state_reason = $3,
        stop_deadline = tm_now() + make_interval(secs => $4), resume_at = $5
    FROM unnest($1::text[], $6::text[]) AS wanted(name, state)
    WHERE plugins.name = wanted.name
    RETURNING plugins.name";

const START: &str = "-- control.start
    UPDATE plugins SET state = 'running', state_since = tm_now(), state_by = $2, state_reason = NULL,
        stop_deadline = NULL, resume_at = NULL
    WHERE name = ANY($1) AND state <> 'running' RETURNING name";

async fn configure(
    tx: &Transaction<'_>,
    names: &[String],
    settings: &Settings,
) -> Result<Vec<String>, Error> {
    let statement = tx
        .prepare_cached(
            "-- control.configure
             UPDATE plugins SET
                 running_max = CASE WHEN $2 THEN $3 ELSE running_max END,
                 ageing_minutes = CASE WHEN $4 THEN $5 ELSE ageing_minutes END,
                 retries_max = coalesce($6, retries_max),
                 retry_first_seconds = coalesce($7, retry_first_seconds),
                 retry_longest_seconds = coalesce($8, retry_longest_seconds),
                 lease_seconds = coalesce($9, lease_seconds),
                 run_budget_seconds = coalesce($10, run_budget_seconds),
                 default_priority = coalesce($11, default_priority),
                 keep_done_jobs = CASE WHEN $12 THEN $13 ELSE keep_done_jobs END,
                 keep_done_days = CASE WHEN $14 THEN $15 ELSE keep_done_days END,
                 keep_failed_jobs = CASE WHEN $16 THEN $17 ELSE keep_failed_jobs END,
                 keep_failed_days = CASE WHEN $18 THEN $19 ELSE keep_failed_days END,
                 disconnect_limit_seconds = CASE WHEN $20 THEN $21 ELSE disconnect_limit_seconds END
             WHERE name = ANY($1) RETURNING name",
        )
        .await?;
    let rows = tx
        .query(
            &statement,
            &[
                &names,
                &settings.running_max.is_some(),
                &settings.running_max.flatten(),
                &settings.ageing_minutes.is_some(),
                &settings.ageing_minutes.flatten(),
                &settings.retries_max,
                &settings.retry_first_seconds,
                &settings.retry_longest_seconds,
                &settings.lease_seconds,
                &settings.run_budget_seconds,
                &settings
                    .default_priority
                    .map(|priority| i16::from(priority.get())),
                &settings.keep_done_jobs.is_some(),
                &settings.keep_done_jobs.flatten(),
                &settings.keep_done_days.is_some(),
                &settings.keep_done_days.flatten(),
                &settings.keep_failed_jobs.is_some(),
                &settings.keep_failed_jobs.flatten(),
                &settings.keep_failed_days.is_some(),
                &settings.keep_failed_days.flatten(),
                &settings.disconnect_limit_seconds.is_some(),
                &settings.disconnect_limit_seconds.flatten(),
            ],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Sets the contract, or ends it; what was used stays counted.
async fn set_quota(tx: &Transaction<'_>, names: &[String], quota: Quota) -> Result<Vec<String>, Error> {
    let set = tx
        .prepare_cached(
            "-- control.set_quota
             INSERT INTO quotas (plugin, pages_total, pages_a_period, period, period_start)
             SELECT name, $2, $3, $4, quota_period_start($4) FROM unnest($1::text[]) AS name
             ON CONFLICT (plugin) DO UPDATE SET
                 pages_total = EXCLUDED.pages_total, pages_a_period = EXCLUDED.pages_a_period,
                 period = EXCLUDED.period,
                 used_in_period = CASE WHEN quotas.period = EXCLUDED.period THEN quotas.used_in_period ELSE (
                     SELECT coalesce(sum(pages), 0) FROM quota_ledger
                     WHERE quota_ledger.plugin = quotas.plugin
                         AND booked_at >= EXCLUDED.period_start AT TIME ZONE 'UTC') END,
                 period_start = CASE WHEN quotas.period = EXCLUDED.period THEN quotas.period_start
                                     ELSE EXCLUDED.period_start END",
        )
        .await?;
    tx.execute(
        &set,
        &[
            &names,
            &quota.pages_total.map(i64::from),
            &quota.pages_a_period.map(i64::from),
            &quota.period.as_str(),
        ],
    )
    .await?;
    Ok(names.to_vec())
}

/// Follows up on stops: a plugin whose last job has ended is stopped, one whose time has come starts again, and
/// jobs that run beyond the deadline are interrupted.
#[derive(Debug)]
pub struct FollowStops;

impl Transact for FollowStops {
    const NAME: &'static str = "control.follow_stops";
    /// Whether a plugin has changed, and whom to tell.
    type Output = (bool, Told);

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        let mut changed = complete(tx).await?;
        let due = tx
            .prepare_cached(
                "-- stops.due
                 SELECT name FROM plugins WHERE state <> 'running' AND resume_at <= tm_now() ORDER BY name FOR NO KEY UPDATE",
            )
            .await?;
        let due = tx.query(&due, &[]).await?;
        for row in &due {
            let start = ActOnPlugins {
                actor: &Actor::coordinator(),
                plugin: Some(row.get(0)),
                action: &PluginAction::Start,
            };
            start.run(tx).await?;
            changed = true;
        }
        let overdue = tx
            .prepare_cached(
                "-- stops.overdue
                 SELECT name FROM plugins WHERE state = 'stopping' AND stop_deadline < tm_now()",
            )
            .await?;
        let overdue = tx.query(&overdue, &[]).await?;
        let overdue: Vec<&str> = overdue.iter().map(|row| row.get(0)).collect();
        let pushes = push::to_plugins(tx, &overdue, Verdict::Interrupt).await?;
        let told = Told {
            pushes,
            ..Told::default()
        };
        Ok((changed, told))
    }
}

/// Writes what stops have come to; whether a plugin's state has changed.
async fn complete(tx: &Transaction<'_>) -> Result<bool, Error> {
    // Attempts that come back lock these rows, too: what runs is counted once none can come in between.
    let lock = tx
        .prepare_cached(
            "-- stops.lock
             SELECT name, state FROM plugins WHERE state <> 'running' ORDER BY name FOR NO KEY UPDATE",
        )
        .await?;
    let rows = tx.query(&lock, &[]).await?;
    let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    if names.is_empty() {
        return Ok(false);
    }
    let running = running(tx, &names).await?;
    let write = tx
        .prepare_cached("-- stops.complete\nUPDATE plugins SET state = $2 WHERE name = $1")
        .await?;
    let mut changed = false;
    for (row, name) in rows.iter().zip(&names) {
        let state: PluginState = row.get::<_, &str>(1).parse().map_err(|_| Error::Inconsistent {
            table: "plugins",
            column: "state",
            row: name.clone(),
        })?;
        let next = state.with_running(running.get(name).copied().unwrap_or(0));
        if next != state {
            tx.execute(&write, &[name, &next.as_str()]).await?;
            changed = true;
        }
    }
    Ok(changed)
}
