//! The one way in: every submission, however it came, is validated, deduplicated and recorded here.

mod keys;
mod paths;
mod schema;
pub mod templates;

use std::collections::HashMap;
use std::sync::Arc;

use metrics::counter;
use serde_json::Value;
use shared::error::Chain;
use shared::failpoint::{self, Failpoint};
use shared::job::JobId;
use shared::location::Location;
use shared::message::submit::{Rejection, SECRET_KEPT, Submission, SubmitReply};
use shared::metrics::{JOBS_DUPLICATE, JOBS_SUBMITTED, SUBMISSIONS_REJECTED};
use shared::plugin::PluginName;

use crate::db::notify::Changes;
use crate::db::plugins::{All, Plugin};
use crate::db::submit::{NewJob, RecordJobs, Recorded};
use crate::db::{self, Db};
use crate::deliveries::Allowed;
use crate::notifications::Notifier;
use crate::secrets::Secrets;
use keys::all_keys;
pub use paths::PathRules;
pub use schema::{ParametersSchema, WrongSchema};
use templates::Template;
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
    /// It is a ticket of Goobi's: its `callback_url` names Goobi's own queue, and no submitter has chosen it.
    pub told_by_goobis_queue: bool,
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
    notifier: Notifier,
    paths: Arc<PathRules>,
    templates: Arc<Templates>,
    callbacks: Allowed,
    secrets: Arc<Secrets>,
}

impl Intake {
    /// An intake that records in `db`, and tells `changes` and listeners of new jobs.
    pub fn new(db: Db, changes: Changes, notifier: Notifier, paths: PathRules, templates: Templates) -> Self {
        Self {
            db,
            changes,
            notifier,
            paths: Arc::new(paths),
            templates: Arc::new(templates),
            callbacks: Allowed::default(),
            secrets: Arc::default(),
        }
    }

    /// The same with callbacks to those whom an operator has allowed, whose tokens are kept with these keys.
    #[must_use]
    pub fn with_callbacks(self, callbacks: Allowed, secrets: Arc<Secrets>) -> Self {
        Self {
            callbacks,
            secrets,
            ..self
        }
    }

    /// Where jobs may read and write.
    pub fn roots(&self) -> &[Location] {
        self.paths.roots()
    }

    /// The programs that templates call: workers say whether they have them.
    pub fn programs(&self) -> Vec<String> {
        self.templates.programs()
    }

    /// Accepts one submission.
    ///
    /// # Errors
    /// When it could be neither recorded nor refused.
    ///
    /// # Panics
    /// Never: one submission has one answer.
    pub async fn submit(&self, incoming: Incoming) -> Result<SubmitReply, Error> {
        let replies = self.submit_all(vec![incoming]).await?;
        Ok(replies.into_iter().next().expect("one submission has one answer"))
    }

