//! The decisions' rules one by one: claims, and how attempts end.

mod control;
mod history;
mod transfer;

use uuid::Uuid;

use super::*;
use crate::job::{ClaimId, Stage};

const OPEN: Gate = Gate {
    plugin_running: true,
    autostart: true,
    has_room: true,
    has_quota: true,
    storages_have_room: true,
    worker_has_room: true,
};

/// How often a plugin of these tests repeats a failure that may pass.
const RETRIES: i16 = 2;

fn claim_id(n: u128) -> ClaimId {
    ClaimId(Uuid::from_u128(n))
}

fn ask(job: &Job, n: u128) -> ClaimAsk {
    ClaimAsk {
        dispatch: job.dispatch,
        claim_id: claim_id(n),
    }
}

fn granted(job: &Job, n: u128) -> (Job, Token) {
    match claim(job, ask(job, n), OPEN) {
        ClaimAnswer::Grant(row) => (row, row.token.unwrap()),
        other => panic!("not granted: {other:?}"),
    }
}

#[test]
fn a_claim_is_granted_once_and_repeated_to_the_same_claimer() {
    let (running, token) = granted(&Job::submitted(), 1);
    assert_eq!(token.attempt, 1);
    assert_eq!(claim(&running, ask(&running, 1), OPEN), ClaimAnswer::GrantAgain);
    assert_eq!(
        claim(&running, ask(&running, 2), OPEN),
        ClaimAnswer::Refuse(Refusal::NotQueued)
    );
}

#[test]
fn a_claim_is_refused_when_stale_held_or_cancelled() {
    let job = Job::submitted();
    let refused = |job: &Job, ask, gate| match claim(job, ask, gate) {
        ClaimAnswer::Refuse(refusal) => refusal,
        other => panic!("not refused: {other:?}"),
    };
    let stale = ClaimAsk {
        dispatch: 0,
        ..ask(&job, 1)
    };
    assert_eq!(refused(&job, stale, OPEN), Refusal::Stale);
    assert_eq!(
        refused(&Job { held: true, ..job }, ask(&job, 1), OPEN),
        Refusal::Held
    );
    assert_eq!(
        refused(
            &Job {
                cancel_requested: true,
                ..job
            },
            ask(&job, 1),
            OPEN
        ),
        Refusal::Cancelled
    );
}

#[test]
fn a_closed_gate_postpones_the_start_and_has_the_message_sent_again_later() {
    let job = Job::submitted();
    let closed = [
        (
            Gate {
                plugin_running: false,
                ..OPEN
            },
            Refusal::PluginStopped,
            false,
        ),
        (
            Gate {
                has_quota: false,
                ..OPEN
            },
            Refusal::QuotaUsedUp,
            false,
        ),
        (
            Gate {
                autostart: false,
                ..OPEN
            },
            Refusal::AutostartOff,
            true,
        ),
        (
            Gate {
                has_room: false,
                ..OPEN
            },
            Refusal::LimitReached,
            true,
        ),
        (
            Gate {
                storages_have_room: false,
                ..OPEN
            },
            Refusal::StorageLimitReached,
            false,
        ),
        (
            Gate {
                worker_has_room: false,
                ..OPEN
            },
            Refusal::LimitReached,
            false,
        ),
    ];
    for (gate, refusal, passed_over) in closed {
        let ClaimAnswer::Postpone(said, next) = claim(&job, ask(&job, 1), gate) else {
            panic!("not postponed: {refusal:?}")
        };
        assert_eq!((said, next.state, next.dispatch), (refusal, JobState::Queued, 2));
        let wanted = Job {
            start_now: true,
            ..job
        };
        let started = matches!(claim(&wanted, ask(&job, 1), gate), ClaimAnswer::Grant(_));
        assert_eq!(started, passed_over, "started by hand although {refusal:?}");
    }
}

#[test]
fn a_lost_worker_gives_the_job_back_under_a_new_number_and_three_end_it() {
    let mut job = Job::submitted();
    for lost in 1..=WORKERS_LOST_MAX {
        let (running, token) = granted(&job, lost.unsigned_abs().into());
        let next = lease_expired(&running, token).unwrap();
        assert_eq!(next.workers_lost, lost);
        if lost < WORKERS_LOST_MAX {
            assert_eq!(next.state, JobState::Queued);
            assert_eq!(next.dispatch, job.dispatch + 1);
        } else {
            assert_eq!(next.state, JobState::Error);
        }
        job = next;
    }
}

#[test]
fn what_was_granted_is_completed_however_many_workers_die_over_it() {
    let (running, token) = granted(&Job::submitted(), 1);
    let (_, mut publishing) = ask_to_publish(&running, token, Pause::No);
    publishing.workers_lost = WORKERS_LOST_MAX;
    let next = lease_expired(&publishing, token).unwrap();
    assert_eq!((next.state, next.publish_granted), (JobState::Queued, true));
}

#[test]
fn the_last_claimer_is_revived_until_somebody_claims_anew() {
    let (running, first) = granted(&Job::submitted(), 1);
    let waiting = lease_expired(&running, first).unwrap();
    let HeartbeatAnswer::Ok(revived) = heartbeat(&waiting, first, Stage::Processing, Pause::No) else {
        panic!("not revived")
    };
    assert_eq!(revived.state, JobState::Processing);
    assert_eq!((waiting.workers_lost, revived.workers_lost), (1, 0));
    let (elsewhere, _) = granted(&waiting, 2);
    assert_eq!(
        heartbeat(&elsewhere, first, Stage::Processing, Pause::No),
        HeartbeatAnswer::Lost
    );
    assert_eq!(
        result(&elsewhere, first, OutcomeKind::Done, RETRIES),
        EndAnswer::Superseded
    );
    assert_eq!(
        ask_to_publish(&elsewhere, first, Pause::No).0,
        PublishAnswer::Lost
    );
}

