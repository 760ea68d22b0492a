//! What a person's stop of a plugin has come to.

use std::str::FromStr;

/// Whether a plugin's jobs may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PluginState {
    /// They may.
    Running,
    /// Nothing new starts, running jobs yield.
    Stopping,
    /// Nothing runs: it is safe to shut down what its jobs need.
    Stopped,
}

impl PluginState {
    /// The name in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
        }
    }

    /// What a plugin is that a person stops while `running` attempts of it run.
    pub fn stopped_by_hand(running: i64) -> Self {
        Self::Stopped.with_running(running)
    }

    /// What it is when `running` attempts of it run: one that is stopped and has an attempt come back to it is
    /// stopping again.
    #[must_use]
    pub fn with_running(self, running: i64) -> Self {
        match self {
            Self::Running => Self::Running,
            Self::Stopping | Self::Stopped if running > 0 => Self::Stopping,
            Self::Stopping | Self::Stopped => Self::Stopped,
        }
    }
}

/// A text that names no state of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no state of a plugin")]
pub struct UnknownPluginState(String);

impl FromStr for PluginState {
    type Err = UnknownPluginState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Running, Self::Stopping, Self::Stopped]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| UnknownPluginState(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::PluginState::{self, Running, Stopped, Stopping};

    #[test]
    fn a_plugin_is_stopped_only_while_nothing_of_it_runs() {
        assert_eq!(PluginState::stopped_by_hand(0), Stopped);
        assert_eq!(PluginState::stopped_by_hand(2), Stopping);
        assert_eq!(Stopping.with_running(0), Stopped);
        assert_eq!(Stopped.with_running(1), Stopping, "an attempt has come back");
        assert_eq!(Stopped.with_running(0), Stopped);
        for running in [0, 1] {
            assert_eq!(Running.with_running(running), Running, "nobody has stopped it");
        }
    }

    #[test]
    fn each_state_is_read_by_its_name() {
        for state in [Running, Stopping, Stopped] {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert!("paused".parse::<PluginState>().is_err());
    }
}
