//! A job with its folders, and attempts at it.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde_json::Value;
use shared::job::decide::ErrorClass;
use shared::job::{ClaimId, JobId, Token};
use shared::message::reply::{DoneItem, Grant, Template};
use shared::message::worker::{AttemptReport, ItemReport, ItemState};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use worker::context::Context;
use worker::item_store::ItemStore;
use worker::plugin::AttemptError;
use worker::plugins::PluginSettings;
use worker::progress::Progress;
use worker::tool::Wrapper;

/// A job, its source and its target folder.
pub(crate) struct Job {
    folder: tempfile::TempDir,
    id: JobId,
    plugin: &'static str,
    pub(crate) parameters: Value,
    pub(crate) template: Option<Value>,
    /// Told when something is worth a heartbeat.
    pub(crate) changed: Arc<Notify>,
}

impl Job {
    pub(crate) fn new(plugin: &'static str, parameters: Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for part in ["source", "target"] {
            std::fs::create_dir(folder.path().join(part)).unwrap();
        }
        Self {
            folder,
            id: JobId::generate(),
            plugin,
            parameters,
            template: None,
            changed: Arc::default(),
        }
    }

    pub(crate) fn with_template(mut self, parameters: Value) -> Self {
        self.template = Some(parameters);
        self
    }

    pub(crate) fn source(&self, name: &str) -> PathBuf {
        self.folder.path().join("source").join(name)
    }

    pub(crate) fn target(&self, path: &str) -> PathBuf {
        self.folder.path().join("target").join(path)
    }

    pub(crate) fn in_store(&self, path: &str) -> PathBuf {
        self.target(&format!(".taskmanager-{}", self.id)).join(path)
    }

    /// Puts pages of the test volume into the source folder.
    pub(crate) fn with_pages(self, pages: &[(&str, &str)]) -> Self {
        for (original, name) in pages {
            let original = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("../tests/data/volume")
                .join(original);
            std::fs::copy(original, self.source(name)).unwrap();
        }
        self
    }

    /// The surroundings of a new attempt, which finds these items done.
    pub(crate) fn attempt(&self, done_items: Vec<DoneItem>) -> Context {
        let claim_id = ClaimId::generate();
        let path = |part: &str| self.folder.path().join(part);
        let open = |part: &str| Dir::open_ambient_dir(path(part), ambient_authority()).unwrap();
        let scratch = path(&format!("scratch-{claim_id}"));
        std::fs::create_dir(&scratch).unwrap();
        let object = |value: &Value| value.as_object().unwrap().clone();
        let template = |parameters| Template {
            name: "test-template".to_owned(),
            parameters: object(parameters),
        };
        Context {
            grant: Grant {
                job_id: self.id,
                store: None,
                plugin: self.plugin.parse().unwrap(),
                attempt: 1,
                claim_id,
                lease_seconds: 60,
                run_budget_seconds: 600,
                disconnect_limit_seconds: None,
                title: "Huckleberry Finn".to_owned(),
                source: Some(path("source").display().to_string()),
                target: Some(path("target").display().to_string()),
                ask_for_transfer: false,
                parameters: object(&self.parameters),
                template: self.template.as_ref().map(template),
                done_items,
                manifest: None,
            },
            stop: CancellationToken::new(),
            pause: CancellationToken::new(),
            progress: Progress::new(Arc::clone(&self.changed)),
            scratch,
            source: Some(open("source")),
            store: Some(ItemStore::open(open("target"), self.id, claim_id)),
        }
    }
}

/// Settings for this machine.
pub(crate) fn settings() -> PluginSettings {
    PluginSettings {
        slots: BTreeMap::new(),
        ocr_cores: NonZeroU16::new(2).unwrap(),
        tessdata: None,
        wrapper: Wrapper::at(env!("CARGO_BIN_EXE_worker")),
    }
}

/// What the attempt's next heartbeat would say.
pub(crate) fn report(context: &Context) -> AttemptReport {
    context.progress.report(
        context.grant.job_id,
        Token {
            attempt: 1,
            claim_id: context.grant.claim_id,
        },
    )
}

/// The attempt's log.
pub(crate) fn log(context: &Context) -> Vec<String> {
    report(context).log.into_iter().map(|line| line.text).collect()
}

/// The items that the attempt has done, as a later one is told of them.
pub(crate) fn done_items(context: &Context) -> Vec<DoneItem> {
    let done = |item: ItemReport| {
        (item.state == ItemState::Done).then_some(DoneItem {
            name: item.name,
            files: item.files,
        })
    };
    report(context).items.into_iter().filter_map(done).collect()
}

/// Class and message of a failure.
pub(crate) fn failure(error: AttemptError) -> (ErrorClass, String) {
    match error {
        AttemptError::Failed { class, message, .. } => (class, message),
        AttemptError::Stopped | AttemptError::Yielded => panic!("it was told to end"),
    }
}

/// Processes whose working folder lies beneath the attempt's scratch folder.
pub(crate) fn processes_in(scratch: &Path) -> Vec<PathBuf> {
    let processes = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .map(|entry| entry.path());
    let inside = |process: &PathBuf| {
        std::fs::read_link(process.join("cwd")).is_ok_and(|folder| folder.starts_with(scratch))
    };
    processes.filter(inside).collect()
}
