//! OCR: recognises the images of the source folder with Tesseract, a page a core.
//!
//! | parameter | meaning |
//! |---|---|
//! | `language`, `font_type` | see [`languages`] |
//! | `publish_partial` | template only: `true` publishes the good pages although others could not be read |
//!
//! Outputs, relative to the target folder, where `title` is the job's title as a safe part of a path and `page` the
//! image's name without its ending (with it, where another image of that name comes first in natural order):
//!
//! ```text
//!  ocr/{title}_alto/{page}.xml    ALTO               ocr/{title}_txt/{page}.txt   plain text
//!  ocr/{title}_hocr/{page}.hocr   hOCR               ocr/{title}_pdf/{page}.pdf   searchable PDF
//!  ocr/{title}_volume/{title}.pdf   all pages; in a folder of its own, so that it is not taken for a page
//! ```
//!
//! Invariants: a page that can't be read fails alone, and the job ends in a permanent failure that names it; trouble
//! with storage or tools is nobody's page and ends the attempt. When [`Plugin::run`] has returned, no process is left.

pub mod languages;
mod page;
mod pages;
mod run;
mod tesseract;
mod volume;

use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;
use shared::message::worker::{Check, PluginOffer};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::PluginSettings;
use crate::context::Context;
use crate::plugin::{AttemptError, Finished, Plugin};
use crate::tool;
use tesseract::Tesseract;

/// The plugin.
#[derive(Debug)]
pub struct Ocr {
    slots: u16,
    cores: Arc<Semaphore>,
    cores_count: u16,
    tesseract: Tesseract,
}

impl Ocr {
    /// With so many jobs at once, whose pages share the cores.
    pub fn new(slots: u16, settings: &PluginSettings) -> Self {
        let cores_count = settings.ocr_cores.get();
        let cores = Arc::new(Semaphore::new(cores_count.into()));
        Self {
            slots,
            cores,
            cores_count,
            tesseract: Tesseract::new(settings),
        }
    }
}

#[async_trait]
impl Plugin for Ocr {
    fn offer(&self) -> PluginOffer {
        PluginOffer {
            name: super::name("OCR"),
            title_en: "Text recognition".to_owned(),
            title_de: "Texterkennung".to_owned(),
            needs_source: true,
            needs_target: true,
            needs_template: false,
            slots: self.slots,
            parameters_schema: Some(languages::schema()),
        }
    }

    async fn checks(&self) -> Vec<Check> {
        let (scratch, stop) = (std::env::temp_dir(), CancellationToken::new());
        let mut checks = Vec::new();
        match self.tesseract.version(&scratch, &stop).await {
            Ok(version) => checks.push(check("tesseract", true, format!("version {version}"))),
            Err(error) => checks.push(check("tesseract", false, error.to_string())),
        }
        match self.tesseract.languages(&scratch, &stop).await {
            Ok(installed) => checks.extend(language_checks(&installed)),
            Err(error) => checks.push(check("languages", false, error.to_string())),
        }
        let pdfunite = tool::is_installed("pdfunite");
        let message = if pdfunite {
            "found"
        } else {
            "not found: install the package poppler-utils"
        };
        checks.push(check("pdfunite", pdfunite, message));
        let there = std::thread::available_parallelism().map_or(usize::MAX, NonZeroUsize::get);
        checks.push(cores_check(self.cores_count.into(), there));
        checks
    }

    async fn run(&self, context: &Context) -> Result<Finished, AttemptError> {
        run::run(self, context).await
    }
}

fn language_checks(installed: &[String]) -> Vec<Check> {
    let mut checks: Vec<Check> = installed
        .iter()
        .map(|data| check(&format!("language {data}"), true, "installed"))
        .collect();
    if !installed.iter().any(|data| data == languages::DEFAULT) {
        let package = languages::package(languages::DEFAULT);
        let message = format!("not installed; jobs that name no language need it: install {package}");
        checks.push(check(&format!("language {}", languages::DEFAULT), false, message));
    }
    checks
}

/// A hint, no fault: more pages at once than cores only take turns.
fn cores_check(pages: usize, cores: usize) -> Check {
    let message = if pages > cores {
        format!(
            "hint: {pages} pages at once on {cores} cores: none is done sooner, and each needs its memory; lower --ocr-cores"
        )
    } else {
        format!("{pages} pages at once")
    };
    check("cores", true, message)
}

fn check(name: &str, ok: bool, message: impl Into<String>) -> Check {
    Check {
        name: name.to_owned(),
        ok,
        message: message.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_pages_at_once_than_cores_are_a_hint() {
        assert_eq!(cores_check(2, 2).message, "2 pages at once");
        let hint = cores_check(8, 2);
        assert!(hint.ok && hint.message.contains("lower --ocr-cores"), "{hint:?}");
    }
}
