//! Which type of queue holds our messages, and with which brokers it keeps priorities.
//!
//! Classic queues have as many priorities as they are declared with, strictly in their order, but one node's disk is
//! all they have. Quorum queues are replicated; from RabbitMQ 4.3 they have 32 strict priorities of their own, before
//! that two or none, and jobs would start in another order than people are shown.

use std::fmt;
use std::str::FromStr;

use lapin::types::{AMQPValue, FieldTable};

use crate::job::Priority;

/// The first version whose quorum queues keep priorities apart, strictly.
const QUORUM_PRIORITIES_SINCE: (u32, u32) = (4, 3);

/// A type of queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum QueueType {
    /// On one node.
    #[default]
    Classic,
    /// Replicated; needs RabbitMQ 4.3.
    Quorum,
}

/// A text that names no type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("use classic or quorum")]
pub struct UnknownQueueType;

/// A broker that does not keep priorities with this type of queue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{broker} does not keep the order of priorities in quorum queues, RabbitMQ 4.3 and newer do: \
     set --queue-type classic (TASKMANAGER_QUEUE_TYPE=classic), or upgrade RabbitMQ"
)]
pub struct Unsuited {
    broker: String,
}

impl QueueType {
    /// Whether a broker that calls itself `broker` ("RabbitMQ 4.2.1") keeps priorities. One that can't be understood is
    /// taken at its word.
    ///
    /// # Errors
    /// [`Unsuited`]: it is known not to.
    pub fn suits(self, broker: &str) -> Result<(), Unsuited> {
        let known = version(broker);
        if self == Self::Quorum && known.is_some_and(|version| version < QUORUM_PRIORITIES_SINCE) {
            return Err(Unsuited {
                broker: broker.to_owned(),
            });
        }
        Ok(())
    }

    /// The arguments of every queue.
    pub(super) fn arguments(self) -> FieldTable {
        let mut arguments = FieldTable::default();
        // Said in any case: a virtual host may have another type as its default.
        arguments.insert(
            "x-queue-type".into(),
            AMQPValue::LongString(self.to_string().into()),
        );
        arguments
    }

    /// The arguments of a plugin's queue.
    pub(super) fn plugin_arguments(self) -> FieldTable {
        let mut arguments = self.arguments();
        if self == Self::Classic {
            arguments.insert(
                "x-max-priority".into(),
                AMQPValue::ShortShortUInt(Priority::HIGHEST.get()),
            );
        }
        arguments
    }
}

/// Major and minor version of "RabbitMQ 4.3.0-rc.1"; `None` for other products and other forms.
fn version(broker: &str) -> Option<(u32, u32)> {
    let mut parts = broker.strip_prefix("RabbitMQ ")?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

impl fmt::Display for QueueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Classic => "classic",
            Self::Quorum => "quorum",
        })
    }
}

impl FromStr for QueueType {
    type Err = UnknownQueueType;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "classic" => Ok(Self::Classic),
            "quorum" => Ok(Self::Quorum),
            _ => Err(UnknownQueueType),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quorum_queues_are_refused_with_brokers_that_mix_their_priorities() {
        for old in [
            "RabbitMQ 3.10.8",
            "RabbitMQ 3.13.7",
            "RabbitMQ 4.0.5",
            "RabbitMQ 4.2.12",
        ] {
            let told = QueueType::Quorum.suits(old).unwrap_err().to_string();
            assert!(
                told.contains(old) && told.contains("--queue-type classic"),
                "{told}"
            );
            assert_eq!(QueueType::Classic.suits(old), Ok(()));
        }
        for new in [
            "RabbitMQ 4.3.0",
            "RabbitMQ 4.10.0",
            "RabbitMQ 5.0.0-rc.1",
            "Other 1.0",
            "",
        ] {
            assert_eq!(QueueType::Quorum.suits(new), Ok(()), "{new}");
            assert_eq!(QueueType::Classic.suits(new), Ok(()), "{new}");
        }
    }

    #[test]
    fn only_classic_queues_are_told_how_many_priorities_they_have() {
        let names = |arguments: FieldTable| -> Vec<String> {
            arguments.inner().keys().map(ToString::to_string).collect()
        };
        assert_eq!(
            names(QueueType::Classic.plugin_arguments()),
            ["x-max-priority", "x-queue-type"]
        );
        assert_eq!(names(QueueType::Quorum.plugin_arguments()), ["x-queue-type"]);
        assert_eq!(names(QueueType::Quorum.arguments()), ["x-queue-type"]);
    }

    #[test]
    fn a_type_is_read_as_it_is_written() {
        for kind in [QueueType::Classic, QueueType::Quorum] {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert_eq!("stream".parse::<QueueType>(), Err(UnknownQueueType));
    }
}
