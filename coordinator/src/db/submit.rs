//! Recording jobs: a batch of submissions is one transaction, and each of them is recorded once.

use std::collections::{BTreeMap, HashMap};

use deadpool_postgres::Transaction;
use jiff::Timestamp;
use serde_json::{Map, Value};
use shared::failpoint::Failpoint;
use shared::job::decide::Job;
use shared::job::{JobId, JobState};
use shared::message::submit::Submission;
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::{Error, Transact};

/// A submission that has been checked.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// The id that it gets unless it is known already.
    pub id: JobId,
    /// What the submitter wants, with paths as workers see them.
    pub submission: Submission,
    /// The parameters of its template as they are now.
    pub template_parameters: Option<Map<String, Value>>,
    /// The callback's token, encrypted.
    pub callback_token: Option<String>,
    /// Who submitted it: `amqp:goobi`, `http`.
    pub submitted_by: String,
    /// Keys that make a repetition recognisable.
    pub keys: Vec<Key>,
}

/// A key under which a submission is recognised.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The key.
    pub text: String,
    /// It ends with its job instead of after seven days.
    pub ends_with_job: bool,
}

/// What a submission became.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    /// The job.
    pub id: JobId,
    /// The state in which it begins; `None` when it had been recorded before.
    pub new: Option<JobState>,
}

/// Records a batch of submissions; one answer a submission, in their order.
#[derive(Debug)]
pub struct RecordJobs<'a> {
    /// The submissions.
    pub jobs: &'a [NewJob],
}

impl Transact for RecordJobs<'_> {
    const NAME: &'static str = "submit.record";
    type Output = Vec<Recorded>;
    const BEFORE_COMMIT: Option<Failpoint> = Some(Failpoint::SubmitBeforeCommit);

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        // Repetitions within the batch first: each key is held by the first submission that names it.
        let mut holder: HashMap<&str, usize> = HashMap::new();
        let mut same_as: Vec<Option<usize>> = Vec::with_capacity(self.jobs.len());
        for (index, job) in self.jobs.iter().enumerate() {
            let first = job
                .keys
                .iter()
                .find_map(|key| holder.get(key.text.as_str()).copied());
            for key in &job.keys {
                holder.entry(&key.text).or_insert(first.unwrap_or(index));
            }
            same_as.push(first);
        }
        let firsts: Vec<&NewJob> = self
            .jobs
            .iter()
            .zip(&same_as)
            .filter(|(_, same)| same.is_none())
            .map(|(job, _)| job)
            .collect();
        // A repetition's keys lead to the job that it repeats, so that it is still known when that one has ended.
        // Sorted, here and by every other coordinator: two batches with the same keys wait, but never in a circle.
        let keys = self.jobs.iter().flat_map(|job| &job.keys);
        let wanted: BTreeMap<&str, (JobId, bool)> = keys
            .map(|key| {
                let first = self.jobs[holder[key.text.as_str()]].id;
                (key.text.as_str(), (first, key.ends_with_job))
            })
            .collect();
        let known = claim_keys(tx, &wanted).await?;
        let new: Vec<&NewJob> = firsts
            .iter()
            .filter(|job| !known.contains_key(&job.id))
            .copied()
            .collect();
        let begun = insert_jobs(tx, &new).await?;
        insert_details(tx, &new).await?;
        let recorded = |index: usize| {
            let id = self.jobs[index].id;
            Recorded {
                id: known.get(&id).copied().unwrap_or(id),
                new: begun.get(&id).copied(),
            }
        };
        Ok(same_as
            .iter()
            .enumerate()
            .map(|(index, same)| match same {
                None => recorded(index),
                Some(first) => Recorded {
                    id: recorded(*first).id,
                    new: None,
                },
            })
            .collect())
    }
}

/// Inserts the jobs' keys; gives those jobs that another one with the same key precedes, with its id.
async fn claim_keys(
    tx: &Transaction<'_>,
    wanted: &BTreeMap<&str, (JobId, bool)>,
) -> Result<HashMap<JobId, JobId>, Error> {
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let keys: Vec<&str> = wanted.keys().copied().collect();
    let ids: Vec<Uuid> = wanted.values().map(|(id, _)| id.0).collect();
    let ends: Vec<bool> = wanted.values().map(|(_, ends)| *ends).collect();
    let insert = tx
        .prepare_cached(
            "-- submit.insert_keys
             INSERT INTO idempotency_keys (key, job_id, expires_at)
             SELECT key, job_id, CASE WHEN ends THEN NULL ELSE tm_now() + interval '7 days' END
             FROM unnest($1::text[], $2::uuid[], $3::bool[]) WITH ORDINALITY AS new(key, job_id, ends, place)
             ORDER BY place
             ON CONFLICT (key) DO NOTHING",
        )
        .await?;
    if tx.execute(&insert, &[&keys, &ids, &ends]).await? == keys.len() as u64 {
        return Ok(HashMap::new());
    }
    let find = tx
        .prepare_cached("-- submit.find_keys\nSELECT key, job_id FROM idempotency_keys WHERE key = ANY($1)")
        .await?;
    let mut known = HashMap::new();
    for row in tx.query(&find, &[&keys]).await? {
        let holder = JobId(row.get(1));
        if let Some((own, _)) = wanted.get(row.get::<_, &str>(0))
            && *own != holder
        {
            known.insert(*own, holder);
        }
    }
    // A repetition's other keys lead to the same job from now on; derived ones belong to their first job alone.
    let (own, holder): (Vec<Uuid>, Vec<Uuid>) = known.iter().map(|(own, holder)| (own.0, holder.0)).unzip();
    let forget = tx
        .prepare_cached(
            "-- submit.forget_derived
             DELETE FROM idempotency_keys WHERE job_id = ANY($1) AND expires_at IS NULL",
        )
        .await?;
    tx.execute(&forget, &[&own]).await?;
    let lead = tx
        .prepare_cached(
            "-- submit.lead_keys
             UPDATE idempotency_keys SET job_id = new.holder
             FROM unnest($1::uuid[], $2::uuid[]) AS new(own, holder) WHERE job_id = new.own",
        )
        .await?;
    tx.execute(&lead, &[&own, &holder]).await?;
    Ok(known)
}

