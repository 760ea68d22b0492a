//! Heartbeats: leases renewed in batches, and stages written.
//!
//! The common case ([`Renew`]) touches lease rows only. What it can't settle (a new stage, a wish to cancel or to
//! hold, a plugin that stops, a worker that is drained, a lease that had ended) is decided under the job row's lock
//! by [`Revise`].

use std::collections::{HashMap, HashSet};

use deadpool_postgres::Transaction;
use shared::failpoint::Failpoint;
use shared::job::decide::{self, HeartbeatAnswer, Job, Pause};
use shared::job::{JobId, JobState, Token};
use shared::message::reply::Verdict;
use shared::message::worker::AttemptReport;
use uuid::Uuid;

use super::owner::{self, Speaker};
use super::{Error, Transact, job_row, reports, revival, stores};

/// A report with the worker that sent it.
#[derive(Debug, Clone)]
pub struct WorkerReport {
    /// The worker.
    pub worker_id: String,
    /// The RabbitMQ user that it is.
    pub amqp_user: String,
    /// What it says of one attempt.
    pub report: AttemptReport,
}

/// Renews the leases of attempts about which nothing has to be decided, and records their items and log lines.
/// Gives the indices of those reports.
#[derive(Debug)]
pub struct Renew<'a> {
    /// The reports, one an attempt.
    pub reports: &'a [WorkerReport],
}

impl Transact for Renew<'_> {
    const NAME: &'static str = "heartbeats.renew";
    type Output = HashSet<usize>;
    const BEFORE_COMMIT: Option<Failpoint> = Some(Failpoint::HeartbeatBeforeCommit);

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        let figures = Figures::of(self.reports.iter().map(|r| &r.report));
        let indices: Vec<i32> = (0..).take(self.reports.len()).collect();
        let stages: Vec<&str> = self
            .reports
            .iter()
            .map(|r| JobState::from(r.report.stage).as_str())
            .collect();
        let users: Vec<&str> = self.reports.iter().map(|r| r.amqp_user.as_str()).collect();
        // Locked in the order of their ids before they are changed, so that two batches never deadlock.
        let statement = tx
            .prepare_cached(
                "-- heartbeats.renew
                 WITH new AS (
                     SELECT * FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::real[], $5::int[], $6::int[],
                                          $7::int[], $8::bigint[], $9::text[], $10::text[], $11::int[],
                                          $12::text[])
                         AS new(job_id, attempt, claim_id, percent, items_done, items_failed, items_total, bytes,
                                detail, stage, index, amqp_user)
                 ), locked AS (
                     SELECT leases.job_id, new.index FROM leases JOIN new USING (job_id, attempt, claim_id)
                     JOIN attempts USING (job_id, attempt, claim_id)
                     JOIN jobs ON jobs.id = leases.job_id
                         AND jobs.state = new.stage AND NOT jobs.cancel_requested AND NOT jobs.held
                     JOIN plugins ON plugins.name = jobs.plugin AND plugins.state = 'running'
                     JOIN workers ON workers.id = leases.worker_id AND NOT workers.drain_requested
                     WHERE coalesce(attempts.amqp_user, new.amqp_user) = new.amqp_user
                     ORDER BY leases.job_id FOR UPDATE OF leases
                 )
                 UPDATE leases SET
                     lease_end = tm_now() + make_interval(secs => leases.lease_seconds),
                     percent = new.percent, items_done = new.items_done, items_failed = new.items_failed,
                     items_total = new.items_total, bytes = new.bytes, detail = new.detail
                 FROM new JOIN locked ON locked.index = new.index
                 WHERE leases.job_id = locked.job_id
                 RETURNING new.index",
            )
            .await?;
        let renewed: HashSet<usize> = tx
            .query(
                &statement,
                &[
                    &figures.ids,
                    &figures.attempts,
                    &figures.claims,
                    &figures.percents,
                    &figures.items_done,
                    &figures.items_failed,
                    &figures.items_total,
                    &figures.bytes,
                    &figures.details,
                    &stages,
                    &indices,
                    &users,
                ],
            )
            .await?
            .iter()
            .filter_map(|row| usize::try_from(row.get::<_, i32>(0)).ok())
            .collect();
        let reports: Vec<&AttemptReport> = renewed
            .iter()
            .filter_map(|index| self.reports.get(*index))
            .map(|r| &r.report)
            .collect();
        reports::record(tx, &reports).await?;
        Ok(renewed)
    }
}

/// Decides reports that [`Renew`] could not settle; one verdict a report, in their order.
#[derive(Debug)]
pub struct Revise<'a> {
    /// The reports, one an attempt.
    pub reports: &'a [WorkerReport],
}