#[test]
fn beyond_its_plugins_deadline_no_word_makes_a_lease_longer_or_begins_it_anew() {
    let (running, token) = granted(&Job::submitted(), 1);
    let waiting = lease_expired(&running, token).unwrap();
    let word = |job: &Job, pause| {
        let beats = heartbeat(job, token, Stage::Processing, pause) != HeartbeatAnswer::Lost;
        (
            beats,
            ask_to_publish(job, token, pause).0 == PublishAnswer::Granted,
        )
    };
    for pause in [Pause::No, Pause::AtNextItem] {
        assert!(pause.extends_lease());
        assert_eq!(word(&waiting, pause), (true, true), "{pause:?}");
    }
    assert!(!Pause::AtOnce.extends_lease());
    assert_eq!(word(&running, Pause::AtOnce), (true, true), "its lease lasts");
    assert_eq!(word(&waiting, Pause::AtOnce), (false, false));
    assert!(
        matches!(result(&waiting, token, OutcomeKind::Done, RETRIES), EndAnswer::Record(done) if done.state == JobState::Done),
        "what it has done all the same counts until somebody claims anew"
    );
}

#[test]
fn who_has_given_a_job_back_is_not_its_claimer_any_more() {
    let (running, token) = granted(&Job::submitted(), 1);
    let EndAnswer::Record(waiting) = result(&running, token, OutcomeKind::Interrupted, RETRIES) else {
        panic!("superseded")
    };
    assert_eq!((waiting.state, waiting.dispatch), (JobState::Queued, 2));
    assert_eq!(
        heartbeat(&waiting, token, Stage::Processing, Pause::No),
        HeartbeatAnswer::Lost
    );
    assert_eq!(ask_to_publish(&waiting, token, Pause::No).0, PublishAnswer::Lost);
}

#[test]
fn a_late_result_of_the_last_claimer_counts() {
    let (running, token) = granted(&Job::submitted(), 1);
    let waiting = lease_expired(&running, token).unwrap();
    let EndAnswer::Record(done) = result(&waiting, token, OutcomeKind::Done, RETRIES) else {
        panic!("superseded")
    };
    assert_eq!(done.state, JobState::Done);
}

#[test]
fn a_late_result_shows_that_its_worker_was_not_lost() {
    let (running, token) = granted(&Job::submitted(), 1);
    let waiting = lease_expired(&running, token).unwrap();
    let failed = OutcomeKind::Failed(ErrorClass::Retryable);
    for outcome in [failed, OutcomeKind::Interrupted] {
        let EndAnswer::Record(next) = result(&waiting, token, outcome, RETRIES) else {
            panic!("superseded")
        };
        assert_eq!((waiting.workers_lost, next.workers_lost), (1, 0), "{outcome:?}");
    }
}

#[test]
fn cancelling_is_too_late_after_the_publish_grant() {
    let (running, token) = granted(&Job::submitted(), 1);
    let wished = Job {
        cancel_requested: true,
        ..running
    };
    assert_eq!(
        ask_to_publish(&wished, token, Pause::No).0,
        PublishAnswer::Cancelled
    );
    let (answer, publishing) = ask_to_publish(&running, token, Pause::No);
    assert_eq!(answer, PublishAnswer::Granted);
    let late = Job {
        cancel_requested: true,
        ..publishing
    };
    assert!(matches!(
        heartbeat(&late, token, Stage::Download, Pause::No),
        HeartbeatAnswer::Ok(_)
    ));
    assert!(matches!(
        result(&late, token, OutcomeKind::Cancelled, RETRIES),
        EndAnswer::Record(Job {
            state: JobState::Queued,
            ..
        })
    ));
}

#[test]
fn a_failure_that_may_pass_is_repeated_as_often_as_the_plugin_says() {
    let mut job = Job::submitted();
    for failures in 1..=RETRIES {
        let (running, token) = granted(&job, failures.unsigned_abs().into());
        let failed = OutcomeKind::Failed(ErrorClass::Retryable);
        let EndAnswer::Record(later) = result(&running, token, failed, RETRIES) else {
            panic!("superseded")
        };
        assert_eq!((later.state, later.failures), (JobState::Scheduled, failures));
        let late = heartbeat(&later, token, Stage::Processing, Pause::No);
        assert_eq!(late, HeartbeatAnswer::Lost);
        job = time_has_come(&later).unwrap();
        assert_eq!(job.dispatch, running.dispatch + 1);
    }
    let (running, token) = granted(&job, 9);
    let failed = OutcomeKind::Failed(ErrorClass::Retryable);
    let EndAnswer::Record(ended) = result(&running, token, failed, RETRIES) else {
        panic!("superseded")
    };
    assert_eq!(ended.state, JobState::Error);
}

#[test]
fn a_failure_that_will_repeat_itself_ends_the_job_at_once() {
    let (running, token) = granted(&Job::submitted(), 1);
    let failed = OutcomeKind::Failed(ErrorClass::Permanent);
    let EndAnswer::Record(ended) = result(&running, token, failed, RETRIES) else {
        panic!("superseded")
    };
    assert_eq!(ended.state, JobState::Error);
}
