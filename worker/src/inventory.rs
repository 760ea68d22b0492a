//! Telling coordinators of the item stores on this worker's storage, when they ask.
//!
//! Invariants: the indexes are read in a task of its own, so that a slow storage delays no heartbeat; each portion is
//! told until a coordinator has answered the heartbeat that it was in; the last one says where nobody could look.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::message::worker::{FoundStore, StoresFound};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::roots::Roots;
use crate::storage::Storage;
use crate::store_index;

/// Most stores in one portion.
const PORTION: usize = 200;
/// Most bytes of paths in one portion, but for the last of them.
const PORTION_BYTES: usize = 64 * 1024;

/// What was asked for, and what is still to be told. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    state: Arc<Mutex<State>>,
    wanted: Arc<Notify>,
}

#[derive(Debug, Default)]
struct State {
    /// The request that is being answered.
    request: Option<i64>,
    /// Its answer, as far as it was not told; empty while the indexes are read.
    portions: VecDeque<StoresFound>,
}

impl Inventory {
    /// A coordinator has asked. A request that is being answered is not begun again.
    pub fn ask(&self, request: i64) {
        let mut state = self.lock();
        if state.request != Some(request) {
            state.request = Some(request);
            state.portions.clear();
            drop(state);
            self.wanted.notify_one();
        }
    }

    /// What is to be told next.
    pub fn next(&self) -> Option<StoresFound> {
        self.lock().portions.front().cloned()
    }

    /// A coordinator has recorded this portion.
    pub fn told(&self, portion: &StoresFound) {
        let mut state = self.lock();
        if state.portions.front() == Some(portion) {
            state.portions.pop_front();
            if portion.last {
                state.request = None;
            }
        }
    }

    /// Reads the indexes when somebody has asked, until `stop`; `told` is called when there is something to tell.
    pub async fn run(self, roots: Arc<Roots>, told: Arc<Notify>, stop: CancellationToken) {
        let storage = Storage::default();
        loop {
            tokio::select! {
                () = self.wanted.notified() => {}
                () = stop.cancelled() => return,
            }
            let Some(request) = self.lock().request else {
                continue;
            };
            let (found, problems) = tokio::select! {
                listed = list(&storage, roots.all()) => listed,
                () = stop.cancelled() => return,
            };
            tracing::debug!("{} item stores stand in the indexes of the roots", found.len());
            let mut state = self.lock();
            // Somebody may have asked again meanwhile: that is answered next.
            if state.request == Some(request) {
                state.portions = portions(request, found, problems);
                drop(state);
                told.notify_one();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn list(storage: &Storage, roots: &[PathBuf]) -> (Vec<FoundStore>, Vec<String>) {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for root in roots {
        let path = root.clone();
        match storage.work(root, move || store_index::list(&path)).await {
            Ok((stores, troubles)) => {
                found.extend(stores);
                problems.extend(troubles);
            }
            Err(no_answer) => problems.push(no_answer.to_string()),
        }
    }
    (found, problems)
}

/// The answer to a request, in portions; the last one is there even where there is no store.
fn portions(request: i64, found: Vec<FoundStore>, problems: Vec<String>) -> VecDeque<StoresFound> {
    let empty = || StoresFound {
        request,
        found: Vec::new(),
        last: false,
        problems: Vec::new(),
    };
    let mut portions = VecDeque::new();
    let (mut portion, mut bytes) = (empty(), 0);
    for store in found {
        if portion.found.len() >= PORTION || bytes >= PORTION_BYTES {
            portions.push_back(std::mem::replace(&mut portion, empty()));
            bytes = 0;
        }
        bytes += store.target.len();
        portion.found.push(store);
    }
    portion.last = true;
    portion.problems = problems;
    portions.push_back(portion);
    portions
}

#[cfg(test)]
mod tests {
    use shared::job::JobId;

    use super::*;

    fn found(number: usize, target: &str) -> Vec<FoundStore> {
        let store = |_| FoundStore {
            store: JobId::generate(),
            target: target.to_owned(),
            there: true,
        };
        (0..number).map(store).collect()
    }

    #[test]
    fn stores_are_told_in_bounded_portions_and_the_last_one_says_so() {
        let sizes = |portions: &VecDeque<StoresFound>| -> Vec<(usize, bool)> {
            portions
                .iter()
                .map(|portion| (portion.found.len(), portion.last))
                .collect()
        };
        assert_eq!(sizes(&portions(1, vec![], vec![])), [(0, true)]);
        let many = found(2 * PORTION + 1, "/data/27");
        let told = portions(1, many.clone(), vec!["/scans does not answer".to_owned()]);
        assert_eq!(sizes(&told), [(PORTION, false), (PORTION, false), (1, true)]);
        assert!(told[0].problems.is_empty() && told[2].problems.len() == 1);
        let all: Vec<FoundStore> = told.into_iter().flat_map(|portion| portion.found).collect();
        assert_eq!(all, many);
        let long = "x".repeat(PORTION_BYTES / 2);
        assert_eq!(
            sizes(&portions(1, found(3, &long), vec![])),
            [(2, false), (1, true)]
        );
    }

    #[tokio::test]
    async fn a_request_is_answered_once_and_a_new_one_while_it_is_answered_anew() {
        let folder = tempfile::tempdir().unwrap();
        let roots = Arc::new(Roots::new(vec![folder.path().to_owned(), folder.path().join("gone")]).unwrap());
        let (inventory, told) = (Inventory::default(), Arc::new(Notify::new()));
        let task = inventory
            .clone()
            .run(roots, Arc::clone(&told), CancellationToken::new());
        let work = async {
            inventory.ask(7);
            told.notified().await;
            let first = inventory.next().unwrap();
            assert_eq!((first.request, first.last), (7, true));
            assert!(first.problems[0].contains("gone"), "{first:?}");
            inventory.ask(7);
            assert_eq!(inventory.next(), Some(first.clone()), "it has begun anew");
            inventory.ask(8);
            assert_eq!(inventory.next(), None, "the old answer is told");
            told.notified().await;
            inventory.told(&first);
            let second = inventory.next().unwrap();
            assert_eq!(second.request, 8, "an answer to another request took it away");
            inventory.told(&second);
            assert_eq!(inventory.next(), None);
            inventory.ask(8);
            told.notified().await;
            assert_eq!(
                inventory.next().unwrap().request,
                8,
                "a day later it is asked again"
            );
        };
        tokio::select! {
            () = task => panic!("it ended by itself"),
            () = work => {}
        }
    }
}
