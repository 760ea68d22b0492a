//! What `taskmanager recover` says of item stores that no job has, and what it does about them.

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::json;

use super::Arguments;
use crate::client::Client;
use crate::{Answer, output, text};

/// The stores in the report.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Stores {
    pub(super) total: u64,
    #[serde(rename = "stores")]
    named: Vec<Store>,
    not_told: Vec<String>,
    problems: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Store {
    #[serde(rename = "store")]
    id: String,
    folder: String,
    worker: String,
    first_seen: String,
}

impl Stores {
    /// Says what there is.
    pub(super) fn tell(&self, line: &mut impl FnMut(&str)) {
        if self.total > 0 {
            line(&format!(
                "Item stores of jobs that this database does not know: {}. Either their jobs were submitted after a copy was \
                 made that was put back, and what they had published may be incomplete; or they were removed from history; \
                 or another task manager uses the same storage, and these are its.",
                self.total
            ));
        }
        for store in &self.named {
            line(&format!(
                "Item store {}: {} (worker {}, since {})",
                store.id, store.folder, store.worker, store.first_seen
            ));
        }
        let more = self.total.saturating_sub(self.named.len() as u64);
        if more > 0 {
            line(&format!("and {more} more, which are shown once these are gone"));
        }
        if self.total > 0 {
            line(
                "Nothing removes them by itself. When nobody misses what is in one: `taskmanager recover --remove-store ID`",
            );
        }
        for problem in &self.problems {
            line(&format!(
                "A worker could not look everywhere for item stores: {problem}"
            ));
        }
        if !self.not_told.is_empty() {
            line(&format!(
                "These workers have not told yet what item stores they find (those of an older release never do): {}",
                self.not_told.join(", ")
            ));
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Outcome {
    removed: Vec<String>,
    used: Vec<String>,
    not_found: Vec<String>,
}

/// Has workers look, or remove stores.
pub(super) fn act(client: &Client, arguments: &Arguments) -> anyhow::Result<Answer> {
    let wanted = if arguments.look {
        json!({"action": "look"})
    } else {
        json!({"action": "remove", "stores": arguments.remove_store})
    };
    let answer = client
        .post("/api/v1/stores/actions", wanted.to_string().as_bytes(), &[])
        .context("nothing was done")?;
    let outcome: Outcome = answer.read()?;
    let mut page = String::new();
    let mut line = |said: &str| text::push_line(&mut page, &text::printable(said));
    if arguments.look {
        line("Asked: workers tell what they find within a minute; then `taskmanager recover`.");
    }
    for store in &outcome.removed {
        line(&format!("{store}: a worker removes it now"));
    }
    for store in &outcome.used {
        line(&format!("{store}: left alone, a job of this database has it"));
    }
    for store in &outcome.not_found {
        line(&format!("{store}: no worker has found such an item store"));
    }
    if arguments.json {
        output::json(&answer.json)?;
    } else {
        output::result(&page)?;
    }
    let all = outcome.used.is_empty() && outcome.not_found.is_empty();
    Ok(if all { Answer::Yes } else { Answer::No })
}
