//! The index of item stores at a root on object storage, as `store_index` is for folders.
//!
//! Invariants: an entry is there before its store's first object, and whoever has put an object looks for the entry again;
//! whoever removes an entry looks for objects again: of two who do both at once one sees the other.

use std::sync::Arc;

use futures_util::TryStreamExt;
use object_store::path::Path as Key;
use object_store::{Error as StoreError, ObjectStoreExt};
use shared::error::Chain;
use shared::job::JobId;
use shared::message::worker::FoundStore;

use super::error::{Failure, short};
use super::{Folder, Root};
use crate::store_index::{Entry, FOLDER, store_name, store_of};

/// Most bytes of an entry that is read, as in folders.
const ENTRY_BYTES_MAX: u64 = 16 * 1024;
/// Most problems of one page that are told one by one.
const PROBLEMS_MAX: usize = 5;
/// Most stores in one page.
const STORES_MAX: usize = 50;

/// A part of an index.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// The stores.
    pub(crate) found: Vec<FoundStore>,
    /// What is wrong with others.
    pub(crate) problems: Vec<String>,
    /// Where the next page goes on; `None` when there is none.
    pub(crate) next: Option<Key>,
}

impl Folder {
    /// Writes the entry of a store in here, in place of any other.
    pub(super) async fn enter(&self, store: JobId) -> Result<(), Failure> {
        let entry = Entry::of(self.inside.clone()).to_bytes();
        let index = self.root.index();
        let fail = |error| Failure::new("write to", index.shown(&store.to_string()), error);
        let key = index.key(&store.to_string())?;
        self.store().put(&key, entry.into()).await.map_err(fail)?;
        Ok(())
    }

    /// The same, where there is none.
    pub(super) async fn enter_if_missing(&self, store: JobId) -> Result<(), Failure> {
        match self.root.index().size(&store.to_string()).await? {
            Some(_) => Ok(()),
            None => self.enter(store).await,
        }
    }

    /// Removes the entry of a store in here. One that is about another place stays.
    pub(super) async fn leave(&self, store: JobId) -> Result<(), Failure> {
        let (index, name) = (self.root.index(), store.to_string());
        let Some((text, _)) = index.read(&name, ENTRY_BYTES_MAX).await? else {
            return Ok(());
        };
        if !Entry::parse(&text).is_ok_and(|entry| entry.folder() == self.inside) {
            return Ok(());
        }
        match self.store().delete(&index.key(&name)?).await {
            Ok(()) | Err(StoreError::NotFound { .. }) => Ok(()),
            Err(error) => Err(Failure::new("remove", index.shown(&name), error)),
        }
    }

    /// Whether anything lies beneath a place in here.
    pub(super) async fn has(&self, relative: &str) -> Result<bool, Failure> {
        let key = self.key(relative)?;
        let found = self.store().list(Some(&key)).try_next().await;
        let found = found.map_err(|error| Failure::new("list", self.shown(relative), error))?;
        Ok(found.is_some())
    }
}

impl Root {
    /// The folder of the index.
    fn index(self: &Arc<Self>) -> Folder {
        Folder {
            root: Arc::clone(self),
            inside: FOLDER.to_owned(),
        }
    }

    /// Reads the index from its beginning, or after what a page before it named.
    ///
    /// # Errors
    /// What is in the way, in words.
    pub(crate) async fn stores(self: &Arc<Self>, after: Option<Key>) -> Result<Page, String> {
        self.patiently(self.page(after)).await
    }

    async fn page(self: &Arc<Self>, after: Option<Key>) -> Result<Page, String> {
        let index = self.index();
        let unread = |error: StoreError| {
            format!(
                "the index of item stores in {} can't be read: {}",
                self.location,
                short(&error)
            )
        };
        let prefix = index.key("").map_err(|failure| failure.to_string())?;
        let mut entries = match &after {
            Some(after) => self.store.list_with_offset(Some(&prefix), after),
            None => self.store.list(Some(&prefix)),
        };
        let (mut page, mut number) = (Page::default(), 0);
        while let Some(entry) = entries.try_next().await.map_err(unread)? {
            match self.look(&entry.location).await {
                Ok(Look::Store(found)) => page.found.push(found),
                Ok(Look::Nothing) => {}
                Ok(Look::Odd(problem)) if page.problems.len() < PROBLEMS_MAX => page.problems.push(problem),
                Ok(Look::Odd(problem)) => tracing::warn!("{problem}"),
                // The service is away, or refuses: it would do so for all others.
                Err(failure) => return Err(Chain(&failure).to_string()),
            }
            number += 1;
            if number == STORES_MAX {
                page.next = Some(entry.location);
                break;
            }
        }
        Ok(page)
    }

    /// What an entry is about.
    async fn look(self: &Arc<Self>, entry: &Key) -> Result<Look, Failure> {
        let Some(store) = entry.filename().and_then(store_of) else {
            return Ok(Look::Nothing);
        };
        let index = self.index();
        let Some((text, _)) = index.read(&store.to_string(), ENTRY_BYTES_MAX).await? else {
            return Ok(Look::Nothing);
        };
        let Ok(entry) = Entry::parse(&text) else {
            let file = index.shown(&store.to_string());
            return Ok(Look::Odd(format!("{file} does not say where its item store is")));
        };
        let folder = Folder {
            root: Arc::clone(self),
            inside: entry.folder().to_owned(),
        };
        let there = folder.has(&store_name(store)).await?;
        let target = folder.shown("");
        Ok(Look::Store(FoundStore { store, target, there }))
    }
}

/// What stands in an index.
enum Look {
    Store(FoundStore),
    /// Somebody else's, or gone meanwhile.
    Nothing,
    /// An entry that nobody can read.
    Odd(String),
}
