//! What a page says after somebody has done something on it. It stands in the page's address, so that the answer to
//! a form can be reloaded without doing it again.

use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};

use crate::db::control::{JobOutcome, WhyNot};
use crate::http::format::fill;
use crate::http::problem::Error;
use crate::http::text::Text;

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// It was done.
    Done,
    /// It was so already.
    Unchanged,
    /// It was recorded, and is sent.
    Messaged,
    /// A new job was made of an ended one.
    Retried,
    /// It can't be done.
    Refused(WhyNot),
}

impl Said {
    /// All that can be said.
    pub(super) const ALL: [Self; 16] = [
        Self::Done,
        Self::Messaged,
        Self::Refused(WhyNot::NoProcess),
        Self::Refused(WhyNot::NoGoobi),
        Self::Unchanged,
        Self::Retried,
        Self::Refused(WhyNot::TooLate),
        Self::Refused(WhyNot::BeingCancelled),
        Self::Refused(WhyNot::Blocked),
        Self::Refused(WhyNot::HasEnded),
        Self::Refused(WhyNot::NotEnded),
        Self::Refused(WhyNot::Running),
        Self::Refused(WhyNot::WasCancelled),
        Self::Refused(WhyNot::WasRetried),
        Self::Refused(WhyNot::RetryUnfinished),
        Self::Refused(WhyNot::SubmittedAgain),
    ];

    /// What is said of an outcome.
    ///
    /// # Errors
    /// [`Error::Forbidden`] and [`Error::UnknownJob`], which have pages of their own.
    pub(super) fn of(outcome: Option<JobOutcome>) -> Result<Self, Error> {
        match outcome {
            Some(JobOutcome::Done) => Ok(Self::Done),
            Some(JobOutcome::Unchanged) => Ok(Self::Unchanged),
            Some(JobOutcome::Retried { .. }) => Ok(Self::Retried),
            Some(JobOutcome::Refused { why }) => Ok(Self::Refused(why)),
            Some(JobOutcome::Forbidden) => Err(Error::Forbidden),
            Some(JobOutcome::Unknown) | None => Err(Error::UnknownJob),
        }
    }

    /// What stands in an address; a word that nobody has written there is passed over.
    pub(super) fn read(word: Option<&str>) -> Option<Self> {
        Self::ALL.into_iter().find(|said| Some(said.word()) == word)
    }

    /// Its name in addresses.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Messaged => "messaged",
            Self::Refused(WhyNot::NoProcess) => "no_process",
            Self::Refused(WhyNot::NoGoobi) => "no_goobi",
            Self::Unchanged => "unchanged",
            Self::Retried => "retried",
            Self::Refused(WhyNot::TooLate) => "too_late",
            Self::Refused(WhyNot::BeingCancelled) => "being_cancelled",
            Self::Refused(WhyNot::Blocked) => "blocked",
            Self::Refused(WhyNot::HasEnded) => "has_ended",
            Self::Refused(WhyNot::NotEnded) => "not_ended",
            Self::Refused(WhyNot::Running) => "running",
            Self::Refused(WhyNot::WasCancelled) => "was_cancelled",
            Self::Refused(WhyNot::WasRetried) => "was_retried",
            Self::Refused(WhyNot::RetryUnfinished) => "retry_unfinished",
            Self::Refused(WhyNot::SubmittedAgain) => "submitted_again",
        }
    }

    /// The sentence about one job or several.
    pub(super) fn text(self, text: &Text, jobs: u32) -> String {
        let sentence = match self {
            Self::Done => text.said_done,
            Self::Messaged => text.said_messaged,
            Self::Refused(WhyNot::NoProcess) => text.said_no_process,
            Self::Refused(WhyNot::NoGoobi) => text.said_no_goobi,
            Self::Unchanged => text.said_unchanged,
            Self::Retried => text.said_retried,
            Self::Refused(WhyNot::TooLate) => text.said_too_late,
            Self::Refused(WhyNot::BeingCancelled) => text.said_being_cancelled,
            Self::Refused(WhyNot::Blocked) => text.said_blocked,
            Self::Refused(WhyNot::HasEnded) => text.said_has_ended,
            Self::Refused(WhyNot::NotEnded) => text.said_not_ended,
            Self::Refused(WhyNot::Running) => text.said_running,
            Self::Refused(WhyNot::WasCancelled) => text.said_was_cancelled,
            Self::Refused(WhyNot::WasRetried) => text.said_was_retried,
            Self::Refused(WhyNot::RetryUnfinished) => text.said_retry_unfinished,
            Self::Refused(WhyNot::SubmittedAgain) => text.said_submitted_again,
        };
        fill(sentence, &[&jobs])
    }

    /// Whether it was refused.
    pub(super) fn is_refusal(self) -> bool {
        matches!(self, Self::Refused(_))
    }

    /// Sends the browser to `address`, which has no query yet and will say this.
    pub(super) fn at(self, address: &str) -> Response {
        see(&format!("{address}?said={}", self.word()))
    }
}

/// Sends the browser on after a form.
pub(super) fn see(address: &str) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, address)]).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_read_as_what_was_said_and_others_say_nothing() {
        for said in Said::ALL {
            assert_eq!(Said::read(Some(said.word())), Some(said));
        }
        assert_eq!((Said::read(Some("<b>")), Said::read(None)), (None, None));
    }
}
