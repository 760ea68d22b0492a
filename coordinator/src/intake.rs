//! The one way in: every submission, however it came, is validated, deduplicated and recorded here.

mod paths;
pub mod templates;

use std::collections::HashMap;
use std::sync::Arc;

use metrics::counter;
use shared::failpoint::{self, Failpoint};
use shared::job::JobId;
use shared::message::submit::{Rejection, Submission, SubmitReply};
use shared::metrics::{JOBS_DUPLICATE, JOBS_SUBMITTED, SUBMISSIONS_REJECTED};
use shared::plugin::PluginName;

use crate::db::notify::Changes;
use crate::db::plugins::{All, Plugin};
use crate::db::submit::{Key, NewJob, RecordJobs, Recorded};
use crate::db::{self, Db};
pub use paths::PathRules;
pub use templates::Templates;

/// Most characters of a key that a submitter chooses.
const KEY_MAX_CHARS: usize = 500;

/// A submission on its way in.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// What the submitter wants.
    pub submission: Submission,
    /// Who submits: `amqp:goobi`, `http`.
    pub submitted_by: String,
    /// Further keys under which a repetition is recognised, such as the AMQP message id.
    pub keys: Vec<String>,
}

/// Why a submission could not be answered. It was not recorded, or it will be recognised when repeated.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database failed.
    #[error("the job could not be recorded")]
    Database(#[from] db::Error),
}

/// Accepts submissions.
#[derive(Debug, Clone)]
pub struct Intake {
    db: Db,
    changes: Changes,
    paths: Arc<PathRules>,
    templates: Arc<Templates>,
}

impl Intake {
    /// An intake that records in `db` and tells `changes` of new jobs.
    pub fn new(db: Db, changes: Changes, paths: PathRules, templates: Templates) -> Self {
        Self {
            db,
            changes,
            paths: Arc::new(paths),
            templates: Arc::new(templates),
        }
    }

    /// Accepts one submission.
    ///
    /// # Errors
    /// When it could be neither recorded nor refused.
    ///
    /// # Panics
    /// Never: one submission has one answer.
    pub async fn submit(
        &self,
        submission: Submission,
        submitted_by: &str,
        keys: Vec<String>,
    ) -> Result<SubmitReply, Error> {
        let incoming = Incoming {
            submission,
            submitted_by: submitted_by.to_owned(),
            keys,
        };
        let checked = self
            .check_all(vec![incoming])
            .await?
            .pop()
            .expect("one submission has one answer");
        match checked {
            Err(rejection) => {
                counter!(SUBMISSIONS_REJECTED).increment(1);
                Ok(SubmitReply::Rejected {
                    reason: rejection.reason,
                })
            }
            Ok(job) => Ok(self.record(&[job]).await?.pop().expect("one job has one reply")),
        }
    }

    /// Checks a batch of submissions; one answer a submission, in their order. Nothing is recorded yet.
    ///
    /// # Errors
    /// When the database can't be asked which plugins there are.
    pub async fn check_all(&self, incoming: Vec<Incoming>) -> Result<Vec<Result<NewJob, Rejection>>, Error> {
        if incoming.is_empty() {
            return Ok(Vec::new());
        }
        let plugins: HashMap<PluginName, Plugin> = self
            .db
            .run(&All)
            .await?
            .into_iter()
            .map(|plugin| (plugin.name.clone(), plugin))
            .collect();
        Ok(incoming
            .into_iter()
            .map(|incoming| self.check(incoming, &plugins))
            .collect())
    }

