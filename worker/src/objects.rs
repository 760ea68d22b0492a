//! Object storage that jobs may use.
//!
//! ```text
//!  <target>/current.json                    the pointer: which version is the current one, and its files
//!  <target>/versions/<job id>/alto/1.xml    a version: all outputs of one job
//!  <target>/.taskmanager-<job id>/<sha256>  the item store of an unfinished job, see `item_store`
//!  <root>/.taskmanager.stores/<job id>      the index of item stores, see `store_index`
//! ```
//!
//! Invariants: what is read and written lies beneath one of the configured roots; an object is whole or not there; readers
//! who begin at the pointer see all outputs of one job, and never a part of them.

mod error;
mod index;
mod items;
mod root;
mod stage;
#[cfg(test)]
mod tests;
mod version;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, S3ConditionalPut};
use object_store::path::Path as Key;
use object_store::{
    BackoffConfig, ClientOptions, Error as StoreError, ObjectStore, ObjectStoreExt, RetryConfig,
    UpdateVersion,
};
use shared::error::Chain;
use shared::location::{self, Location};
use shared::message::worker::Check;

use crate::plugin::AttemptError;

pub use error::Failure;
pub(crate) use items::Objects;
pub(crate) use root::Root;

/// Longest time in which a service says nothing, and sends nothing of a large object. Copying large ones takes time.
const SILENCE_MAX: Duration = Duration::from_mins(2);
/// Longest time until a connection is there.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How often a request is repeated, and for how long: whoever publishes repeats all of it, and says what it waits for.
const RETRIES_MAX: usize = 3;
const RETRIES_TIME_MAX: Duration = Duration::from_mins(3);
/// What is said of a service that does not keep conditions.
const CARELESS: &str = "the service does not keep If-Match and If-None-Match, so that outputs can't be published safely: \
                        use one that knows conditional writes, or its newer release";

/// How object storage is reached.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The address of the service; Amazon's where there is none.
    pub endpoint: Option<String>,
    /// The region, which services other than Amazon's mostly ignore.
    pub region: Option<String>,
    /// A file with two lines: the access key and its secret. Without it, what the surroundings say (`AWS_…`) counts.
    pub credentials_file: Option<PathBuf>,
}

/// Why object storage can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file with the credentials can't be read, or says something else.
    #[error("{}: {reason}", file.display())]
    Credentials {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The settings don't fit together.
    #[error("object storage can't be reached with these settings: {0}")]
    Settings(String),
    /// What names no place.
    #[error("\"{0}\" {1}")]
    NoPlace(String, location::Problem),
    /// A place in none of the roots.
    #[error(
        "{place} is outside the places on object storage that this worker may use ({roots}): add it with --root"
    )]
    Outside {
        /// The place.
        place: String,
        /// The roots, joined by commas.
        roots: String,
    },
}

impl From<Error> for AttemptError {
    fn from(error: Error) -> Self {
        Self::permanent(error.to_string())
    }
}

/// The roots on object storage. Clones share their connections.
#[derive(Debug, Clone, Default)]
pub struct Buckets {
    roots: Vec<Arc<Root>>,
}

/// What is called a folder on object storage: the keys beneath a root that begin with the same words.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    root: Arc<Root>,
    /// The way from the root; empty for the root itself.
    inside: String,
}

impl Buckets {
    /// The worker may use what lies beneath these places. Nothing is asked of the service yet.
    ///
    /// # Errors
    /// [`Error`]: the credentials can't be read, or the settings don't fit together.
    pub fn connect(roots: &[Location], settings: &Settings) -> Result<Self, Error> {
        // Another part of the process may have chosen already; it would be the same.
        let _chosen = rustls::crypto::ring::default_provider().install_default();
        let mut all = Vec::new();
        for location in roots {
            all.push((location.clone(), connect(location, settings)?));
        }
        Ok(Self::over(all))
    }

    /// The same over connections that are there.
    fn over(roots: Vec<(Location, Arc<dyn ObjectStore>)>) -> Self {
        let root = |(location, store)| Arc::new(Root::new(location, store));
        Self {
            roots: roots.into_iter().map(root).collect(),
        }
    }

    /// A place beneath a root.
    ///
    /// # Errors
    /// [`Error`]: in no root, or no place at all.
    pub(crate) fn open(&self, place: &str) -> Result<Folder, Error> {
        let location: Location = place
            .parse()
            .map_err(|problem| Error::NoPlace(place.to_owned(), problem))?;
        let beneath = self
            .roots
            .iter()
            .filter_map(|root| Some((root, location.beneath(&root.location)?)));
        // Of nested roots the deepest counts, as with folders.
        let (root, inside) =
            beneath
                .min_by_key(|(_, inside)| inside.len())
                .ok_or_else(|| Error::Outside {
                    place: place.to_owned(),
                    roots: self.names(),
                })?;
        Ok(Folder {
            root: Arc::clone(root),
            inside,
        })
    }

