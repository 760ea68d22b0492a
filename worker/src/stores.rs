//! Removing item stores that no job goes on in any more, as coordinators tell this worker to.
//!
//! Invariants: only `.taskmanager-<uuid>` in a folder beneath the roots (folders, or places on object
//! storage) is ever removed, and its entry in the root's index after it; it happens in a task of its own, so that a slow storage delays no heartbeat, and a root that hangs keeps no
//! store of another one from being removed; what became of each store is told until a coordinator has answered.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::error::Chain;
use shared::job::{ClaimId, JobId};
use shared::location::Location;
use shared::message::reply::UselessStore;
use shared::message::worker::StoreRemoval;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::item_store::Disk;
use crate::objects::{Buckets, Objects};
use crate::roots::{Error, Roots};
use crate::storage::Storage;

/// What is to be removed, and what became of it. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Removals {
    state: Arc<Mutex<State>>,
    wanted: Arc<Notify>,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<UselessStore>,
    /// These are not there: only their entries go.
    to_forget: VecDeque<UselessStore>,
    in_hand: Option<JobId>,
    ended: Vec<StoreRemoval>,
}

impl Removals {
    /// These are to be removed. What is being removed already, or is not told yet, is not begun again.
    pub fn add(&self, stores: Vec<UselessStore>) {
        let mut state = self.lock();
        for store in stores {
            if !state.knows(store.store) {
                state.queue.push_back(store);
            }
        }
        drop(state);
        self.wanted.notify_one();
    }

    /// These are not there as far as is known: they are taken out of the indexes. Nobody is told: what stays is told as
    /// found another time.
    pub fn forget(&self, stores: Vec<UselessStore>) {
        if !stores.is_empty() {
            self.lock().to_forget.extend(stores);
            self.wanted.notify_one();
        }
    }

    /// What became of stores, as far as no coordinator has answered yet.
    pub fn ended(&self) -> Vec<StoreRemoval> {
        self.lock().ended.clone()
    }

    /// A coordinator has recorded these.
    pub fn confirmed(&self, told: &[StoreRemoval]) {
        self.lock().ended.retain(|ended| !told.contains(ended));
    }

    /// Removes what is wanted until `stop`; `told` is called when there is something to tell.
    pub async fn run(self, roots: Arc<Roots>, buckets: Buckets, told: Arc<Notify>, stop: CancellationToken) {
        let places = Places {
            storage: Storage::default(),
            roots,
            buckets,
        };
        loop {
            // Whatever is left of it when the worker ends is given to another one, or found again.
            tokio::select! {
                () = self.work_off(&places, &told) => {}
                () = stop.cancelled() => return,
            }
            tokio::select! {
                () = self.wanted.notified() => {}
                () = stop.cancelled() => return,
            }
        }
    }

    async fn work_off(&self, places: &Places, told: &Notify) {
        while let Some(store) = self.next() {
            let name = store.store;
            let removed = places.work(store, Work::Remove).await;
            if let Err(error) = &removed {
                tracing::info!("the item store of job {name}, which is over, can't be removed: {error}");
            } else {
                tracing::debug!("the item store of job {name}, which is over, is gone");
            }
            let mut state = self.lock();
            state.in_hand = None;
            state.ended.push(StoreRemoval {
                store: name,
                error: removed.err(),
            });
            drop(state);
            told.notify_one();
        }
        while let Some(store) = self.next_to_forget() {
            let name = store.store;
            if let Err(error) = places.work(store, Work::Forget).await {
                tracing::info!("the entry of job {name}, which has no item store, stays: {error}");
            }
        }
    }

    fn next_to_forget(&self) -> Option<UselessStore> {
        self.lock().to_forget.pop_front()
    }

