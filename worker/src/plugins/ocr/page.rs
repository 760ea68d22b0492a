//! One page: copied to scratch, recognised, its outputs put into the item store.
//!
//! Invariant: only what the page itself is to blame for makes it fail; a full disk, a missing tool or a killed process
//! ends the attempt instead, so that a later one can do better.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cap_std::fs::Dir;
use shared::message::manifest::FileEntry;
use tokio_util::sync::CancellationToken;

use super::pages::{self, Page};
use super::tesseract::{FORMATS, Tesseract};
use crate::item_store::{CopyError, ItemStore, blocking, copy, storage_failure};
use crate::plugin::AttemptError;
use crate::progress::Progress;
use crate::tool::Ended;

/// Bytes that must be free in scratch, else a page that fails is not the page's fault.
const SCRATCH_FREE_MIN: u64 = 32 * 1024 * 1024;
/// Lines of Tesseract that say nothing about why a page fails.
const CHATTER: [&str; 4] = ["Estimating", "Detected", "Warning", "Error during processing"];
/// Exit codes of a tool that was ended from outside: SIGKILL, SIGTERM.
const ENDED_FROM_OUTSIDE: [i32; 2] = [137, 143];
/// Exit codes that are the wrapper's: it failed, the program can't be started, there is none.
const NOT_RUN: [i32; 3] = [125, 126, 127];

/// What the pages of a job have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) tesseract: &'a Tesseract,
    /// As Tesseract wants them: `deu+lat`.
    pub(super) languages: &'a str,
    /// The job's title as part of a path.
    pub(super) title: &'a str,
    pub(super) source: &'a Dir,
    pub(super) store: &'a ItemStore,
    pub(super) scratch: &'a Path,
    pub(super) progress: &'a Progress,
    pub(super) stop: &'a CancellationToken,
    /// Cancelled when no further page is to be begun.
    pub(super) pause: &'a CancellationToken,
}

/// What became of a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Its outputs are in the store.
    Done { files: Vec<FileEntry>, words: u64 },
    /// It can't be read.
    Failed { reason: String },
}

/// Where a page's output goes, relative to the target folder.
pub(super) fn output(title: &str, suffix: &str, stem: &str, ending: &str) -> String {
    format!("ocr/{title}_{suffix}/{stem}.{ending}")
}

/// All outputs of a page, in the order of [`FORMATS`].
pub(super) fn outputs(title: &str, page: &Page) -> [String; FORMATS.len()] {
    FORMATS.map(|format| output(title, format.suffix, &page.stem, format.ending))
}

/// A text as one part of a path: letters, digits, `.`, `_` and `-` stay, anything else becomes `_`, and so does a `.` or
/// `-` at its beginning. At most 150 bytes.
pub(super) fn safe_part(text: &str) -> String {
    let keep = |(index, c): (usize, char)| match c {
        '.' | '-' if index == 0 => '_',
        '.' | '-' | '_' => c,
        letter if letter.is_alphanumeric() => letter,
        _ => '_',
    };
    let mut part = String::new();
    for c in text.trim().chars().enumerate().map(keep) {
        if part.len() + c.len_utf8() > 150 {
            break;
        }
        part.push(c);
    }
    if part.is_empty() {
        "untitled".to_owned()
    } else {
        part
    }
}

/// Recognises a page.
///
/// # Errors
/// What is no fault of the page's: storage, tools, a stop.
pub(super) async fn recognise(job: Job<'_>, page: &Page) -> Result<Ending, AttemptError> {
    let folder = job.scratch.join(format!("page-{}", page.position));
    let ending = in_folder(job, page, &folder).await;
    // The scratch folder as a whole goes with the attempt; this only keeps it small meanwhile.
    if let Err(error) = tokio::fs::remove_dir_all(&folder).await {
        tracing::debug!(%error, "{} stays until the attempt ends", folder.display());
    }
    ending
}

async fn in_folder(job: Job<'_>, page: &Page, folder: &Path) -> Result<Ending, AttemptError> {
    // Tesseract writes the image's name into its outputs, so the copy has it, made safe for a command line.
    let image = safe_part(&page.name);
    if let Some(reason) = stage(job, page, folder.to_owned(), folder.join(&image)).await? {
        return Ok(Ending::Failed { reason });
    }
    let said = Mutex::new(None);
    let ended = job
        .tesseract
        .recognise(folder, &image, job.languages, job.stop, |line| {
            job.progress.log(format!("{}: {line}", page.name));
            if !CHATTER.iter().any(|chatter| line.starts_with(chatter)) {
                said.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .get_or_insert_with(|| line.to_owned());
            }
        })
        .await?;
    if let Some(reason) = failure(&ended, said.into_inner().unwrap_or_else(PoisonError::into_inner)) {
        blame(job, page, &ended, &reason)?;
        return Ok(Ending::Failed { reason });
    }
    let mut files = Vec::new();
    let mut words = 0;
    for (format, path) in FORMATS.iter().zip(outputs(job.title, page)) {
        let written = format.written(folder);
        let content = match tokio::fs::read(&written).await {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                return Err(storage_failure(
                    &format!("can't read {}", written.display()),
                    &error,
                ));
            }
        };
        if !format.is_whole(&content) {
            let reason = format!("tesseract wrote no complete {} file", format.suffix);
            blame(job, page, &ended, &reason)?;
            return Ok(Ending::Failed { reason });
        }
        if format.ending == "txt" {
            words = count_words(&content);
        }
        files.push(job.store.put(&path, &written).await?);
    }
    Ok(Ending::Done { files, words })
}

