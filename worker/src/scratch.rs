//! This process's own folder beneath the configured scratch folder, and what dead processes have left there.
//!
//! ```text
//!  <scratch>/<process>.lock          locked as long as the process lives
//!  <scratch>/<process>/attempts/     a folder for each attempt in hand
//!  <scratch>/<process>/results/      results that no coordinator has recorded yet
//! ```
//!
//! Invariant: the lock is held before the folder is made, so a folder whose lock is free, or gone, belongs to nobody.
//! Several workers of one host may share the scratch folder.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use shared::failpoint::{self, Failpoint};
use uuid::Uuid;

/// The folder of this process; removed at the end unless results still wait in it.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    lock_file: PathBuf,
    // Unlocked when the process ends, however it ends.
    _lock: File,
}

impl Scratch {
    /// Makes this process's folder beneath `base`, takes over the results of dead processes, and removes what
    /// else they have left.
    ///
    /// # Errors
    /// When the folder can't be made.
    pub fn prepare(base: &Path) -> io::Result<Self> {
        fs::create_dir_all(base)?;
        let name = Uuid::new_v4().to_string();
        let lock_file = base.join(format!("{name}.lock"));
        let lock = File::create_new(&lock_file)?;
        lock.lock()?;
        let folder = base.join(name);
        fs::create_dir_all(folder.join("attempts"))?;
        fs::create_dir_all(folder.join("results"))?;
        let scratch = Self {
            folder,
            lock_file,
            _lock: lock,
        };
        for entry in fs::read_dir(base)? {
            let path = entry?.path();
            if path.is_dir() && path != scratch.folder {
                scratch.inherit(&path);
            }
        }
        Ok(scratch)
    }

    /// Where attempts have their folders.
    pub fn attempts(&self) -> PathBuf {
        self.folder.join("attempts")
    }

    /// Where results wait until they are recorded.
    pub fn results(&self) -> PathBuf {
        self.folder.join("results")
    }

    fn inherit(&self, left: &Path) {
        let lock_file = left.with_extension("lock");
        let alive = File::open(&lock_file).is_ok_and(|lock| lock.try_lock().is_err());
        if alive || !is_ours(left) {
            return;
        }
        for result in fs::read_dir(left.join("results"))
            .into_iter()
            .flatten()
            .filter_map(Result::ok)
        {
            let whole = result
                .path()
                .extension()
                .is_some_and(|extension| extension == "json");
            if whole && let Err(error) = fs::rename(result.path(), self.results().join(result.file_name())) {
                tracing::warn!(
                    "the result {} of a dead process stays there: {error}",
                    result.path().display()
                );
                return;
            }
        }
        failpoint::reach(Failpoint::HeritageBeforeRemoval);
        if let Err(error) = fs::remove_dir_all(left) {
            tracing::warn!(
                "{}, left by a dead process, can't be removed: {error}",
                left.display()
            );
            return;
        }
        // Where it can't be removed it is an empty file, and looked at by nobody.
        let _removed = fs::remove_file(lock_file);
    }
}

/// Whether the folder was made by a process like this one: nothing else beneath the scratch folder is touched.
fn is_ours(folder: &Path) -> bool {
    folder
        .file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| Uuid::parse_str(name).is_ok())
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let waiting = fs::read_dir(self.results()).is_ok_and(|mut results| results.next().is_some());
        if !waiting && fs::remove_dir_all(&self.folder).is_ok() {
            let _removed = fs::remove_file(&self.lock_file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_processs_results_are_taken_over_and_a_living_ones_are_left_alone() {
        let base = tempfile::tempdir().unwrap();
        let living = Scratch::prepare(base.path()).unwrap();
        fs::write(living.results().join("living.json"), "{}").unwrap();
        let dead = base.path().join(Uuid::new_v4().to_string());
        fs::create_dir_all(dead.join("results")).unwrap();
        fs::create_dir_all(dead.join("attempts/page")).unwrap();
        fs::write(dead.join("results/dead.json"), "{}").unwrap();
        fs::write(dead.join("results/half.new"), "{").unwrap();
        let stranger = base.path().join("notes");
        fs::create_dir(&stranger).unwrap();

        let next = Scratch::prepare(base.path()).unwrap();
        assert!(next.results().join("dead.json").exists());
        assert!(!next.results().join("half.new").exists());
        assert!(!dead.exists());
        assert!(living.results().join("living.json").exists());
        assert!(stranger.exists());
    }

    #[test]
    fn a_folder_in_which_results_wait_outlives_its_process() {
        let base = tempfile::tempdir().unwrap();
        let empty = Scratch::prepare(base.path()).unwrap();
        let (empty_folder, empty_lock) = (empty.folder.clone(), empty.lock_file.clone());
        drop(empty);
        assert!(!empty_folder.exists() && !empty_lock.exists());
        let waiting = Scratch::prepare(base.path()).unwrap();
        fs::write(waiting.results().join("a.json"), "{}").unwrap();
        let folder = waiting.folder.clone();
        drop(waiting);
        assert!(folder.exists());
    }
}
