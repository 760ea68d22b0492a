//! An action on jobs: decided for each under its row's lock, all in one transaction.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use schemars::JsonSchema;
use serde::Serialize;
use shared::failpoint::Failpoint;
use shared::job::decide::{self, ControlAnswer, ControlRefusal, Job};
use shared::job::{JobId, JobState, Priority};
use shared::message::reply::Verdict;
use uuid::Uuid;

use super::audit::{self, AuditOutcome, Line};
use super::{Told, ended, places, push};
use crate::control::{Actor, JobAction, Object, Place, authorise};
use crate::db::finish::{Ending, finish};
use crate::db::{Error, Transact, deliveries, job_row};

/// What became of one job.
///
/// The API answers what is not done as a problem: its schema has the other outcomes only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum JobOutcome {
    /// It was done; a running job that is cancelled or held is asked to stop, and says so later.
    Done,
    /// It was done as a new job.
    Retried {
        /// The new job.
        new_job: JobId,
    },
    /// It was so already.
    Unchanged,
    /// It can't be done.
    #[schemars(skip)]
    Refused {
        /// Why.
        why: WhyNot,
    },
    /// The actor may not do it.
    #[schemars(skip)]
    Forbidden,
    /// There is no such job.
    #[schemars(skip)]
    Unknown,
}

/// Why something can't be done with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyNot {
    /// Its outputs are being published.
    TooLate,
    /// It is being cancelled.
    BeingCancelled,
    /// It waits for other jobs.
    Blocked,
    /// It has ended.
    HasEnded,
    /// It has not ended yet.
    NotEnded,
    /// It runs, and only waiting jobs have a place.
    Running,
    /// A cancelled job is never retried.
    WasCancelled,
    /// It was retried, and its retry has ended: that one can be retried.
    WasRetried,
    /// Its retry is not finished yet.
    RetryUnfinished,
    /// Its workflow has submitted it again, and that job is not finished yet.
    SubmittedAgain,
    /// It has no process in Goobi.
    NoProcess,
    /// Nobody has told the coordinator where Goobi is and what it lets it in with.
    NoGoobi,
}

/// What was done, and what is to be told after the commit.
#[derive(Debug, Default)]
pub struct Done {
    /// What became of each job.
    pub outcomes: Vec<(JobId, JobOutcome)>,
    /// Whom to tell.
    pub told: Told,
}

/// Does one thing with several jobs.
#[derive(Debug)]
pub struct ActOnJobs<'a> {
    /// Who wants it.
    pub actor: &'a Actor,
    /// With which jobs.
    pub ids: &'a [JobId],
    /// What.
    pub action: &'a JobAction,
}

