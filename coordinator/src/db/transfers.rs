//! Transfer slots: which running attempts move their data from and to limited storages now, and which wait for that.
//!
//! A lease says what its attempt wants (`transfer`), since when, and by its `limit_keys` whether it has it. A slot is
//! the lease's: it goes with it, and when the attempt's heartbeat does not ask for it any more.
//! Invariant: all of that changes only under the job's row and the limits' rows.

use std::collections::{BTreeSet, HashMap};

use deadpool_postgres::Transaction;
use jiff::Timestamp;
use shared::job::decide::{self, Job, TransferAnswer, TransferRoom};
use shared::job::{JobId, Token};
use shared::message::transfer::{Transfer, TransferReply};
use uuid::Uuid;

use super::heartbeats::WorkerReport;
use super::{Error, Transact, job_row, limits};

#[cfg(test)]
mod tests;

/// Answers those reports that ask for a transfer, and takes slots back that are not asked for any more; one answer a
/// report, in their order, `None` where there is nothing to say.
#[derive(Debug)]
pub struct SettleTransfers<'a> {
    /// The reports, one an attempt. Their leases have been renewed.
    pub reports: &'a [WorkerReport],
}

impl Transact for SettleTransfers<'_> {
    const NAME: &'static str = "transfers.settle";
    type Output = Vec<Option<TransferReply>>;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        let mut answers = vec![None; self.reports.len()];
        let concerned: BTreeSet<JobId> = self.spoken(tx).await?.iter().map(|said| said.job_id).collect();
        if concerned.is_empty() {
            return Ok(answers);
        }
        let concerned: Vec<JobId> = concerned.into_iter().collect();
        let rows = job_row::lock(tx, &concerned).await?;
        // Once more: under the jobs' rows nobody changes what their leases hold.
        let mut spoken = self.spoken(tx).await?;
        spoken.retain(|said| rows.contains_key(&said.job_id));
        let mut storages = Storages::lock(tx, &spoken).await?;
        let mut leases: HashMap<JobId, Lease> = HashMap::new();
        // Who came first is first; whoever asks for the first time comes last.
        spoken.sort_by_key(|said| (said.since.is_none(), said.since, said.job_id, said.index));
        for said in &spoken {
            let lease = leases.entry(said.job_id).or_insert_with(|| said.lease());
            storages.give_back(lease, said.key.as_deref());
        }
        for said in &spoken {
            let report = &self.reports[said.index].report;
            let (Some(lease), Some(ask)) = (leases.get_mut(&said.job_id), report.transfer) else {
                continue;
            };
            let Some(key) = &said.key else {
                answers[said.index] = Some(TransferReply::Granted);
                continue;
            };
            let token = Token {
                attempt: report.attempt,
                claim_id: report.claim_id,
            };
            answers[said.index] =
                Some(storages.answer(&rows[&said.job_id], said.job_id, token, lease, key, ask.begun));
        }
        write(tx, &leases).await?;
        Ok(answers)
    }
}

/// A report that is about a transfer, with its lease as it is.
#[derive(Debug)]
struct Spoken {
    index: usize,
    job_id: JobId,
    /// What it asks for, where that is limited.
    key: Option<String>,
    /// What it has asked for before.
    wanted: Option<String>,
    since: Option<Timestamp>,
    held: bool,
}

impl Spoken {
    fn lease(&self) -> Lease {
        Lease {
            wanted: self.wanted.clone(),
            held: self.held,
        }
    }
}

/// What a lease wants and has.
#[derive(Debug)]
struct Lease {
    wanted: Option<String>,
    held: bool,
}

impl SettleTransfers<'_> {
    /// The reports that ask for something or whose leases have something, of those who may speak.
    async fn spoken(&self, tx: &Transaction<'_>) -> Result<Vec<Spoken>, Error> {
        let reports = || self.reports.iter().map(|sent| &sent.report);
        let ids: Vec<Uuid> = reports().map(|report| report.job_id.0).collect();
        let attempts: Vec<i32> = reports().map(|report| report.attempt).collect();
        let claims: Vec<Uuid> = reports().map(|report| report.claim_id.0).collect();
        let users: Vec<&str> = self.reports.iter().map(|sent| sent.amqp_user.as_str()).collect();
        let asked: Vec<Option<&str>> = reports()
            .map(|report| report.transfer.map(|ask| side(ask.of)))
            .collect();
        let statement = tx
            .prepare_cached(
                "-- transfers.spoken
                 SELECT said.place, leases.job_id, leases.transfer, leases.transfer_since,
                        coalesce(leases.transfer = ANY (leases.limit_keys), false) AS held,
                        'transfers:' || storage_of(CASE said.side WHEN 'source' THEN job_details.source
                                                                  WHEN 'target' THEN job_details.target END) AS key
                 FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[]) WITH ORDINALITY
                     AS said(job_id, attempt, claim_id, amqp_user, side, place)
                 JOIN leases USING (job_id, attempt, claim_id) JOIN attempts USING (job_id, attempt, claim_id)
                 JOIN job_details ON job_details.job_id = leases.job_id
                 WHERE coalesce(attempts.amqp_user, said.amqp_user) = said.amqp_user
                     AND (said.side IS NOT NULL OR leases.transfer IS NOT NULL)",
            )
            .await?;
        let rows = tx
            .query(&statement, &[&ids, &attempts, &claims, &users, &asked])
            .await?;
        let spoken = rows.iter().filter_map(|row| {
            Some(Spoken {
                index: usize::try_from(row.get::<_, i64>("place") - 1).ok()?,
                job_id: JobId(row.get("job_id")),
                key: row.get("key"),
                wanted: row.get("transfer"),
                since: row.get("transfer_since"),
                held: row.get("held"),
            })
        });
        Ok(spoken.collect())
    }
}

