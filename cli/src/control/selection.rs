//! Which jobs an action is for: those that are named, or all that fit.

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

/// Which jobs.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Which jobs")]
pub(crate) struct Selection {
    /// Their ids; or choose them with the options below, all of which have to fit.
    #[arg(value_name = "ID", required_unless_present_any = FILTERS, conflicts_with_all = FILTERS)]
    ids: Vec<String>,
    /// All of this plugin.
    #[arg(long, value_name = "NAME")]
    plugin: Option<String>,
    /// All in this state, such as PROCESSING or PAUSED (repeat for several).
    #[arg(long)]
    state: Vec<String>,
    /// All whose title has this part.
    #[arg(long, value_name = "PART")]
    title: Option<String>,
    /// All whose error has this part; only jobs that have ended have one.
    #[arg(long, value_name = "PART")]
    error: Option<String>,
    /// All of this process of the workflow.
    #[arg(long, value_name = "ID")]
    process: Option<String>,
    /// All of this step of the workflow.
    #[arg(long, value_name = "ID")]
    step: Option<String>,
    /// All that were submitted at this moment or later: 2026-11-22T08:00:00Z.
    #[arg(long, value_name = "TIME")]
    submitted_from: Option<Timestamp>,
    /// All that were submitted before this moment.
    #[arg(long, value_name = "TIME")]
    submitted_to: Option<Timestamp>,
    /// All that ended at this moment or later.
    #[arg(long, value_name = "TIME")]
    finished_from: Option<Timestamp>,
    /// All that ended before this moment.
    #[arg(long, value_name = "TIME")]
    finished_to: Option<Timestamp>,
    /// Do nothing, only say how many jobs are meant.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Print the coordinator's answer as JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// The options that choose jobs.
const FILTERS: [&str; 10] = [
    "plugin",
    "state",
    "title",
    "error",
    "process",
    "step",
    "submitted_from",
    "submitted_to",
    "finished_from",
    "finished_to",
];

impl Selection {
    /// One job.
    pub(super) fn of(id: &str, json: bool) -> Self {
        Self {
            ids: vec![id.to_owned()],
            json,
            ..Self::default()
        }
    }

    /// As the coordinator takes it; what is not chosen by is left out, so that an older one understands the rest.
    ///
    /// # Errors
    /// When PAUSED is to be found together with other states, which no filter can say.
    pub(super) fn filter(&self) -> anyhow::Result<Value> {
        let mut states: Vec<String> = self.state.iter().map(|state| state.to_uppercase()).collect();
        let paused = states.iter().any(|state| state == "PAUSED");
        anyhow::ensure!(
            !paused || states.iter().all(|state| state == "PAUSED"),
            "--state PAUSED can't be combined with another state: call it once for each"
        );
        let mut filter = json!({
            "jobs": self.ids, "plugin": self.plugin.as_ref().map(|plugin| plugin.to_uppercase()),
            "title": self.title, "error": self.error, "process": self.process, "step": self.step,
            "submitted_from": self.submitted_from, "submitted_to": self.submitted_to,
            "finished_from": self.finished_from, "finished_to": self.finished_to,
        });
        if paused {
            // What lists show as PAUSED waits in the queue and is held back.
            states = vec!["QUEUED".to_owned()];
            filter["paused"] = true.into();
        }
        filter["states"] = states.into();
        if let Some(fields) = filter.as_object_mut() {
            fields.retain(|_, value| !value.is_null());
        }
        Ok(filter)
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command, FromArgMatches};

    use super::*;

    fn selection(arguments: &[&str]) -> Result<Selection, clap::Error> {
        let command = Selection::augment_args(Command::new("cancel"));
        let matches = command.try_get_matches_from([&["cancel"], arguments].concat())?;
        Selection::from_arg_matches(&matches)
    }

    fn filter(arguments: &[&str]) -> Value {
        selection(arguments).unwrap().filter().unwrap()
    }

    #[test]
    fn each_option_is_a_field_of_the_coordinators_filter_and_others_are_left_out() {
        assert_eq!(filter(&["a", "b"]), json!({"jobs": ["a", "b"], "states": []}));
        let time = "2026-11-22T08:00:00Z";
        for option in FILTERS {
            let flag = format!("--{}", option.replace('_', "-"));
            let (value, field, expected) = match option {
                "plugin" => ("ocr", option, json!("OCR")),
                "state" => ("done", "states", json!(["DONE"])),
                option if option.contains('_') => (time, option, json!(time)),
                option => ("27", option, json!("27")),
            };
            let mut wanted = json!({"jobs": [], "states": []});
            wanted[field] = expected;
            assert_eq!(filter(&[&flag, value]), wanted, "{flag}");
        }
    }

    #[test]
    fn paused_jobs_are_those_that_wait_and_are_held_back() {
        assert_eq!(
            filter(&["--state", "paused"]),
            json!({"jobs": [], "states": ["QUEUED"], "paused": true})
        );
        let both = selection(&["--state", "PAUSED", "--state", "DONE"]).unwrap();
        assert!(both.filter().unwrap_err().to_string().contains("once for each"));
    }

    #[test]
    fn jobs_are_named_or_chosen_and_never_both_or_neither() {
        assert!(selection(&[]).is_err() && selection(&["--dry-run"]).is_err());
        for option in FILTERS {
            let flag = format!("--{}", option.replace('_', "-"));
            let value = if option.contains('_') {
                "2026-11-22T08:00:00Z"
            } else {
                "x"
            };
            assert!(selection(&[&flag, value]).is_ok(), "{flag}");
            assert!(selection(&["a", &flag, value]).is_err(), "{flag}");
        }
        assert!(
            selection(&["--finished-to", "2026-11-22"]).is_err(),
            "a day is no moment"
        );
    }
}
