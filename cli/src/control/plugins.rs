//! Actions on plugins: `taskmanager plugin show OCR`, `stop`, `start`, `autostart`, `set`.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::{Answer, output, plugins, text};

/// Stop, start and set up plugins.
#[derive(Debug, Args)]
pub(crate) struct PluginCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show how a plugin stands, its settings, and what is left of its page contract.
    Show {
        /// The plugin's name.
        plugin: String,
        /// Print the coordinator's answer about it as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Let nothing new start; running jobs give way at their next page and go on after the start.
    Stop {
        #[command(flatten)]
        which: Which,
        /// Why, for those who wonder.
        #[arg(long)]
        reason: Option<String>,
        /// Interrupt jobs that have not given way after this many seconds.
        #[arg(long, value_name = "SECONDS")]
        deadline: Option<u32>,
        /// When it starts again by itself: 2026-12-01T06:00:00Z.
        #[arg(long, value_name = "TIME")]
        resume_at: Option<Timestamp>,
    },
    /// Let jobs start again.
    Start {
        #[command(flatten)]
        which: Which,
    },
    /// Whether jobs start by themselves; --all switches a switch of its own, beside each plugin's.
    Autostart {
        /// on or off.
        #[arg(value_parser = ["on", "off"])]
        state: String,
        #[command(flatten)]
        which: Which,
    },
    /// Change settings; what is not named stays.
    Set {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        settings: Box<Settings>,
    },
    /// Set a page contract: at its limit jobs wait.
    Quota {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        quota: Quota,
    },
}

#[derive(Debug, Args)]
#[group(id = "contract", required = true, multiple = true, args = ["total", "a_period", "none"])]
struct Quota {
    /// Pages in all.
    #[arg(long, value_name = "PAGES")]
    total: Option<u32>,
    /// Pages in each period.
    #[arg(long, value_name = "PAGES")]
    a_period: Option<u32>,
    /// End the contract: as many pages as are wanted.
    #[arg(long, conflicts_with_all = ["total", "a_period"])]
    none: bool,
    /// The period, in UTC.
    #[arg(long, default_value = "month", value_parser = ["month", "quarter", "year"])]
    period: String,
}

#[derive(Debug, Args)]
struct Which {
    /// The plugin's name.
    #[arg(required_unless_present = "all")]
    plugin: Option<String>,
    /// All plugins.
    #[arg(long, conflicts_with = "plugin")]
    all: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct Settings {
    /// Jobs that run at once at most; `none`: as many as workers have slots.
    #[arg(long, value_name = "NUMBER")]
    running_max: Option<String>,
    /// Minutes of waiting that raise a job by one priority; `none`: priorities stay.
    #[arg(long, value_name = "MINUTES")]
    ageing: Option<String>,
    /// How often a failure that may pass is tried again.
    #[arg(long, value_name = "NUMBER")]
    retries: Option<u16>,
    /// Pause before the first retry; doubled each time.
    #[arg(long, value_name = "SECONDS")]
    retry_first: Option<u32>,
    /// Longest pause before a retry.
    #[arg(long, value_name = "SECONDS")]
    retry_longest: Option<u32>,
    /// Without a sign of life for this long a run counts as lost.
    #[arg(long, value_name = "SECONDS")]
    lease: Option<u32>,
    /// How long a run may take.
    #[arg(long, value_name = "SECONDS")]
    run_budget: Option<u32>,
    /// Without contact to any coordinator for this long a run is broken off; `none`: it goes on.
    #[arg(long, value_name = "SECONDS")]
    disconnect_limit: Option<String>,
    /// Priority of jobs that name none.
    #[arg(long, value_name = "0..10")]
    default_priority: Option<u8>,
    /// Jobs that ended well: how many are kept; `none`: all.
    #[arg(long, value_name = "NUMBER")]
    keep_done: Option<String>,
    /// Jobs that ended well: how many days they are kept; `none`: for ever.
    #[arg(long, value_name = "DAYS")]
    keep_done_days: Option<String>,
    /// Jobs that failed or were cancelled: how many are kept; `none`: all.
    #[arg(long, value_name = "NUMBER")]
    keep_failed: Option<String>,
    /// Jobs that failed or were cancelled: how many days they are kept; `none`: for ever.
    #[arg(long, value_name = "DAYS")]
    keep_failed_days: Option<String>,
}

impl Settings {
    fn body(&self) -> anyhow::Result<Value> {
        let mut body = Map::new();
        body.insert("action".to_owned(), "configure".into());
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                body.insert(name.to_owned(), value);
            }
        };
        put(
            "running_max",
            limit("--running-max", self.running_max.as_deref())?,
        );
        put("ageing_minutes", limit("--ageing", self.ageing.as_deref())?);
        put("keep_done_jobs", limit("--keep-done", self.keep_done.as_deref())?);
        put(
            "keep_done_days",
            limit("--keep-done-days", self.keep_done_days.as_deref())?,
        );
        put(
            "keep_failed_jobs",
            limit("--keep-failed", self.keep_failed.as_deref())?,
        );
        put(
            "keep_failed_days",
            limit("--keep-failed-days", self.keep_failed_days.as_deref())?,
        );
        put("retries_max", self.retries.map(Value::from));
        put("retry_first_seconds", self.retry_first.map(Value::from));
        put("retry_longest_seconds", self.retry_longest.map(Value::from));
        put("lease_seconds", self.lease.map(Value::from));
        put("run_budget_seconds", self.run_budget.map(Value::from));
        put(
            "disconnect_limit_seconds",
            limit("--disconnect-limit", self.disconnect_limit.as_deref())?,
        );
        put("default_priority", self.default_priority.map(Value::from));
        Ok(Value::Object(body))
    }
}

