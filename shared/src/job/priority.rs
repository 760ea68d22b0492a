//! Priorities: 0 to 10, a higher number is served first.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A job's priority, 0 to 10; a higher number means a higher priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("minimum" = 0, "maximum" = 10)))]
#[serde(try_from = "i64", into = "i64")]
pub struct Priority(u8);

impl Priority {
    /// What a job gets when neither its submitter nor its plugin names a priority.
    pub const DEFAULT: Self = Self(5);
    /// The highest priority, and so the number of levels (less one) of a plugin's queue.
    pub const HIGHEST: Self = Self(10);

    /// The priority as a number from 0 to 10.
    pub fn get(self) -> u8 {
        self.0
    }
}

/// A number that is not a priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("priority {0} is out of range: use a whole number from 0 (lowest) to 10 (highest)")]
pub struct InvalidPriority(i64);

impl TryFrom<i64> for Priority {
    type Error = InvalidPriority;

    fn try_from(number: i64) -> Result<Self, Self::Error> {
        u8::try_from(number)
            .ok()
            .filter(|n| *n <= Self::HIGHEST.0)
            .map(Self)
            .ok_or(InvalidPriority(number))
    }
}

impl From<Priority> for i64 {
    fn from(priority: Priority) -> Self {
        priority.0.into()
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eleven_and_minus_one_are_refused_with_the_range() {
        for bad in [-1, 11, i64::MAX] {
            let message = Priority::try_from(bad).unwrap_err().to_string();
            assert!(message.contains("from 0 (lowest) to 10 (highest)"), "{message}");
        }
        assert_eq!(Priority::try_from(10).unwrap(), Priority::HIGHEST);
    }
}
