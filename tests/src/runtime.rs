//! The async libraries behind the harness run here; tests themselves are plain functions.

use std::future::Future;
use std::sync::LazyLock;

use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be started")
});

/// Waits for the future. Not to be called from within another one.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    RUNTIME.block_on(future)
}

/// Lets the future run beside the test.
pub(crate) fn beside(future: impl Future<Output = ()> + Send + 'static) {
    RUNTIME.spawn(future);
}
