//! How plugins stand: since when and why one is stopped, when it starts again, and whether jobs start by themselves.

use jiff::Timestamp;

use super::rows;
use crate::db::{Error, Transaction};

/// How a plugin stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The plugin.
    pub plugin: String,
    /// Since when it is in its state.
    pub since: Timestamp,
    /// Who has brought it there; nobody yet where it was never stopped.
    pub by: Option<String>,
    /// Why it is stopped.
    pub reason: Option<String>,
    /// When jobs that still run are interrupted.
    pub deadline: Option<Timestamp>,
    /// When it starts again by itself.
    pub resume_at: Option<Timestamp>,
    /// Whether its jobs start by themselves, as far as its own switch goes.
    pub autostart: bool,
}

/// How all plugins stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standings {
    /// Whether jobs start by themselves, as far as the switch for all plugins goes.
    pub autostart: bool,
    /// Since when that switch stands so.
    pub autostart_since: Timestamp,
    /// Who has set it.
    pub autostart_by: Option<String>,
    /// Each plugin.
    pub plugins: Vec<Standing>,
}

impl Standings {
    /// How this plugin stands.
    pub fn of(&self, plugin: &str) -> Option<&Standing> {
        self.plugins.iter().find(|standing| standing.plugin == plugin)
    }
}

pub(super) async fn read(tx: &Transaction<'_>) -> Result<Standings, Error> {
    let statement = "-- pages.standing
        SELECT s.autostart, s.autostart_since, s.autostart_by, p.name, p.state_since, p.state_by, p.state_reason,
               p.stop_deadline, p.resume_at, p.autostart AS own_autostart
        FROM settings s LEFT JOIN plugins p ON true ORDER BY p.name";
    let rows = rows(tx, statement, &[]).await?;
    let first = rows.first().ok_or_else(|| Error::Inconsistent {
        table: "settings",
        column: "singleton",
        row: "the only one".to_owned(),
    })?;
    let mut standings = Standings {
        autostart: first.try_get("autostart")?,
        autostart_since: first.try_get("autostart_since")?,
        autostart_by: first.try_get("autostart_by")?,
        plugins: Vec::with_capacity(rows.len()),
    };
    for row in &rows {
        // Without any plugin there is one row about the settings alone.
        let Some(plugin) = row.try_get("name")? else {
            continue;
        };
        standings.plugins.push(Standing {
            plugin,
            since: row.try_get("state_since")?,
            by: row.try_get("state_by")?,
            reason: row.try_get("state_reason")?,
            deadline: row.try_get("stop_deadline")?,
            resume_at: row.try_get("resume_at")?,
            autostart: row.try_get("own_autostart")?,
        });
    }
    Ok(standings)
}
