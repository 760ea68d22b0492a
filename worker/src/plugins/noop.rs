//! NOOP: does nothing, in as many steps as asked. For tests and benchmarks.
//!
//! | parameter | meaning |
//! |---|---|
//! | `items` | number of items, default 0 |
//! | `item_ms` | how long each takes, milliseconds, default 0 |
//! | `write` | each item leaves a small file `noop/<item>.txt`; needs a target. Such items are kept by a later attempt |
//! | `witness` | name of a file in the source folder that tells what really ran; needs a source. Written items then name the attempt that wrote them |
//! | `fail` | fails when all items are done: `"retryable"`, or `"permanent"` (or `true`) |

use std::collections::HashMap;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use shared::job::Stage;
use shared::message::manifest::FileEntry;
use shared::message::reply::DoneItem;
use shared::message::worker::{Check, ItemReport, ItemState, PluginOffer};
use tokio_util::sync::CancellationToken;

#[cfg(test)]
mod tests;
mod witness;

use super::parameters::{Parameters, flag_schema, number_schema, wrong};
use crate::context::Context;
use crate::item_store::{ItemStore, storage_failure};
use crate::plugin::{AttemptError, Finished, Plugin};
use witness::Witness;

/// What parameter `fail` may be.
const FAIL: &str = "true, false, \"permanent\" or \"retryable\"";

/// The plugin.
#[derive(Debug)]
pub struct Noop {
    slots: u16,
}

impl Noop {
    /// With so many jobs at once.
    pub fn new(slots: u16) -> Self {
        Self { slots }
    }
}

#[async_trait]
impl Plugin for Noop {
    fn offer(&self) -> PluginOffer {
        PluginOffer {
            name: super::name("NOOP"),
            title_en: "Does nothing (test)".to_owned(),
            title_de: "Tut nichts (Test)".to_owned(),
            needs_source: false,
            needs_target: false,
            needs_template: false,
            slots: self.slots,
            parameters_schema: Some(schema()),
        }
    }

    async fn checks(&self) -> Vec<Check> {
        Vec::new()
    }

    async fn run(&self, context: &Context) -> Result<Finished, AttemptError> {
        let parameters = Parameters::of(&context.grant);
        let items = parameters.number("items", 0)?;
        let duration = Duration::from_millis(parameters.number("item_ms", 0)?.into());
        let failure = failure(&parameters)?;
        let witness = Witness::asked_for(&parameters, context)?;
        let store = match (&context.store, parameters.flag("write")?) {
            (Some(store), true) => Some(store),
            (None, true) => {
                return Err(AttemptError::permanent(
                    "parameter \"write\" needs a target folder",
                ));
            }
            (_, false) => None,
        };
        context.progress.stage(Stage::Processing);
        tell(witness.as_ref(), "attempt", "-").await?;
        let mut kept = kept(context, store, items).await?;
        let mut ended = u32::try_from(kept.len()).unwrap_or(u32::MAX);
        context.progress.items(items, ended);
        let mut files = Vec::new();
        for position in 1..=items {
            let name = item_name(position);
            if let Some(item) = kept.remove(&name) {
                files.extend(item.files);
                continue;
            }
            if context.pause.is_cancelled() {
                return Err(AttemptError::Yielded);
            }
            let begun = Instant::now();
            tell(witness.as_ref(), "begun", &name).await?;
            wait(duration, &context.stop).await?;
            let written = match store {
                Some(store) => vec![write(context, store, &name, witness.as_ref()).await?],
                None => Vec::new(),
            };
            tell(witness.as_ref(), "done", &name).await?;
            files.extend(written.clone());
            ended += 1;
            context.progress.item(ItemReport {
                name,
                position,
                state: ItemState::Done,
                files: written,
                duration_ms: begun.elapsed().as_millis().try_into().unwrap_or(u64::MAX),
                error: None,
            });
            context.progress.detail(format!("item {ended} of {items}"));
        }
        match failure {
            Some(failure) => Err(failure),
            None => Ok(Finished {
                files,
                summary: summary(items),
                failed: None,
            }),
        }
    }
}

fn summary(items: u32) -> Map<String, Value> {
    Map::from_iter([("items".to_owned(), items.into())])
}

fn item_name(position: u32) -> String {
    format!("{position:08}")
}

/// Which of the items an earlier attempt has done, with their files still there where they have any.
async fn kept(
    context: &Context,
    store: Option<&ItemStore>,
    items: u32,
) -> Result<HashMap<String, DoneItem>, AttemptError> {
    let mut kept = HashMap::new();
    for item in &context.grant.done_items {
        let known = item
            .name
            .parse()
            .is_ok_and(|position| (1..=items).contains(&position));
        let there = match store {
            Some(store) => !item.files.is_empty() && store.verify(item).await?,
            None => true,
        };
        if known && there {
            context
                .progress
                .log(format!("item {} kept from an earlier attempt", item.name));
            kept.insert(item.name.clone(), item.clone());
        }
    }
    Ok(kept)
}

async fn wait(duration: Duration, stop: &CancellationToken) -> Result<(), AttemptError> {
    tokio::select! {
        biased;
        () = stop.cancelled() => Err(AttemptError::Stopped),
        () = tokio::time::sleep(duration) => Ok(()),
    }
}

async fn tell(witness: Option<&Witness>, what: &'static str, item: &str) -> Result<(), AttemptError> {
    match witness {
        Some(witness) => witness.tell(what, item).await,
        None => Ok(()),
    }
}

async fn write(
    context: &Context,
    store: &ItemStore,
    name: &str,
    witness: Option<&Witness>,
) -> Result<FileEntry, AttemptError> {
    let scratch = context.scratch.join(name);
    let by = witness.map_or_else(String::new, |witness| format!(" {}", witness.token()));
    tokio::fs::write(&scratch, format!("item {name}{by}\n"))
        .await
        .map_err(|error| storage_failure(&format!("can't write to {}", scratch.display()), &error))?;
    Ok(store.put(&format!("noop/{name}.txt"), &scratch).await?)
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "items": number_schema(),
            "item_ms": number_schema(),
            "write": flag_schema(),
            "witness": {"type": ["string", "null"], "description": "the name of a file"},
            "fail": {
                "enum": [true, false, "true", "false", "permanent", "retryable", null],
                "description": FAIL,
            },
        },
    })
}

fn failure(parameters: &Parameters) -> Result<Option<AttemptError>, AttemptError> {
    const MESSAGE: &str = "failed because parameter \"fail\" says so";
    match parameters.get("fail") {
        Some(Value::String(class)) if class == "retryable" => Ok(Some(AttemptError::retryable(MESSAGE))),
        Some(Value::String(class)) if class == "permanent" => Ok(Some(AttemptError::permanent(MESSAGE))),
        Some(other) => match parameters.flag("fail") {
            Ok(fail) => Ok(fail.then(|| AttemptError::permanent(MESSAGE))),
            Err(_) => Err(wrong("fail", other, FAIL)),
        },
        None => Ok(None),
    }
}