    /// The roots.
    pub(crate) fn all(&self) -> &[Arc<Root>] {
        &self.roots
    }

    /// Looks at each root: can the worker write there, and does the service keep the promise that publishing rests on?
    pub async fn checks(&self) -> Vec<Check> {
        let checks = self.roots.iter().map(|root| root.check());
        futures_util::future::join_all(checks).await
    }

    fn names(&self) -> String {
        if self.roots.is_empty() {
            return "none".to_owned();
        }
        let names: Vec<String> = self.roots.iter().map(|root| root.location.to_string()).collect();
        names.join(", ")
    }
}

impl Folder {
    fn key(&self, relative: &str) -> Result<Key, Failure> {
        let inside = format!("{}/{relative}", self.inside);
        self.root
            .key(&inside)
            .map_err(|error| Failure::new("name", self.shown(relative), error))
    }

    fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.root.store
    }

    /// The address of something in here, for messages.
    pub(crate) fn shown(&self, relative: &str) -> String {
        let parts = [&self.root.location.to_string(), &self.inside, relative];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join("/")
    }

    /// The root that it lies in.
    pub(crate) fn root(&self) -> &Root {
        &self.root
    }

    /// The bytes of a small object, and the version of it that they are; `None` where there is none.
    async fn read(
        &self,
        relative: &str,
        bytes_max: u64,
    ) -> Result<Option<(Vec<u8>, UpdateVersion)>, Failure> {
        let fail = |error| Failure::new("read", self.shown(relative), error);
        match self.store().get(&self.key(relative)?).await {
            Ok(found) if found.meta.size > bytes_max => Err(Failure::too_large(self.shown(relative))),
            Ok(found) => {
                let version = UpdateVersion {
                    e_tag: found.meta.e_tag.clone(),
                    version: found.meta.version.clone(),
                };
                let bytes = found.bytes().await.map_err(fail)?;
                Ok(Some((bytes.to_vec(), version)))
            }
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(fail(error)),
        }
    }

    /// The size of an object; `None` where there is none.
    async fn size(&self, relative: &str) -> Result<Option<u64>, Failure> {
        match self.store().head(&self.key(relative)?).await {
            Ok(found) => Ok(Some(found.size)),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(Failure::new("read", self.shown(relative), error)),
        }
    }
}

fn connect(location: &Location, settings: &Settings) -> Result<Arc<dyn ObjectStore>, Error> {
    let mut builder = match &settings.credentials_file {
        Some(file) => {
            let (key, secret) = credentials(file)?;
            AmazonS3Builder::new()
                .with_access_key_id(key)
                .with_secret_access_key(secret)
        }
        None => AmazonS3Builder::from_env(),
    };
    if let Some(endpoint) = &settings.endpoint {
        builder = builder.with_endpoint(endpoint.trim_end_matches('/'));
    }
    if let Some(region) = &settings.region {
        builder = builder.with_region(region);
    }
    let options = ClientOptions::new()
        .with_timeout_disabled()
        .with_read_timeout(SILENCE_MAX)
        .with_connect_timeout(CONNECT_MAX)
        // An address that says http:// means it: a service on the same host, or in the same cluster.
        .with_allow_http(
            settings
                .endpoint
                .as_deref()
                .is_some_and(|address| address.starts_with("http://")),
        );
    let retry = RetryConfig {
        backoff: BackoffConfig::default(),
        max_retries: RETRIES_MAX,
        retry_timeout: RETRIES_TIME_MAX,
    };
    let store = builder
        .with_bucket_name(location.bucket().unwrap_or_default())
        .with_client_options(options)
        .with_retry(retry)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .build()
        .map_err(|error| Error::Settings(Chain(&error).to_string()))?;
    Ok(Arc::new(store))
}

/// The access key and its secret, from a file with two lines.
fn credentials(file: &Path) -> Result<(String, String), Error> {
    let unusable = |reason: String| Error::Credentials {
        file: file.to_owned(),
        reason,
    };
    let text = std::fs::read_to_string(file).map_err(|error| unusable(error.to_string()))?;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    match (lines.next(), lines.next(), lines.next()) {
        (Some(key), Some(secret), None) => Ok((key.to_owned(), secret.to_owned())),
        _ => Err(unusable(
            "it must have two lines: the access key, and its secret".to_owned(),
        )),
    }
}
