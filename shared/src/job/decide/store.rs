//! Does anybody still need an item store, and what becomes of one that a worker has found on its storage?

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

/// What a database knows of a store that a worker has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownStore<'a> {
    /// The jobs that go on, or have gone on, in it.
    pub users: &'a [StoreUser],
    /// It was given up, for ever: no retry adopts it any more.
    pub given_up: bool,
    /// Whether it is listed for removal.
    pub listed: Listed,
}

/// Whether a store is listed for removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Listed {
    /// It is not, or so long ago that nobody knows.
    No,
    /// It is, and waits for a worker.
    Waits,
    /// It was, and a worker has said that it is gone.
    Removed,
}

/// What becomes of a store that a worker has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreFinding {
    /// It stays as it is.
    Stay,
    /// It is listed for removal.
    Remove,
    /// There is nothing but an entry in an index, which nobody needs.
    Forget,
    /// No job of this database has ever had it, as far as is known: only a person may have it removed.
    Unknown,
}

/// What becomes of a store that a worker has found; `there` tells whether the store is there, or only its entry in the
/// worker's index.
pub fn found_store(known: KnownStore<'_>, there: bool) -> StoreFinding {
    let unfinished = known.users.iter().any(|user| !user.state.is_final());
    let needed = unfinished || (!known.given_up && store_is_needed(known.users.iter().copied()));
    if needed || known.listed == Listed::Waits {
        StoreFinding::Stay
    } else if !there {
        StoreFinding::Forget
    } else if known.users.is_empty() && !known.given_up && known.listed == Listed::No {
        StoreFinding::Unknown
    } else {
        StoreFinding::Remove
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(users: &[StoreUser], given_up: bool, listed: Listed, there: bool) -> StoreFinding {
        let known = KnownStore {
            users,
            given_up,
            listed,
        };
        found_store(known, there)
    }

    const ALL_LISTED: [Listed; 3] = [Listed::No, Listed::Waits, Listed::Removed];

    #[test]
    fn nothing_of_an_unfinished_job_is_touched_whatever_else_is_said_of_its_store() {
        for state in JobState::ALL.into_iter().filter(|state| !state.is_final()) {
            for (given_up, there) in [(false, false), (false, true), (true, false), (true, true)] {
                for listed in ALL_LISTED {
                    let users = [user(JobState::Error, true), user(state, false)];
                    assert_eq!(
                        found(&users, given_up, listed, there),
                        StoreFinding::Stay,
                        "{state} {listed:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_failed_jobs_store_stays_for_its_retry_unless_it_was_given_up() {
        let failed = [user(JobState::Error, false)];
        for there in [true, false] {
            assert_eq!(found(&failed, false, Listed::No, there), StoreFinding::Stay);
        }
        assert_eq!(found(&failed, true, Listed::No, true), StoreFinding::Remove);
        assert_eq!(found(&failed, true, Listed::No, false), StoreFinding::Forget);
    }

    #[test]
    fn what_a_job_that_is_over_has_left_is_removed_once_and_what_is_not_there_is_forgotten() {
        for users in [
            &[user(JobState::Done, false)][..],
            &[user(JobState::Cancelled, false)],
            &[user(JobState::Error, true)],
        ] {
            assert_eq!(found(users, false, Listed::No, true), StoreFinding::Remove);
            assert_eq!(found(users, true, Listed::Removed, true), StoreFinding::Remove);
            assert_eq!(found(users, true, Listed::Waits, true), StoreFinding::Stay);
            assert_eq!(found(users, true, Listed::Removed, false), StoreFinding::Forget);
        }
        // History has forgotten the job, the list has not.
        assert_eq!(found(&[], false, Listed::Removed, true), StoreFinding::Remove);
        assert_eq!(found(&[], false, Listed::Waits, true), StoreFinding::Stay);
    }

    #[test]
    fn a_store_of_no_job_is_never_removed_without_a_person() {
        assert_eq!(found(&[], false, Listed::No, true), StoreFinding::Unknown);
        assert_eq!(found(&[], false, Listed::No, false), StoreFinding::Forget);
    }

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