fn side(of: Transfer) -> &'static str {
    match of {
        Transfer::Source => "source",
        Transfer::Target => "target",
        Transfer::Other => "other",
    }
}

/// The storages that are asked for, or were until now, by their keys.
#[derive(Debug)]
struct Storages {
    running: HashMap<String, i64>,
    most: HashMap<String, i64>,
    /// Who waits, in the order in which they came.
    waiting: HashMap<String, Vec<JobId>>,
}

impl Storages {
    async fn lock(tx: &Transaction<'_>, spoken: &[Spoken]) -> Result<Self, Error> {
        let keys = spoken.iter().flat_map(|said| [&said.key, &said.wanted]);
        let keys: Vec<String> = keys.flatten().cloned().collect();
        let running = limits::lock_keys(tx, &keys).await?;
        let most = tx
            .prepare_cached(
                "-- transfers.most
                 SELECT 'transfers:' || path, transfers_max::bigint FROM storages
                 WHERE transfers_max IS NOT NULL AND 'transfers:' || path = ANY($1)",
            )
            .await?;
        let most = tx.query(&most, &[&keys]).await?;
        let queue = tx
            .prepare_cached(
                "-- transfers.waiting
                 SELECT transfer, job_id FROM leases WHERE transfer = ANY($1) AND transfer <> ALL (limit_keys)
                 ORDER BY transfer_since, job_id",
            )
            .await?;
        let mut waiting: HashMap<String, Vec<JobId>> = HashMap::new();
        for row in tx.query(&queue, &[&keys]).await? {
            waiting.entry(row.get(0)).or_default().push(JobId(row.get(1)));
        }
        Ok(Self {
            running,
            most: most.iter().map(|row| (row.get(0), row.get(1))).collect(),
            waiting,
        })
    }

    /// The attempt wants `key` from now on: what else it has or waits for is another's.
    fn give_back(&mut self, lease: &mut Lease, key: Option<&str>) {
        let Some(left) = lease.wanted.take_if(|wanted| Some(wanted.as_str()) != key) else {
            return;
        };
        if std::mem::take(&mut lease.held) {
            *self.running.entry(left).or_default() -= 1;
        }
    }

    fn answer(
        &mut self,
        job: &Job,
        id: JobId,
        token: Token,
        lease: &mut Lease,
        key: &str,
        begun: bool,
    ) -> TransferReply {
        let queue = self.waiting.entry(key.to_owned()).or_default();
        let ahead = queue.iter().position(|waits| *waits == id).unwrap_or(queue.len());
        let running = self.running.entry(key.to_owned()).or_default();
        let room = TransferRoom {
            running: *running,
            most: self.most.get(key).copied(),
            ahead: i64::try_from(ahead).unwrap_or(i64::MAX),
        };
        lease.wanted = Some(key.to_owned());
        match decide::transfer(job, token, begun || lease.held, room) {
            TransferAnswer::Grant => {
                *running += i64::from(!lease.held);
                lease.held = true;
                queue.retain(|waits| *waits != id);
                TransferReply::Granted
            }
            TransferAnswer::Wait => {
                if !queue.contains(&id) {
                    queue.push(id);
                }
                let count = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
                TransferReply::Wait {
                    storage: key.replacen(&limits::of_transfers(""), "", 1),
                    running: count(room.running),
                    most: count(room.most.unwrap_or(i64::MAX)),
                    ahead: count(room.ahead),
                }
            }
        }
    }
}

/// Writes what the leases want and have.
async fn write(tx: &Transaction<'_>, leases: &HashMap<JobId, Lease>) -> Result<(), Error> {
    let ids: Vec<Uuid> = leases.keys().map(|id| id.0).collect();
    let wanted: Vec<Option<&str>> = leases.values().map(|lease| lease.wanted.as_deref()).collect();
    let held: Vec<bool> = leases.values().map(|lease| lease.held).collect();
    let statement = tx
        .prepare_cached(
            "-- transfers.write
             WITH new AS (
                 SELECT * FROM unnest($1::uuid[], $2::text[], $3::bool[]) AS new(job_id, key, held)
             ), next AS (
                 SELECT leases.job_id, new.key, ARRAY(
                            SELECT k FROM unnest(leases.limit_keys) AS k WHERE NOT starts_with(k, 'transfers:')
                        ) || CASE WHEN new.held THEN ARRAY[new.key] ELSE '{}' END AS keys
                 FROM leases JOIN new USING (job_id) ORDER BY leases.job_id FOR UPDATE OF leases
             )
             UPDATE leases SET transfer = next.key, limit_keys = next.keys,
                 transfer_since = CASE WHEN next.key IS NULL THEN NULL
                                       WHEN next.key = leases.transfer THEN leases.transfer_since
                                       ELSE tm_now() END
             FROM next WHERE leases.job_id = next.job_id
                 AND (leases.transfer, leases.limit_keys) IS DISTINCT FROM (next.key, next.keys)",
        )
        .await?;
    tx.execute(&statement, &[&ids, &wanted, &held]).await?;
    Ok(())
}