    fn next(&self) -> Option<UselessStore> {
        let mut state = self.lock();
        let next = state.queue.pop_front()?;
        state.in_hand = Some(next.store);
        Some(next)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn knows(&self, store: JobId) -> bool {
        self.in_hand == Some(store)
            || self.queue.iter().any(|queued| queued.store == store)
            || self.ended.iter().any(|ended| ended.store == store)
    }
}

/// Where stores lie.
struct Places {
    storage: Storage,
    roots: Arc<Roots>,
    buckets: Buckets,
}

/// What is done with one store.
#[derive(Debug, Clone, Copy)]
enum Work {
    Remove,
    Forget,
}

impl Places {
    /// Does it, unless the store's root hangs; the error says what is in the way.
    async fn work(&self, store: UselessStore, work: Work) -> Result<(), String> {
        if Location::is_on_objects(&store.target) {
            return self.work_on_objects(&store, work).await;
        }
        let root = match self.roots.root_of(&store.target) {
            Ok(root) => root.to_owned(),
            Err(error) => return Err(Chain(&error).to_string()),
        };
        let roots = Arc::clone(&self.roots);
        let work = move || match work {
            Work::Remove => remove(&roots, &store),
            Work::Forget => forget(&roots, &store),
        };
        match self.storage.work(&root, work).await {
            Ok(done) => done,
            Err(no_answer) => Err(no_answer.to_string()),
        }
    }

    async fn work_on_objects(&self, store: &UselessStore, work: Work) -> Result<(), String> {
        let target = self.buckets.open(&store.target);
        let target = target.map_err(|error| Chain(&error).to_string())?;
        // No attempt, and no job that would publish: the store only has to know its name.
        let objects = Objects::new(target.clone(), store.store, store.store);
        let work = async {
            let done = match work {
                Work::Remove => objects.remove().await,
                Work::Forget => objects.forget().await,
            };
            done.map_err(|error| Chain(&error).to_string())
        };
        target.root().patiently(work).await
    }
}

/// Removes one store; the error says why it is still there, or may be.
fn remove(roots: &Roots, store: &UselessStore) -> Result<(), String> {
    let UselessStore { store, target } = store;
    let entry = roots
        .entry(target, *store)
        .map_err(|error| Chain(&error).to_string())?;
    let unknown = |error: std::io::Error| format!("its entry in the index can't be read: {}", Chain(&error));
    if let Some(folder) = entry.not_mounted().map_err(unknown)? {
        return Err(format!(
            "the file system that it lies on is not mounted at {folder}"
        ));
    }
    match roots.open(target) {
        // No attempt: the store only has to know its name.
        Ok(dir) => Disk::new(dir, entry.store(), Some(entry), ClaimId::generate())
            .remove()
            .map_err(|error| Chain(&error).to_string()),
        // Somebody has removed the job's folder with all that was in it; or the storage is not mounted.
        Err(Error::Missing(_)) if roots.is_in_use_around(target) => entry
            .forget()
            .map_err(|error| format!("its entry in the index can't be removed: {}", Chain(&error))),
        Err(error) => Err(Chain(&error).to_string()),
    }
}

/// Takes one store out of the index, unless it is there after all.
fn forget(roots: &Roots, store: &UselessStore) -> Result<(), String> {
    let entry = roots
        .entry(&store.target, store.store)
        .map_err(|error| Chain(&error).to_string())?;
    entry.forget().map_err(|error| Chain(&error).to_string())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn useless(target: &std::path::Path) -> UselessStore {
        UselessStore {
            store: JobId::generate(),
            target: target.to_str().unwrap().to_owned(),
        }
    }

    fn roots(folder: &tempfile::TempDir) -> Arc<Roots> {
        Arc::new(Roots::new(vec![folder.path().to_owned()]).unwrap())
    }

    #[test]
    fn only_the_named_store_is_removed_and_twice_does_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let (roots, store) = (roots(&folder), useless(folder.path()));
        let hidden = folder.path().join(format!(".taskmanager-{}", store.store));
        fs::create_dir_all(hidden.join("ocr/deep")).unwrap();
        fs::write(hidden.join("ocr/deep/1.txt"), "x").unwrap();
        fs::create_dir(folder.path().join(".taskmanager-other")).unwrap();
        fs::write(folder.path().join("result.txt"), "x").unwrap();
        for _ in 0..2 {
            assert_eq!(remove(&roots, &store), Ok(()));
        }
        assert!(!hidden.exists());
        assert!(
            folder.path().join("result.txt").exists() && folder.path().join(".taskmanager-other").exists()
        );
    }

