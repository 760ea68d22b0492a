//! What submitters were told, against what there is.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::super::load::{Submitted, Way, title};
use super::super::nemesis::CarriedOut;
use super::super::schedule::Fault;
use super::Check;
use super::facts::Facts;

/// Every order is acknowledged in the end, and none is refused.
pub(super) fn acknowledged(submitted: &Submitted) -> Check {
    let mut check = Check::new("every submission is acknowledged in the end");
    let known: BTreeSet<u32> = submitted.acknowledged.iter().map(|ack| ack.number).collect();
    for order in &submitted.orders {
        check.look(known.contains(&order.number), || {
            format!("{} ({:?})", title(order.number), order.way)
        });
    }
    check.findings.extend(submitted.complaints.iter().cloned());
    check
}

/// What was acknowledged exists. A confirm is the broker's word alone: what it has lost with its disk is excused.
pub(super) fn none_lost(submitted: &Submitted, carried_out: &CarriedOut, facts: &Facts) -> Check {
    let mut check = Check::new("no acknowledged job is lost");
    let ids = ids(facts);
    let last_wipe = carried_out
        .hurts
        .iter()
        .filter(|hurt| hurt.step.fault == Fault::Wipe)
        .map(|hurt| hurt.ended_ms)
        .max();
    let confirmed: BTreeSet<u32> = submitted
        .orders
        .iter()
        .filter(|order| order.way == Way::Confirmed)
        .map(|order| order.number)
        .collect();
    for acknowledged in &submitted.acknowledged {
        if let Some(job) = acknowledged.job {
            let there = ids.values().flatten().any(|id| *id == job.0);
            if !there {
                let finding = format!("{}, acknowledged as {job}", title(acknowledged.number));
                check.findings.push(finding);
            }
        } else if confirmed.contains(&acknowledged.number) && !ids.contains_key(&title(acknowledged.number)) {
            let finding = format!(
                "{}, confirmed at {} ms",
                title(acknowledged.number),
                acknowledged.at_ms
            );
            if last_wipe.is_some_and(|wiped| acknowledged.at_ms <= wiped) {
                check.excused.push(finding);
            } else {
                check.findings.push(finding);
            }
        }
        check.looked_at += 1;
    }
    check
}

/// However often it was submitted, an order is one job, and everybody is told the same one.
pub(super) fn none_twice(submitted: &Submitted, facts: &Facts) -> Check {
    let mut check = Check::new("no submission becomes two jobs");
    for (title, ids) in ids(facts) {
        check.look(ids.len() == 1, || format!("{title}: {ids:?}"));
    }
    let mut told: BTreeMap<u32, BTreeSet<Uuid>> = BTreeMap::new();
    for acknowledged in &submitted.acknowledged {
        let told = told.entry(acknowledged.number).or_default();
        told.extend(acknowledged.job.map(|job| job.0));
    }
    for (number, ids) in told {
        check.look(ids.len() <= 1, || {
            format!("{} was acknowledged as {ids:?}", title(number))
        });
    }
    check
}

/// All jobs that there are, by title; a list, so that one that is there twice is seen.
fn ids(facts: &Facts) -> BTreeMap<String, Vec<Uuid>> {
    let mut ids: BTreeMap<String, Vec<Uuid>> = BTreeMap::new();
    let ended = facts
        .ended
        .iter()
        .flat_map(|(title, jobs)| jobs.iter().map(move |job| (title, job.id)));
    for (title, id) in ended.chain(facts.unfinished.iter().map(|(title, id)| (title, *id))) {
        ids.entry(title.clone()).or_default().push(id);
    }
    ids
}
