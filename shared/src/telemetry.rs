//! Logging, set up once in each `main`.

use std::fmt;
use std::str::FromStr;

use tracing_subscriber::EnvFilter;

use crate::error::Chain;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for log collectors.
    Json,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            other => Err(format!("\"{other}\" is not a log format: use text or json")),
        }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

/// Libraries that report at a higher level than their messages deserve: what they have to say reaches the caller
/// as an error, and is logged there once.
const QUIET: &str = "lapin=off,refinery_core=warn,tokio_postgres=warn";

/// Whether [`start_logging`] would take this filter.
///
/// # Errors
/// A sentence when it can't be understood.
pub fn check_filter(filter: &str) -> Result<(), String> {
    read_filter(filter).map(drop)
}

fn read_filter(filter: &str) -> Result<EnvFilter, String> {
    EnvFilter::try_new(format!("{QUIET},{filter}"))
        .map_err(|error| format!("log filter \"{filter}\": {error}"))
}

/// Sends this process's log to standard error in `format`.
///
/// `filter` is a level (`info`) or a list such as `info,coordinator=debug`. Call it once, first in `main`.
///
/// # Errors
/// A sentence when `filter` can't be understood.
pub fn start_logging(format: LogFormat, filter: &str) -> Result<(), String> {
    let filter = read_filter(filter)?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| format!("logging was started before: {error}"))
}

/// Something that is done again and again and may fail for a while: told once when that begins, once when it is over.
#[derive(Debug)]
pub struct Trouble {
    what: &'static str,
    present: bool,
}

impl Trouble {
    /// Nothing is wrong yet. `what` is what can't be done then: "leases can't be looked at".
    pub fn none(what: &'static str) -> Self {
        Self { what, present: false }
    }

    /// It failed.
    pub fn begins(&mut self, error: &(dyn std::error::Error + 'static)) {
        if !std::mem::replace(&mut self.present, true) {
            tracing::warn!("{} at the moment: {}", self.what, Chain(error));
        }
    }

    /// Whether it failed the last time.
    pub fn is_present(&self) -> bool {
        self.present
    }

    /// It worked.
    pub fn ends(&mut self) {
        if std::mem::replace(&mut self.present, false) {
            tracing::info!("no longer: {}", self.what);
        }
    }
}
