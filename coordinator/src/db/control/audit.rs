//! The audit log: one line for each thing that somebody wanted, whatever came of it.

use deadpool_postgres::Transaction;
use serde::Serialize;
use shared::job::JobId;
use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::control::{AccountAction, Actor};
use crate::db::Error;
use crate::db::accounts::AccountOutcome;
use crate::db::recovery::RecoveryAction;

/// What came of a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AuditOutcome {
    Done,
    Unchanged,
    Refused,
    Forbidden,
}

impl AuditOutcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
            Self::Forbidden => "forbidden",
        }
    }
}

/// One line.
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub(super) plugin: Option<&'a str>,
    pub(super) job_id: Option<JobId>,
    pub(super) worker_id: Option<&'a str>,
    pub(super) outcome: AuditOutcome,
}

/// Writes lines about one action; `details` is the action as it was asked for.
pub(super) async fn write(
    tx: &Transaction<'_>,
    actor: &Actor,
    action: &str,
    details: &(impl Serialize + Sync),
    lines: &[Line<'_>],
) -> Result<(), Error> {
    if lines.is_empty() {
        return Ok(());
    }
    let details = serde_json::to_value(details).expect("actions are plain data");
    let plugins: Vec<Option<&str>> = lines.iter().map(|line| line.plugin).collect();
    let jobs: Vec<Option<Uuid>> = lines.iter().map(|line| line.job_id.map(|id| id.0)).collect();
    let workers: Vec<Option<&str>> = lines.iter().map(|line| line.worker_id).collect();
    let outcomes: Vec<&str> = lines.iter().map(|line| line.outcome.as_str()).collect();
    let statement = tx
        .prepare_cached(
            "-- audit.write
             INSERT INTO audit_log (actor, action, plugin, job_id, worker_id, details, outcome)
             SELECT $1, $2, plugin, job_id, worker_id, $3, outcome
             FROM unnest($4::text[], $5::uuid[], $6::text[], $7::text[]) WITH ORDINALITY
                 AS new(plugin, job_id, worker_id, outcome, place)
             ORDER BY place",
        )
        .await?;
    tx.execute(
        &statement,
        &[
            &actor.name,
            &action,
            &Json(details),
            &plugins,
            &jobs,
            &workers,
            &outcomes,
        ],
    )
    .await?;
    Ok(())
}

/// Writes a line about an action on a restored database; `changed` is `None` where it was forbidden.
pub(in crate::db) async fn note_recovery(
    tx: &Transaction<'_>,
    actor: &Actor,
    action: &RecoveryAction,
    changed: Option<bool>,
) -> Result<(), Error> {
    let outcome = match changed {
        None => AuditOutcome::Forbidden,
        Some(true) => AuditOutcome::Done,
        Some(false) => AuditOutcome::Unchanged,
    };
    let line = Line {
        plugin: None,
        job_id: None,
        worker_id: None,
        outcome,
    };
    write(tx, actor, "recover", action, &[line]).await
}

/// Writes a line about somebody who comes, goes, or tries to in vain.
pub(in crate::db) async fn note_account(
    tx: &Transaction<'_>,
    actor: &Actor,
    action: &str,
    account: &str,
    succeeded: bool,
) -> Result<(), Error> {
    let outcome = if succeeded {
        AuditOutcome::Done
    } else {
        AuditOutcome::Refused
    };
    write_account(tx, actor, action, &serde_json::json!({}), account, outcome).await
}

/// Writes a line about an action on accounts.
pub(in crate::db) async fn note_account_action(
    tx: &Transaction<'_>,
    actor: &Actor,
    action: &AccountAction,
    outcome: AccountOutcome,
) -> Result<(), Error> {
    let outcome = match outcome {
        AccountOutcome::Done => AuditOutcome::Done,
        AccountOutcome::Unchanged => AuditOutcome::Unchanged,
        AccountOutcome::Refused { .. } | AccountOutcome::Unknown | AccountOutcome::Busy => {
            AuditOutcome::Refused
        }
        AccountOutcome::Forbidden => AuditOutcome::Forbidden,
    };
    write_account(tx, actor, action.name(), action, &action.account(), outcome).await
}

/// Writes a line about somebody who was not even let in to what he wanted.
pub(in crate::db) async fn note_turned_away(
    tx: &Transaction<'_>,
    actor: &Actor,
    wish: &str,
) -> Result<(), Error> {
    let wish: String = wish.chars().take(200).collect();
    let details = serde_json::json!({ "wish": wish });
    write_account(tx, actor, "turned_away", &details, "", AuditOutcome::Forbidden).await
}

async fn write_account(
    tx: &Transaction<'_>,
    actor: &Actor,
    action: &str,
    details: &(impl Serialize + Sync),
    account: &str,
    outcome: AuditOutcome,
) -> Result<(), Error> {
    let statement = tx
        .prepare_cached(
            "-- audit.write_account
             INSERT INTO audit_log (actor, action, account, details, outcome)
             VALUES ($1, $2, nullif($3, ''), $4, $5)",
        )
        .await?;
    let details = Json(serde_json::to_value(details).expect("actions are plain data"));
    let account: String = account.replace('\0', "").chars().take(100).collect();
    tx.execute(
        &statement,
        &[&actor.name, &action, &account, &details, &outcome.as_str()],
    )
    .await?;
    Ok(())
}