/// Words of a text: what white space separates.
pub(super) fn count_words(text: &[u8]) -> u64 {
    String::from_utf8_lossy(text).split_whitespace().count() as u64
}

/// Copies the image to scratch; gives the reason when the image can't be read.
async fn stage(
    job: Job<'_>,
    page: &Page,
    folder: PathBuf,
    to: PathBuf,
) -> Result<Option<String>, AttemptError> {
    let unreadable =
        |source| storage_failure(&format!("can't read {} in the source folder", page.name), &source);
    let source = job.source.try_clone().map_err(unreadable)?;
    let name = page.name.clone();
    let shown = to.display().to_string();
    let copied = blocking(move || {
        std::fs::create_dir_all(&folder).map_err(CopyError::Write)?;
        let mut original = source.open(name).map_err(CopyError::Read)?;
        copy(&mut original, &mut File::create(to).map_err(CopyError::Write)?)
    });
    match copied.await {
        Ok((size, _)) => {
            job.progress.read(size);
            Ok(None)
        }
        Err(CopyError::Read(error)) if pages::is_of_the_file(&error) => Ok(Some(pages::reason(&error))),
        Err(CopyError::Read(error)) => Err(unreadable(error)),
        Err(CopyError::Write(error)) => Err(storage_failure(&format!("can't write to {shown}"), &error)),
    }
}

fn failure(ended: &Ended, said: Option<String>) -> Option<String> {
    let said = said.unwrap_or_else(|| ended.last_error.clone());
    let told = Ended {
        code: ended.code,
        stdout: Vec::new(),
        last_error: said,
    };
    (!ended.success()).then(|| format!("tesseract ended with {}", told.describe()))
}

/// An error when it was not the page's fault.
fn blame(job: Job<'_>, page: &Page, ended: &Ended, reason: &str) -> Result<(), AttemptError> {
    if ENDED_FROM_OUTSIDE.contains(&ended.code) || NOT_RUN.contains(&ended.code) || is_setup(reason) {
        return Err(AttemptError::Failed {
            class: shared::job::decide::ErrorClass::Retryable,
            message: format!("{}: {reason}; look at the worker", page.name),
            exit_code: Some(ended.code),
        });
    }
    let free = rustix::fs::statvfs(job.scratch).map(|stat| stat.f_bavail.saturating_mul(stat.f_frsize));
    if free.is_ok_and(|free| free < SCRATCH_FREE_MIN) {
        return Err(AttemptError::retryable(format!(
            "{}: {reason}; the worker's scratch folder {} is full: make room there",
            page.name,
            job.scratch.display()
        )));
    }
    Ok(())
}

/// Whether Tesseract complains about its own installation.
fn is_setup(reason: &str) -> bool {
    [
        "Error opening data file",
        "Failed loading language",
        "Couldn't load any languages",
        "initialize tesseract",
    ]
    .iter()
    .any(|complaint| reason.contains(complaint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_becomes_one_safe_part_of_a_path() {
        assert_eq!(
            safe_part("Faust I: Der Tragödie/1. Teil"),
            "Faust_I__Der_Tragödie_1._Teil"
        );
        for (odd, safe) in [
            ("..", "_."),
            ("-rf", "_rf"),
            ("  ", "untitled"),
            ("a\0b\n", "a_b"),
            ("{x}", "_x_"),
        ] {
            assert_eq!(safe_part(odd), safe);
        }
        let long = safe_part(&"ä".repeat(200));
        assert_eq!((long.len(), long.chars().count()), (150, 75));
    }

    #[test]
    fn a_tool_that_was_killed_or_badly_installed_is_not_the_pages_fault() {
        let ended = |code| Ended {
            code,
            stdout: Vec::new(),
            last_error: "Error during processing.".to_owned(),
        };
        let reason = failure(&ended(1), Some("Premature end of JPEG file".to_owned()));
        assert_eq!(
            reason.as_deref(),
            Some("tesseract ended with exit code 1: Premature end of JPEG file")
        );
        assert_eq!(failure(&ended(0), None), None);
        assert!(is_setup(
            &failure(
                &ended(1),
                Some("Error opening data file /x/deu.traineddata".to_owned())
            )
            .unwrap()
        ));
        assert!(!is_setup(
            "tesseract ended with exit code 1: Premature end of JPEG file"
        ));
    }
}
