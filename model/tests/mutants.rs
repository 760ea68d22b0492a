//! The models find each mistake that concerns them: a proof that could not fail would show nothing.
//!
//! One test, because the active mistake is the whole process's.

use std::io::Write;

use model::Checkable;
use shared::mutant::{self, Mutant};

/// A mistake, the model that has to find it, and the invariant that it breaks first.
const FOUND: [(Mutant, Checkable, &str); 9] = [
    (
        Mutant::NoAttemptFence,
        Checkable::Heartbeats,
        "only the current claim is allowed to publish",
    ),
    (
        Mutant::NoAttemptFence,
        Checkable::Publishing,
        "only the current claim's heartbeat keeps a lease or revives one",
    ),
    (
        Mutant::NoAttemptFence,
        Checkable::Results,
        "only the current claim is allowed to publish",
    ),
    (
        Mutant::NoClaimId,
        Checkable::Failover,
        "only the current claim's heartbeat keeps a lease or revives one",
    ),
    (
        Mutant::AckBeforeCommit,
        Checkable::Submissions,
        "an acknowledged submission is never lost",
    ),
    (
        Mutant::MarkBeforePublish,
        Checkable::Dispatch,
        "a dispatch is marked as published only after the broker has confirmed it",
    ),
    (
        Mutant::PublishWithoutGrant,
        Checkable::Publishing,
        "nothing becomes visible before its publication was granted",
    ),
    (
        Mutant::PublishWithoutGrant,
        Checkable::Failover,
        "nothing becomes visible before its publication was granted",
    ),
    (
        Mutant::ExpiryWithoutProbe,
        Checkable::Leases,
        "no lease of a worker that was well ends: silence counts only while heartbeats get through",
    ),
];

#[test]
fn each_mistake_is_found_with_its_shortest_path() {
    for mistake in Mutant::ALL {
        let concerned = FOUND.iter().any(|(mutant, _, _)| *mutant == mistake);
        assert!(concerned, "no model looks for {}", mistake.as_str());
    }
    for (mistake, model, invariant) in FOUND {
        mutant::activate(Some(mistake));
        let report = model.find_violation();
        mutant::activate(None);
        let shortest = report.violations.first();
        let found = shortest.unwrap_or_else(|| panic!("{} is not found: {report}", mistake.as_str()));
        assert_eq!(found.invariant, invariant, "{report}");
        writeln!(
            std::io::stdout().lock(),
            "mutant {} is found by model {}: {found}",
            mistake.as_str(),
            report.name
        )
        .unwrap();
    }
}
