//! One root on object storage: whether its service is right, and what is done there for nobody's attempt.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use object_store::path::Path as Key;
use object_store::{
    Error as StoreError, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, UpdateVersion,
};
use shared::location::Location;
use shared::message::worker::Check;

use super::CARELESS;
use super::error::short;

/// How long work that nobody's attempt is waiting for may take, and for how long nobody tries again after that.
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_mins(1);
/// How long it counts that a service keeps conditions.
const PROBE_COUNTS: Duration = Duration::from_mins(10);
/// How long workers look at object storage before they announce themselves.
const PROBE_MAX: Duration = Duration::from_secs(5);
/// What the probe of [`Root::check`] is called.
const PROBE: &str = ".taskmanager.probe";
/// An object that is never there; who may delete it may delete others.
const NOTHING: &str = ".taskmanager.nothing";

/// One root.
#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) location: Location,
    pub(super) store: Arc<dyn ObjectStore>,
    /// It was found to write whatever the condition.
    pub(super) careless: AtomicBool,
    /// Its key was found to allow deleting.
    may_delete: AtomicBool,
    /// When it was last found to be right.
    right_at: Mutex<Option<Instant>>,
    /// When it last took too long.
    hung_at: Mutex<Option<Instant>>,
}

impl Root {
    pub(super) fn new(location: Location, store: Arc<dyn ObjectStore>) -> Self {
        Self {
            location,
            store,
            careless: AtomicBool::new(false),
            may_delete: AtomicBool::new(false),
            right_at: Mutex::default(),
            hung_at: Mutex::default(),
        }
    }

    pub(super) fn key(&self, inside: &str) -> Result<Key, StoreError> {
        let (root, inside) = (self.location.key(), inside.trim_matches('/'));
        let between = if root.is_empty() || inside.is_empty() {
            ""
        } else {
            "/"
        };
        Ok(Key::parse(format!("{root}{between}{inside}"))?)
    }

    pub(super) async fn check(&self) -> Check {
        let name = format!("object storage {}", self.location);
        let right = "can be read, written, listed and deleted, and keeps conditions";
        if since(&self.right_at).is_some_and(|age| age < PROBE_COUNTS) {
            return Check {
                name,
                ok: true,
                message: right.to_owned(),
            };
        }
        let probed = tokio::time::timeout(PROBE_MAX, self.probe()).await;
        if let Ok(Ok(keeps)) = probed {
            self.careless.store(!keeps, Ordering::Relaxed);
        }
        let probed = match probed {
            Ok(Ok(true)) => match tokio::time::timeout(PROBE_MAX, self.try_rights()).await {
                Ok(Ok(())) => Ok(Ok(true)),
                Ok(Err(refused)) => Ok(Err(refused)),
                Err(elapsed) => Err(elapsed),
            },
            probed => probed.map(|probed| probed.map_err(|error| ("write", error))),
        };
        let (ok, message) = match probed {
            Ok(Ok(true)) => (true, right.to_owned()),
            Ok(Ok(false)) => (false, CARELESS.to_owned()),
            Ok(Err((what, error))) => (false, format!("the worker can't {what} there: {}", short(&error))),
            Err(_) => (
                false,
                format!("it does not answer within {} s", PROBE_MAX.as_secs()),
            ),
        };
        if !ok {
            self.may_delete.store(false, Ordering::Relaxed);
        }
        if ok {
            remember(&self.right_at);
        }
        Check { name, ok, message }
    }

    /// Whether an object is written exactly when the condition holds.
    async fn probe(&self) -> Result<bool, StoreError> {
        let key = self.key(PROBE)?;
        let put = |mode| self.store.put_opts(&key, PROBE.into(), PutOptions::from(mode));
        let written = put(PutMode::Overwrite).await?;
        let elsewhere = UpdateVersion {
            e_tag: Some("\"00000000000000000000000000000000\"".to_owned()),
            version: None,
        };
        let refuses = match put(PutMode::Create).await {
            Err(StoreError::AlreadyExists { .. }) => true,
            Ok(_) => false,
            Err(error) => return Err(error),
        } && match put(PutMode::Update(elsewhere)).await {
            Err(StoreError::Precondition { .. }) => true,
            Ok(_) => false,
            Err(error) => return Err(error),
        };
        // Others probe, too; what they write has the same content, and so the same version.
        let writes = match put(PutMode::Update(written.into())).await {
            Ok(_) => true,
            Err(StoreError::Precondition { .. }) => false,
            Err(error) => return Err(error),
        };
        Ok(refuses && writes)
    }

    /// Does with the probe what jobs need beside writing; fails with what the key does not allow.
    async fn try_rights(&self) -> Result<(), (&'static str, StoreError)> {
        let key = |name| self.key(name).map_err(|error| ("name an object", error));
        let probe = key(PROBE)?;
        self.store.get(&probe).await.map_err(|error| ("read", error))?;
        let first = self.store.list(Some(&probe)).next().await.transpose();
        first.map_err(|error| ("list", error))?;
        // Once: where versions are kept, each of these leaves a mark. Another object, since others probe with the first one.
        if !self.may_delete.load(Ordering::Relaxed) {
            match self.store.delete(&key(NOTHING)?).await {
                Ok(()) | Err(StoreError::NotFound { .. }) => self.may_delete.store(true, Ordering::Relaxed),
                Err(error) => return Err(("delete", error)),
            }
        }
        Ok(())
    }

    /// Work that is no attempt's: it must not keep others from theirs, however long the service takes.
    pub(crate) async fn patiently<T>(
        &self,
        work: impl Future<Output = Result<T, String>>,
    ) -> Result<T, String> {
        let no_answer = || Err(format!("{} does not answer", self.location));
        if since(&self.hung_at).is_some_and(|age| age < PAUSE) {
            return no_answer();
        }
        let Ok(done) = tokio::time::timeout(PATIENCE, work).await else {
            remember(&self.hung_at);
            return no_answer();
        };
        done
    }
}

fn remember(moment: &Mutex<Option<Instant>>) {
    *moment.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
}

fn since(moment: &Mutex<Option<Instant>>) -> Option<Duration> {
    let moment = *moment.lock().unwrap_or_else(PoisonError::into_inner);
    moment.map(|moment| moment.elapsed())
}
