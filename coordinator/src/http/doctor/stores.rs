//! What the doctor says of item stores: those that no worker removes, and those that no job has.

use shared::error::Chain;
use shared::message::worker::Check;

use super::{App, failed, passed};
use crate::db;
use crate::db::pages::{ReadUselessStores, UselessStores};
use crate::db::stores::{ReadUnknownStores, UnknownStores};

/// Stores, and problems, that are named one by one.
const NAMED: usize = 5;
/// What the checks are called.
const USELESS: &str = "item stores to remove";
const UNKNOWN: &str = "unknown item stores";

/// Both checks.
pub(super) async fn look(app: &App) -> [Check; 2] {
    let useless = app.db.run(&ReadUselessStores).await;
    let unknown = app.db.run(&ReadUnknownStores).await;
    [
        useless.map_or_else(|error| away(USELESS, &error), |found| check(&found)),
        unknown.map_or_else(|error| away(UNKNOWN, &error), |found| check_unknown(&found)),
    ]
}

fn away(name: &str, error: &db::Error) -> Check {
    tracing::warn!("the doctor can't look at item stores: {}", Chain(error));
    failed(name, format!("{error}: the coordinator's log has the details"))
}

/// The check: a store that stays is space that nobody gets back by himself.
fn check(stores: &UselessStores) -> Check {
    let name = USELESS;
    if stores.stuck == 0 {
        return passed(name, format!("waiting for a worker: {}", stores.waiting));
    }
    let mut lines = vec![format!(
        "{} of jobs that are over could not be removed; start a worker of their plugin that sees their storage \
         (--root), or remove these folders yourself:",
        stores.stuck
    )];
    lines.extend(stores.named.iter().map(|store| {
        let said = store
            .last_error
            .as_deref()
            .unwrap_or("no worker that serves it has answered");
        format!("{} ({}): {said}", store.folder, store.plugin)
    }));
    failed(name, lines.join("\n"))
}

/// The check of stores that no job has: only a person knows whether anybody misses what is in them.
fn check_unknown(stores: &UnknownStores) -> Check {
    let name = UNKNOWN;
    let mut lines = Vec::new();
    if stores.total > 0 {
        lines.push(format!(
            "{} of jobs that this database does not know lie on workers' storage; `taskmanager recover` says what to do:",
            stores.total
        ));
        lines.extend(stores.stores.iter().take(NAMED).map(|store| store.folder.clone()));
    }
    if !stores.problems.is_empty() {
        lines.push(
            "workers could not look everywhere for item stores; mend it, then `taskmanager recover --look`:"
                .to_owned(),
        );
        lines.extend(stores.problems.iter().take(NAMED).cloned());
    }
    if lines.is_empty() {
        return passed(
            name,
            format!(
                "none; workers that have not looked yet: {}",
                stores.not_told.len()
            ),
        );
    }
    failed(name, lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_no_job_has_and_storage_that_can_not_be_seen_are_findings() {
        assert!(check_unknown(&UnknownStores::default()).ok);
        let late = UnknownStores {
            not_told: vec!["ocr-1".to_owned()],
            ..UnknownStores::default()
        };
        let found = check_unknown(&late);
        assert!(found.ok && found.message.ends_with("yet: 1"), "{found:?}");
        let unseen = UnknownStores {
            problems: vec!["ocr-1: /data does not answer".to_owned()],
            ..UnknownStores::default()
        };
        let found = check_unknown(&unseen);
        assert!(
            !found.ok && found.message.contains("/data does not answer"),
            "{found:?}"
        );
        let store = crate::db::stores::UnknownStore {
            store: shared::job::JobId::generate(),
            folder: "/data/27/.taskmanager-1".to_owned(),
            worker: "ocr-1".to_owned(),
            first_seen: jiff::Timestamp::UNIX_EPOCH,
            last_seen: jiff::Timestamp::UNIX_EPOCH,
        };
        let unknown = UnknownStores {
            total: 7,
            stores: vec![store],
            ..UnknownStores::default()
        };
        let found = check_unknown(&unknown);
        assert!(!found.ok);
        for part in ["7 of jobs", "/data/27/.taskmanager-1", "taskmanager recover"] {
            assert!(found.message.contains(part), "{}", found.message);
        }
    }
    use crate::db::pages::StuckStore;

    #[test]
    fn stores_that_wait_are_no_fault_and_stuck_ones_are_named_with_what_to_do() {
        let waiting = UselessStores {
            waiting: 3,
            ..UselessStores::default()
        };
        assert!(check(&waiting).ok);
        let stuck = UselessStores {
            waiting: 3,
            stuck: 1,
            named: vec![StuckStore {
                folder: "/data/27/.taskmanager-1".to_owned(),
                plugin: "OCR".to_owned(),
                last_error: Some("folder /data/27 is outside the folders".to_owned()),
            }],
        };
        let found = check(&stuck);
        assert!(!found.ok);
        for part in [
            "/data/27/.taskmanager-1 (OCR): folder /data/27 is outside",
            "--root",
        ] {
            assert!(found.message.contains(part), "{}", found.message);
        }
    }
}
