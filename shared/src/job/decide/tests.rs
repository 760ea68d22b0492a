//! The decisions' rules one by one, and over random histories.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::job::{ClaimId, Stage};

const OPEN: Gate = Gate { plugin_running: true };

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
fn a_claim_is_refused_when_stale_held_cancelled_or_its_plugin_stopped() {
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
    assert_eq!(
        refused(
            &job,
            ask(&job, 1),
            Gate {
                plugin_running: false
            }
        ),
        Refusal::PluginStopped
    );
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
    let HeartbeatAnswer::Ok(revived) = heartbeat(&waiting, first, Stage::Processing) else {
        panic!("not revived")
    };
    assert_eq!(revived.state, JobState::Processing);
    assert_eq!((waiting.workers_lost, revived.workers_lost), (1, 0));
    let (elsewhere, _) = granted(&waiting, 2);
    assert_eq!(
        heartbeat(&elsewhere, first, Stage::Processing),
        HeartbeatAnswer::Lost
    );
    assert_eq!(
        result(&elsewhere, first, OutcomeKind::Done),
        EndAnswer::Superseded
    );
    assert_eq!(ask_to_publish(&elsewhere, first).0, PublishAnswer::Lost);
}

#[test]
fn who_has_given_a_job_back_is_not_its_claimer_any_more() {
    let (running, token) = granted(&Job::submitted(), 1);
    let EndAnswer::Record(waiting) = result(&running, token, OutcomeKind::Interrupted) else {
        panic!("superseded")
    };
    assert_eq!((waiting.state, waiting.dispatch), (JobState::Queued, 2));
    assert_eq!(
        heartbeat(&waiting, token, Stage::Processing),
        HeartbeatAnswer::Lost
    );
    assert_eq!(ask_to_publish(&waiting, token).0, PublishAnswer::Lost);
}

#[test]
fn a_late_result_of_the_last_claimer_counts() {
    let (running, token) = granted(&Job::submitted(), 1);
    let waiting = lease_expired(&running, token).unwrap();
    let EndAnswer::Record(done) = result(&waiting, token, OutcomeKind::Done) else {
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
        heartbeat(&late, token, Stage::Download),
        HeartbeatAnswer::Ok(_)
    ));
    assert!(matches!(
        result(&late, token, OutcomeKind::Cancelled),
        EndAnswer::Record(Job {
            state: JobState::Queued,
            ..
        })
    ));
}

/// One step of a random history; tokens are drawn from all that were ever granted.
#[derive(Debug, Clone)]
enum Step {
    Claim { dispatch_back: i64, claim: u128 },
    Heartbeat { token: usize, stage: Stage },
    Publish { token: usize },
    Result { token: usize, outcome: OutcomeKind },
    Expire { token: usize },
    Hold(bool),
    Cancel,
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
        Just(OutcomeKind::Interrupted),
        Just(OutcomeKind::Cancelled),
    ];
    prop_oneof![
        4 => (0i64..2, 1u128..6).prop_map(|(dispatch_back, claim)| Step::Claim { dispatch_back, claim }),
        2 => (0usize..8, stage).prop_map(|(token, stage)| Step::Heartbeat { token, stage }),
        1 => (0usize..8).prop_map(|token| Step::Publish { token }),
        1 => (0usize..8, outcome).prop_map(|(token, outcome)| Step::Result { token, outcome }),
        2 => (0usize..8).prop_map(|token| Step::Expire { token }),
        1 => any::<bool>().prop_map(Step::Hold),
        1 => Just(Step::Cancel),
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
                Step::Claim { dispatch_back, claim: n } => {
                    let asked = ClaimAsk { dispatch: job.dispatch - dispatch_back, claim_id: claim_id(n) };
                    if let ClaimAnswer::Grant(row) = claim(&job, asked, OPEN) {
                        prop_assert_eq!(before.state, JobState::Queued);
                        prop_assert_eq!(dispatch_back, 0);
                        prop_assert!(!before.held && !before.cancel_requested);
                        let token = row.token.unwrap();
                        prop_assert!(!tokens.contains(&token), "a token was granted twice");
                        tokens.push(token);
                        next = row;
                    }
                }
                Step::Heartbeat { token: i, stage } => if let Some(token) = token(i) {
                    match heartbeat(&job, token, stage) {
                        HeartbeatAnswer::Ok(row) | HeartbeatAnswer::Cancel(row) => {
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
                    && let EndAnswer::Record(row) = result(&job, token, outcome) {
                    prop_assert_eq!(job.token, Some(token));
                    if row.state.is_final() { accepted += 1; }
                    next = row;
                },
                Step::Expire { token: i } => if let Some(token) = token(i)
                    && let Some(row) = lease_expired(&job, token) {
                    if row.state.is_final() { accepted += 1; }
                    next = row;
                },
                Step::Hold(held) => if job.state == JobState::Queued { next.held = held },
                Step::Cancel => if job.state.is_running() { next.cancel_requested = true },
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