    /// Records checked submissions in one transaction; one reply a submission, in their order.
    ///
    /// # Errors
    /// When they could not be recorded; then none was.
    pub async fn record(&self, jobs: &[NewJob]) -> Result<Vec<SubmitReply>, Error> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let recorded = self.db.run(&RecordJobs { jobs }).await?;
        failpoint::reach(Failpoint::SubmitBeforeAnswer);
        if recorded.iter().any(|recorded| !recorded.duplicate) {
            self.changes.announce();
        }
        Ok(jobs
            .iter()
            .zip(recorded)
            .map(|(job, recorded)| reply(job, recorded))
            .collect())
    }

    fn check(&self, incoming: Incoming, plugins: &HashMap<PluginName, Plugin>) -> Result<NewJob, Rejection> {
        let Incoming {
            mut submission,
            submitted_by,
            keys,
        } = incoming;
        let Some(plugin) = plugins.get(&submission.plugin) else {
            return Err(unknown_plugin(&submission.plugin, plugins));
        };
        let mut problems = Vec::new();
        for (field, needed, value) in [
            ("source", plugin.needs_source, &mut submission.source),
            ("target", plugin.needs_target, &mut submission.target),
        ] {
            match value {
                None if needed => {
                    problems.push(format!(
                        "field \"{field}\" is missing: plugin {} needs it",
                        plugin.name
                    ));
                }
                None => {}
                Some(path) => match self.paths.resolve(path) {
                    Ok(resolved) => *path = resolved,
                    Err(problem) => problems.push(format!("field \"{field}\": {problem}")),
                },
            }
        }
        let template_parameters = match (&submission.template, plugin.needs_template) {
            (None, false) => None,
            (None, true) => {
                problems.push(format!(
                    "field \"template\" is missing: plugin {} needs it",
                    plugin.name
                ));
                None
            }
            (Some(name), _) => match self.templates.find(&plugin.name, name) {
                Ok(parameters) => Some(parameters.clone()),
                Err(problem) => {
                    problems.push(problem);
                    None
                }
            },
        };
        if submission
            .idempotency_key
            .as_ref()
            .is_some_and(|key| key.chars().count() > KEY_MAX_CHARS)
        {
            problems.push(format!(
                "field \"idempotency_key\" is longer than {KEY_MAX_CHARS} characters"
            ));
        }
        if !problems.is_empty() {
            return Err(Rejection::new(problems.join("; ")));
        }
        let keys = all_keys(&submission, keys);
        Ok(NewJob {
            id: JobId::generate(),
            submission,
            template_parameters,
            submitted_by,
            keys,
        })
    }
}

fn all_keys(submission: &Submission, others: Vec<String>) -> Vec<Key> {
    let chosen = submission
        .idempotency_key
        .as_ref()
        .map(|key| format!("key:{key}"));
    // A submitter that names a key decides by itself what a repetition is.
    let derived = if chosen.is_none() {
        submission.derived_key()
    } else {
        None
    };
    let lasting = chosen.into_iter().chain(others).map(|text| Key {
        text,
        ends_with_job: false,
    });
    let mut keys: Vec<Key> = lasting
        .chain(derived.map(|text| Key {
            text,
            ends_with_job: true,
        }))
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

fn unknown_plugin(name: &PluginName, plugins: &HashMap<PluginName, Plugin>) -> Rejection {
    let mut known: Vec<&str> = plugins.keys().map(PluginName::as_str).collect();
    known.sort_unstable();
    Rejection::new(if known.is_empty() {
        format!("plugin {name} is unknown: no worker has announced any plugin yet; start a worker")
    } else {
        format!(
            "plugin {name} is unknown: workers have announced {}",
            known.join(", ")
        )
    })
}

fn reply(job: &NewJob, recorded: Recorded) -> SubmitReply {
    let plugin = job.submission.plugin.to_string();
    if recorded.duplicate {
        counter!(JOBS_DUPLICATE, "plugin" => plugin).increment(1);
        SubmitReply::Duplicate { job_id: recorded.id }
    } else {
        counter!(JOBS_SUBMITTED, "plugin" => plugin).increment(1);
        tracing::info!(
            job.id = %job.id, job.plugin = %job.submission.plugin,
            "job {} accepted from {}", job.id, job.submitted_by
        );
        SubmitReply::Accepted { job_id: recorded.id }
    }
}
