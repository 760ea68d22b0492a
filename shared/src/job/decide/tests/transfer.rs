//! Who may move its data.

use super::*;

fn room(running: i64, most: Option<i64>, ahead: i64) -> TransferRoom {
    TransferRoom { running, most, ahead }
}

#[test]
fn a_slot_goes_to_whoever_came_first_and_to_no_more_than_there_are() {
    let (job, token) = granted(&Job::submitted(), 1);
    let may = |room| transfer(&job, token, false, room) == TransferAnswer::Grant;
    assert!(may(room(0, Some(1), 0)));
    assert!(!may(room(1, Some(1), 0)), "as many as there are");
    assert!(!may(room(1, Some(2), 1)), "the last one is for who came before");
    assert!(may(room(1, Some(3), 1)));
    assert!(!may(room(5, Some(3), 0)), "the limit was lowered meanwhile");
    assert!(may(room(99, None, 99)), "without a limit nobody waits");
}

#[test]
fn a_transfer_under_way_counts_whatever_the_limit_says() {
    let (job, token) = granted(&Job::submitted(), 1);
    assert_eq!(
        transfer(&job, token, true, room(1, Some(1), 3)),
        TransferAnswer::Grant
    );
}

#[test]
fn an_attempt_that_does_not_run_gets_no_slot_and_keeps_none() {
    let (job, token) = granted(&Job::submitted(), 1);
    let stranger = Token {
        claim_id: claim_id(2),
        ..token
    };
    let lost = lease_expired(&job, token).unwrap();
    for (job, token) in [(job, stranger), (lost, token), (Job::submitted(), token)] {
        for begun in [false, true] {
            assert_eq!(
                transfer(&job, token, begun, room(0, None, 0)),
                TransferAnswer::Wait
            );
        }
    }
}
