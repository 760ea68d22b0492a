//! Who wants something done.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A program that submits jobs and follows them; it sees nothing else.
    Submitter,
    /// Looks.
    Viewer,
    /// Works with jobs, and stops and starts single plugins.
    Operator,
    /// Everything.
    Admin,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Submitter, Self::Viewer, Self::Operator, Self::Admin];
    /// Those that people can have.
    pub const OF_PEOPLE: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// Its name in the database, in messages and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Submitter => "submitter",
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The role of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whether it can be limited to some plugins.
    pub fn may_be_limited(self) -> bool {
        matches!(self, Self::Submitter | Self::Operator)
    }
}

/// Somebody who wants something done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The name that the audit log keeps.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// With which plugins and their jobs; `None` for all.
    pub plugins: Option<Vec<String>>,
}

impl Actor {
    /// Whoever sits at the machine itself: a coordinator without a login listens on loopback only, and who reaches
    /// that may do everything.
    pub fn on_this_machine() -> Self {
        Self::with("local".to_owned(), Role::Admin)
    }

    /// The coordinator itself, for what it does at a person's earlier word: starting a plugin at the time that was
    /// named when it was stopped.
    pub fn coordinator() -> Self {
        Self::with("coordinator".to_owned(), Role::Admin)
    }

    /// Somebody with this role for all plugins.
    pub fn with(name: String, role: Role) -> Self {
        Self {
            name,
            role,
            plugins: None,
        }
    }
}
