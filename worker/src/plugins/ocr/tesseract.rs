//! The command lines of Tesseract and pdfunite. Nothing else knows their options or what they print.

use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use super::PluginSettings;
use crate::plugin::AttemptError;
use crate::tool::{Ended, Error, Tool, Wrapper};

/// Most bytes kept of what a question to Tesseract is answered.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// The name, without ending, of what Tesseract writes.
const OUTPUT: &str = "out";

/// The tools as they are set up on this worker.
#[derive(Debug, Clone)]
pub(super) struct Tesseract {
    wrapper: Wrapper,
    tessdata: Option<PathBuf>,
}

/// A kind of output.
#[derive(Debug)]
pub(super) struct Format {
    /// The part of the output folder's name behind the title, by which Goobi finds it.
    pub(super) suffix: &'static str,
    /// The file's ending.
    pub(super) ending: &'static str,
    /// What a complete file ends with, white space aside; empty where that can't be told.
    end: &'static str,
    option: &'static str,
}

/// All that is made of a page.
pub(super) const FORMATS: [Format; 4] = [
    Format {
        suffix: "alto",
        ending: "xml",
        end: "</alto>",
        option: "tessedit_create_alto=1",
    },
    Format {
        suffix: "hocr",
        ending: "hocr",
        end: "</html>",
        option: "tessedit_create_hocr=1",
    },
    Format {
        suffix: "txt",
        ending: "txt",
        end: "",
        option: "tessedit_create_txt=1",
    },
    Format {
        suffix: "pdf",
        ending: "pdf",
        end: "%%EOF",
        option: "tessedit_create_pdf=1",
    },
];

impl Format {
    /// Where Tesseract writes it.
    pub(super) fn written(&self, folder: &Path) -> PathBuf {
        folder.join(OUTPUT).with_extension(self.ending)
    }

    /// Whether this is a complete file of the kind.
    pub(super) fn is_whole(&self, content: &[u8]) -> bool {
        content.trim_ascii_end().ends_with(self.end.as_bytes())
    }
}

impl Tesseract {
    pub(super) fn new(settings: &PluginSettings) -> Self {
        Self {
            wrapper: settings.wrapper.clone(),
            tessdata: settings.tessdata.clone(),
        }
    }

    /// Its version: `5.3.0`.
    pub(super) async fn version(
        &self,
        scratch: &Path,
        stop: &CancellationToken,
    ) -> Result<String, AttemptError> {
        let answer = self.ask("--version", scratch, stop).await?;
        let first = answer.lines().next().unwrap_or_default();
        Ok(first
            .strip_prefix("tesseract ")
            .unwrap_or(first)
            .trim()
            .to_owned())
    }

    /// The names of the data that is installed.
    pub(super) async fn languages(
        &self,
        scratch: &Path,
        stop: &CancellationToken,
    ) -> Result<Vec<String>, AttemptError> {
        let answer = self.ask("--list-langs", scratch, stop).await?;
        // The first line is a heading.
        Ok(answer
            .lines()
            .skip(1)
            .map(|line| line.trim().to_owned())
            .filter(|line| !line.is_empty())
            .collect())
    }

    async fn ask(
        &self,
        question: &str,
        scratch: &Path,
        stop: &CancellationToken,
    ) -> Result<String, AttemptError> {
        let tool = self.tool(scratch).args([question]).capture(ANSWER_BYTES_MAX);
        let ended = tool
            .run(stop, |_, _| ())
            .await
            .map_err(|error| not_installed(error, "tesseract-ocr"))?;
        if ended.success() {
            Ok(String::from_utf8_lossy(&ended.stdout).into_owned())
        } else {
            let how = ended.describe();
            Err(AttemptError::retryable(format!(
                "tesseract {question} ended with {how}; look at its installation"
            )))
        }
    }

    /// Recognises the image of this name in `folder`, into all [`FORMATS`] beside it. One thread.
    pub(super) async fn recognise(
        &self,
        folder: &Path,
        image: &str,
        languages: &str,
        stop: &CancellationToken,
        on_line: impl Fn(&str) + Send + Sync,
    ) -> Result<Ended, AttemptError> {
        let options = FORMATS.iter().flat_map(|format| ["-c", format.option]);
        let tool = self
            .tool(folder)
            .args([image, OUTPUT, "-l", languages])
            .args(options);
        tool.run(stop, |_, line| on_line(line))
            .await
            .map_err(|error| not_installed(error, "tesseract-ocr"))
    }

    /// Joins PDF files of these names in `folder` to another one there.
    pub(super) async fn unite(
        &self,
        folder: &Path,
        parts: &[String],
        whole: &str,
        stop: &CancellationToken,
    ) -> Result<(), AttemptError> {
        let tool = Tool::new(&self.wrapper, "pdfunite", folder)
            .args(parts)
            .args([whole]);
        let ended = tool
            .run(stop, |_, _| ())
            .await
            .map_err(|error| not_installed(error, "poppler-utils"))?;
        if ended.success() {
            Ok(())
        } else {
            let how = ended.describe();
            Err(AttemptError::retryable(format!(
                "pdfunite could not join the pages' PDF files: {how}"
            )))
        }
    }

    fn tool(&self, folder: &Path) -> Tool {
        let tool = Tool::new(&self.wrapper, "tesseract", folder).env("OMP_THREAD_LIMIT", "1");
        match &self.tessdata {
            Some(tessdata) => tool.args(["--tessdata-dir".into(), tessdata.clone().into_os_string()]),
            None => tool,
        }
    }
}

/// Names the package of a program that is missing.
fn not_installed(error: Error, package: &str) -> AttemptError {
    match error {
        Error::NotFound(program) => AttemptError::retryable(format!(
            "the program {program} is not installed on this worker: install the package {package}"
        )),
        other => other.into(),
    }
}
