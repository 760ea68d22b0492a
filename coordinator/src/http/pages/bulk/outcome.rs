//! `GET /jobs/outcome`: what became of many jobs. It stands in the address, so that it can be reloaded without doing
//! anything again.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::Uri;
use axum::response::Response;
use shared::job::JobId;

use super::wish::Wish;
use crate::db::control::{FIND_MAX, JobOutcome};
use crate::db::pages::{Ping, Tab, WithMenu};
use crate::http::App;
use crate::http::format::fill;
use crate::http::language::Locale;
use crate::http::pages::html;
use crate::http::pages::layout::{Layout, Section};
use crate::http::pages::said::Said;
use crate::http::problem::Error;
use crate::http::text::Text;
use crate::http::who::{Who, escape};

/// Numbers of jobs by what became of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    done: usize,
    unchanged: usize,
    forbidden: usize,
    unknown: usize,
    /// Running ones that were asked to stop.
    pub(super) stopping: usize,
    /// By the word of the reason.
    refused: BTreeMap<&'static str, usize>,
    /// As many were found as one request acts on: there may be more.
    more: bool,
}

impl Tally {
    pub(super) fn of(outcomes: Vec<(JobId, JobOutcome)>) -> Self {
        let mut tally = Self {
            more: outcomes.len() >= FIND_MAX,
            ..Self::default()
        };
        for (_, outcome) in outcomes {
            match outcome {
                JobOutcome::Done | JobOutcome::Retried { .. } => tally.done += 1,
                JobOutcome::Unchanged => tally.unchanged += 1,
                JobOutcome::Forbidden => tally.forbidden += 1,
                JobOutcome::Unknown => tally.unknown += 1,
                JobOutcome::Refused { why } => {
                    *tally.refused.entry(Said::Refused(why).word()).or_default() += 1;
                }
            }
        }
        tally
    }

    /// The address of the page that says it.
    pub(super) fn address(&self, wish: &Wish, back: &str) -> String {
        let numbers = [
            ("done", self.done),
            ("unchanged", self.unchanged),
            ("forbidden", self.forbidden),
            ("unknown", self.unknown),
            ("stopping", self.stopping),
            ("more", usize::from(self.more)),
        ];
        let refused = self.refused.iter().map(|(why, number)| (*why, *number));
        let pairs: Vec<String> = numbers
            .into_iter()
            .chain(refused)
            .filter(|(_, number)| *number > 0)
            .map(|(name, number)| format!("&{name}={number}"))
            .collect();
        let priority = wish
            .priority()
            .map_or_else(String::new, |priority| format!("&priority={priority}"));
        format!(
            "/jobs/outcome?action={}{priority}{}&back={}",
            wish.name(),
            pairs.concat(),
            escape(back)
        )
    }
}

#[derive(Debug, Template)]
#[template(path = "bulk/outcome.html")]
struct Page {
    t: &'static Text,
    layout: Layout,
    heading: String,
    /// Number and sentence, and whether it was not done.
    lines: Vec<(String, String, bool)>,
    /// There may be more.
    more: String,
    back: String,
}

/// `GET /jobs/outcome`
pub(crate) async fn show(
    who: Who,
    State(app): State<App>,
    locale: Locale,
    address: Uri,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Response, Error> {
    let (menu, ()) = app.db.run(&WithMenu(Ping)).await?;
    let text = locale.text;
    let value = |name: &str| {
        let found = pairs.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.as_str())
    };
    let number = |name: &str| {
        value(name)
            .and_then(|value| value.parse::<u32>().ok())
            .unwrap_or(0)
    };
    let wish = value("action")
        .and_then(|name| Wish::named(name, value("priority")))
        .ok_or_else(|| Error::BadQuery("parameter action names nothing that can be done".to_owned()))?;
    let plain = [
        ("done", text.lists.tally_done, false),
        ("stopping", text.lists.tally_stopping, false),
        ("unchanged", text.said_unchanged, false),
        ("forbidden", text.lists.tally_forbidden, true),
        ("unknown", text.lists.tally_unknown, true),
    ];
    let refused = Said::ALL.into_iter().filter(|said| said.is_refusal());
    let refused = refused.map(|said| (said.word(), said.text(text, number(said.word())), true));
    let lines = plain
        .into_iter()
        .map(|(name, sentence, bad)| (name, fill(sentence, &[&number(name)]), bad))
        .chain(refused)
        .filter(|(name, ..)| number(name) > 0)
        .map(|(name, sentence, bad)| (locale.number(i64::from(number(name))), sentence, bad))
        .collect();
    let page = Page {
        t: text,
        layout: Layout::new(
            &locale,
            &address,
            Some(&who),
            &menu,
            Section::None,
            Tab::default(),
        ),
        heading: fill(text.lists.outcome_heading, &[&wish.word(text)]),
        lines,
        more: if number("more") > 0 {
            fill(
                text.lists.outcome_more,
                &[&locale.number(i64::try_from(FIND_MAX).expect("a small number"))],
            )
        } else {
            String::new()
        },
        back: super::back(value("back")).to_owned(),
    };
    html(&locale, &page)
}
