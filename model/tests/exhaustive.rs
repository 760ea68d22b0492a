//! Every model is explored to its end and holds all its invariants; what was found is printed, and written as JSON
//! to `target/model` for the documents.

use std::io::Write;
use std::path::Path;

use model::Checkable;

/// Explores the model, which has to be complete and reach `facts`, so that it shows something.
fn holds(model: Checkable, facts: &[&str]) {
    let report = model.check();
    // Past the test harness, which keeps what passing tests print to itself.
    writeln!(std::io::stdout().lock(), "{report}").expect("the output takes what is found");
    report
        .write(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/model"))
        .expect("target/model takes the report");
    assert!(report.violations.is_empty(), "{report}");
    assert!(report.complete, "{report}");
    assert_eq!(report.stuck_states, 0);
    for fact in facts {
        assert!(
            report.reached.iter().any(|reached| reached.invariant == *fact),
            "never reached: {fact}"
        );
    }
}

const DONE: &str = "a job is DONE";
const ERROR: &str = "a job is in ERROR";
const CANCELLED: &str = "a job is CANCELLED";
const SECOND_ATTEMPT: &str = "a second attempt runs";
const SCHEDULED: &str = "a job waits for its retry";
const ZOMBIE: &str = "two workers believe that they run the same job";
const UNWANTED: &str = "a grant that nobody waits for is given back";
const COMPLETED: &str = "an attempt completes an earlier one's manifest";
const REFUSED: &str = "a person's wish waits for the worker";
const TWICE: &str = "a publish grant that a failover has lost lets two manifests become visible";

#[test]
fn an_acknowledged_submission_is_never_lost_and_is_one_job() {
    holds(Checkable::Submissions, &[]);
}

#[test]
fn dying_dispatchers_and_a_wiped_broker_leave_no_job_behind() {
    holds(Checkable::Dispatch, &[DONE, SECOND_ATTEMPT]);
}

#[test]
fn lost_and_doubled_claims_start_an_attempt_once() {
    holds(Checkable::Claims, &[DONE, SECOND_ATTEMPT]);
}

#[test]
fn grants_that_nobody_waits_for_are_given_back() {
    holds(Checkable::UnwantedGrants, &[DONE, UNWANTED]);
}

#[test]
fn workers_that_come_back_are_revived_or_fenced() {
    holds(Checkable::Heartbeats, &[DONE, ZOMBIE, REFUSED, CANCELLED]);
}

#[test]
fn only_leases_of_workers_that_are_gone_end_and_they_always_do() {
    holds(Checkable::Leases, &[]);
}

#[test]
fn one_manifest_becomes_visible_and_only_after_its_grant() {
    holds(Checkable::Publishing, &[DONE, ZOMBIE, COMPLETED, CANCELLED]);
}

#[test]
fn late_and_doubled_results_end_a_job_once() {
    holds(Checkable::Results, &[DONE, ERROR, ZOMBIE, SCHEDULED, CANCELLED]);
}

#[test]
fn persons_may_do_anything_at_any_moment() {
    holds(Checkable::Controls, &[DONE, CANCELLED, REFUSED, SECOND_ATTEMPT]);
}

#[test]
fn retries_end() {
    holds(Checkable::Retries, &[DONE, ERROR, SCHEDULED, CANCELLED]);
}

#[test]
fn a_plugins_limit_is_kept_by_claims_and_counted_right() {
    holds(Checkable::Limits, &[DONE, ZOMBIE]);
}

#[test]
fn transfers_take_turns_and_everybody_gets_one() {
    let facts = [
        "all jobs are DONE",
        "an attempt comes back with its transfer under way and counts beyond the limit",
    ];
    holds(Checkable::Transfers, &facts);
}

#[test]
fn a_claim_id_tells_attempts_of_one_number_apart_after_a_failover() {
    holds(Checkable::Failover, &[DONE, ZOMBIE, TWICE]);
}