impl Transact for Revise<'_> {
    const NAME: &'static str = "heartbeats.revise";
    type Output = Vec<Verdict>;
    const BEFORE_COMMIT: Option<Failpoint> = Some(Failpoint::ReviseBeforeCommit);

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        let ids: Vec<JobId> = self.reports.iter().map(|r| r.report.job_id).collect();
        let speakers: Vec<Speaker<'_>> = self.reports.iter().map(speaker).collect();
        let attempts: Vec<(JobId, Token)> = speakers.iter().map(|s| (s.job_id, s.token)).collect();
        let expected = revival::expect(tx, &attempts).await?;
        let mut rows = job_row::lock(tx, &ids).await?;
        let asked = self
            .reports
            .iter()
            .map(|r| (r.report.job_id, r.worker_id.as_str()));
        let pauses = pauses(tx, asked).await?;
        let strangers = owner::strangers(tx, &speakers).await?;
        let mut verdicts = Vec::with_capacity(self.reports.len());
        let mut changed: Vec<(JobId, Job)> = Vec::new();
        let mut alive: Vec<(&WorkerReport, Job, Pause)> = Vec::new();
        let mut cut_off = Vec::new();
        for (index, sent) in self.reports.iter().enumerate() {
            let report = &sent.report;
            let token = Token {
                attempt: report.attempt,
                claim_id: report.claim_id,
            };
            let pause = pauses.get(&index).copied().unwrap_or(Pause::No);
            let row = rows.get(&report.job_id).filter(|_| !strangers.contains(&index));
            let answer = row.map_or(HeartbeatAnswer::Lost, |row| {
                decide::heartbeat(row, token, report.stage, pause)
            });
            let (verdict, next) = match answer {
                HeartbeatAnswer::Ok(next) => (Verdict::Ok, next),
                HeartbeatAnswer::Cancel(next) => (Verdict::Cancel, next),
                HeartbeatAnswer::Yield(next) => (Verdict::Yield, next),
                HeartbeatAnswer::Interrupt(next) => (Verdict::Interrupt, next),
                HeartbeatAnswer::Lost => {
                    if !rows.contains_key(&report.job_id) && !strangers.contains(&index) {
                        cut_off.push(report.job_id);
                    }
                    verdicts.push(Verdict::Lost);
                    continue;
                }
            };
            if let Some(before) = rows.insert(report.job_id, next) {
                changed.extend((before != next).then_some((report.job_id, next)));
                alive.push((sent, before, pause));
            }
            verdicts.push(verdict);
        }
        // In the order of their ids, as all that lock leases.
        alive.sort_by_key(|(sent, ..)| sent.report.job_id);
        let decided = alive
            .iter()
            .map(|(sent, before, _)| (sent.report.job_id, before, sent.worker_id.as_str()));
        expected.confirm(tx, decided, Self::NAME).await?;
        job_row::save(tx, &changed).await?;
        for (sent, _, pause) in &alive {
            let report = &sent.report;
            let token = Token {
                attempt: report.attempt,
                claim_id: report.claim_id,
            };
            renew_or_revive(tx, report.job_id, token, &sent.worker_id, *pause).await?;
        }
        let reports: Vec<&AttemptReport> = alive.iter().map(|(sent, ..)| &sent.report).collect();
        write_figures(tx, &reports).await?;
        reports::record(tx, &reports).await?;
        stores::made_anew(tx, &cut_off).await?;
        Ok(verdicts)
    }
}

fn speaker(sent: &WorkerReport) -> Speaker<'_> {
    Speaker {
        job_id: sent.report.job_id,
        token: Token {
            attempt: sent.report.attempt,
            claim_id: sent.report.claim_id,
        },
        amqp_user: &sent.amqp_user,
    }
}

/// What their plugins and workers ask of attempts, which are named by their jobs and workers, by their places; nothing
/// of those that are left out.
pub(super) async fn pauses<'a>(
    tx: &Transaction<'_>,
    attempts: impl Iterator<Item = (JobId, &'a str)>,
) -> Result<HashMap<usize, Pause>, Error> {
    let (ids, workers): (Vec<Uuid>, Vec<&str>) = attempts.map(|(id, worker)| (id.0, worker)).unzip();
    let statement = tx
        .prepare_cached(
            "-- heartbeats.pauses
             SELECT sent.place, plugins.state <> 'running' AS stops,
                    coalesce(plugins.stop_deadline < tm_now(), false) AS overdue
             FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS sent(job_id, worker_id, place)
             JOIN jobs ON jobs.id = sent.job_id JOIN plugins ON plugins.name = jobs.plugin
             LEFT JOIN workers ON workers.id = sent.worker_id
             WHERE plugins.state <> 'running' OR workers.drain_requested",
        )
        .await?;
    let mut pauses = HashMap::new();
    for row in tx.query(&statement, &[&ids, &workers]).await? {
        let place: i64 = row.get("place");
        let pause = if row.get("stops") && row.get("overdue") {
            Pause::AtOnce
        } else {
            Pause::AtNextItem
        };
        if let Ok(place) = usize::try_from(place - 1) {
            pauses.insert(place, pause);
        }
    }
    Ok(pauses)
}

