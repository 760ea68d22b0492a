//! Work on storage that may hang (a file server that is away): it is waited for a while, and then goes on by itself.
//!
//! Invariant: of each root at most one piece of work hangs; whoever wants something of that root meanwhile is told so at
//! once, and all other roots are served.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::{JoinError, JoinHandle};

/// How long one piece of work is waited for.
const PATIENCE: Duration = Duration::from_mins(1);

/// Nobody knows when it ends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} does not answer, or what was begun there takes long and goes on", .0.display())]
pub(crate) struct NoAnswer(PathBuf);

/// Does work on roots. Clones share what hangs.
#[derive(Debug, Clone)]
pub(crate) struct Storage {
    patience: Duration,
    hanging: Arc<Mutex<HashMap<PathBuf, Hanging>>>,
}

/// Work that was not waited for to its end.
type Hanging = Box<dyn HasEnded + Send>;

trait HasEnded: std::fmt::Debug {
    fn has_ended(&self) -> bool;
}

impl<T: std::fmt::Debug> HasEnded for JoinHandle<T> {
    fn has_ended(&self) -> bool {
        self.is_finished()
    }
}

impl Default for Storage {
    fn default() -> Self {
        Self::with_patience(PATIENCE)
    }
}

impl Storage {
    pub(crate) fn with_patience(patience: Duration) -> Self {
        Self {
            patience,
            hanging: Arc::default(),
        }
    }

    /// Runs work on what lies beneath `root` where blocking is allowed.
    pub(crate) async fn work<T, F>(&self, root: &Path, work: F) -> Result<T, NoAnswer>
    where
        T: std::fmt::Debug + Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        if self.hangs(root) {
            return Err(NoAnswer(root.to_owned()));
        }
        let mut task = tokio::task::spawn_blocking(work);
        match tokio::time::timeout(self.patience, &mut task).await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(failed)) => resume(failed).await,
            Err(_) => {
                let mut hanging = self.hanging.lock().unwrap_or_else(PoisonError::into_inner);
                hanging.insert(root.to_owned(), Box::new(task));
                Err(NoAnswer(root.to_owned()))
            }
        }
    }

    fn hangs(&self, root: &Path) -> bool {
        let mut hanging = self.hanging.lock().unwrap_or_else(PoisonError::into_inner);
        hanging.retain(|_, task| !task.has_ended());
        hanging.contains_key(root)
    }
}

async fn resume<T>(failed: JoinError) -> T {
    match failed.try_into_panic() {
        // A panic goes on where the work was asked for.
        Ok(panic) => std::panic::resume_unwind(panic),
        // Blocking work is cancelled only by the end of the runtime, which drops this future too.
        Err(_) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_root_that_hangs_is_told_at_once_and_keeps_no_other_from_being_served() {
        let storage = Storage::with_patience(Duration::from_millis(1));
        let patient = Storage {
            patience: Duration::from_mins(1),
            ..storage.clone()
        };
        let (release, released) = mpsc::channel::<()>();
        let (dead, alive) = (Path::new("/dead"), Path::new("/alive"));
        let no_answer = Err(NoAnswer(dead.to_owned()));
        let hung = storage.work(dead, move || released.recv().is_ok()).await;
        assert_eq!(hung, no_answer);
        // Patience would not help: nothing is begun there.
        assert_eq!(patient.work(dead, || true).await, no_answer);
        assert_eq!(patient.work(alive, || true).await, Ok(true));
        release.send(()).unwrap();
        while storage.hangs(dead) {
            tokio::task::yield_now().await;
        }
        assert_eq!(patient.work(dead, || true).await, Ok(true));
    }
}
