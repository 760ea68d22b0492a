//! The demo's volume: page scans that every checkout has, laid out as Goobi would lay out a process.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use launcher::workspace;

/// What the scans show.
const TITLE: &str = "huckleberryfinn_1884";

/// A copy of the scans that belongs to one run of the demo.
#[derive(Debug)]
pub(crate) struct Volume {
    /// The process's title, such as `huckleberryfinn_1884-3`.
    pub(crate) title: String,
    /// The process's folder; results appear in it.
    pub(crate) folder: PathBuf,
}

impl Volume {
    /// Copies the scans to `<root>/<title>-<number>/images`, with the first number that is free.
    pub(crate) fn copy_to(root: &Path) -> Result<Self> {
        let title = (1..=u32::MAX)
            .map(|number| format!("{TITLE}-{number}"))
            .find(|title| !root.join(title).exists())
            .context("every number of the demo's folders is taken")?;
        let volume = Self {
            folder: root.join(&title),
            title,
        };
        let (source, images) = (workspace().join("tests/data/volume"), volume.images());
        let failed = || format!("cannot copy {} to {}", source.display(), images.display());
        fs::create_dir_all(&images).with_context(failed)?;
        for entry in fs::read_dir(&source).with_context(failed)? {
            let entry = entry.with_context(failed)?;
            fs::copy(entry.path(), images.join(entry.file_name())).with_context(failed)?;
        }
        Ok(volume)
    }

    /// The folder with the scans.
    pub(crate) fn images(&self) -> PathBuf {
        self.folder.join("images")
    }
}
