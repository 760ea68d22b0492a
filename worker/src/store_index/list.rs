//! Reading the whole index of a root.

use std::io;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use shared::error::Chain;
use shared::job::JobId;
use shared::message::worker::FoundStore;

use super::{FOLDER, Sight, StoreEntry, entry, is_missing};

/// Most stores of one root that are told at a time.
const STORES_MAX: usize = 50_000;
/// Most problems of one root that are told one by one.
const PROBLEMS_MAX: usize = 5;

/// The stores in the index of a root, and what is wrong with others. A root without an index has none.
pub(crate) fn list(root: &Path) -> (Vec<FoundStore>, Vec<String>) {
    let mut listing = Listing::default();
    if let Err(error) = listing.read(root) {
        let problem = format!("the index of item stores in {} can't be read", root.display());
        listing.problems.push(format!("{problem}: {}", Chain(&error)));
    }
    (listing.found, listing.problems)
}

#[derive(Default)]
struct Listing {
    found: Vec<FoundStore>,
    problems: Vec<String>,
    unread: usize,
}

impl Listing {
    fn read(&mut self, root: &Path) -> io::Result<()> {
        let dir = Dir::open_ambient_dir(root, ambient_authority())?;
        let index = match dir.open_dir(FOLDER) {
            Err(error) if is_missing(&error) => return Ok(()),
            other => other?,
        };
        for file in index.entries()? {
            let name = file?.file_name();
            // What has another name is not ours.
            let Some(store) = name.to_str().and_then(store) else {
                continue;
            };
            if self.found.len() >= STORES_MAX {
                let root = root.display();
                self.problems.push(format!(
                    "{root} has more than {STORES_MAX} item stores: the others are told once these are gone"
                ));
                break;
            }
            if let Err(problem) = self.add(root, &dir, &index, store) {
                self.unread += 1;
                if self.unread <= PROBLEMS_MAX {
                    self.problems.push(problem);
                }
            }
        }
        if self.unread > PROBLEMS_MAX {
            let more = self.unread - PROBLEMS_MAX;
            self.problems
                .push(format!("{}: {more} more such item stores", root.display()));
        }
        Ok(())
    }

    /// Adds one store; the error says why nobody can tell whether it is there.
    fn add(&mut self, root: &Path, dir: &Dir, index: &Dir, store: JobId) -> Result<(), String> {
        let name = store.to_string();
        let file = || root.join(FOLDER).join(&name).display().to_string();
        let unread = |error: io::Error| format!("{} can't be followed: {}", file(), Chain(&error));
        let entry = match entry::read(index, &name) {
            Ok(entry) => entry,
            // It has gone meanwhile.
            Err(error) if is_missing(&error) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                let what = format!("look for .taskmanager-{name} beneath {}", root.display());
                return Err(format!("{} does not say where its item store is: {what}", file()));
            }
            Err(error) => return Err(unread(error)),
        };
        let dir = dir.try_clone().map_err(unread)?;
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
        self.found.push(FoundStore { store, target, there });
        Ok(())
    }
}

/// The store that a file of the index is about; a name counts only as this program writes it.
fn store(name: &str) -> Option<JobId> {
    let store: JobId = name.parse().ok()?;
    (store.to_string() == name).then_some(store)
}
