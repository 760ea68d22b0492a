//! The question before many jobs are acted on: what will be done, with how many, and which are the first of them.

use askama::Template;
use axum::http::Uri;
use axum::response::Response;

use super::act::Asked;
use super::number;
use super::wish::Wish;
use crate::control::{Actor, JobFilter, reach};
use crate::db::control::{CountFound, FIND_MAX, FoundNumbers};
use crate::db::pages::{JobSummary, SearchJobs, Tab, WithMenu};
use crate::http::App;
use crate::http::format::fill;
use crate::http::language::Locale;
use crate::http::pages::html;
use crate::http::pages::layout::{Layout, Section};
use crate::http::pages::part::Badge;
use crate::http::problem::Error;
use crate::http::text::Text;
use crate::http::who::Who;
use shared::job::JobState;

/// Jobs that are named.
const NAMED: i64 = 10;

#[derive(Debug, Template)]
#[template(path = "bulk/confirm.html")]
struct Page {
    t: &'static Text,
    layout: Layout,
    heading: String,
    /// What it will mean; several lines.
    meaning: Vec<String>,
    /// The first jobs.
    jobs: Vec<Named>,
    /// `… and 27 more`, or nothing.
    others: String,
    /// Fields that carry it out; none where there is nothing to be done.
    fields: Vec<(&'static str, String)>,
    is_destructive: bool,
    do_it: String,
    back: String,
}

#[derive(Debug)]
struct Named {
    id: String,
    title: String,
    badge: Badge,
}

/// The jobs that were chosen.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    numbers: FoundNumbers,
    first: Vec<JobSummary>,
}

impl Chosen {
    /// The jobs that a form means, as far as its wish can be about them.
    pub(super) async fn of(app: &App, actor: &Actor, locale: &Locale, asked: &Asked) -> Result<Self, Error> {
        let (Some(wish), true) = (&asked.wish, asked.names_any()) else {
            return Ok(Self::default());
        };
        let mut filter = asked.filter(locale)?;
        if asked.all {
            // Of all that are found, only those are acted on that may be; who names others is told that he may not.
            filter.among = reach(actor, wish.verb());
        }
        let Some(filter) = about(filter, wish.ended()) else {
            return Ok(Self::default());
        };
        let most = i64::try_from(FIND_MAX).expect("a small number");
        let numbers = app
            .db
            .run(&CountFound {
                filter: &filter,
                most: most + 1,
            })
            .await?;
        let search = SearchJobs {
            filter,
            limit: NAMED,
            after: None,
        };
        let first = app.db.run(&search).await?.jobs;
        Ok(Self { numbers, first })
    }

    fn all(&self) -> i64 {
        self.numbers.unfinished + self.numbers.ended
    }
}

/// The same filter for jobs only that have ended, or have not; `None` where it finds none of those.
fn about(filter: JobFilter, ended: Option<bool>) -> Option<JobFilter> {
    let Some(ended) = ended else { return Some(filter) };
    if !filter.can_find(ended) {
        return None;
    }
    let is_wanted = |state: &JobState| {
        state.is_final() == ended && (filter.states.is_empty() || filter.states.contains(state))
    };
    let states = JobState::ALL.into_iter().filter(is_wanted).collect();
    Some(JobFilter { states, ..filter })
}

/// Shows the question.
pub(super) async fn ask(
    app: &App,
    who: &Who,
    locale: &Locale,
    asked: &Asked,
    chosen: Chosen,
) -> Result<Response, Error> {
    let text = locale.text;
    let (menu, ()) = app.db.run(&WithMenu(crate::db::pages::Ping)).await?;
    // Another language is chosen where the list is: this page can't be asked for again.
    let address: Uri = asked.back.parse().unwrap_or_default();
    let layout = Layout::new(locale, &address, Some(who), &menu, Section::None, Tab::default());
    let all = chosen.all();
    let most = i64::try_from(FIND_MAX).expect("a small number");
    let page = match &asked.wish {
        Some(wish) if all > 0 => Page {
            t: text,
            layout,
            heading: fill(
                text.lists.bulk_heading,
                &[&wish.word(text), &number(locale, all, most)],
            ),
            meaning: meaning(locale, asked, wish, &chosen),
            others: match all - i64::try_from(chosen.first.len()).unwrap_or(0) {
                ..=0 => String::new(),
                others => fill(text.lists.bulk_others, &[&number(locale, others, most)]),
            },
            jobs: chosen.first.iter().map(|job| named(locale, job)).collect(),
            fields: asked.fields(wish),
            is_destructive: wish.is_destructive(),
            do_it: fill(
                text.lists.bulk_do,
                &[&wish.word(text), &number(locale, all, most)],
            ),
            back: asked.back.clone(),
        },
        wish => Page {
            t: text,
            layout,
            heading: text.lists.bulk_nothing.to_owned(),
            meaning: vec![
                if !asked.names_any() {
                    text.lists.bulk_choose_jobs
                } else if wish.is_none() {
                    text.lists.bulk_choose_action
                } else {
                    text.lists.bulk_none_fits
                }
                .to_owned(),
            ],
            jobs: Vec::new(),
            others: String::new(),
            fields: Vec::new(),
            is_destructive: false,
            do_it: String::new(),
            back: asked.back.clone(),
        },
    };
    html(locale, &page)
}

fn named(locale: &Locale, job: &JobSummary) -> Named {
    Named {
        id: job.id.to_string(),
        title: job.title.clone(),
        badge: Badge::of_job(job.state, locale.text),
    }
}

fn meaning(locale: &Locale, asked: &Asked, wish: &Wish, chosen: &Chosen) -> Vec<String> {
    let text = locale.text;
    let mut lines = vec![wish.meaning(text).to_owned()];
    let most = i64::try_from(FIND_MAX).expect("a small number");
    if *wish == Wish::Clear {
        let numbers = [chosen.numbers.unfinished, chosen.numbers.ended];
        let [unfinished, ended] = numbers.map(|of| number(locale, of, most));
        lines.push(fill(text.lists.bulk_both, &[&unfinished, &ended]));
    }
    if let Some(priority) = asked
        .priority
        .as_deref()
        .filter(|_| wish.name() == "set_priority")
    {
        lines.push(fill(text.lists.bulk_new_priority, &[&priority]));
    }
    let selected = i64::try_from(asked.ids.len()).unwrap_or(0);
    if !asked.all && selected > chosen.all() {
        let left = locale.number(selected - chosen.all());
        lines.push(fill(text.lists.bulk_left_out, &[&left]));
    }
    if chosen.numbers.unfinished > most || chosen.numbers.ended > most {
        lines.push(fill(text.lists.bulk_portions, &[&locale.number(most)]));
    }
    lines
}

impl Asked {
    /// The fields of the form that carries it out.
    fn fields(&self, wish: &Wish) -> Vec<(&'static str, String)> {
        let mut fields = vec![("action", wish.name().to_owned()), ("confirmed", "1".to_owned())];
        fields.extend(self.priority.clone().map(|priority| ("priority", priority)));
        if self.all {
            fields.push(("all", "1".to_owned()));
            let search = self.search.given().map(|(name, value)| (name, value.to_owned()));
            fields.extend(search);
        } else {
            fields.extend(self.ids.iter().map(|id| ("job", id.to_string())));
        }
        fields.push(("back", self.back.clone()));
        fields
    }
}
