//! What the doctor says of item stores that no worker removes.

use shared::message::worker::Check;

use super::{failed, passed};
use crate::db::pages::UselessStores;

/// The check: a store that stays is space that nobody gets back by himself.
pub(super) fn check(stores: &UselessStores) -> Check {
    let name = "item stores to remove";
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

#[cfg(test)]
mod tests {
    use super::*;
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
