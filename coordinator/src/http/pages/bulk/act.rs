//! `POST /jobs/actions`: what is wanted of many jobs is first shown with its number, then done.

use std::collections::HashSet;

use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::Response;
use serde_json::{Map, Value};
use shared::job::JobId;

use super::confirm::{Chosen, ask};
use super::outcome::Tally;
use super::wish::Wish;
use crate::control::{Actor, JobAction, JobFilter};
use crate::db::control::JobOutcome;
use crate::http::App;
use crate::http::language::Locale;
use crate::http::pages::said::see;
use crate::http::problem::Error;
use crate::http::searching::SearchQuery;
use crate::http::who::Who;

/// The fields of a form, in their order.
pub(super) type Fields = Result<Form<Vec<(String, String)>>, FormRejection>;

/// What the fields of the bar's form, or of its confirmation, say.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) wish: Option<Wish>,
    pub(super) priority: Option<String>,
    pub(super) ids: Vec<JobId>,
    /// Instead of `ids`: all that the search finds.
    pub(super) all: bool,
    pub(super) search: SearchQuery,
    pub(super) back: String,
    confirmed: bool,
}

/// `POST /jobs/actions`
pub(crate) async fn on_many(
    who: Who,
    State(app): State<App>,
    locale: Locale,
    fields: Fields,
) -> Result<Response, Error> {
    let asked = Asked::read(fields)?;
    match &asked.wish {
        Some(wish) if asked.confirmed && asked.names_any() => {
            let filter = asked.filter(&locale)?;
            let tally = carry_out(&app, &who.actor, wish, &filter).await?;
            Ok(see(&tally.address(wish, &asked.back)))
        }
        _ => {
            let chosen = Chosen::of(&app, &who.actor, &locale, &asked).await?;
            ask(&app, &who, &locale, &asked, chosen).await
        }
    }
}

async fn carry_out(app: &App, actor: &Actor, wish: &Wish, filter: &JobFilter) -> Result<Tally, Error> {
    let act = |action: JobAction| async move {
        let summary = app.control.act_on_found(actor, filter, &action).await?;
        Ok::<_, Error>(summary.ok_or(Error::Forbidden)?.outcomes)
    };
    match wish {
        Wish::Do(action) => Ok(Tally::of(act(action.clone()).await?)),
        Wish::Clear => {
            // Jobs that waited have ended then, and go with the others; running ones end a little later.
            let cancelled = act(JobAction::Cancel).await?;
            let deleted = act(JobAction::Delete).await?;
            let gone: HashSet<JobId> = deleted.iter().map(|(id, _)| *id).collect();
            let (_, left): (Vec<_>, Vec<_>) = cancelled.into_iter().partition(|(id, _)| gone.contains(id));
            let (stopping, others): (Vec<_>, Vec<_>) = left
                .into_iter()
                .partition(|(_, outcome)| *outcome == JobOutcome::Done);
            let mut tally = Tally::of(deleted.into_iter().chain(others).collect());
            tally.stopping = stopping.len();
            Ok(tally)
        }
    }
}

impl Asked {
    fn read(fields: Fields) -> Result<Self, Error> {
        let Form(fields) = fields.map_err(|rejection| Error::BadQuery(rejection.body_text()))?;
        let first = |name: &str| {
            let found = fields.iter().find(|(field, _)| field == name);
            found
                .map(|(_, value)| value.clone())
                .filter(|value| !value.is_empty())
        };
        let ids = fields.iter().filter(|(name, _)| name == "job");
        let ids = ids
            .map(|(_, id)| crate::http::api::job_id(id))
            .collect::<Result<_, _>>()?;
        // Whatever else stands there is a field of the search, or is passed over by it.
        let search: Map<String, Value> = fields
            .iter()
            .map(|(name, value)| (name.clone(), Value::String(value.clone())))
            .collect();
        let search = serde_json::from_value(Value::Object(search))
            .map_err(|error| Error::BadQuery(format!("the form can't be understood: {error}")))?;
        let priority = first("priority");
        let wish = first("action")
            .map(|name| {
                Wish::named(&name, priority.as_deref()).ok_or_else(|| {
                    Error::BadQuery(format!(
                        "action \"{name}\" with priority \"{}\" is none that can be done with many jobs",
                        priority.as_deref().unwrap_or_default()
                    ))
                })
            })
            .transpose()?;
        Ok(Self {
            wish,
            priority,
            ids,
            all: first("all").is_some(),
            search,
            back: super::back(first("back").as_deref()).to_owned(),
            confirmed: first("confirmed").is_some(),
        })
    }

    /// The question about one job.
    pub(super) fn about_one(wish: Wish, id: JobId, back: String) -> Self {
        Self {
            wish: Some(wish),
            priority: None,
            ids: vec![id],
            all: false,
            search: SearchQuery::default(),
            back,
            confirmed: false,
        }
    }

    /// Whether any jobs are named.
    pub(super) fn names_any(&self) -> bool {
        self.all || !self.ids.is_empty()
    }

    /// Which jobs are meant.
    pub(super) fn filter(&self, locale: &Locale) -> Result<JobFilter, Error> {
        if self.all {
            if self.search.trouble().is_some() {
                return self.search.read(&locale.zone).map(|search| search.filter);
            }
            return self.search.filter(&locale.zone);
        }
        Ok(JobFilter {
            jobs: self.ids.clone(),
            ..JobFilter::default()
        })
    }
}