/// Gives the attempt a lease from now on, also when its lease had ended, unless its plugin's deadline has passed
/// (`pause`). The job's row must be locked and decided in the attempt's favour.
pub(super) async fn renew_or_revive(
    tx: &Transaction<'_>,
    id: JobId,
    token: Token,
    worker_id: &str,
    pause: Pause,
) -> Result<(), Error> {
    if !pause.extends_lease() {
        return Ok(());
    }
    let statement = tx
        .prepare_cached(
            "-- heartbeats.renew_or_revive
             INSERT INTO leases (job_id, attempt, claim_id, worker_id, lease_seconds, lease_end, limit_keys)
             SELECT jobs.id, $2, $3, $4, plugins.lease_seconds,
                    tm_now() + make_interval(secs => plugins.lease_seconds),
                    ARRAY['plugin:' || plugins.name, 'worker:' || $4 || ':' || plugins.name]
             FROM jobs JOIN plugins ON plugins.name = jobs.plugin WHERE jobs.id = $1
             ON CONFLICT (job_id) DO UPDATE SET lease_end = EXCLUDED.lease_end",
        )
        .await?;
    tx.execute(
        &statement,
        &[&id.0, &token.attempt, &token.claim_id.0, &worker_id],
    )
    .await?;
    // An attempt that was given up as lost and has come back goes on.
    let reopen = tx
        .prepare_cached(
            "-- heartbeats.reopen_attempt
             UPDATE attempts SET ended_at = NULL, outcome = NULL, error = NULL
             WHERE job_id = $1 AND attempt = $2 AND claim_id = $3 AND outcome = 'lost'",
        )
        .await?;
    tx.execute(&reopen, &[&id.0, &token.attempt, &token.claim_id.0])
        .await?;
    Ok(())
}

async fn write_figures(tx: &Transaction<'_>, reports: &[&AttemptReport]) -> Result<(), Error> {
    let figures = Figures::of(reports.iter().copied());
    let statement = tx
        .prepare_cached(
            "-- heartbeats.write_figures
             UPDATE leases SET percent = new.percent, items_done = new.items_done,
                 items_failed = new.items_failed, items_total = new.items_total, bytes = new.bytes,
                 detail = new.detail
             FROM unnest($1::uuid[], $2::real[], $3::int[], $4::int[], $5::int[], $6::bigint[], $7::text[])
                 AS new(job_id, percent, items_done, items_failed, items_total, bytes, detail)
             WHERE leases.job_id = new.job_id",
        )
        .await?;
    tx.execute(
        &statement,
        &[
            &figures.ids,
            &figures.percents,
            &figures.items_done,
            &figures.items_failed,
            &figures.items_total,
            &figures.bytes,
            &figures.details,
        ],
    )
    .await?;
    Ok(())
}

/// The reports' figures as columns.
struct Figures<'a> {
    ids: Vec<Uuid>,
    attempts: Vec<i32>,
    claims: Vec<Uuid>,
    percents: Vec<f32>,
    items_done: Vec<i32>,
    items_failed: Vec<i32>,
    items_total: Vec<i32>,
    bytes: Vec<i64>,
    details: Vec<&'a str>,
}

impl<'a> Figures<'a> {
    fn of(reports: impl Iterator<Item = &'a AttemptReport> + Clone) -> Self {
        let number = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
        Self {
            ids: reports.clone().map(|r| r.job_id.0).collect(),
            attempts: reports.clone().map(|r| r.attempt).collect(),
            claims: reports.clone().map(|r| r.claim_id.0).collect(),
            percents: reports.clone().map(|r| r.percent).collect(),
            items_done: reports.clone().map(|r| number(r.items_done)).collect(),
            items_failed: reports.clone().map(|r| number(r.items_failed)).collect(),
            items_total: reports.clone().map(|r| number(r.items_total)).collect(),
            bytes: reports
                .clone()
                .map(|r| i64::try_from(r.bytes).unwrap_or(i64::MAX))
                .collect(),
            details: reports.map(|r| r.detail.as_str()).collect(),
        }
    }
}

/// Notes that a message of the heartbeat queue has reached the database.
#[derive(Debug)]
pub struct RecordProbe {
    /// A silence longer than this, seconds, counts as an outage.
    pub gap_seconds: f64,
}

impl Transact for RecordProbe {
    const NAME: &'static str = "heartbeats.probe";
    type Output = ();

    async fn run(&self, tx: &Transaction<'_>) -> Result<(), Error> {
        let statement = tx
            .prepare_cached(
                "-- heartbeats.probe
                 UPDATE heartbeat_probe SET
                     continuous_since = CASE WHEN tm_now() - last_at > make_interval(secs => $1)
                                             THEN tm_now() ELSE continuous_since END,
                     last_at = tm_now()",
            )
            .await?;
        tx.execute(&statement, &[&self.gap_seconds]).await?;
        Ok(())
    }
}