impl Transact for ActOnJobs<'_> {
    const NAME: &'static str = "control.jobs";
    type Output = Done;
    const BEFORE_COMMIT: Option<Failpoint> = Some(Failpoint::ControlBeforeCommit);

    async fn run(&self, tx: &Transaction<'_>) -> Result<Done, Error> {
        // A job's plugin never changes: nothing of others' is locked to find out whose it is.
        let plugins = plugins_of(tx, self.ids).await?;
        let mut allowed = Vec::new();
        let mut outcomes: HashMap<JobId, JobOutcome> = HashMap::new();
        for id in self.ids {
            match plugins.get(id) {
                None => _ = outcomes.insert(*id, JobOutcome::Unknown),
                Some(plugin) if authorise(self.actor, self.action.verb(), Object::Plugin(plugin)) => {
                    allowed.push(*id);
                }
                Some(_) => _ = outcomes.insert(*id, JobOutcome::Forbidden),
            }
        }
        let neighbours = match self.action {
            JobAction::Move { to } => places::neighbours(tx, &allowed, *to).await?,
            _ => Vec::new(),
        };
        let locked: Vec<JobId> = allowed.iter().chain(&neighbours).copied().collect();
        let rows = job_row::lock(tx, &locked).await?;
        let mut told = Told::default();
        match self.action {
            JobAction::Retry { items } => {
                let retried = ended::retry(tx, &allowed, &rows, *items).await?;
                told.retried = retried.iter().filter_map(|job| new_job(job, &plugins)).collect();
                outcomes.extend(retried);
            }
            JobAction::SendAgain => {
                let resent = deliveries::send_again(tx, &allowed).await?;
                let outcome = |id: &JobId| match rows.contains_key(id) {
                    true => JobOutcome::Refused {
                        why: WhyNot::NotEnded,
                    },
                    false if resent.contains(id) => JobOutcome::Done,
                    false => JobOutcome::Unchanged,
                };
                outcomes.extend(allowed.iter().map(|id| (*id, outcome(id))));
            }
            JobAction::Delete => outcomes.extend(ended::delete(tx, &allowed, &rows).await?),
            _ => {
                let live = allowed.iter().filter_map(|id| Some((*id, *rows.get(id)?)));
                let live: Vec<(JobId, Job)> = live.collect();
                let gone = allowed.iter().filter(|id| !rows.contains_key(id));
                let has_ended = JobOutcome::Refused {
                    why: WhyNot::HasEnded,
                };
                outcomes.extend(gone.map(|id| (*id, has_ended)));
                outcomes.extend(self.act_on_unfinished(tx, &live, &neighbours, &mut told).await?);
            }
        }
        let lines: Vec<Line<'_>> = self
            .ids
            .iter()
            .filter_map(|id| {
                Some(Line {
                    plugin: Some(plugins.get(id)?),
                    job_id: Some(*id),
                    worker_id: None,
                    outcome: audited(outcomes.get(id)?),
                })
            })
            .collect();
        audit::write(tx, self.actor, self.action.name(), self.action, &lines).await?;
        Ok(Done {
            outcomes: outcomes.into_iter().collect(),
            told,
        })
    }
}

impl ActOnJobs<'_> {
    async fn act_on_unfinished(
        &self,
        tx: &Transaction<'_>,
        jobs: &[(JobId, Job)],
        neighbours: &[JobId],
        told: &mut Told,
    ) -> Result<HashMap<JobId, JobOutcome>, Error> {
        let decide = match self.action {
            JobAction::Cancel => decide::cancel,
            JobAction::Hold => decide::hold,
            JobAction::Release => decide::release,
            JobAction::StartNow => decide::start_now,
            JobAction::SetPriority { priority } => return set_priority(tx, jobs, *priority).await,
            JobAction::Move { to } => return place(tx, jobs, *to, neighbours).await,
            JobAction::Retry { .. } | JobAction::SendAgain | JobAction::Delete => {
                unreachable!("they are about ended jobs")
            }
            JobAction::MessageGoobi(_) => unreachable!("it is a transaction of its own"),
        };
        let mut outcomes = HashMap::new();
        let mut changed = Vec::new();
        let mut endings = Vec::new();
        let mut asked = Vec::new();
        for (id, job) in jobs {
            let outcome = match decide(job) {
                ControlAnswer::AsItWas => JobOutcome::Unchanged,
                ControlAnswer::Refuse(refusal) => JobOutcome::Refused { why: refusal.into() },
                ControlAnswer::Change(next) => {
                    if next.state.is_final() {
                        endings.push(Ending {
                            id: *id,
                            job: next,
                            error: None,
                            summary: serde_json::Map::new(),
                            totals: None,
                            store_removed: false,
                        });
                    } else {
                        changed.push((*id, next));
                        asked.extend(next.state.is_running().then(|| (*id, verdict(&next))));
                    }
                    JobOutcome::Done
                }
            };
            outcomes.insert(*id, outcome);
        }
        job_row::save(tx, &changed).await?;
        told.finished = finish(tx, &endings).await?;
        told.pushes = push::to_jobs(tx, &asked).await?;
        Ok(outcomes)
    }
}

/// The job that was made of an ended one, with its plugin.
fn new_job(
    (old, outcome): (&JobId, &JobOutcome),
    plugins: &HashMap<JobId, String>,
) -> Option<(JobId, String)> {
    match outcome {
        JobOutcome::Retried { new_job } => Some((*new_job, plugins.get(old)?.clone())),
        _ => None,
    }
}

