//! Whether new jobs start by themselves.

use super::single;
use crate::db::{Error, Transact, Transaction};

/// Reads whether a plugin's jobs, or without one all jobs, start by themselves as far as that switch goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadAutostart {
    /// The plugin; none for the switch of all.
    pub plugin: Option<String>,
}

impl Transact for ReadAutostart {
    const NAME: &'static str = "pages.autostart";
    type Output = bool;

    async fn run(&self, tx: &Transaction<'_>) -> Result<bool, Error> {
        single(
            tx,
            "-- pages.autostart
             SELECT coalesce((SELECT autostart FROM plugins WHERE name = $1), settings.autostart) FROM settings",
            &[&self.plugin],
        )
        .await
    }
}
