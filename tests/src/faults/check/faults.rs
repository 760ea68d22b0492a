//! What the faults did, and whether what the system did about them had a reason.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use super::super::nemesis::{CarriedOut, Hurt};
use super::super::schedule::{COORDINATORS, Fault, Target};
use super::super::site::{LEASE_SECONDS, Site};
use super::Check;
use super::facts::{Attempt, Facts};

/// How long after a server's return messages in hand may still look like lost ones, milliseconds.
const CONFUSION_MS: f64 = 15_000.0;
/// How long a worker may hold messages without an answer to its claims, with what came before.
const HOLDING_MS: f64 = 60_000.0;

/// The schedule was carried out: otherwise the run shows less than it says.
pub(super) fn carried_out(carried_out: &CarriedOut) -> Check {
    let mut check = Check::new("every fault was carried out and mended");
    for hurt in &carried_out.hurts {
        check.look(hurt.trouble.is_none(), || {
            format!("{}: {}", hurt.step, hurt.trouble.as_deref().unwrap_or_default())
        });
    }
    check
}

/// Programs live through everything that is not done to themselves.
pub(super) fn none_ended_alone(carried_out: &CarriedOut) -> Check {
    let mut check = Check::new("no program ends by itself");
    check.looked_at = 1;
    check.findings.clone_from(&carried_out.ended_by_themselves);
    check
}

/// A lease ends only if its worker, its network or a coordinator was hurt, never for an outage of servers. Asked of every
/// attempt that an outage has met, and of every one that is lost.
pub(super) fn lost_with_reason(carried_out: &CarriedOut, facts: &Facts) -> Check {
    let mut check = Check::new("no outage of the servers costs a living worker its job");
    let begun: BTreeSet<&str> = facts
        .told
        .iter()
        .filter(|told| told.what == "attempt")
        .map(|told| told.claim.as_str())
        .collect();
    for attempt in &facts.attempts {
        let lost = attempt.outcome.as_deref() == Some("lost");
        // Granted, but the answer never arrived: nobody was at work.
        let at_work = begun.contains(attempt.claim.to_string().as_str());
        if at_work && (lost || met_an_outage(attempt, &carried_out.hurts)) {
            check.look(!lost || has_reason(attempt, &carried_out.hurts), || {
                format!("nobody had hurt its worker: {attempt:?}")
            });
        }
    }
    check
}

fn met_an_outage(attempt: &Attempt, hurts: &[Hurt]) -> bool {
    hurts.iter().any(|hurt| {
        matches!(hurt.step.target, Target::Broker | Target::Database)
            && overlaps(hurt, attempt.started_ms, attempt.ended_ms.unwrap_or(f64::MAX))
    })
}

fn has_reason(attempt: &Attempt, hurts: &[Hurt]) -> bool {
    let ended_ms = attempt.ended_ms.unwrap_or(f64::MAX);
    let worker = attempt.worker.split('/').next().unwrap_or_default();
    // A coordinator that is cut off keeps what it has taken out of the queues for that long.
    let held_ms = 3.0 * f64::from(LEASE_SECONDS) * 1_000.0;
    hurts.iter().any(|hurt| {
        let own = match hurt.step.target {
            Target::Worker(index) => worker == format!("worker-{index}"),
            Target::BrokerLink(link) if link >= COORDINATORS => {
                worker == format!("worker-{}", link - COORDINATORS)
            }
            _ => false,
        };
        let coordinators = matches!(
            hurt.step.target,
            Target::Coordinator(_) | Target::DatabaseLink(_) | Target::BrokerLink(0..COORDINATORS)
        );
        (own && overlaps(hurt, attempt.started_ms, ended_ms))
            || (coordinators && overlaps(hurt, ended_ms - held_ms, ended_ms))
    })
}

/// Jobs are sent again only where their messages may be gone, or somebody may hold them.
pub(super) fn sent_again_with_reason(carried_out: &CarriedOut, facts: &Facts) -> Check {
    let mut check = Check::new("no message is missing that no fault has taken");
    for line in &facts.sent_again {
        let reason = carried_out.hurts.iter().any(|hurt| {
            let returned = matches!(hurt.step.target, Target::Broker | Target::Database)
                && overlaps(hurt, line.at_ms - CONFUSION_MS, line.at_ms);
            let taken = match hurt.step.target {
                Target::Broker => hurt.step.fault == Fault::Wipe,
                Target::Coordinator(_)
                | Target::Worker(_)
                | Target::DatabaseLink(_)
                | Target::BrokerLink(_) => true,
                Target::Database | Target::TargetDisk | Target::ScratchDisk | Target::Clock(_) => false,
            };
            returned || (taken && overlaps(hurt, line.at_ms - HOLDING_MS, line.at_ms))
        });
        check.look(reason, || line.text.clone());
    }
    check.looked_at = check.looked_at.max(1);
    check
}

fn overlaps(hurt: &Hurt, from_ms: f64, until_ms: f64) -> bool {
    let ms = |ms: u64| std::time::Duration::from_millis(ms).as_secs_f64() * 1_000.0;
    ms(hurt.began_ms) <= until_ms && ms(hurt.ended_ms) >= from_ms
}

/// No message of ours counts as one that can't be understood.
pub(super) fn nothing_put_away(site: &Site) -> Result<Check> {
    let mut check = Check::new("no message was put away as unreadable");
    let answer = site.rabbitmq.management("/api/queues/%2F")?;
    let queues: Vec<serde_json::Value> =
        serde_json::from_str(&answer.body).context("RabbitMQ's list of queues can't be read")?;
    for queue in queues {
        let name = queue["name"].as_str().unwrap_or_default();
        if name.ends_with(".rejected") {
            check.look(queue["messages"].as_u64().unwrap_or(0) == 0, || {
                format!("{name} holds {}", queue["messages"])
            });
        }
    }
    check.look(check.looked_at == 2, || {
        "the queues of rejected messages are not both there".to_owned()
    });
    Ok(check)
}

/// Nothing that is expected to happen may be a panic.
pub(super) fn no_panic(facts: &Facts) -> Check {
    let mut check = Check::new("no program panics");
    check.looked_at = 1;
    check.findings.clone_from(&facts.panics);
    check
}

/// Transactions wait for each other, but never in a circle.
pub(super) fn no_deadlock(site: &Site) -> Result<Check> {
    let mut check = Check::new("no two transactions wait for each other");
    let log = std::fs::read(site.postgres.log_path()).context("PostgreSQL's log can't be read")?;
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<&str> = log.lines().collect();
    check.looked_at = 1;
    for (index, line) in lines.iter().enumerate() {
        if line.contains("deadlock detected") {
            // What each of them was about stands in the lines behind it.
            let about = &lines[index..lines.len().min(index + 16)];
            let names = about.iter().filter(|line| line.contains("-- "));
            let names: Vec<&str> = names.map(|line| line.trim()).collect();
            check.findings.push(format!("{line}: {}", names.join(" and ")));
        }
    }
    Ok(check)
}
