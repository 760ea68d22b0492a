//! What the pages' forms do: the same actions as over the API, through [`crate::control`], answered by a page.
//!
//! A form's fields are the fields of the API's body, `action` among them. That no other site sends them is the
//! server's part (`http.rs`), by the browser's word on where a request comes from.

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::bulk::back;
use super::dashboard::Outcome;
use super::said::{Said, see};
use crate::control::JobAction;
use crate::db::control::JobOutcome;
use crate::db::pages::Tab;
use crate::http::api::job_id;
use crate::http::problem::Error;
use crate::http::who::Who;
use crate::http::{App, listing};

pub(super) type Fields = Result<Form<Vec<(String, String)>>, FormRejection>;

/// `POST /jobs/{id}/actions`
pub(crate) async fn on_job(
    who: Who,
    State(app): State<App>,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Error> {
    let id = job_id(&id)?;
    let mut fields = given(fields)?;
    let list = fields.extract_if(.., |(name, _)| name == "back").last();
    let action: JobAction = read(fields)?;
    let summary = app.control.act_on_jobs(&who.actor, &[id], &action).await?;
    let outcome = summary.outcomes.first().map(|(_, outcome)| *outcome);
    let said = Said::of(outcome)?;
    Ok(match (outcome, &action) {
        (Some(JobOutcome::Retried { new_job }), _) => said.at(&format!("/jobs/{new_job}")),
        (Some(JobOutcome::Done), JobAction::MessageGoobi(_)) => Said::Messaged.at(&format!("/jobs/{id}")),
        // Its page is gone.
        (Some(JobOutcome::Done), JobAction::Delete) => {
            let list = list.map_or_else(|| listing::address(Tab::Error, None, None), |(_, list)| list);
            let list = back(Some(&list));
            let joint = if list.contains('?') { '&' } else { '?' };
            see(&format!("{list}{joint}{}", Outcome::Deleted.query()))
        }
        _ => said.at(&format!("/jobs/{id}")),
    })
}

/// The fields of a form; empty ones count as absent.
pub(super) fn given(fields: Fields) -> Result<Vec<(String, String)>, Error> {
    let Form(mut fields) = fields.map_err(|rejection| Error::BadQuery(rejection.body_text()))?;
    fields.retain(|(_, value)| !value.trim().is_empty());
    Ok(fields)
}

/// The action that the fields say. What looks like a number is one.
pub(super) fn read<T: DeserializeOwned>(fields: Vec<(String, String)>) -> Result<T, Error> {
    let mut said = Map::new();
    for (name, value) in fields {
        let value = match name.as_str() {
            "reason" | "text" => Value::String(value),
            "on" => value.parse().map_or(Value::String(value), Value::Bool),
            _ => value.parse::<u32>().map_or(Value::String(value), Value::from),
        };
        if said.insert(name.clone(), value).is_some() {
            return Err(Error::BadQuery(format!("the form has \"{name}\" twice")));
        }
    }
    serde_json::from_value(Value::Object(said))
        .map_err(|error| Error::BadQuery(format!("the form can't be understood: {error}")))
}

/// Sends a browser to the page that a form's address belongs to, with the address's own query.
pub(crate) fn page_of(form: &Uri) -> Response {
    let parts: Vec<&str> = form.path().trim_start_matches('/').split('/').collect();
    let page = match parts[..] {
        ["jobs", id, _] => format!("/jobs/{id}"),
        [page @ ("settings" | "accounts" | "account"), _] => format!("/{page}"),
        _ => listing::HOME.to_owned(),
    };
    see(&match form.query() {
        Some(query) => format!("{page}?{query}"),
        None => page,
    })
}
