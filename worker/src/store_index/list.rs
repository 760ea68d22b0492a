//! Reading the whole index of a root, a page at a time.
//!
//! Invariant: a page is bounded in stores, in bytes and, unless a single file hangs, in time, and each page gets further:
//! however many stores there are and however slow the storage is, the index is read to its end.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, ReadDir};
use shared::error::Chain;
use shared::job::JobId;
use shared::message::worker::FoundStore;

use super::{FOLDER, Sight, StoreEntry, allows_no_index, entry, is_missing};

/// Most stores in one page.
pub(super) const STORES_MAX: usize = 200;
/// Most bytes of paths in one page, but for the last of them.
pub(super) const BYTES_MAX: usize = 64 * 1024;
/// After this long a page ends with what it has.
const TIME_MAX: Duration = Duration::from_secs(10);
/// Most problems of one root that are told one by one.
const PROBLEMS_MAX: usize = 5;

/// The index of one root, as far as it was read.
#[derive(Debug)]
pub(crate) struct Lister {
    root: PathBuf,
    /// `None` before the first page.
    open: Option<Open>,
    unread: usize,
    /// What time it is for the storage, once somebody wanted to know.
    now: Option<SystemTime>,
}

#[derive(Debug)]
struct Open {
    dir: Dir,
    index: Dir,
    files: ReadDir,
}

/// A part of an index.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// The stores.
    pub(crate) found: Vec<FoundStore>,
    /// What is wrong with others.
    pub(crate) problems: Vec<String>,
    /// There is no other page.
    pub(crate) last: bool,
}

impl Lister {
    /// Begins with the index of a root. A root without an index has no stores.
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            open: None,
            unread: 0,
            now: None,
        }
    }

    /// Reads the next page; gives what is needed for the one after it.
    pub(crate) fn page(self) -> (Self, Page) {
        self.page_within(TIME_MAX)
    }

    pub(super) fn page_within(mut self, time: Duration) -> (Self, Page) {
        let mut page = Page::default();
        match self.read(&mut page, time) {
            Ok(last) => page.last = last,
            Err(error) => {
                let root = self.root.display();
                let problem = format!("the index of item stores in {root} can't be read");
                page.problems.push(format!("{problem}: {}", Chain(&error)));
                page.last = true;
            }
        }
        if page.last && self.unread > PROBLEMS_MAX {
            let more = self.unread - PROBLEMS_MAX;
            let root = self.root.display();
            page.problems
                .push(format!("{root}: {more} more such item stores"));
        }
        (self, page)
    }

    /// Whether the index has ended.
    fn read(&mut self, page: &mut Page, time: Duration) -> io::Result<bool> {
        let begun = Instant::now();
        let mut open = match self.open.take() {
            Some(open) => open,
            None => match open(&self.root)? {
                Some(open) => open,
                None => return Ok(true),
            },
        };
        while let Some(file) = open.files.next() {
            if let Err(problem) = self.look(&open, &file?.file_name(), page) {
                self.unread += 1;
                if self.unread <= PROBLEMS_MAX {
                    page.problems.push(problem);
                }
            }
            let bytes: usize = page.found.iter().map(|found| found.target.len()).sum();
            if page.found.len() >= STORES_MAX || bytes >= BYTES_MAX || begun.elapsed() >= time {
                self.open = Some(open);
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Looks at one file of the index; the error says why nobody can tell whether its store is there.
    fn look(&mut self, open: &Open, name: &OsStr, page: &mut Page) -> Result<(), String> {
        let Some(name) = name.to_str() else { return Ok(()) };
        if entry::is_unfinished(name) {
            return self.clear(&open.index, name);
        }
        // What has another name is not ours.
        let Some(store) = store_of(name) else {
            return Ok(());
        };
        let found = find(&self.root, open, store)?;
        page.found.extend(found);
        Ok(())
    }

    /// Removes an entry that somebody was about to write who has died.
    fn clear(&mut self, index: &Dir, name: &str) -> Result<(), String> {
        let now = match self.now {
            Some(now) => Ok(now),
            None => entry::now(index),
        };
        let cleared = now.and_then(|now| {
            self.now = Some(now);
            entry::remove_if_old(index, name, now)
        });
        match cleared {
            // Others may write here, or it is in its place by now.
            Err(error) if !is_missing(&error) && !allows_no_index(&error) => {
                let file = self.root.join(FOLDER).join(name);
                Err(format!("{} can't be removed: {}", file.display(), Chain(&error)))
            }
            _ => Ok(()),
        }
    }
}

fn open(root: &Path) -> io::Result<Option<Open>> {
    let dir = Dir::open_ambient_dir(root, ambient_authority())?;
    let index = match dir.open_dir(FOLDER) {
        Err(error) if is_missing(&error) => return Ok(None),
        other => other?,
    };
    let files = index.entries()?;
    Ok(Some(Open { dir, index, files }))
}

/// One store of the index, unless its entry has gone meanwhile.
fn find(root: &Path, open: &Open, store: JobId) -> Result<Option<FoundStore>, String> {
    let name = store.to_string();
    let file = || root.join(FOLDER).join(&name).display().to_string();
    let unread = |error: io::Error| format!("{} can't be followed: {}", file(), Chain(&error));
    let entry = match entry::read(&open.index, &name) {
        Ok(entry) => entry,
        Err(error) if is_missing(&error) => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            let what = format!("look for .taskmanager-{name} beneath {}", root.display());
            return Err(format!("{} does not say where its item store is: {what}", file()));
        }
        Err(error) => return Err(unread(error)),
    };
    let dir = open.dir.try_clone().map_err(unread)?;
    let place = StoreEntry::new(dir, entry.folder.clone(), store);
    let there = match place.look().map_err(unread)? {
        Sight::There => true,
        Sight::Gone => false,
        Sight::NotMounted(folder) => {
            let folder = root.join(folder);
            return Err(format!(
                "no file system is mounted at {}, where the item store of job {name} lay",
                folder.display()
            ));
        }
    };
    // A job whose target is the root itself names it without a slash at the end.
    let target = if entry.folder.is_empty() {
        root.to_owned()
    } else {
        root.join(&entry.folder)
    };
    let target = target.to_str().ok_or("a root's name is no UTF-8")?.to_owned();
    Ok(Some(FoundStore { store, target, there }))
}

/// The store that a file of the index is about; a name counts only as this program writes it.
pub(crate) fn store_of(name: &str) -> Option<JobId> {
    let store: JobId = name.parse().ok()?;
    (store.to_string() == name).then_some(store)
}
