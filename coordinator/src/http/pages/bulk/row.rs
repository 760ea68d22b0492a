//! `POST /jobs/{id}/row`: what a row's buttons do. The answer is the list again; only what takes something away asks
//! first, and only what could not be done is told on a page of its own.

use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;

use super::act::Asked;
use super::confirm::{Chosen, ask};
use super::outcome::Tally;
use super::wish::Wish;
use crate::control::{JobAction, Place, RetryItems};
use crate::db::control::JobOutcome;
use crate::http::App;
use crate::http::api::job_id;
use crate::http::language::Locale;
use crate::http::pages::said::{Said, see};
use crate::http::problem::Error;
use crate::http::who::Who;

/// What a row's button sends.
#[derive(Debug, Deserialize)]
pub(crate) struct Pressed {
    r#do: Button,
    #[serde(default)]
    back: String,
}

/// The buttons of a row, by Kitodo's names.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Button {
    Start,
    Stop,
    Up,
    Down,
    Retry,
    Cancel,
    Delete,
}

impl Button {
    fn action(self) -> JobAction {
        match self {
            Self::Start => JobAction::StartNow,
            Self::Stop => JobAction::Hold,
            Self::Up => JobAction::Move { to: Place::Up },
            Self::Down => JobAction::Move { to: Place::Down },
            Self::Retry => JobAction::Retry {
                items: RetryItems::Failed,
            },
            Self::Cancel => JobAction::Cancel,
            Self::Delete => JobAction::Delete,
        }
    }
}

/// `POST /jobs/{id}/row`
pub(crate) async fn on_row(
    who: Who,
    State(app): State<App>,
    locale: Locale,
    Path(id): Path<String>,
    pressed: Result<axum::Form<Pressed>, axum::extract::rejection::FormRejection>,
) -> Result<Response, Error> {
    let id = job_id(&id)?;
    let axum::Form(pressed) = pressed.map_err(|rejection| Error::BadQuery(rejection.body_text()))?;
    let back = super::back(Some(&pressed.back)).to_owned();
    let action = pressed.r#do.action();
    let wish = Wish::Do(action.clone());
    if wish.is_destructive() {
        let asked = Asked::about_one(wish, id, back);
        let chosen = Chosen::of(&app, &who.actor, &locale, &asked).await?;
        return ask(&app, &who, &locale, &asked, chosen).await;
    }
    let summary = app.control.act_on_jobs(&who.actor, &[id], &action).await?;
    let outcome = summary.outcomes.first().map(|(_, outcome)| *outcome);
    let said = Said::of(outcome)?;
    Ok(match outcome {
        Some(JobOutcome::Retried { new_job }) => said.at(&format!("/jobs/{new_job}")),
        _ if said.is_refusal() => see(&Tally::of(summary.outcomes).address(&wish, &back)),
        // The row is where its reader was.
        _ => see(&format!("{back}#job-{id}")),
    })
}
