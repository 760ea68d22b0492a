//! Random histories of a job: what holds whatever happens.

use proptest::prelude::*;

use super::*;

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
        pause: Pause,
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
    let publishing = pause.clone();
    let gate = prop::array::uniform6(prop::bool::weighted(0.9)).prop_map(
        |[
            plugin_running,
            autostart,
            has_room,
            has_quota,
            storages_have_room,
            worker_has_room,
        ]| Gate {
            plugin_running,
            autostart,
            has_room,
            has_quota,
            storages_have_room,
            worker_has_room,
        },
    );
    let control: [fn(&Job) -> ControlAnswer; 4] = [hold, release, start_now, cancel];
    prop_oneof![
        4 => (0i64..2, 1u128..6, gate)
            .prop_map(|(dispatch_back, claim, gate)| Step::Claim { dispatch_back, claim, gate }),
        2 => (0usize..8, stage, pause)
            .prop_map(|(token, stage, pause)| Step::Heartbeat { token, stage, pause }),
        1 => (0usize..8, publishing).prop_map(|(token, pause)| Step::Publish { token, pause }),
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
                Step::Publish { token: i, pause } => if let Some(token) = token(i) {
                    let (answer, row) = ask_to_publish(&job, token, pause);
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
