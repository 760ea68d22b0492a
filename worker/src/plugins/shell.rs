//! SHELL: runs a template's command.
//!
//! | template parameter | meaning |
//! |---|---|
//! | `command` | the program and its arguments, an array of texts with placeholders (see [`arguments`]) |
//! | `timeout_seconds` | how long it may run; as long as the job may where not set |
//!
//! Invariants: the command comes from the template and from nowhere else, and never goes through a shell. The exit
//! code decides: 0 is done, everything else a failure that may be tried again. What the command prints is the
//! job's log. It writes to the target itself, so there is nothing to publish; a command that may be tried again
//! has to bear being run twice.

pub mod arguments;

use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde_json::{Map, Value};
use shared::job::Stage;
use shared::message::reply::Grant;
use shared::message::worker::{Check, PluginOffer};

use crate::context::Context;
use crate::plugin::{AttemptError, Finished, Plugin};
use crate::tool::{Ended, Tool, Wrapper};
use shared::job::decide::ErrorClass;

/// The plugin.
#[derive(Debug)]
pub struct Shell {
    slots: u16,
    wrapper: Wrapper,
}

impl Shell {
    /// With so many jobs at once; every command runs under the wrapper.
    pub fn new(slots: u16, wrapper: Wrapper) -> Self {
        Self { slots, wrapper }
    }
}

#[async_trait]
impl Plugin for Shell {
    fn offer(&self) -> PluginOffer {
        PluginOffer {
            name: super::name("SHELL"),
            title_en: "Command from a template".to_owned(),
            title_de: "Befehl aus einer Vorlage".to_owned(),
            needs_source: false,
            needs_target: false,
            needs_template: true,
            slots: self.slots,
            // What a command needs of its job, only the template knows: it has a schema of its own.
            parameters_schema: None,
        }
    }

    async fn checks(&self) -> Vec<Check> {
        // Which programs are needed, only the templates know: coordinators tell, and the worker looks for them itself.
        Vec::new()
    }

    async fn run(&self, context: &Context) -> Result<Finished, AttemptError> {
        let Some(template) = &context.grant.template else {
            return Err(AttemptError::permanent(
                "a SHELL job needs a template: its command comes from nowhere else",
            ));
        };
        let wrong = |problem: String| {
            AttemptError::permanent(format!("template \"{}\" of SHELL: {problem}", template.name))
        };
        // What a tool is told has to be a folder.
        let grant = Grant {
            source: context.source_folder(),
            ..context.grant.clone()
        };
        let command =
            arguments::expand(&template.parameters, &grant).map_err(|error| wrong(error.to_string()))?;
        let limit = timeout(&template.parameters).map_err(wrong)?;
        let mut tool = Tool::new(&self.wrapper, &command.program, &context.scratch).args(&command.arguments);
        if let Some(limit) = limit {
            tool = tool.limit(limit);
        }
        context.progress.stage(Stage::Processing);
        context.progress.detail(format!("{} is running", command.program));
        let begun = Instant::now();
        let ended = tool
            .run(&context.stop, |_, line| context.progress.log(line))
            .await?;
        if !ended.success() {
            return Err(failed(&command.program, &ended));
        }
        let summary = Map::from_iter([
            ("template".to_owned(), template.name.clone().into()),
            ("seconds".to_owned(), begun.elapsed().as_secs().into()),
        ]);
        Ok(Finished {
            summary,
            ..Finished::default()
        })
    }
}

fn failed(program: &str, ended: &Ended) -> AttemptError {
    AttemptError::Failed {
        class: ErrorClass::Retryable,
        message: format!("{program} ended with {}", ended.describe()),
        exit_code: Some(ended.code),
    }
}

fn timeout(template: &Map<String, Value>) -> Result<Option<Duration>, String> {
    match template.get("timeout_seconds") {
        None => Ok(None),
        Some(value) => match value.as_u64() {
            Some(seconds @ 1..) => Ok(Some(Duration::from_secs(seconds))),
            _ => Err(format!(
                "timeout_seconds is {value}, but must be a whole number above 0"
            )),
        },
    }
}
