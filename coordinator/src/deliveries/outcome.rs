//! What an answer to a delivery means: taken, to be tried again, given up, or a question for a person.
//!
//! Invariant: a delivery that must not be repeated is tried again only when it is certain that the receiver has not
//! seen it.

use std::time::Duration;

/// Longest pause between two tries.
const PAUSE_MAX: Duration = Duration::from_hours(1);
/// Tries of an address that is not found: a server that starts answers so for a while.
const NOT_FOUND_TRIES: i32 = 5;

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The receiver's message broker has confirmed that it has it.
    Taken,
    /// The receiver has answered.
    Status {
        /// The status code.
        code: u16,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// It can't have seen it: there was no connection, or its message broker has refused it.
    NotSent,
    /// It may have seen it.
    Silence,
    /// The request must not or can't be made.
    Impossible,
}

/// How long is tried.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Pause before the second try; doubled each time.
    pub first_pause: Duration,
    /// After this long it is given up.
    pub give_up_after: Duration,
}

/// What becomes of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It was taken.
    Delivered,
    /// It is tried again, not before this pause, of which the sender leaves a part to chance.
    TryAgain(Duration),
    /// Trying again does not help.
    GiveUp,
    /// It may have been taken, and must not be repeated.
    AskPerson,
}

/// Decides it; `tries` counts the one that was answered, `trying` is how long it is tried already.
pub fn next(answer: &Answer, repeatable: bool, tries: i32, trying: Duration, patience: Patience) -> Next {
    let (seen, wish) = match answer {
        Answer::Taken | Answer::Status { code: 200..=299, .. } => return Next::Delivered,
        Answer::NotSent => (false, None),
        Answer::Silence => (true, None),
        // It has refused to look at it for now.
        Answer::Status {
            code: 408 | 421 | 425 | 429 | 503,
            retry_after,
        } => (false, *retry_after),
        Answer::Status { code: 404, .. } if tries < NOT_FOUND_TRIES => (false, None),
        Answer::Status {
            code: 500..=599,
            retry_after,
        } => (true, *retry_after),
        // Redirects are not followed: they could lead anywhere.
        Answer::Status { .. } | Answer::Impossible => return Next::GiveUp,
    };
    if seen && !repeatable {
        return Next::AskPerson;
    }
    if trying >= patience.give_up_after {
        return Next::GiveUp;
    }
    let doublings = u32::try_from(tries.saturating_sub(1)).unwrap_or_default().min(16);
    let pause = patience.first_pause.saturating_mul(1 << doublings);
    Next::TryAgain(pause.max(wish.unwrap_or_default()).min(PAUSE_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        first_pause: Duration::from_secs(10),
        give_up_after: Duration::from_hours(72),
    };

    fn status(code: u16) -> Answer {
        Answer::Status {
            code,
            retry_after: None,
        }
    }

    fn after(answer: &Answer, tries: i32) -> Next {
        next(answer, true, tries, Duration::ZERO, PATIENCE)
    }

    #[test]
    fn what_may_pass_is_tried_again_and_what_can_not_get_better_is_given_up() {
        assert_eq!(after(&status(204), 1), Next::Delivered);
        for passing in [
            status(500),
            status(503),
            status(429),
            Answer::NotSent,
            Answer::Silence,
        ] {
            assert!(matches!(after(&passing, 1), Next::TryAgain(_)), "{passing:?}");
        }
        for lasting in [
            status(301),
            status(400),
            status(401),
            status(403),
            status(410),
            Answer::Impossible,
        ] {
            assert_eq!(after(&lasting, 1), Next::GiveUp, "{lasting:?}");
        }
    }

    #[test]
    fn an_address_that_is_not_found_may_belong_to_a_server_that_starts() {
        assert!(matches!(after(&status(404), 4), Next::TryAgain(_)));
        assert_eq!(after(&status(404), 5), Next::GiveUp);
    }

    #[test]
    fn pauses_double_up_to_an_hour_and_after_days_it_is_given_up() {
        let pauses = [1, 2, 3, 9, 10, 1_000].map(|tries| after(&Answer::NotSent, tries));
        assert_eq!(
            pauses,
            [10, 20, 40, 2_560, 3_600, 3_600].map(|seconds| Next::TryAgain(Duration::from_secs(seconds)))
        );
        let late = next(&Answer::NotSent, true, 90, PATIENCE.give_up_after, PATIENCE);
        assert_eq!(late, Next::GiveUp);
    }

    #[test]
    fn a_receiver_may_ask_for_a_longer_pause_but_not_for_ever() {
        let asks = |seconds| Answer::Status {
            code: 503,
            retry_after: Some(Duration::from_secs(seconds)),
        };
        assert_eq!(after(&asks(120), 1), Next::TryAgain(Duration::from_mins(2)));
        assert_eq!(after(&asks(1), 1), Next::TryAgain(Duration::from_secs(10)));
        assert_eq!(after(&asks(1_000_000), 1), Next::TryAgain(PAUSE_MAX));
    }

    #[test]
    fn what_must_not_be_repeated_is_shown_to_a_person_as_soon_as_it_may_have_been_seen() {
        let once = |answer: &Answer| next(answer, false, 1, Duration::ZERO, PATIENCE);
        assert_eq!(once(&Answer::Silence), Next::AskPerson);
        assert_eq!(once(&status(500)), Next::AskPerson);
        assert!(matches!(once(&Answer::NotSent), Next::TryAgain(_)));
        assert!(matches!(once(&status(503)), Next::TryAgain(_)));
        assert_eq!(once(&status(200)), Next::Delivered);
        assert_eq!(once(&Answer::Taken), Next::Delivered);
        assert_eq!(once(&status(409)), Next::GiveUp);
    }
}