    #[test]
    fn what_lies_outside_the_roots_or_behind_a_link_is_left_alone() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let roots = roots(&folder);
        let store = useless(elsewhere.path());
        let hidden = elsewhere.path().join(format!(".taskmanager-{}", store.store));
        fs::create_dir(&hidden).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("way-out")).unwrap();
        let linked = UselessStore {
            target: folder.path().join("way-out").to_str().unwrap().to_owned(),
            ..store.clone()
        };
        let outside = remove(&roots, &store).unwrap_err();
        assert!(outside.contains("add it with --root"), "{outside}");
        assert!(remove(&roots, &linked).is_err());
        // The store itself may be a link that somebody has put there.
        std::os::unix::fs::symlink(
            &hidden,
            folder.path().join(format!(".taskmanager-{}", store.store)),
        )
        .unwrap();
        fs::write(hidden.join("kept"), "").unwrap();
        let planted = UselessStore {
            target: folder.path().to_str().unwrap().to_owned(),
            ..store
        };
        // Whether the link itself goes or stays does not matter.
        let _removed = remove(&roots, &planted);
        assert!(hidden.join("kept").exists());
    }

    #[test]
    fn a_target_that_is_gone_needs_no_removal_unless_its_storage_may_not_be_mounted() {
        let folder = tempfile::tempdir().unwrap();
        let (roots, store) = (roots(&folder), useless(&folder.path().join("27/out")));
        let unmounted = remove(&roots, &store).unwrap_err();
        assert!(unmounted.contains("does not exist"), "{unmounted}");
        fs::create_dir(folder.path().join("28")).unwrap();
        assert_eq!(remove(&roots, &store), Ok(()));
    }

    #[test]
    fn a_store_whose_file_system_is_not_mounted_is_not_taken_for_gone() {
        let folder = tempfile::tempdir().unwrap();
        let (roots, store) = (roots(&folder), useless(&folder.path().join("nfs/27")));
        fs::create_dir_all(folder.path().join("nfs/27")).unwrap();
        fs::create_dir(folder.path().join(".taskmanager.stores")).unwrap();
        let entry = folder
            .path()
            .join(".taskmanager.stores")
            .join(store.store.to_string());
        fs::write(&entry, r#"{"folder":"nfs/27","file_system":"nfs"}"#).unwrap();
        let said = remove(&roots, &store).unwrap_err();
        assert!(said.contains("not mounted at nfs"), "{said}");
        fs::write(&entry, r#"{"folder":"nfs/27"}"#).unwrap();
        assert_eq!(remove(&roots, &store), Ok(()));
        assert!(!entry.exists());
    }

    #[tokio::test]
    async fn what_became_of_a_store_is_told_until_it_is_confirmed_and_the_store_is_not_begun_again() {
        let folder = tempfile::tempdir().unwrap();
        let (removals, told, stop) = (
            Removals::default(),
            Arc::new(Notify::new()),
            CancellationToken::new(),
        );
        let store = useless(folder.path());
        removals.add(vec![store.clone(), store.clone()]);
        let task = removals.clone().run(
            roots(&folder),
            Buckets::default(),
            Arc::clone(&told),
            stop.clone(),
        );
        tokio::select! {
            () = task => panic!("it ended by itself"),
            () = told.notified() => {}
        }
        let ended = removals.ended();
        assert_eq!(ended.len(), 1);
        removals.add(vec![store]);
        assert!(removals.next().is_none(), "it is told first");
        removals.confirmed(&ended);
        assert!(removals.ended().is_empty());
    }
}
