//! Does anybody still need an item store?

use crate::job::JobState;

/// A job that goes on, or has gone on, in an item store: the one that the store is named after, or a retry of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StoreUser {
    /// Where the job is, or how it ended.
    pub state: JobState,
    /// It has been retried. Of a job and its retries only the last one is retried.
    pub was_retried: bool,
}

/// Whether a store has to stay, as the jobs that use it are now: one of them is unfinished, or has failed and may be
/// retried, and the retry would go on in it.
pub fn store_is_needed(users: impl IntoIterator<Item = StoreUser>) -> bool {
    users.into_iter().any(|user| match user.state {
        JobState::Done | JobState::Cancelled => false,
        JobState::Error => !user.was_retried,
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(state: JobState, was_retried: bool) -> StoreUser {
        StoreUser { state, was_retried }
    }

    #[test]
    fn a_store_stays_as_long_as_a_job_is_unfinished_whatever_became_of_the_others() {
        for state in JobState::ALL.into_iter().filter(|state| !state.is_final()) {
            for other in JobState::ALL {
                assert!(
                    store_is_needed([user(other, true), user(state, false)]),
                    "{state} {other}"
                );
            }
        }
    }

    #[test]
    fn a_store_stays_as_long_as_a_failed_job_may_be_retried() {
        let (failed, retried) = (user(JobState::Error, false), user(JobState::Error, true));
        assert!(store_is_needed([failed]));
        assert!(store_is_needed([retried, failed]), "the retry has failed too");
        assert!(!store_is_needed([retried]), "its retry has a store of its own");
    }

    #[test]
    fn a_store_goes_with_the_last_job_that_could_go_on_in_it() {
        let retried = user(JobState::Error, true);
        for end in [JobState::Done, JobState::Cancelled] {
            assert!(!store_is_needed([user(end, false)]), "{end}");
            assert!(!store_is_needed([retried, user(end, false)]), "{end}");
        }
        assert!(!store_is_needed([]), "nobody knows it any more");
    }
}