/// Inserts jobs; gives the state in which each begins.
async fn insert_jobs(tx: &Transaction<'_>, jobs: &[&NewJob]) -> Result<HashMap<JobId, JobState>, Error> {
    if jobs.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<Uuid> = jobs.iter().map(|job| job.id.0).collect();
    let plugins: Vec<&str> = jobs.iter().map(|job| job.submission.plugin.as_str()).collect();
    let titles: Vec<&str> = jobs.iter().map(|job| job.submission.title.as_str()).collect();
    let priorities: Vec<Option<i16>> = jobs
        .iter()
        .map(|job| job.submission.priority.map(|priority| priority.get().into()))
        .collect();
    let statement = tx
        .prepare_cached(
            "-- submit.insert_jobs
             INSERT INTO jobs (id, plugin, title, state, run_at, dispatch, priority)
             SELECT id, plugin, title, CASE WHEN waits THEN $6 ELSE $7 END, CASE WHEN waits THEN start_at END,
                    CASE WHEN waits THEN $8::bigint ELSE $9::bigint END, coalesce(new.priority, default_priority)
             FROM unnest($1::uuid[], $2::text[], $3::text[], $4::smallint[], $5::timestamptz[])
                 WITH ORDINALITY AS new(id, plugin, title, priority, start_at, place)
             CROSS JOIN LATERAL (SELECT coalesce(start_at > tm_now(), false) AS waits) AS time
             JOIN plugins ON plugins.name = new.plugin
             ORDER BY place
             RETURNING id, run_at IS NOT NULL",
        )
        .await?;
    let starts: Vec<Option<Timestamp>> = jobs.iter().map(|job| job.submission.start_at).collect();
    let (later, now) = (Job::submitted_for_later(), Job::submitted());
    let inserted = tx
        .query(
            &statement,
            &[
                &ids,
                &plugins,
                &titles,
                &priorities,
                &starts,
                &later.state.as_str(),
                &now.state.as_str(),
                &later.dispatch,
                &now.dispatch,
            ],
        )
        .await?;
    let begun = |waits| if waits { later.state } else { now.state };
    Ok(inserted
        .iter()
        .map(|row| (JobId(row.get(0)), begun(row.get(1))))
        .collect())
}

async fn insert_details(tx: &Transaction<'_>, jobs: &[&NewJob]) -> Result<(), Error> {
    if jobs.is_empty() {
        return Ok(());
    }
    let text = |f: fn(&Submission) -> &Option<String>| -> Vec<Option<&str>> {
        jobs.iter().map(|job| f(&job.submission).as_deref()).collect()
    };
    let ids: Vec<Uuid> = jobs.iter().map(|job| job.id.0).collect();
    let template_parameters: Vec<Option<Json<&Map<String, Value>>>> = jobs
        .iter()
        .map(|job| job.template_parameters.as_ref().map(Json))
        .collect();
    let parameters: Vec<Json<&Map<String, Value>>> =
        jobs.iter().map(|job| Json(&job.submission.parameters)).collect();
    let extra: Vec<Json<&Map<String, Value>>> = jobs.iter().map(|job| Json(&job.submission.extra)).collect();
    let whens: Vec<&str> = jobs
        .iter()
        .map(|job| job.submission.callback_when.as_str())
        .collect();
    let tokens: Vec<Option<&str>> = jobs.iter().map(|job| job.callback_token.as_deref()).collect();
    let submitted_by: Vec<&str> = jobs.iter().map(|job| job.submitted_by.as_str()).collect();
    let statement = tx
        .prepare_cached(
            "-- submit.insert_details
             INSERT INTO job_details (job_id, template, template_parameters, process_id, step_id, step_name,
                                      project, source, target, parameters, callback_url, extra, submitted_by,
                                      callback_when, callback_token)
             SELECT * FROM unnest($1::uuid[], $2::text[], $3::jsonb[], $4::text[], $5::text[], $6::text[],
                                  $7::text[], $8::text[], $9::text[], $10::jsonb[], $11::text[], $12::jsonb[],
                                  $13::text[], $14::text[], $15::text[])",
        )
        .await?;
    tx.execute(
        &statement,
        &[
            &ids,
            &text(|s| &s.template),
            &template_parameters,
            &text(|s| &s.process_id),
            &text(|s| &s.step_id),
            &text(|s| &s.step_name),
            &text(|s| &s.project),
            &text(|s| &s.source),
            &text(|s| &s.target),
            &parameters,
            &text(|s| &s.callback_url),
            &extra,
            &submitted_by,
            &whens,
            &tokens,
        ],
    )
    .await?;
    Ok(())
}
