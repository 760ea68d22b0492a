//! The decisions' rules one by one, and over random histories.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::job::{ClaimId, Stage};

const OPEN: Gate = Gate {
    plugin_running: true,
    autostart: true,
    has_room: true,
    has_quota: true,
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
    assert_eq!(ask_to_publish(&elsewhere, first).0, PublishAnswer::Lost);
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
    assert_eq!(ask_to_publish(&waiting, token).0, PublishAnswer::Lost);
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
fn cancelling_is_too_late_after_the_publish_grant() {
    let (running, token) = granted(&Job::submitted(), 1);
    let wished = Job {
        cancel_requested: true,
        ..running
    };
    assert_eq!(ask_to_publish(&wished, token).0, PublishAnswer::Cancelled);
    let (answer, publishing) = ask_to_publish(&running, token);
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

fn changed(answer: ControlAnswer) -> Job {
    match answer {
        ControlAnswer::Change(job) => job,
        other => panic!("not changed: {other:?}"),
    }
}

#[test]
fn a_waiting_job_is_cancelled_at_once_and_a_running_one_is_asked_to_stop() {
    assert_eq!(changed(cancel(&Job::submitted())).state, JobState::Cancelled);
    assert_eq!(
        changed(cancel(&Job::submitted_for_later())).state,
        JobState::Cancelled
    );
    let (running, token) = granted(&Job::submitted(), 1);
    let wished = changed(cancel(&running));
    assert_eq!(wished.state, JobState::Started);
    assert_eq!(cancel(&wished), ControlAnswer::AsItWas);
    let told = heartbeat(&wished, token, Stage::Processing, Pause::No);
    assert!(matches!(told, HeartbeatAnswer::Cancel(_)));
    let (_, publishing) = ask_to_publish(&running, token);
    let refused = ControlAnswer::Refuse(ControlRefusal::TooLate);
    assert_eq!((cancel(&publishing), hold(&publishing)), (refused, refused));
}

#[test]
fn a_held_job_does_not_start_until_it_is_released() {
    let held = changed(hold(&Job::submitted()));
    assert_eq!(held.dispatch, 2, "its message is void");
    assert_eq!(
        claim(&held, ask(&held, 1), OPEN),
        ClaimAnswer::Refuse(Refusal::Held)
    );
    assert_eq!(hold(&held), ControlAnswer::AsItWas);
    granted(&changed(release(&held)), 1);
    assert_eq!(release(&Job::submitted()), ControlAnswer::AsItWas);
}

#[test]
fn a_running_job_that_is_held_yields_and_a_publishing_one_is_let_through() {
    let (running, token) = granted(&Job::submitted(), 1);
    let held = changed(hold(&running));
    let told = heartbeat(&held, token, Stage::Processing, Pause::No);
    assert!(matches!(told, HeartbeatAnswer::Yield(_)));
    let (answer, publishing) = ask_to_publish(&held, token);
    assert_eq!((answer, publishing.held), (PublishAnswer::Granted, false));
    let told = heartbeat(&publishing, token, Stage::Download, Pause::AtOnce);
    assert!(matches!(told, HeartbeatAnswer::Ok(_)));
}

#[test]
fn a_stopping_plugins_jobs_yield_and_are_interrupted_after_the_deadline() {
    let (running, token) = granted(&Job::submitted(), 1);
    let yields = heartbeat(&running, token, Stage::Processing, Pause::AtNextItem);
    assert!(matches!(yields, HeartbeatAnswer::Yield(_)));
    let interrupted = heartbeat(&running, token, Stage::Processing, Pause::AtOnce);
    assert!(matches!(interrupted, HeartbeatAnswer::Interrupt(_)));
}

#[test]
fn starting_by_hand_releases_and_hurries_a_job() {
    let waiting = Job::submitted_for_later();
    let hurried = changed(start_now(&waiting));
    assert_eq!((hurried.state, hurried.dispatch), (JobState::Queued, 1));
    let held = changed(hold(&Job::submitted()));
    let hurried = changed(start_now(&held));
    assert!(hurried.start_now && !hurried.held && hurried.dispatch > held.dispatch);
    assert_eq!(start_now(&hurried), ControlAnswer::AsItWas);
    let (running, _) = granted(&Job::submitted(), 1);
    assert_eq!(start_now(&running), ControlAnswer::AsItWas);
}

/// One step of a random history; tokens are drawn from all that were ever granted.
#[derive(Debug, Clone)]
enum Step {
    Claim {
        dispatch_back: i64,
        claim: u128,
        gate: Gate,
    },
    Heartbeat {
        token: usize,
        stage: Stage,
        pause: Pause,
    },
    Publish {
        token: usize,
    },
    Result {
        token: usize,
        outcome: OutcomeKind,
    },
    Expire {
        token: usize,
    },
    Control(fn(&Job) -> ControlAnswer),
    Time,
}

fn step() -> impl Strategy<Value = Step> {
    let stage = prop_oneof![
        Just(Stage::Started),
        Just(Stage::Processing),
        Just(Stage::Download)
    ];
    let outcome = prop_oneof![
        Just(OutcomeKind::Done),
        Just(OutcomeKind::Failed(ErrorClass::Permanent)),
        Just(OutcomeKind::Failed(ErrorClass::Retryable)),
        Just(OutcomeKind::Interrupted),
        Just(OutcomeKind::Cancelled),
    ];
    let pause = prop_oneof![3 => Just(Pause::No), 1 => Just(Pause::AtNextItem), 1 => Just(Pause::AtOnce)];
    let gate = prop::array::uniform5(prop::bool::weighted(0.9)).prop_map(
        |[plugin_running, autostart, has_room, has_quota, worker_has_room]| Gate {
            plugin_running,
            autostart,
            has_room,
            has_quota,
            worker_has_room,
        },
    );
    let control: [fn(&Job) -> ControlAnswer; 4] = [hold, release, start_now, cancel];
    prop_oneof![
        4 => (0i64..2, 1u128..6, gate)
            .prop_map(|(dispatch_back, claim, gate)| Step::Claim { dispatch_back, claim, gate }),
        2 => (0usize..8, stage, pause)
            .prop_map(|(token, stage, pause)| Step::Heartbeat { token, stage, pause }),
        1 => (0usize..8).prop_map(|token| Step::Publish { token }),
        1 => (0usize..8, outcome).prop_map(|(token, outcome)| Step::Result { token, outcome }),
        2 => (0usize..8).prop_map(|token| Step::Expire { token }),
        2 => prop::sample::select(control.to_vec()).prop_map(Step::Control),
        1 => Just(Step::Time),
    ]
}

proptest! {
    #[test]
    fn any_history_keeps_numbers_growing_tokens_single_and_final_states_final(
        steps in prop::collection::vec(step(), 1..60)
    ) {
        let mut job = Job::submitted();
        let mut tokens: Vec<Token> = Vec::new();
        let mut accepted = 0;
        for step in steps {
            let before = job;
            let token = |i: usize| tokens.get(i % tokens.len().max(1)).copied();
            let mut next = job;
            match step {
                Step::Claim { dispatch_back, claim: n, gate } => {
                    let asked = ClaimAsk { dispatch: job.dispatch - dispatch_back, claim_id: claim_id(n) };
                    let answer = claim(&job, asked, gate);
                    if let ClaimAnswer::Postpone(_, row) = answer {
                        prop_assert!(gate != OPEN);
                        next = row;
                    }
                    if let ClaimAnswer::Grant(row) = answer {
                        prop_assert!(gate.plugin_running && gate.has_quota && gate.worker_has_room);
                        prop_assert!(before.start_now || gate == OPEN);
                        prop_assert_eq!(before.state, JobState::Queued);
                        prop_assert_eq!(dispatch_back, 0);
                        prop_assert!(!before.held && !before.cancel_requested);
                        let token = row.token.unwrap();
                        prop_assert!(!tokens.contains(&token), "a token was granted twice");
                        tokens.push(token);
                        next = row;
                    }
                }
                Step::Heartbeat { token: i, stage, pause } => if let Some(token) = token(i) {
                    match heartbeat(&job, token, stage, pause) {
                        HeartbeatAnswer::Ok(row)
                        | HeartbeatAnswer::Cancel(row)
                        | HeartbeatAnswer::Yield(row)
                        | HeartbeatAnswer::Interrupt(row) => {
                            prop_assert_eq!(job.token, Some(token));
                            next = row;
                        }
                        HeartbeatAnswer::Lost => {}
                    }
                },
                Step::Publish { token: i } => if let Some(token) = token(i) {
                    let (answer, row) = ask_to_publish(&job, token);
                    if answer == PublishAnswer::Granted {
                        prop_assert_eq!(job.token, Some(token));
                    } else {
                        prop_assert_eq!(row, job);
                    }
                    next = row;
                },
                Step::Result { token: i, outcome } => if let Some(token) = token(i)
                    && let EndAnswer::Record(row) = result(&job, token, outcome, RETRIES) {
                    prop_assert_eq!(job.token, Some(token));
                    if row.state.is_final() { accepted += 1; }
                    next = row;
                },
                Step::Expire { token: i } => if let Some(token) = token(i)
                    && let Some(row) = lease_expired(&job, token) {
                    if row.state.is_final() { accepted += 1; }
                    next = row;
                },
                // A job that has ended has no row that a person could do anything with.
                Step::Control(control) => if !job.state.is_final()
                    && let ControlAnswer::Change(row) = control(&job) {
                    if row.state.is_final() { accepted += 1; }
                    next = row;
                },
                Step::Time => if let Some(row) = time_has_come(&job) { next = row },
            }
            prop_assert!(next.attempt >= before.attempt && next.dispatch >= before.dispatch);
            prop_assert!(!before.publish_granted || next.publish_granted);
            prop_assert!(before.state == next.state || before.state.may_become(next.state),
                "{} -> {}", before.state, next.state);
            if next.state == JobState::Queued && before.state != JobState::Queued {
                prop_assert_eq!(next.dispatch, before.dispatch + 1);
            }
            if before.state.is_final() { prop_assert_eq!(next, before); }
            job = next;
        }
        prop_assert!(accepted <= 1);
    }
}
