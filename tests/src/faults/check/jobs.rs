//! How jobs ended, and by which attempts.

use std::collections::{BTreeMap, BTreeSet};

use shared::job::JobId;
use uuid::Uuid;

use super::super::load::{Kind, Submitted, title};
use super::super::settle::Settled;
use super::Check;
use super::facts::{Attempt, Facts};

/// Every job has ended, in bounded time after the last fault.
pub(super) fn none_stuck(settled: &Settled) -> Check {
    let mut check = Check::new("no job is stuck once the faults cease");
    check.looked_at = settled.submitted.orders.len();
    check.findings.extend(settled.unfinished.iter().cloned());
    check
}

/// Every job has one end, one that its order can have, by one attempt.
pub(super) fn one_end(settled: &Settled, facts: &Facts) -> Check {
    let mut check = Check::new("every job has one outcome, and one that it can have");
    let mut attempts: BTreeMap<Uuid, Vec<&Attempt>> = BTreeMap::new();
    for attempt in &facts.attempts {
        attempts.entry(attempt.job).or_default().push(attempt);
    }
    for order in &settled.submitted.orders {
        let title = title(order.number);
        for job in facts.ended.get(&title).into_iter().flatten() {
            let outcomes = |outcome: &str| {
                let of_job = attempts.get(&job.id).into_iter().flatten();
                of_job
                    .filter(|attempt| attempt.outcome.as_deref() == Some(outcome))
                    .count()
            };
            let died = job
                .error
                .as_ref()
                .is_some_and(|error| error.starts_with("Its worker died"));
            let possible = match job.state.as_str() {
                "DONE" => order.kind != Kind::Fails && outcomes("done") == 1,
                "ERROR" if died => outcomes("done") == 0 && outcomes("lost") >= 3,
                "ERROR" => order.kind == Kind::Fails && outcomes("done") == 0 && outcomes("failed") >= 1,
                "CANCELLED" => {
                    settled.decided.cancel_wanted.contains(&JobId(job.id)) && outcomes("done") == 0
                }
                _ => false,
            };
            check.look(possible, || {
                let all: Vec<_> = attempts
                    .get(&job.id)
                    .into_iter()
                    .flatten()
                    .map(|attempt| attempt.outcome.as_deref().unwrap_or("open"))
                    .collect();
                format!(
                    "{title} ({}, {:?}) is {}, {:?}, its attempts are {all:?}",
                    job.id, order.kind, job.state, job.error
                )
            });
        }
    }
    check
}

/// A job of which somebody was told that it is cancelled, is: unless it has no outputs and was through just then. What
/// people did is undone in the end.
pub(super) fn cancelled(settled: &Settled, facts: &Facts) -> Check {
    let mut check = Check::new("a cancelled job stays cancelled, and what was held or stopped goes on");
    for order in &settled.submitted.orders {
        let title = title(order.number);
        for job in facts.ended.get(&title).into_iter().flatten() {
            if settled.decided.cancel_agreed.contains(&JobId(job.id)) {
                let done = order.kind == Kind::Command && job.state == "DONE";
                check.look(job.state == "CANCELLED" || done, || {
                    format!("{title} ({}) is {}", job.id, job.state)
                });
            }
        }
    }
    check.findings.extend(settled.troubles.iter().cloned());
    check
}

/// Numbers and claims are unique, every attempt has an end, and what ran was granted and began once.
pub(super) fn attempts(submitted: &Submitted, facts: &Facts) -> Check {
    let mut check = Check::new("every attempt is told apart, granted, begun at most once, and ended");
    let (mut numbers, mut claims) = (BTreeSet::new(), BTreeSet::new());
    for attempt in &facts.attempts {
        check.look(
            numbers.insert((attempt.job, attempt.number)) && claims.insert(attempt.claim),
            || format!("number or claim used twice: {attempt:?}"),
        );
        check.look(attempt.outcome.is_some(), || format!("open: {attempt:?}"));
    }
    let granted: BTreeSet<(String, i32, String)> = facts
        .attempts
        .iter()
        .map(|attempt| (attempt.job.to_string(), attempt.number, attempt.claim.to_string()))
        .collect();
    let mut begun = BTreeSet::new();
    for told in facts.told.iter().filter(|told| told.what == "attempt") {
        let token = (told.job.clone(), told.attempt, told.claim.clone());
        check.look(granted.contains(&token), || {
            format!("ran without a grant: {told:?}")
        });
        check.look(begun.insert(token), || format!("began twice: {told:?}"));
    }
    check.look(!facts.told.is_empty() || submitted.orders.is_empty(), || {
        "the witness has seen nothing".to_owned()
    });
    check
}

/// An item that is recorded as done was done by that attempt, and counted once.
pub(super) fn items(facts: &Facts) -> Check {
    let mut check = Check::new("every item recorded as done was done, by the attempt that is named");
    let done: BTreeSet<(&str, i32, &str)> = facts
        .told
        .iter()
        .filter(|told| told.what == "done")
        .map(|told| (told.job.as_str(), told.attempt, told.item.as_str()))
        .collect();
    let mut counted: BTreeMap<Uuid, i32> = BTreeMap::new();
    for item in &facts.done_items {
        *counted.entry(item.job).or_default() += 1;
        check.look(
            done.contains(&(item.job.to_string().as_str(), item.attempt, item.name.as_str())),
            || format!("{item:?}"),
        );
    }
    for (title, job) in facts
        .ended
        .iter()
        .flat_map(|(title, jobs)| jobs.iter().map(move |job| (title, job)))
    {
        let rows = counted.get(&job.id).copied().unwrap_or(0);
        check.look(rows == job.items_done, || {
            format!(
                "{title} has {} items done, and {rows} rows of such",
                job.items_done
            )
        });
    }
    check
}
