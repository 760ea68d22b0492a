//! The volume's PDF: the pages' PDF files in natural order, joined.
//!
//! It lies at `ocr/{title}_volume/{title}.pdf`. Goobi looks for a page's results in `ocr/*_{suffix}/`, so a folder
//! with another suffix keeps the volume from being taken for a page.

use std::path::{Path, PathBuf};

use shared::message::manifest::FileEntry;
use tokio_util::sync::CancellationToken;

use super::page::output;
use super::tesseract::Tesseract;
use crate::item_store::{ItemStore, storage_failure};
use crate::plugin::AttemptError;

/// Files that are joined at once: pdfunite holds them all open, and 1,024 is a common limit.
const FILES_AT_ONCE: usize = 200;

/// Joins the pages and puts the result into the store.
///
/// # Errors
/// Storage, tools, a stop.
pub(super) async fn build(
    tesseract: &Tesseract,
    store: &ItemStore,
    title: &str,
    pages: &[FileEntry],
    scratch: &Path,
    stop: &CancellationToken,
) -> Result<FileEntry, AttemptError> {
    let folder = scratch.join("volume");
    tokio::fs::create_dir_all(&folder)
        .await
        .map_err(|error| failed("make", &folder, &error))?;
    let joiner = Joiner {
        tesseract,
        folder: &folder,
        stop,
    };
    let mut parts = Vec::new();
    for (number, chunk) in pages.chunks(FILES_AT_ONCE).enumerate() {
        let mut names = Vec::new();
        for (index, page) in chunk.iter().enumerate() {
            let name = format!("page-{index}.pdf");
            store.fetch(page, &folder.join(&name)).await?;
            names.push(name);
        }
        parts.push(joiner.join(names, format!("part-{number}.pdf")).await?);
    }
    // 200 × 200 pages need no third level.
    let whole = joiner.join(parts, "whole.pdf".to_owned()).await?;
    let entry = store
        .put(&output(title, "volume", title, "pdf"), &folder.join(whole))
        .await?;
    tokio::fs::remove_dir_all(&folder)
        .await
        .map_err(|error| failed("remove", &folder, &error))?;
    Ok(entry)
}

struct Joiner<'a> {
    tesseract: &'a Tesseract,
    folder: &'a Path,
    stop: &'a CancellationToken,
}

impl Joiner<'_> {
    /// Joins files of the folder to one of another name, and removes them.
    async fn join(&self, parts: Vec<String>, whole: String) -> Result<String, AttemptError> {
        if let [single] = parts.as_slice() {
            let (from, to) = (self.folder.join(single), self.folder.join(&whole));
            tokio::fs::rename(&from, &to)
                .await
                .map_err(|error| failed("rename", &from, &error))?;
            return Ok(whole);
        }
        self.tesseract
            .unite(self.folder, &parts, &whole, self.stop)
            .await?;
        for part in parts {
            let part: PathBuf = self.folder.join(part);
            tokio::fs::remove_file(&part)
                .await
                .map_err(|error| failed("remove", &part, &error))?;
        }
        Ok(whole)
    }
}

fn failed(action: &str, path: &Path, error: &std::io::Error) -> AttemptError {
    storage_failure(&format!("can't {action} {}", path.display()), error)
}
