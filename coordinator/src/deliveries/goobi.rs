//! What Goobi is told on its own queue of a job that came from there: an entry of the journal, then the step's end.
//!
//! Neither may be repeated: Goobi would write the entry twice, or close the step once more and all that follows.

use serde_json::Map;
use shared::job::JobState;
use shared::message::goobi::{Command, LogType, NewStatus, Step};
use shared::message::submit::Token;

use super::kind::{Delivery, EndedJob, Kind, Message, NewDelivery};

/// How a job's `callback_url` begins that Goobi is told of on a queue of its broker. No submitter can have one: these
/// name an http address.
const SCHEME: &str = "stomp:";
/// All of them go to one broker.
const HOST: &str = "goobi";

/// The `callback_url` of a job whose end Goobi is told on this queue.
pub fn goobi_target(queue: &str) -> String {
    format!("{SCHEME}{queue}")
}

/// Why the process's journal says that the step has ended.
#[derive(Debug)]
pub(super) struct GoobiJournal;

impl Kind for GoobiJournal {
    fn name(&self) -> &'static str {
        "goobi_journal"
    }

    fn repeatable(&self) -> bool {
        false
    }

    fn due(&self, job: &EndedJob) -> Option<NewDelivery> {
        let ended = &job.ended;
        let (log_type, said) = match ended.state {
            JobState::Done => (
                LogType::Info,
                format!("finished: {} of {} pages", ended.items_done, ended.items_total),
            ),
            JobState::Cancelled => (LogType::Error, "was cancelled in the task manager".to_owned()),
            _ => (
                LogType::Error,
                format!(
                    "failed: {}",
                    ended.error.as_deref().unwrap_or("it is not known why")
                ),
            ),
        };
        let content = format!("{} {said} (job {})", ended.plugin, ended.job_id);
        delivery(job, |step| Command::journal(step, log_type, &content))
    }

    fn message(&self, delivery: &Delivery, _token: Option<&Token>) -> Message {
        command(delivery)
    }
}

/// The step is done, or in error.
#[derive(Debug)]
pub(super) struct GoobiStep;

impl Kind for GoobiStep {
    fn name(&self) -> &'static str {
        "goobi_step"
    }

    fn repeatable(&self) -> bool {
        false
    }

    fn due(&self, job: &EndedJob) -> Option<NewDelivery> {
        delivery(job, |step| Command::ChangeStep {
            step,
            step_name: job.ended.step_name.clone(),
            new_status: if job.ended.state == JobState::Done {
                NewStatus::Done
            } else {
                NewStatus::Error
            },
            number_of_objects: job.ended.items_done,
        })
    }

    fn message(&self, delivery: &Delivery, _token: Option<&Token>) -> Message {
        command(delivery)
    }
}

fn delivery(job: &EndedJob, command: impl FnOnce(Step) -> Command) -> Option<NewDelivery> {
    let target = job.callback_url.clone().filter(|url| url.starts_with(SCHEME))?;
    let number = |id: &Option<String>| id.as_deref().and_then(|id| id.parse().ok()).unwrap_or_default();
    // Numbers that are none are refused when it is sent, in sight of everybody.
    let step = Step {
        process_id: number(&job.ended.process_id),
        step_id: number(&job.ended.step_id),
    };
    Some(NewDelivery {
        target,
        host: HOST.to_owned(),
        headers: Map::new(),
        payload: serde_json::to_value(command(step)).expect("a command is plain data"),
        token: job.callback_token.clone(),
    })
}

fn command(delivery: &Delivery) -> Message {
    let command = serde_json::from_value(delivery.payload.clone());
    Message::ToGoobi(command.map_err(|error| format!("this release can't read the message: {error}")))
}

/// Whether Goobi is told of the job on its queue, and nobody else.
pub(super) fn is_goobis(callback_url: &str) -> bool {
    callback_url.starts_with(SCHEME)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use shared::job::JobId;
    use shared::message::ended::JobEnded;
    use shared::message::submit::CallbackWhen;

    use super::*;
    use crate::deliveries::{due, of_name};

    fn ended(state: &str, callback_url: &str) -> EndedJob {
        let mut ended = json!({"job_id": JobId::generate(), "plugin": "OCR", "state": state, "title": "t",
            "process_id": "27", "step_id": "6519", "step_name": "OCR", "items_done": 3, "items_failed": 1,
            "items_total": 4, "bytes": 1, "submitted_at": "2026-01-01T00:00:00Z", "finished_at": "2026-01-01T00:00:00Z"});
        if state == "ERROR" {
            ended["error"] = "page 3 is unreadable".into();
        }
        EndedJob {
            ended: serde_json::from_value::<JobEnded>(ended).unwrap(),
            parameters: Map::new(),
            callback_url: Some(callback_url.to_owned()),
            callback_when: CallbackWhen::Ended,
            callback_token: Some("sealed".to_owned()),
        }
    }

    #[test]
    fn goobi_is_told_why_and_then_how_a_step_has_ended() {
        for (state, log_type, words, status) in [
            ("DONE", "info", "OCR finished: 3 of 4 pages", "done"),
            ("ERROR", "error", "OCR failed: page 3 is unreadable", "error"),
            ("CANCELLED", "error", "OCR was cancelled", "error"),
        ] {
            let told = due(&ended(state, &goobi_target("goobi_command")));
            let names: Vec<&str> = told.iter().map(|(kind, _)| kind.name()).collect();
            assert_eq!(names, ["goobi_journal", "goobi_step"], "{state}");
            assert!(
                told.iter()
                    .all(|(kind, new)| !kind.repeatable() && new.token.is_some())
            );
            let payloads: Vec<Value> = told.into_iter().map(|(_, new)| new.payload).collect();
            assert_eq!(payloads[0]["logType"], log_type);
            assert!(
                payloads[0]["content"].as_str().unwrap().starts_with(words),
                "{payloads:?}"
            );
            let end = json!({"command": "changeStep", "processId": 27, "stepId": 6519, "stepName": "OCR",
                "newStatus": status, "numberOfObjects": 3});
            assert_eq!(payloads[1], end);
        }
    }

    #[test]
    fn who_wants_a_callback_is_called_and_goobis_queue_hears_nothing() {
        let told = due(&ended("DONE", "http://goobi/done"));
        let names: Vec<&str> = told.iter().map(|(kind, _)| kind.name()).collect();
        assert_eq!(names, ["callback"]);
        assert!(
            ["goobi_journal", "goobi_step"]
                .iter()
                .all(|name| of_name(name).is_some())
        );
    }
}
