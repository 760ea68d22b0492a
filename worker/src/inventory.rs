//! Telling coordinators of the item stores on this worker's storage, when they ask.
//!
//! Invariants: the indexes are read in a task of its own, so that a slow storage delays no heartbeat, and no further ahead
//! than by a portion; each portion is told until a coordinator has recorded it; the last one says where nobody could look.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::message::worker::{FoundStore, StoresFound};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::objects::Buckets;
use crate::roots::Roots;
use crate::storage::Storage;
use crate::store_index::Lister;

/// Most portions that wait to be told.
const PORTIONS_MAX: usize = 2;

/// What was asked for, and what is still to be told. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    state: Arc<Mutex<State>>,
    wanted: Arc<Notify>,
    /// There may be room for a portion, or another request.
    room: Arc<Notify>,
}

#[derive(Debug, Default)]
struct State {
    /// The request that is being answered.
    request: Option<i64>,
    /// Its answer, as far as it was read and not told.
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
            self.room.notify_one();
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
            drop(state);
            self.room.notify_one();
        }
    }

    /// Reads the indexes when somebody has asked, until `stop`; `told` is called when there is something to tell.
    pub async fn run(self, roots: Arc<Roots>, buckets: Buckets, told: Arc<Notify>, stop: CancellationToken) {
        let storage = Storage::default();
        loop {
            tokio::select! {
                () = self.wanted.notified() => {}
                () = stop.cancelled() => return,
            }
            let Some(request) = self.lock().request else {
                continue;
            };
            // Where somebody asks again meanwhile, that is answered next.
            tokio::select! {
                _answered = self.answer(request, &storage, roots.all(), &buckets, &told) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Reads the indexes and tells what stands in them; `None` when another request has come.
    async fn answer(
        &self,
        request: i64,
        storage: &Storage,
        roots: &[PathBuf],
        buckets: &Buckets,
        told: &Notify,
    ) -> Option<()> {
        let (mut problems, mut number) = (Vec::new(), 0);
        for root in roots {
            let mut rest = Some(Lister::new(root));
            while let Some(lister) = rest.take() {
                match storage.work(root, move || lister.page()).await {
                    Ok((lister, page)) => {
                        number += page.found.len();
                        problems.extend(page.problems);
                        if !page.found.is_empty() {
                            self.tell(portion(request, page.found), told).await?;
                        }
                        rest = (!page.last).then_some(lister);
                    }
                    Err(no_answer) => problems.push(no_answer.to_string()),
                }
            }
        }
        for root in buckets.all() {
            let mut after = None;
            loop {
                let page = match root.stores(after).await {
                    Ok(page) => page,
                    Err(problem) => {
                        problems.push(problem);
                        break;
                    }
                };
                number += page.found.len();
                problems.extend(page.problems);
                if !page.found.is_empty() {
                    self.tell(portion(request, page.found), told).await?;
                }
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        tracing::debug!("{number} item stores stand in the indexes of the roots");
        let last = StoresFound {
            last: true,
            problems,
            ..portion(request, Vec::new())
        };
        self.tell(last, told).await
    }

    /// Has a portion told as soon as there is room for it; `None` when another request has come.
    async fn tell(&self, portion: StoresFound, told: &Notify) -> Option<()> {
        loop {
            {
                let mut state = self.lock();
                if state.request != Some(portion.request) {
                    return None;
                }
                if state.portions.len() < PORTIONS_MAX {
                    state.portions.push_back(portion);
                    break;
                }
            }
            self.room.notified().await;
        }
        told.notify_one();
        Some(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A portion of the answer to a request.
fn portion(request: i64, found: Vec<FoundStore>) -> StoresFound {
    StoresFound {
        request,
        found,
        last: false,
        problems: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use shared::job::JobId;

    use super::*;

    /// A root whose index names that many stores.
    fn root_with(stores: usize) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let index = folder.path().join(".taskmanager.stores");
        fs::create_dir(&index).unwrap();
        for _ in 0..stores {
            fs::write(index.join(JobId::generate().to_string()), r#"{"folder":"27"}"#).unwrap();
        }
        folder
    }

    #[tokio::test(start_paused = true)]
    async fn an_index_is_told_to_its_end_and_never_read_further_ahead_than_a_portion() {
        let folders = [root_with(900), root_with(0), root_with(1)];
        let all = folders.iter().map(|folder| folder.path().to_owned());
        let roots = Arc::new(Roots::new(all.collect()).unwrap());
        let (inventory, told) = (Inventory::default(), Arc::new(Notify::new()));
        let task = inventory.clone().run(
            roots,
            Buckets::default(),
            Arc::clone(&told),
            CancellationToken::new(),
        );
        let work = async {
            inventory.ask(7);
            let mut stores = Vec::new();
            loop {
                // This time passes only once nobody has anything to do any more.
                tokio::time::sleep(Duration::from_millis(1)).await;
                assert!(inventory.lock().portions.len() <= PORTIONS_MAX);
                let portion = inventory.next().expect("it has come to rest without its end");
                inventory.told(&portion);
                stores.extend(portion.found.into_iter().map(|found| found.store));
                if portion.last {
                    break;
                }
            }
            assert_eq!(stores.len(), 901);
            stores.sort_unstable();
            stores.dedup();
            assert_eq!(stores.len(), 901, "some were told twice");
        };
        tokio::select! {
            () = task => panic!("it ended by itself"),
            () = work => {}
        }
    }

    #[tokio::test]
    async fn a_request_is_answered_once_and_a_new_one_while_it_is_answered_anew() {
        let folder = tempfile::tempdir().unwrap();
        let roots = Arc::new(Roots::new(vec![folder.path().to_owned(), folder.path().join("gone")]).unwrap());
        let (inventory, told) = (Inventory::default(), Arc::new(Notify::new()));
        let task = inventory.clone().run(
            roots,
            Buckets::default(),
            Arc::clone(&told),
            CancellationToken::new(),
        );
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
