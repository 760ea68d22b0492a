//! Who may do what in RabbitMQ: one role for coordinators, one for each group of workers, one for those who submit.
//!
//! The only place that says so: the command that sets a broker up, the definitions file and the coordinator's own
//! checks are all made from it.
//!
//! Invariant: a role may do what its programs do and nothing else. Only coordinators declare; a worker speaks under its
//! own user's routing keys and reads the queues of its own plugins.

use std::fmt;
use std::str::FromStr;

use super::topology::{EVENTS_EXCHANGE, SUBMIT_EXCHANGE, WORKER_KINDS};
use crate::message::worker::WorkerMessage;
use crate::plugin::{InvalidPluginName, PluginName};

/// Most characters that a user's name may have.
const LENGTH_MAX: usize = 60;
/// The pattern that matches nothing that has a name.
const NOTHING: &str = "^$";

/// The name of a RabbitMQ user: letters, digits, `_` and `-`, so that it stands for itself in routing keys and patterns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserName(String);

impl UserName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that can't be a user's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is no name for a RabbitMQ user here: use up to {LENGTH_MAX} letters a to z, digits, _ and -"
)]
pub struct InvalidUserName(String);

impl FromStr for UserName {
    type Err = InvalidUserName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let legal = (1..=LENGTH_MAX).contains(&text.len())
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if legal {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidUserName(text.chars().take(LENGTH_MAX).collect()))
        }
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A RabbitMQ user that workers share, and the plugins that they may serve. Written `USER=PLUGIN[,PLUGIN]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerGroup {
    /// The user.
    pub user: UserName,
    /// The plugins, at least one.
    pub plugins: Vec<PluginName>,
}

/// A text that describes no group of workers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWorkerGroup {
    /// It has another form.
    #[error("\"{0}\" is not USER=PLUGIN[,PLUGIN]: write for example ocr-workers=OCR")]
    Form(String),
    /// The user's name can't be one.
    #[error(transparent)]
    User(#[from] InvalidUserName),
    /// A plugin's name can't be one.
    #[error(transparent)]
    Plugin(#[from] InvalidPluginName),
}

impl FromStr for WorkerGroup {
    type Err = InvalidWorkerGroup;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (user, plugins) = text
            .split_once('=')
            .ok_or_else(|| InvalidWorkerGroup::Form(text.to_owned()))?;
        let mut plugins = plugins
            .split(',')
            .map(|plugin| plugin.trim().parse())
            .collect::<Result<Vec<PluginName>, _>>()?;
        plugins.sort();
        plugins.dedup();
        Ok(Self {
            user: user.trim().parse()?,
            plugins,
        })
    }
}

impl fmt::Display for WorkerGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plugins: Vec<&str> = self.plugins.iter().map(PluginName::as_str).collect();
        write!(f, "{}={}", self.user, plugins.join(","))
    }
}

/// What a user is there for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// Coordinators: declare everything, take what is reported, hand out jobs.
    Coordinator,
    /// Workers of these plugins.
    Workers(Vec<PluginName>),
    /// Programs that submit jobs.
    Intake,
}

/// What a user may do in a virtual host, as RabbitMQ's regular expressions over names of exchanges and queues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions {
    /// What it may declare and delete.
    pub configure: String,
    /// Where it may publish, and which queues it may bind.
    pub write: String,
    /// Which queues it may consume and purge, and from which exchanges it may bind.
    pub read: String,
}

/// Under which routing keys a user may publish to a topic exchange and bind queues to it. An exchange that is not named
/// knows no such limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicPermission {
    /// The exchange.
    pub exchange: &'static str,
    /// Keys that it may publish under.
    pub write: String,
    /// Keys that it may bind queues with.
    pub read: String,
}

impl Role {
    /// What users of this role may do.
    pub fn permissions(&self) -> Permissions {
        let (configure, write, read) = match self {
            // Answers go through the default exchange, which permissions call amq.default.
            Self::Coordinator => (
                r"^taskmanager\.".to_owned(),
                r"^(taskmanager\..*|amq\.default)$".to_owned(),
                r"^taskmanager\.".to_owned(),
            ),
            Self::Workers(plugins) => {
                let queues: Vec<String> = plugins.iter().map(|plugin| literally(&plugin.queue())).collect();
                (NOTHING.to_owned(), only(EVENTS_EXCHANGE), one_of(&queues))
            }
            Self::Intake => (NOTHING.to_owned(), only(SUBMIT_EXCHANGE), NOTHING.to_owned()),
        };
        Permissions {
            configure,
            write,
            read,
        }
    }

    /// The routing keys that `user` may use in this role.
    pub fn topic_permissions(&self, user: &UserName) -> Vec<TopicPermission> {
        let (kinds, read): (Vec<&str>, _) = match self {
            Self::Coordinator => (vec![WorkerMessage::Probe.kind()], ".*".to_owned()),
            Self::Workers(_) => (WORKER_KINDS.to_vec(), NOTHING.to_owned()),
            Self::Intake => return Vec::new(),
        };
        vec![TopicPermission {
            exchange: EVENTS_EXCHANGE,
            write: format!(r"^{user}\.({})$", kinds.join("|")),
            read,
        }]
    }
}

/// A pattern that matches this name alone.
fn only(name: &str) -> String {
    format!("^{}$", literally(name))
}

fn one_of(patterns: &[String]) -> String {
    format!("^({})$", patterns.join("|"))
}

/// The name as a pattern. Names here have no character with a meaning in patterns but the dot.
fn literally(name: &str) -> String {
    name.replace('.', r"\.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amqp::topology;

    #[test]
    fn a_worker_may_speak_for_itself_and_read_its_own_queues_only() {
        let group: WorkerGroup = "ocr-1=noop,OCR,ocr".parse().unwrap();
        assert_eq!(group.to_string(), "ocr-1=NOOP,OCR");
        let role = Role::Workers(group.plugins);
        assert_eq!(
            role.permissions(),
            Permissions {
                configure: "^$".into(),
                write: r"^taskmanager\.events$".into(),
                read: r"^(taskmanager\.jobs\.noop|taskmanager\.jobs\.ocr)$".into(),
            }
        );
        assert_eq!(
            role.topic_permissions(&group.user),
            [TopicPermission {
                exchange: "taskmanager.events",
                write: r"^ocr-1\.(claim|publish|heartbeat|announce|result)$".into(),
                read: "^$".into(),
            }]
        );
    }

    #[test]
    fn whoever_submits_may_publish_submissions_and_nothing_else() {
        let user = "goobi".parse().unwrap();
        assert_eq!(
            Role::Intake.permissions(),
            Permissions {
                configure: "^$".into(),
                write: r"^taskmanager\.submit$".into(),
                read: "^$".into(),
            }
        );
        assert_eq!(Role::Intake.topic_permissions(&user), []);
    }

    #[test]
    fn a_coordinator_can_speak_as_no_worker() {
        let user = "coordinator".parse().unwrap();
        let [permission] = &Role::Coordinator.topic_permissions(&user)[..] else {
            panic!("one exchange is limited");
        };
        assert_eq!(permission.exchange, topology::EVENTS_EXCHANGE);
        assert_eq!(permission.write, r"^coordinator\.(probe)$");
    }

    #[test]
    fn names_that_mean_more_than_themselves_are_refused() {
        for bad in ["", "a.b", "a*", "a b", "ä", "a|b", "{username}", &"a".repeat(61)] {
            assert!(bad.parse::<UserName>().is_err(), "{bad}");
        }
        for bad in ["ocr", "ocr=", "=OCR", "a.b=OCR", "ocr=OCR;noop=NOOP", "ocr=O.R"] {
            assert!(bad.parse::<WorkerGroup>().is_err(), "{bad}");
        }
    }
}
