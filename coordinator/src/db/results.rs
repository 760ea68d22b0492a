//! Results: the transaction in which an attempt, and mostly its job, ends.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use shared::failpoint::Failpoint;
use shared::job::decide::{self, EndAnswer, ErrorClass, Job, OutcomeKind};
use shared::job::{JobId, JobState, Token};
use shared::message::reply::ResultAnswer;
use shared::message::worker::{AttemptReport, AttemptResult, Outcome};
use uuid::Uuid;

use super::finish::{Ending, Finished, Totals, finish};
use super::owner::{self, Speaker};
use super::{Error, Transact, job_row, limits, reports, schedule, stores};

/// Decides and records a batch of results; one answer a result in their order, and the jobs that ended.
#[derive(Debug)]
pub struct Record<'a> {
    /// The results.
    pub results: &'a [AttemptResult],
    /// The RabbitMQ user that sent each of them.
    pub users: &'a [&'a str],
}

impl Transact for Record<'_> {
    const NAME: &'static str = "results.record";
    type Output = (Vec<ResultAnswer>, Vec<Finished>);
    const BEFORE_COMMIT: Option<Failpoint> = Some(Failpoint::ResultBeforeCommit);

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        let ids: Vec<JobId> = self.results.iter().map(|result| result.report.job_id).collect();
        let mut rows = job_row::lock(tx, &ids).await?;
        limits::lock(tx, &ids).await?;
        let retries_max = retries_max(tx, &ids).await?;
        let speakers: Vec<Speaker<'_>> = self
            .results
            .iter()
            .zip(self.users)
            .map(|(result, user)| speaker(&result.report, user))
            .collect();
        let strangers = owner::strangers(tx, &speakers).await?;
        let mut answers = Vec::with_capacity(self.results.len());
        let mut accepted: Vec<(&AttemptResult, Job)> = Vec::new();
        let mut cut_off = Vec::new();
        for (index, result) in self.results.iter().enumerate() {
            let report = &result.report;
            let token = Token {
                attempt: report.attempt,
                claim_id: report.claim_id,
            };
            let answer = match rows.get_mut(&report.job_id) {
                _ if strangers.contains(&index) => ResultAnswer::Superseded,
                _ if accepted.iter().any(|(other, _)| is_same(&other.report, report)) => {
                    ResultAnswer::Recorded
                }
                Some(row) => {
                    let retries = retries_max.get(&report.job_id).copied().unwrap_or(0);
                    match decide::result(row, token, kind(&result.outcome), retries) {
                        // Said before, and the answer was lost on the way back.
                        EndAnswer::Superseded if already_ended(tx, report.job_id, token).await? => {
                            ResultAnswer::Recorded
                        }
                        EndAnswer::Superseded => ResultAnswer::Superseded,
                        EndAnswer::Record(next) => {
                            *row = next;
                            accepted.push((result, next));
                            ResultAnswer::Recorded
                        }
                    }
                }
                None if already_ended(tx, report.job_id, token).await? => ResultAnswer::Recorded,
                None => {
                    cut_off.push(report.job_id);
                    ended_otherwise(tx, report.job_id).await?
                }
            };
            answers.push(answer);
        }
        let reports: Vec<&AttemptReport> = accepted.iter().map(|(result, _)| &result.report).collect();
        lock_leases(tx, &reports).await?;
        reports::record(tx, &reports).await?;
        for (result, _) in &accepted {
            end_attempt(tx, result).await?;
        }
        let (ended, waiting): (Vec<_>, Vec<_>) =
            accepted.into_iter().partition(|(_, next)| next.state.is_final());
        let waiting: Vec<(JobId, Job)> = waiting
            .into_iter()
            .map(|(result, next)| (result.report.job_id, next))
            .collect();
        drop_leases(tx, &waiting).await?;
        let (later, waiting): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .partition(|(_, next)| next.state == JobState::Scheduled);
        job_row::save(tx, &waiting).await?;
        schedule::retry_later(tx, &later).await?;
        let endings: Vec<Ending> = ended.iter().map(|(result, next)| ending(result, next)).collect();
        let finished = finish(tx, &endings).await?;
        stores::made_anew(tx, &cut_off).await?;
        Ok((answers, finished))
    }
}

fn speaker<'a>(report: &AttemptReport, amqp_user: &'a str) -> Speaker<'a> {
    Speaker {
        job_id: report.job_id,
        token: Token {
            attempt: report.attempt,
            claim_id: report.claim_id,
        },
        amqp_user,
    }
}

/// How often the jobs' plugins repeat a failure that may pass.
async fn retries_max(tx: &Transaction<'_>, ids: &[JobId]) -> Result<HashMap<JobId, i16>, Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let statement = tx
        .prepare_cached(
            "-- results.retries_max
             SELECT jobs.id, plugins.retries_max FROM jobs JOIN plugins ON plugins.name = jobs.plugin
             WHERE jobs.id = ANY($1)",
        )
        .await?;
    let rows = tx.query(&statement, &[&ids]).await?;
    Ok(rows.iter().map(|row| (JobId(row.get(0)), row.get(1))).collect())
}

