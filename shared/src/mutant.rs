//! Deliberate mistakes, so that the proofs can be shown to find them.
//!
//! Without the feature `mutants` there are none, and nothing of them is compiled in. With it, one of them is active
//! when a test says so (`activate`) or the environment variable `TASKMANAGER_MUTANT` names it.

use std::str::FromStr;

/// A mistake that can be switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mutant {
    /// Any attempt's word counts, not only the current one's.
    NoAttemptFence,
    /// The attempt's number alone is the fencing token.
    NoClaimId,
    /// A message is acknowledged before what it caused is committed.
    AckBeforeCommit,
    /// A dispatch is marked as published before it is.
    MarkBeforePublish,
    /// Outputs become visible without a coordinator's grant.
    PublishWithoutGrant,
    /// A silent worker's lease ends even if heartbeats could not get through.
    ExpiryWithoutProbe,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::NoAttemptFence,
        Self::NoClaimId,
        Self::AckBeforeCommit,
        Self::MarkBeforePublish,
        Self::PublishWithoutGrant,
        Self::ExpiryWithoutProbe,
    ];

    /// Its name on command lines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoAttemptFence => "no-attempt-fence",
            Self::NoClaimId => "no-claim-id",
            Self::AckBeforeCommit => "ack-before-commit",
            Self::MarkBeforePublish => "mark-before-publish",
            Self::PublishWithoutGrant => "publish-without-grant",
            Self::ExpiryWithoutProbe => "expiry-without-probe",
        }
    }
}

/// A text that names no mutant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no such mutant; there are: {}", Mutant::ALL.map(Mutant::as_str).join(", "))]
pub struct UnknownMutant;

impl FromStr for Mutant {
    type Err = UnknownMutant;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|mutant| mutant.as_str() == text);
        named.ok_or(UnknownMutant)
    }
}

/// Whether this mistake is made.
#[cfg(not(feature = "mutants"))]
#[inline]
pub const fn is_active(_: Mutant) -> bool {
    false
}

#[cfg(feature = "mutants")]
pub use built_in::{activate, is_active};

#[cfg(feature = "mutants")]
mod built_in {
    use std::sync::{LazyLock, PoisonError, RwLock};

    use super::Mutant;

    static ACTIVE: LazyLock<RwLock<Option<Mutant>>> = LazyLock::new(|| {
        #[expect(
            clippy::disallowed_methods,
            reason = "a mistake for tests is no setting of any program"
        )]
        let named = std::env::var("TASKMANAGER_MUTANT").ok();
        RwLock::new(named.map(|name| name.parse().expect("TASKMANAGER_MUTANT names a mutant")))
    });

    /// Whether this mistake is made.
    pub fn is_active(mutant: Mutant) -> bool {
        *ACTIVE.read().unwrap_or_else(PoisonError::into_inner) == Some(mutant)
    }

    /// From now on this mistake is made in this process, and no other.
    pub fn activate(mutant: Option<Mutant>) {
        *ACTIVE.write().unwrap_or_else(PoisonError::into_inner) = mutant;
    }
}
