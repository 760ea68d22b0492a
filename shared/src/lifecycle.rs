//! How a process ends: the first SIGTERM or SIGINT asks every task to finish, the second or the deadline ends it.
//!
//! Invariant: every task of a process is spawned through [`Lifecycle::spawn`], so that none is forgotten at the
//! end; a task that ends by itself while nobody asked it to counts as a crash, and the process ends with failure.

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The tasks of this process and the wish that they end.
#[derive(Debug, Clone)]
pub struct Lifecycle {
    /// Cancelled when the process is to end; tasks finish what they have in hand.
    pub stop: CancellationToken,
    tracker: TaskTracker,
    crashed: Arc<AtomicBool>,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self {
            stop: CancellationToken::new(),
            tracker: TaskTracker::new(),
            crashed: Arc::default(),
        }
    }
}

impl Lifecycle {
    /// Tasks that are asked to end by `stop`, and are waited for by themselves.
    pub fn stopped_by(stop: CancellationToken) -> Self {
        Self {
            stop,
            ..Self::default()
        }
    }

    /// Runs a task that lasts as long as the process. Should it end before it is asked to, the process ends too.
    pub fn spawn<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stop = self.stop.clone();
        let crashed = Arc::clone(&self.crashed);
        self.tracker.spawn(async move {
            // The guard also sees a panic.
            let guard = CrashGuard { name, stop, crashed };
            task.await;
            drop(guard);
        });
    }

    /// Runs a task that may end at any time; the process waits for it when it ends.
    pub fn spawn_short<F>(&self, task: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send,
    {
        self.tracker.spawn(task)
    }

    /// Waits until no task is left; no new one may be spawned after `stop`.
    pub async fn ended(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }

    /// Waits for a signal, then for all tasks, at most `grace`. The exit code tells whether all went well.
    ///
    /// # Errors
    /// When the process can't listen for signals.
    pub async fn run_until_stopped(self, grace: Duration) -> std::io::Result<ExitCode> {
        let mut term = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let name = tokio::select! {
            _ = term.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
            () = self.stop.cancelled() => "a task's end or wish",
        };
        tracing::info!("shutting down after {name}");
        self.stop.cancel();
        self.tracker.close();
        tokio::select! {
            () = self.tracker.wait() => {}
            _ = term.recv() => tracing::warn!("second signal: ending at once"),
            _ = interrupt.recv() => tracing::warn!("second signal: ending at once"),
            () = tokio::time::sleep(grace) => {
                tracing::error!("{} tasks did not end within {} s", self.tracker.len(), grace.as_secs());
                return Ok(ExitCode::FAILURE);
            }
        }
        Ok(if self.crashed.load(Ordering::SeqCst) {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        })
    }
}

/// Runs `work`, but no longer than `patience` once `stop` is cancelled; `None` when that came first.
///
/// For work that is safe to drop at any point and may hang in a server that does not answer.
pub async fn finish_soon<T>(
    stop: &CancellationToken,
    patience: Duration,
    work: impl Future<Output = T>,
) -> Option<T> {
    tokio::select! {
        done = work => Some(done),
        () = async { stop.cancelled().await; tokio::time::sleep(patience).await } => None,
    }
}

struct CrashGuard {
    name: &'static str,
    stop: CancellationToken,
    crashed: Arc<AtomicBool>,
}

impl Drop for CrashGuard {
    fn drop(&mut self) {
        if !self.stop.is_cancelled() {
            tracing::error!("task {} ended unexpectedly; the process ends too", self.name);
            self.crashed.store(true, Ordering::SeqCst);
            self.stop.cancel();
        }
    }
}