/// Whether both are of the same attempt.
fn is_same(one: &AttemptReport, other: &AttemptReport) -> bool {
    (one.job_id, one.attempt, one.claim_id) == (other.job_id, other.attempt, other.claim_id)
}

fn kind(outcome: &Outcome) -> OutcomeKind {
    match outcome {
        Outcome::Done { .. } => OutcomeKind::Done,
        Outcome::Failed { class, .. } => OutcomeKind::Failed(*class),
        Outcome::Interrupted { .. } => OutcomeKind::Interrupted,
        Outcome::Cancelled => OutcomeKind::Cancelled,
    }
}

fn ending(result: &AttemptResult, next: &Job) -> Ending {
    let report = &result.report;
    let (error, summary) = match &result.outcome {
        Outcome::Done { summary } => (None, summary.clone()),
        Outcome::Failed { message, .. } => (Some(message.clone()), serde_json::Map::new()),
        Outcome::Interrupted { .. } | Outcome::Cancelled => (None, serde_json::Map::new()),
    };
    Ending {
        id: report.job_id,
        job: *next,
        error: error.filter(|_| next.state == JobState::Error),
        summary,
        totals: Some(Totals {
            items_total: report.items_total,
            bytes: report.bytes,
        }),
        // Workers of older releases don't say, and remove it then.
        store_removed: result.store_removed.unwrap_or(matches!(
            result.outcome,
            Outcome::Done { .. } | Outcome::Cancelled
        )),
    }
}

async fn already_ended(tx: &Transaction<'_>, id: JobId, token: Token) -> Result<bool, Error> {
    let statement = tx
        .prepare_cached(
            "-- results.already_ended
             SELECT 1 FROM attempts WHERE job_id = $1 AND attempt = $2 AND claim_id = $3
                 AND outcome IS NOT NULL AND outcome <> 'lost'",
        )
        .await?;
    Ok(tx
        .query_opt(&statement, &[&id.0, &token.attempt, &token.claim_id.0])
        .await?
        .is_some())
}

/// The answer about a job that is not unfinished: history knows it, or nobody does.
async fn ended_otherwise(tx: &Transaction<'_>, id: JobId) -> Result<ResultAnswer, Error> {
    let statement = tx
        .prepare_cached("-- results.in_history\nSELECT 1 FROM job_history WHERE id = $1 LIMIT 1")
        .await?;
    let known = tx.query_opt(&statement, &[&id.0]).await?.is_some();
    Ok(if known {
        ResultAnswer::Superseded
    } else {
        ResultAnswer::Unknown
    })
}

async fn end_attempt(tx: &Transaction<'_>, result: &AttemptResult) -> Result<(), Error> {
    let (outcome, class, error, exit_code) = match &result.outcome {
        Outcome::Done { .. } => ("done", None, None, None),
        Outcome::Failed {
            class,
            message,
            exit_code,
        } => {
            let class = match class {
                ErrorClass::Retryable => "retryable",
                ErrorClass::Permanent => "permanent",
            };
            ("failed", Some(class), Some(message.as_str()), *exit_code)
        }
        Outcome::Interrupted { reason } => ("interrupted", None, Some(reason.as_str()), None),
        Outcome::Cancelled => ("cancelled", None, None, None),
    };
    let statement = tx
        .prepare_cached(
            "-- results.end_attempt
             UPDATE attempts SET ended_at = tm_now(), outcome = $4, error_class = $5, error = $6, exit_code = $7
             WHERE job_id = $1 AND attempt = $2 AND claim_id = $3",
        )
        .await?;
    let report = &result.report;
    tx.execute(
        &statement,
        &[
            &report.job_id.0,
            &report.attempt,
            &report.claim_id.0,
            &outcome,
            &class,
            &error,
            &exit_code,
        ],
    )
    .await?;
    Ok(())
}

/// Before their items are written: a heartbeat has the lease first and writes items then.
async fn lock_leases(tx: &Transaction<'_>, reports: &[&AttemptReport]) -> Result<(), Error> {
    let ids: Vec<Uuid> = reports.iter().map(|report| report.job_id.0).collect();
    let statement = tx
        .prepare_cached(
            "-- results.lock_leases
             SELECT 1 FROM leases WHERE job_id = ANY($1) ORDER BY job_id FOR UPDATE",
        )
        .await?;
    tx.execute(&statement, &[&ids]).await?;
    Ok(())
}

async fn drop_leases(tx: &Transaction<'_>, waiting: &[(JobId, Job)]) -> Result<(), Error> {
    let ids: Vec<Uuid> = waiting.iter().map(|(id, _)| id.0).collect();
    let statement = tx
        .prepare_cached("-- results.drop_leases\nDELETE FROM leases WHERE job_id = ANY($1)")
        .await?;
    tx.execute(&statement, &[&ids]).await?;
    Ok(())
}