/// What a running attempt is to be told of its changed row.
fn verdict(job: &Job) -> Verdict {
    if job.is_being_cancelled() {
        Verdict::Cancel
    } else if job.held {
        Verdict::Yield
    } else {
        Verdict::Ok
    }
}

async fn set_priority(
    tx: &Transaction<'_>,
    jobs: &[(JobId, Job)],
    priority: Priority,
) -> Result<HashMap<JobId, JobOutcome>, Error> {
    let ids: Vec<Uuid> = jobs.iter().map(|(id, _)| id.0).collect();
    let statement = tx
        .prepare_cached(
            "-- control.set_priority
             UPDATE jobs SET priority = $2, age_bonus = 0, prioritised_at = tm_now()
             WHERE id = ANY($1) AND (priority <> $2 OR age_bonus <> 0) RETURNING id",
        )
        .await?;
    let changed: Vec<JobId> = tx
        .query(&statement, &[&ids, &i16::from(priority.get())])
        .await?
        .iter()
        .map(|row| JobId(row.get(0)))
        .collect();
    let replaced: Vec<(JobId, Job)> = jobs
        .iter()
        .filter(|(id, _)| changed.contains(id))
        .filter_map(|(id, job)| Some((*id, decide::replace_message(job)?)))
        .collect();
    job_row::save(tx, &replaced).await?;
    let outcome = |id: &JobId| {
        if changed.contains(id) {
            JobOutcome::Done
        } else {
            JobOutcome::Unchanged
        }
    };
    Ok(jobs.iter().map(|(id, _)| (*id, outcome(id))).collect())
}

async fn place(
    tx: &Transaction<'_>,
    jobs: &[(JobId, Job)],
    to: Place,
    neighbours: &[JobId],
) -> Result<HashMap<JobId, JobOutcome>, Error> {
    let waiting = jobs.iter().filter(|(_, job)| job.state == JobState::Queued);
    let waiting: Vec<JobId> = waiting.map(|(id, _)| *id).collect();
    let moved = places::change(tx, &waiting, to, neighbours).await?;
    let outcome = |(id, job): &(JobId, Job)| {
        let outcome = if job.state != JobState::Queued {
            JobOutcome::Refused { why: WhyNot::Running }
        } else if moved.contains(id) {
            JobOutcome::Done
        } else {
            JobOutcome::Unchanged
        };
        (*id, outcome)
    };
    Ok(jobs.iter().map(outcome).collect())
}

/// The plugins of these jobs, unfinished or ended.
pub(super) async fn plugins_of(tx: &Transaction<'_>, ids: &[JobId]) -> Result<HashMap<JobId, String>, Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let statement = tx
        .prepare_cached(
            "-- control.plugins_of
             SELECT id, plugin FROM jobs WHERE id = ANY($1)
             UNION ALL SELECT id, plugin FROM job_history WHERE id = ANY($1)
             UNION SELECT job_id, plugin FROM deliveries WHERE job_id = ANY($1)",
        )
        .await?;
    let rows = tx.query(&statement, &[&ids]).await?;
    Ok(rows.iter().map(|row| (JobId(row.get(0)), row.get(1))).collect())
}

pub(super) fn audited(outcome: &JobOutcome) -> AuditOutcome {
    match outcome {
        JobOutcome::Done | JobOutcome::Retried { .. } => AuditOutcome::Done,
        JobOutcome::Unchanged => AuditOutcome::Unchanged,
        JobOutcome::Refused { .. } | JobOutcome::Unknown => AuditOutcome::Refused,
        JobOutcome::Forbidden => AuditOutcome::Forbidden,
    }
}

impl From<ControlRefusal> for WhyNot {
    fn from(refusal: ControlRefusal) -> Self {
        match refusal {
            ControlRefusal::TooLate => Self::TooLate,
            ControlRefusal::BeingCancelled => Self::BeingCancelled,
            ControlRefusal::Blocked => Self::Blocked,
        }
    }
}
