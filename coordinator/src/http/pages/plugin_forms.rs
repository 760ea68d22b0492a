//! What the forms about plugins do: stop, start, cancel all jobs; answered by the page that they stand on.
//!
//! Times of day are the site's, as the pages show them; a deadline is given in minutes, as people count.

use axum::extract::{Path, State};
use axum::response::Response;
use jiff::Timestamp;
use jiff::civil::DateTime;

use super::dashboard::Outcome;
use super::forms::{Fields, given, read};
use super::said::see;
use crate::control::{JobAction, JobFilter, PluginAction, PluginsOutcome, Summary};
use crate::db::control::{FIND_MAX, JobOutcome};
use crate::db::pages::Tab;
use crate::http::language::Locale;
use crate::http::problem::Error;
use crate::http::who::Who;
use crate::http::{App, listing};

/// `POST /plugins/{name}/actions`
pub(crate) async fn on_plugin(
    who: Who,
    State(app): State<App>,
    Path(name): Path<String>,
    locale: Locale,
    fields: Fields,
) -> Result<Response, Error> {
    let name = name.to_uppercase();
    let outcome = act(&who, &app, Some(&name), &locale, fields).await?;
    let page = listing::address(Tab::default(), Some(&name), None);
    Ok(see(&format!("{page}&{}", outcome.query())))
}

/// `POST /plugins/actions`
pub(crate) async fn on_all_plugins(
    who: Who,
    State(app): State<App>,
    locale: Locale,
    fields: Fields,
) -> Result<Response, Error> {
    let outcome = act(&who, &app, None, &locale, fields).await?;
    Ok(see(&format!("{}?{}", listing::HOME, outcome.query())))
}

async fn act(
    who: &Who,
    app: &App,
    plugin: Option<&str>,
    locale: &Locale,
    fields: Fields,
) -> Result<Outcome, Error> {
    let action: PluginAction = read(in_the_apis_words(given(fields)?, locale)?)?;
    if let PluginAction::Configure(settings) = &action {
        settings.check().map_err(Error::BadQuery)?;
    }
    match app.control.act_on_plugins(&who.actor, plugin, &action).await? {
        PluginsOutcome::Forbidden => Err(Error::Forbidden),
        PluginsOutcome::Unknown => Err(Error::UnknownPlugin),
        PluginsOutcome::Done { changed } => Ok(Outcome::Changed { done: changed.len() }),
    }
}

/// Turns what people fill in into what the API takes.
fn in_the_apis_words(fields: Vec<(String, String)>, locale: &Locale) -> Result<Vec<(String, String)>, Error> {
    let turn = |(name, value): (String, String)| match name.as_str() {
        "deadline_minutes" => {
            let minutes: u32 = value
                .trim()
                .parse()
                .map_err(|_| Error::BadQuery("field \"deadline_minutes\" must be a number".to_owned()))?;
            Ok((
                "deadline_seconds".to_owned(),
                minutes.saturating_mul(60).to_string(),
            ))
        }
        "resume_at" => Ok((name, moment(&value, locale)?.to_string())),
        _ => Ok((name, value)),
    };
    fields.into_iter().map(turn).collect()
}

/// A moment as a field for date and time gives it: without a zone it is the site's.
fn moment(text: &str, locale: &Locale) -> Result<Timestamp, Error> {
    let text = text.trim();
    let local = || text.parse::<DateTime>()?.to_zoned(locale.zone.clone());
    text.parse()
        .or_else(|_| local().map(|zoned| zoned.timestamp()))
        .map_err(|_| Error::BadQuery("field \"resume_at\" must be a date and a time".to_owned()))
}

/// `POST /plugins/{name}/cancel`: all unfinished jobs of the plugin, once its name was typed.
pub(crate) async fn cancel_all(
    who: Who,
    State(app): State<App>,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, Error> {
    let name = name.to_uppercase();
    let page = listing::address(Tab::default(), Some(&name), None);
    let typed = given(fields)?
        .into_iter()
        .find_map(|(field, value)| (field == "confirm").then_some(value));
    if typed.is_none_or(|typed| typed.trim().to_uppercase() != name) {
        return Ok(see(&format!("{page}&{}", Outcome::WrongName.query())));
    }
    let filter = JobFilter {
        plugin: Some(name),
        ..JobFilter::default()
    };
    let summary = app
        .control
        .act_on_found(&who.actor, &filter, &JobAction::Cancel)
        .await?
        .ok_or(Error::Forbidden)?;
    Ok(see(&format!("{page}&{}", outcome(&summary).query())))
}

/// What is said of it.
fn outcome(summary: &Summary) -> Outcome {
    let all = summary.outcomes.len();
    // Those whose worker has been asked before are on their way.
    let is_done = |outcome: &JobOutcome| matches!(outcome, JobOutcome::Done | JobOutcome::Unchanged);
    let outcomes = summary.outcomes.iter();
    let done = outcomes.filter(|(_, outcome)| is_done(outcome)).count();
    let not = all - done;
    if all >= FIND_MAX {
        Outcome::CancelledSome { done, not }
    } else {
        Outcome::Cancelled { done, not }
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::http::language::Language;

    #[test]
    fn a_time_without_a_zone_is_the_sites_and_a_deadline_is_in_minutes() {
        let berlin = Locale {
            zone: TimeZone::get("Europe/Berlin").unwrap(),
            ..Locale::new(Language::German)
        };
        let turned = |name: &str, value: &str| {
            let fields = vec![(name.to_owned(), value.to_owned())];
            in_the_apis_words(fields, &berlin).map(|mut fields| fields.remove(0))
        };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            turned("resume_at", "2026-11-22T14:30").unwrap(),
            pair("resume_at", "2026-11-22T13:30:00Z")
        );
        assert_eq!(
            turned("resume_at", "2026-07-22T14:30").unwrap(),
            pair("resume_at", "2026-07-22T12:30:00Z")
        );
        assert_eq!(
            turned("deadline_minutes", "5").unwrap(),
            pair("deadline_seconds", "300")
        );
        assert_eq!(turned("reason", "5").unwrap(), pair("reason", "5"));
        for (name, value) in [("resume_at", "soon"), ("deadline_minutes", "-1")] {
            assert!(turned(name, value).is_err(), "{name}");
        }
    }
}
