//! The folders that this worker may read from and write to.
//!
//! Invariant: a folder that this module opens lies beneath one of the configured roots, whatever symbolic links
//! there are and however they change meanwhile: the kernel resolves the path beneath the open root.

mod look;

use std::io;
use std::path::{Component, Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use shared::job::JobId;

use crate::item_store::storage_failure;
use crate::plugin::AttemptError;
use crate::store_index::StoreEntry;

pub(crate) use look::look;

/// The configured roots, in the order in which they were given.
#[derive(Debug, Clone)]
pub struct Roots {
    roots: Vec<PathBuf>,
}

/// Why a folder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A root that isn't an absolute path without `..`.
    #[error("{} can't be a root: give an absolute path without \"..\"", .0.display())]
    Root(PathBuf),
    /// A folder that isn't named by an absolute path without `..`.
    #[error("\"{0}\" can't be used as a folder: give an absolute path without \"..\"")]
    NotAbsolute(String),
    /// A folder in none of the roots.
    #[error("folder {folder} is outside the folders that this worker may use ({roots}): add it with --root")]
    Outside {
        /// The folder.
        folder: String,
        /// The roots, joined by commas.
        roots: String,
    },
    /// A symbolic link on the way leads out of the root.
    #[error("folder {folder} leads out of {}: a symbolic link points elsewhere", root.display())]
    LeadsOut {
        /// The folder.
        folder: String,
        /// The root that it seems to lie in.
        root: PathBuf,
    },
    /// There is no such folder.
    #[error("folder {0} does not exist")]
    Missing(String),
    /// Something of that name is there, but no folder.
    #[error("{0} is not a folder")]
    NotAFolder(String),
    /// The system refuses.
    #[error("folder {folder} can't be opened")]
    Io {
        /// The folder.
        folder: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl Roots {
    /// The worker may use what lies beneath these folders.
    ///
    /// # Errors
    /// [`Error::Root`] for one that is not absolute or contains `..`.
    pub fn new(roots: Vec<PathBuf>) -> Result<Self, Error> {
        match roots.iter().find(|root| !is_plain(root)) {
            Some(bad) => Err(Error::Root(bad.clone())),
            None => Ok(Self { roots }),
        }
    }

    /// Opens a folder that must exist.
    ///
    /// # Errors
    /// [`Error`]: outside the roots, missing, or refused by the system.
    pub fn open(&self, absolute: &str) -> Result<Dir, Error> {
        self.locate(absolute)?
            .open()
            .map_err(|(root, source)| explain(absolute, root, source))
    }

    /// Opens a folder, making it and those above it (beneath its root) where they are missing.
    ///
    /// # Errors
    /// [`Error`]: outside the roots, or refused by the system.
    pub fn create(&self, absolute: &str) -> Result<Dir, Error> {
        self.locate(absolute)?
            .create()
            .map_err(|(root, source)| explain(absolute, root, source))
    }

    /// The place in its root's index of an item store in this folder, which need not be there.
    ///
    /// # Errors
    /// [`Error`]: outside the roots, or the root is missing or refused by the system.
    pub(crate) fn entry(&self, absolute: &str, store: JobId) -> Result<StoreEntry, Error> {
        let place = self.locate(absolute)?;
        let root = place
            .open_root()
            .map_err(|source| explain(absolute, place.root, source))?;
        Ok(StoreEntry::new(root, place.folder(), store))
    }

    /// The root that a folder lies in.
    ///
    /// # Errors
    /// [`Error`]: in none, or it is not named as it has to be.
    pub(crate) fn root_of<'a>(&'a self, absolute: &'a str) -> Result<&'a Path, Error> {
        self.locate(absolute).map(|place| place.root)
    }

    /// The roots.
    pub(crate) fn all(&self) -> &[PathBuf] {
        &self.roots
    }

    /// Whether there is anything in the root that this folder would lie in: one that is quite empty may be a mount point
    /// whose storage is not there.
    pub fn is_in_use_around(&self, absolute: &str) -> bool {
        let root = self.locate(absolute).and_then(|place| {
            place
                .open_root()
                .and_then(|root| root.entries())
                .map_err(|source| explain(absolute, place.root, source))
        });
        root.is_ok_and(|mut entries| entries.next().is_some())
    }

    fn locate<'a>(&'a self, absolute: &'a str) -> Result<Place<'a>, Error> {
        let path = Path::new(absolute);
        if !is_plain(path) || absolute.contains('\0') {
            return Err(Error::NotAbsolute(absolute.to_owned()));
        }
        let beneath = |root: &'a PathBuf| {
            Some(Place {
                root,
                inside: path.strip_prefix(root).ok()?,
            })
        };
        // Of nested roots the deepest counts: it may be a file system of its own.
        self.roots
            .iter()
            .filter_map(beneath)
            .max_by_key(|place| place.root.as_os_str().len())
            .ok_or_else(|| {
                let roots: Vec<String> = self.roots.iter().map(|root| root.display().to_string()).collect();
                let roots = if roots.is_empty() {
                    "none".to_owned()
                } else {
                    roots.join(", ")
                };
                Error::Outside {
                    folder: absolute.to_owned(),
                    roots,
                }
            })
    }
}

/// A folder as its root and the way from there.
struct Place<'a> {
    root: &'a Path,
    inside: &'a Path,
}

impl<'a> Place<'a> {
    fn open(&self) -> Result<Dir, (&'a Path, io::Error)> {
        self.open_inside().map_err(|error| (self.root, error))
    }

