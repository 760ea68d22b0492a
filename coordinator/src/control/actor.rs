//! Who wants something done.

/// What somebody may do; each role may do all that the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Looks.
    Viewer,
    /// Works with jobs, and stops and starts single plugins.
    Operator,
    /// Everything.
    Admin,
}

/// Somebody who wants something done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The name that the audit log keeps.
    pub name: String,
    /// What it may do.
    pub role: Role,
}

impl Actor {
    /// Whoever sits at the machine itself: as long as there is no login, the server listens on loopback only, and
    /// who reaches that may do everything.
    pub fn on_this_machine() -> Self {
        Self {
            name: "local".to_owned(),
            role: Role::Admin,
        }
    }

    /// The coordinator itself, for what it does at a person's earlier word: starting a plugin at the time that was
    /// named when it was stopped.
    pub fn coordinator() -> Self {
        Self {
            name: "coordinator".to_owned(),
            role: Role::Admin,
        }
    }
}
