//! What people do with jobs.

use super::*;

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
    let (_, publishing) = ask_to_publish(&running, token, Pause::No);
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
    let (answer, publishing) = ask_to_publish(&held, token, Pause::No);
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