    /// Accepts several submissions; one reply a submission, in their order. Those that are fine become jobs although
    /// others are not.
    ///
    /// # Errors
    /// When some could be neither recorded nor refused; others may have been recorded, and are recognised by their
    /// keys when they are repeated.
    pub async fn submit_all(&self, incoming: Vec<Incoming>) -> Result<Vec<SubmitReply>, Error> {
        let mut jobs = Vec::new();
        let mut places = Vec::new();
        let mut replies = Vec::new();
        for (place, checked) in self.check_all(incoming).await?.into_iter().enumerate() {
            match checked {
                Err(rejection) => replies.push((place, rejected(rejection.reason))),
                Ok(job) => {
                    jobs.push(job);
                    places.push(place);
                }
            }
        }
        let mut parts: Vec<_> = std::iter::once(0..jobs.len()).collect();
        while let Some(part) = parts.pop() {
            match self.record(&jobs[part.clone()]).await {
                Ok(recorded) => replies.extend(places[part].iter().copied().zip(recorded)),
                Err(Error::Database(error)) if error.is_bad_data() && part.len() == 1 => {
                    let reason = format!("the database refuses it: {}", Chain(&error));
                    replies.push((places[part.start], rejected(reason)));
                }
                Err(Error::Database(error)) if error.is_bad_data() => {
                    let middle = part.start + part.len() / 2;
                    // The first half is taken first: arrival is the order in which jobs start.
                    parts.extend([middle..part.end, part.start..middle]);
                }
                Err(error) => return Err(error),
            }
        }
        replies.sort_by_key(|(place, _)| *place);
        Ok(replies.into_iter().map(|(_, reply)| reply).collect())
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
        let named = incoming.iter().map(|incoming| &incoming.submission.plugin);
        let schemas = read_schemas(named, &plugins);
        Ok(incoming
            .into_iter()
            .map(|incoming| self.check(incoming, &plugins, &schemas))
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
        if recorded.iter().any(|recorded| recorded.new.is_some()) {
            self.changes.announce();
        }
        for (job, recorded) in jobs.iter().zip(&recorded) {
            if let Some(state) = recorded.new {
                let plugin = job.submission.plugin.as_str();
                self.notifier.job(recorded.id, plugin, state);
            }
        }
        Ok(jobs
            .iter()
            .zip(recorded)
            .map(|(job, recorded)| reply(job, recorded))
            .collect())
    }

    fn check(
        &self,
        incoming: Incoming,
        plugins: &HashMap<PluginName, Plugin>,
        schemas: &HashMap<PluginName, ParametersSchema>,
    ) -> Result<NewJob, Rejection> {
        let Incoming {
            mut submission,
            submitted_by,
            keys,
            told_by_goobis_queue,
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
        let template = match (&submission.template, plugin.needs_template) {
            (None, false) => None,
            (None, true) => {
                problems.push(format!(
                    "field \"template\" is missing: plugin {} needs it",
                    plugin.name
                ));
                None
            }
            (Some(name), _) => match self.templates.find(&plugin.name, name) {
                Ok(template) => Some(template),
                Err(problem) => {
                    problems.push(problem);
                    None
                }
            },
        };
        problems.extend(wrong_parameters(&submission, template, schemas.get(&plugin.name)));
        if submission
            .idempotency_key
            .as_ref()
            .is_some_and(|key| key.chars().count() > KEY_MAX_CHARS)
        {
            problems.push(format!(
                "field \"idempotency_key\" is longer than {KEY_MAX_CHARS} characters"
            ));
        }
        if let Some(Err(problem)) = submission
            .callback_url
            .as_deref()
            .filter(|_| !told_by_goobis_queue)
            .map(|url| self.callbacks.check(url))
        {
            problems.push(format!("field \"callback_url\": {problem}"));
        }
        if !problems.is_empty() {
            return Err(Rejection::new(problems.join("; ")));
        }
        let keys = all_keys(&submission, keys);
        let id = JobId::generate();
        let callback_token = self.keep_token(id, &mut submission);
        let template_parameters = template.map(|template| template.parameters.clone());
        Ok(NewJob {
            id,
            submission,
            template_parameters,
            callback_token,
            submitted_by,
            keys,
        })
    }
}

impl Intake {
    /// Encrypts the callback's token, if there is a callback and a key; what is not kept stays masked.
    fn keep_token(&self, id: JobId, submission: &mut Submission) -> Option<String> {
        let token = submission.token.take()?;
        submission.callback_url.as_ref()?;
        let sealed = self.secrets.seal(id, &token)?;
        if let Some(mask) = submission.extra.get_mut(&token.field) {
            *mask = SECRET_KEPT.into();
        }
        Some(sealed)
    }
}

/// The schemas of the plugins that are named.
fn read_schemas<'a>(
    named: impl Iterator<Item = &'a PluginName>,
    plugins: &HashMap<PluginName, Plugin>,
) -> HashMap<PluginName, ParametersSchema> {
    let mut schemas = HashMap::new();
    for name in named {
        let schema = plugins
            .get(name)
            .and_then(|plugin| plugin.parameters_schema.as_ref());
        let Some(schema) = schema.filter(|_| !schemas.contains_key(name)) else {
            continue;
        };
        match ParametersSchema::read(schema.clone()) {
            Ok(schema) => {
                schemas.insert(name.clone(), schema);
            }
            // Announcements are refused for it, so an older release has let it in.
            Err(error) => tracing::warn!("parameters of plugin {name} are not checked: {error}"),
        }
    }
    schemas
}

/// What is wrong with a job's parameters: by its template's schema, and, the template's laid over them, its plugin's.
fn wrong_parameters(
    submission: &Submission,
    template: Option<&Template>,
    plugin: Option<&ParametersSchema>,
) -> Vec<String> {
    let mut parameters = submission.parameters.clone();
    let mut problems = Vec::new();
    if let Some(template) = template {
        if let Some(schema) = &template.schema {
            problems = schema.problems(&Value::Object(parameters.clone()));
        }
        parameters.extend(template.parameters.clone());
    }
    if let Some(schema) = plugin {
        problems.extend(schema.problems(&Value::Object(parameters)));
    }
    problems
}

/// The reply to a submission that is refused; it is counted.
pub(crate) fn rejected(reason: String) -> SubmitReply {
    counter!(SUBMISSIONS_REJECTED).increment(1);
    SubmitReply::Rejected { reason }
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
    if recorded.new.is_none() {
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
