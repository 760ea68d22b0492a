//! Object storage in memory that answers unevenly: each request waits as long as a script says, may be the one from which on
//! the service is away, and may be looked at once it is done.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

#[derive(Debug)]
pub(super) struct Uneven {
    inner: Arc<InMemory>,
    /// How often each request lets others go first, over and over.
    waits: Vec<u8>,
    requests: AtomicUsize,
    fails_from: usize,
    careless: bool,
    /// Item stores are full again as soon as they are emptied.
    refills: bool,
    hangs: bool,
    /// What its key does not allow: `read`, `write`, `list` or `delete`.
    pub(super) forbids: &'static str,
    /// Somebody has changed something since this was last asked.
    changed: AtomicBool,
}

impl Uneven {
    pub(super) fn that_waits(inner: &Arc<InMemory>, waits: Vec<u8>) -> Self {
        Self {
            inner: Arc::clone(inner),
            waits,
            requests: AtomicUsize::new(0),
            fails_from: usize::MAX,
            careless: false,
            refills: false,
            hangs: false,
            forbids: "",
            changed: AtomicBool::new(false),
        }
    }

    pub(super) fn that_fails_from(inner: &Arc<InMemory>, request: usize) -> Self {
        Self {
            fails_from: request,
            ..Self::that_waits(inner, Vec::new())
        }
    }

    /// Writes whatever the condition.
    pub(super) fn careless(inner: &Arc<InMemory>) -> Self {
        Self {
            careless: true,
            ..Self::that_waits(inner, Vec::new())
        }
    }

    pub(super) fn that_hangs(inner: &Arc<InMemory>) -> Self {
        Self {
            hangs: true,
            ..Self::that_waits(inner, Vec::new())
        }
    }

    pub(super) fn that_forbids(inner: &Arc<InMemory>, what: &'static str) -> Self {
        Self {
            forbids: what,
            ..Self::that_waits(inner, Vec::new())
        }
    }

    pub(super) fn that_refills(inner: &Arc<InMemory>) -> Self {
        Self {
            refills: true,
            ..Self::that_waits(inner, Vec::new())
        }
    }

    /// How many requests there were.
    pub(super) fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    /// Whether a request was refused because the service is away.
    pub(super) fn has_failed(&self) -> bool {
        self.requests.load(Ordering::Relaxed) > self.fails_from
    }

    pub(super) fn has_changed(&self) -> bool {
        self.changed.swap(false, Ordering::Relaxed)
    }

    async fn turn(&self) -> Result<()> {
        let request = self.requests.fetch_add(1, Ordering::Relaxed);
        if self.hangs {
            std::future::pending::<()>().await;
        }
        let waits = self.waits.get(request % self.waits.len().max(1));
        for _ in 0..waits.copied().unwrap_or_default() {
            tokio::task::yield_now().await;
        }
        if request < self.fails_from {
            return Ok(());
        }
        Err(away())
    }

    fn may(&self, what: &str) -> Result<()> {
        if self.forbids == what {
            return Err(Error::PermissionDenied {
                path: what.to_owned(),
                source: "forbidden".into(),
            });
        }
        Ok(())
    }

    fn change<T>(&self, done: T) -> T {
        self.changed.store(true, Ordering::Relaxed);
        done
    }
}

fn away() -> Error {
    Error::Generic {
        store: "test",
        source: "the service is away".into(),
    }
}

impl fmt::Display for Uneven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("uneven")
    }
}

#[async_trait]
impl ObjectStore for Uneven {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        mut opts: PutOptions,
    ) -> Result<PutResult> {
        self.turn().await?;
        self.may("write")?;
        if self.careless {
            opts.mode = PutMode::Overwrite;
        }
        let put = self.inner.put_opts(location, payload, opts).await;
        self.change(put)
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.turn().await?;
        self.inner.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.turn().await?;
        self.may("read")?;
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        if let Err(forbidden) = self.may("delete") {
            return futures_util::stream::once(async { Err(forbidden) }).boxed();
        }
        let is_refilled = |key: &Path| key.as_ref().contains("/.taskmanager-");
        if self.refills {
            let inner = Arc::clone(&self.inner);
            let deleted = locations.then(move |key| {
                let inner = Arc::clone(&inner);
                async move {
                    let key = key?;
                    if is_refilled(&key) {
                        Ok(key)
                    } else {
                        inner.delete(&key).await.map(|()| key)
                    }
                }
            });
            return deleted.boxed();
        }
        self.change(self.inner.delete_stream(locations))
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let request = self.requests.fetch_add(1, Ordering::Relaxed);
        if request >= self.fails_from {
            return futures_util::stream::once(async { Err(away()) }).boxed();
        }
        if let Err(forbidden) = self.may("list") {
            return futures_util::stream::once(async { Err(forbidden) }).boxed();
        }
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.turn().await?;
        let copied = self.inner.copy_opts(from, to, options).await;
        self.change(copied)
    }
}
