//! What a page says after somebody has stopped, started or cancelled something on it. It stands in the page's address,
//! so that the answer to a form can be reloaded without doing it again.

use serde::Deserialize;

use crate::http::format::fill;
use crate::http::language::Locale;
use crate::http::text::sections::Text as Sections;

/// What became of a form, as an address says it; nonsense says nothing.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct TellQuery {
    said: Option<String>,
    done: Option<String>,
    not: Option<String>,
}

/// What became of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http::pages) enum Outcome {
    /// These plugins were changed: how many.
    Changed {
        /// How many.
        done: usize,
    },
    /// A job was deleted.
    Deleted,
    /// A plugin's name had to be typed, and was not.
    WrongName,
    /// Jobs were cancelled.
    Cancelled {
        /// How many.
        done: usize,
        /// How many were not.
        not: usize,
    },
    /// Jobs were cancelled, and there are more.
    CancelledSome {
        /// How many.
        done: usize,
        /// How many were not.
        not: usize,
    },
}

impl Outcome {
    /// As an address says it: `said=cancelled&done=3&not=0`.
    pub(in crate::http::pages) fn query(&self) -> String {
        match self {
            Self::Changed { done } => format!("said=changed&done={done}"),
            Self::Deleted => "said=deleted".to_owned(),
            Self::WrongName => "said=wrong_name".to_owned(),
            Self::Cancelled { done, not } => format!("said=cancelled&done={done}&not={not}"),
            Self::CancelledSome { done, not } => format!("said=cancelled_some&done={done}&not={not}"),
        }
    }
}

/// The sentence, and whether nothing was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) words: String,
    pub(super) is_refusal: bool,
}

impl TellQuery {
    /// What the address says.
    pub(super) fn read(&self) -> Option<Outcome> {
        let number = |text: &Option<String>| text.as_ref().and_then(|text| text.parse().ok());
        let (done, not) = (number(&self.done).unwrap_or(0), number(&self.not).unwrap_or(0));
        match self.said.as_deref()? {
            "changed" => Some(Outcome::Changed { done }),
            "deleted" => Some(Outcome::Deleted),
            "wrong_name" => Some(Outcome::WrongName),
            "cancelled" => Some(Outcome::Cancelled { done, not }),
            "cancelled_some" => Some(Outcome::CancelledSome { done, not }),
            _ => None,
        }
    }
}

impl Told {
    /// What is said of it.
    pub(super) fn new(locale: &Locale, outcome: &Outcome) -> Self {
        let words = Sections::of(locale.language);
        let (sentence, is_refusal) = match *outcome {
            Outcome::Changed { done: 0 } => (words.said_same.to_owned(), false),
            Outcome::Changed { done } => (fill(words.said_changed, &[&locale.number(number(done))]), false),
            Outcome::Deleted => (words.said_deleted.to_owned(), false),
            Outcome::WrongName => (words.said_wrong_name.to_owned(), true),
            Outcome::Cancelled { done: 0, not: 0 } => (words.said_none.to_owned(), false),
            Outcome::Cancelled { done, not } => (cancelled(locale, done, not), done == 0),
            Outcome::CancelledSome { done, not } => (
                format!("{} {}", cancelled(locale, done, not), words.said_more),
                false,
            ),
        };
        Self {
            words: sentence,
            is_refusal,
        }
    }
}

fn cancelled(locale: &Locale, done: usize, not: usize) -> String {
    let words = Sections::of(locale.language);
    let mut sentences = vec![fill(words.said_cancelled, &[&locale.number(number(done))])];
    if not > 0 {
        sentences.push(fill(words.said_not_cancelled, &[&locale.number(number(not))]));
    }
    sentences.join(" ")
}

/// What an address says may be any number.
fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_address_says_is_read_as_it_was_written_and_nonsense_says_nothing() {
        for outcome in [
            Outcome::Changed { done: 3 },
            Outcome::Deleted,
            Outcome::WrongName,
            Outcome::Cancelled { done: 2, not: 1 },
            Outcome::CancelledSome { done: 10_000, not: 0 },
        ] {
            let query: TellQuery = read_query(&outcome.query());
            assert_eq!(query.read(), Some(outcome));
        }
        let nonsense = read_query("said=%3Cb%3E&done=x");
        assert_eq!(nonsense.read(), None);
    }

    fn read_query(query: &str) -> TellQuery {
        let address = format!("/?{query}").parse().unwrap();
        axum::extract::Query::try_from_uri(&address).unwrap().0
    }
}