/// A number, or `none` for null.
pub(crate) fn limit(flag: &str, text: Option<&str>) -> anyhow::Result<Option<Value>> {
    match text {
        None => Ok(None),
        Some("none") => Ok(Some(Value::Null)),
        Some(number) => match number.parse::<u32>() {
            Ok(number) => Ok(Some(number.into())),
            Err(_) => anyhow::bail!("{flag} {number}: use a whole number, or none"),
        },
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Outcome {
    changed: Vec<String>,
}

pub(crate) fn run(client: &Client, command: &PluginCommand) -> anyhow::Result<Answer> {
    let (which, body, done) = match &command.action {
        Action::Show { plugin, json } => return plugins::show(client, plugin, *json),
        Action::Stop {
            which,
            reason,
            deadline,
            resume_at,
        } => {
            let body = json!({"action": "stop", "reason": reason, "deadline_seconds": deadline,
                              "resume_at": resume_at});
            (
                which,
                body,
                "stopping; `taskmanager plugins` says when it has stopped",
            )
        }
        Action::Start { which } => (which, json!({"action": "start"}), "running"),
        Action::Autostart { state, which } => {
            let body = json!({"action": "autostart", "on": state == "on"});
            (
                which,
                body,
                if state == "on" {
                    "autostart on"
                } else {
                    "autostart off"
                },
            )
        }
        Action::Quota { which, quota } => {
            let body = json!({"action": "quota", "pages_total": quota.total, "pages_a_period": quota.a_period,
                              "period": quota.period});
            (
                which,
                body,
                if quota.none {
                    "no page contract"
                } else {
                    "page contract set"
                },
            )
        }
        Action::Set { which, settings } => (which, settings.body()?, "changed"),
    };
    let path = match &which.plugin {
        Some(plugin) => format!("/api/v1/plugins/{}/actions", plugin.to_uppercase()),
        None => "/api/v1/plugins/actions".to_owned(),
    };
    let answer = client.post(&path, body.to_string().as_bytes(), &[])?;
    let outcome: Outcome = answer.read()?;
    let mut lines = String::new();
    for name in &outcome.changed {
        text::push_line(&mut lines, &format!("{}: {done}", text::printable(name)));
    }
    if lines.is_empty() {
        text::push_line(&mut lines, "nothing to do: it was so already");
    }
    output::result(&lines)?;
    Ok(Answer::Yes)
}