    fn create(&self) -> Result<Dir, (&'a Path, io::Error)> {
        let made = self.open_root().and_then(|root| {
            if self.is_root() {
                Ok(())
            } else {
                root.create_dir_all(self.inside)
            }
        });
        made.and_then(|()| self.open_inside())
            .map_err(|error| (self.root, error))
    }

    fn open_inside(&self) -> io::Result<Dir> {
        let root = self.open_root()?;
        if self.is_root() {
            Ok(root)
        } else {
            root.open_dir(self.inside)
        }
    }

    fn open_root(&self) -> io::Result<Dir> {
        Dir::open_ambient_dir(self.root, ambient_authority())
    }

    /// The way from the root, its parts separated by single slashes; empty for the root itself.
    fn folder(&self) -> String {
        let parts: Vec<&str> = self
            .inside
            .components()
            .filter_map(|part| match part {
                Component::Normal(part) => part.to_str(),
                _ => None,
            })
            .collect();
        parts.join("/")
    }

    fn is_root(&self) -> bool {
        self.inside.as_os_str().is_empty()
    }
}

impl From<Error> for AttemptError {
    /// What the system refuses may pass (a file server that is away); all else has to be corrected by people.
    fn from(error: Error) -> Self {
        match &error {
            Error::Io { source, .. } => storage_failure(&error.to_string(), source),
            _ => Self::permanent(error.to_string()),
        }
    }
}

/// Absolute and without `..`.
fn is_plain(path: &Path) -> bool {
    path.is_absolute() && !path.components().any(|part| part == Component::ParentDir)
}

fn explain(absolute: &str, root: &Path, source: io::Error) -> Error {
    let folder = absolute.to_owned();
    match source.kind() {
        io::ErrorKind::NotFound => Error::Missing(folder),
        io::ErrorKind::NotADirectory => Error::NotAFolder(folder),
        // The refusal to leave the root is cap-std's own, so it has no number of the system's.
        io::ErrorKind::PermissionDenied if source.raw_os_error().is_none() => Error::LeadsOut {
            folder,
            root: root.to_owned(),
        },
        _ => Error::Io { folder, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots(folder: &tempfile::TempDir) -> (Roots, String) {
        let base = folder.path().to_str().unwrap().to_owned();
        (Roots::new(vec![folder.path().to_owned()]).unwrap(), base)
    }

    #[test]
    fn a_folder_beneath_a_root_is_opened_and_the_root_itself_too() {
        let folder = tempfile::tempdir().unwrap();
        let (roots, base) = roots(&folder);
        std::fs::create_dir_all(folder.path().join("27/images")).unwrap();
        std::fs::write(folder.path().join("27/images/a.jpg"), "x").unwrap();
        assert!(
            roots
                .open(&format!("{base}/27//images/./"))
                .unwrap()
                .exists("a.jpg")
        );
        assert!(roots.open(&base).unwrap().exists("27"));
    }

    #[test]
    fn what_lies_outside_the_roots_is_refused_with_advice() {
        let folder = tempfile::tempdir().unwrap();
        let (roots, base) = roots(&folder);
        for outside in ["/etc".to_owned(), format!("{base}x/27")] {
            let message = roots.open(&outside).unwrap_err().to_string();
            assert!(
                message.contains(&format!("({base}): add it with --root")),
                "{message}"
            );
        }
        for odd in [
            "27/images".to_owned(),
            String::new(),
            format!("{base}/../etc"),
            format!("{base}/a\0b"),
        ] {
            assert!(matches!(roots.open(&odd), Err(Error::NotAbsolute(_))), "{odd}");
            assert!(matches!(roots.create(&odd), Err(Error::NotAbsolute(_))), "{odd}");
        }
    }

    #[test]
    fn a_symbolic_link_can_not_lead_out_of_the_root() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (roots, base) = roots(&folder);
        std::fs::create_dir(elsewhere.path().join("images")).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("way-out")).unwrap();
        std::os::unix::fs::symlink("inner", folder.path().join("within")).unwrap();
        std::fs::create_dir(folder.path().join("inner")).unwrap();
        let open = roots.open(&format!("{base}/way-out/images")).unwrap_err();
        assert!(
            open.to_string().contains("symbolic link points elsewhere"),
            "{open}"
        );
        assert!(roots.create(&format!("{base}/way-out/new")).is_err());
        assert!(!elsewhere.path().join("new").exists());
        assert!(
            roots.open(&format!("{base}/within")).is_ok(),
            "links inside the root are fine"
        );
    }

    #[test]
    fn missing_folders_are_named_when_opening_and_made_when_creating() {
        let folder = tempfile::tempdir().unwrap();
        let (roots, base) = roots(&folder);
        let target = format!("{base}/27/out/deep");
        assert_eq!(
            roots.open(&target).unwrap_err().to_string(),
            format!("folder {target} does not exist")
        );
        roots.create(&target).unwrap().write("result.txt", "x").unwrap();
        assert!(folder.path().join("27/out/deep/result.txt").exists());
        assert!(roots.create(&target).is_ok(), "once more does no harm");
        let file = format!("{target}/result.txt");
        assert_eq!(
            roots.open(&file).unwrap_err().to_string(),
            format!("{file} is not a folder")
        );
    }

    #[test]
    fn a_root_has_to_be_an_absolute_path() {
        assert!(Roots::new(vec![PathBuf::from("data")]).is_err());
    }

    #[test]
    fn the_deepest_of_nested_roots_counts() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        std::os::unix::fs::symlink("../other", inner.join("up")).unwrap();
        std::fs::create_dir(folder.path().join("other")).unwrap();
        let roots = Roots::new(vec![folder.path().to_owned(), inner.clone()]).unwrap();
        assert!(roots.open(inner.join("up").to_str().unwrap()).is_err());
    }
}
