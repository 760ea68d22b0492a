//! A volume of scanned pages in a folder of its own, and what a job has put beside it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use launcher::workspace;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::message::manifest::FileEntry;

/// The four pages in `tests/data/volume`, in natural order.
pub const PAGES: [&str; 4] = ["00000001.jpg", "00000002.jpg", "00000003.jpg", "00000004.jpg"];

/// What is in the file of one of [`PAGES`].
pub fn page_bytes(page: &str) -> Vec<u8> {
    fs::read(test_data().join("volume").join(page)).expect("a page can be read")
}

/// Folders as Goobi lays them out: `<data>/metadata/<process>/images/<title>_media`.
#[derive(Debug, Clone)]
pub struct Volume {
    /// The process's number.
    pub process: u32,
    /// The process's title.
    pub title: String,
    /// The folder with the pages.
    pub source: PathBuf,
    /// The folder that results go to.
    pub target: PathBuf,
}

impl Volume {
    /// A volume without pages.
    pub fn empty(data: &Path, process: u32, title: &str) -> Self {
        let target = data.join("metadata").join(process.to_string());
        let source = target.join("images").join(format!("{title}_media"));
        fs::create_dir_all(&source).expect("the source folder can be made");
        Self {
            process,
            title: title.to_owned(),
            source,
            target,
        }
    }

    /// A volume with all of [`PAGES`].
    pub fn copy_to(data: &Path, process: u32, title: &str) -> Self {
        let volume = Self::empty(data, process, title);
        for page in PAGES {
            volume.add_page(page, page);
        }
        volume
    }

    /// Puts one of [`PAGES`] into the source folder under another name.
    pub fn add_page(&self, page: &str, name: &str) {
        let original = test_data().join("volume").join(page);
        fs::copy(&original, self.source.join(name)).expect("a page can be copied");
    }

    /// Puts any file into the source folder.
    pub fn add_file(&self, name: &str, content: &[u8]) {
        fs::write(self.source.join(name), content).expect("a file can be written");
    }

    /// The message that a Goobi step sends for it.
    pub fn goobi_message(&self) -> Value {
        json!({
            "jobtype": "OCR",
            "templatename": "template.xml",
            "goobiId": self.process.to_string(),
            "stepId": "6519",
            "stepName": "OCR",
            "goobiTitle": self.title,
            "sourceDir": self.source,
            "targetDir": self.target,
            "language": "eng",
            "fontType": "antiqua",
        })
    }

    /// The outputs of one kind: `alto`, `txt`.
    pub fn output(&self, kind: &str, file: &str) -> PathBuf {
        self.target.join(format!("ocr/{}_{kind}", self.title)).join(file)
    }

    /// Every file beneath the target folder that is none of the source's, relative to it, with size and checksum.
    pub fn files_in_target(&self) -> BTreeMap<String, FileEntry> {
        let mut files = BTreeMap::new();
        walk(&self.target, &mut |file| {
            if file.starts_with(&self.source) {
                return;
            }
            let path = file.strip_prefix(&self.target).expect("it lies beneath");
            let path = path.to_str().expect("names are UTF-8").to_owned();
            let content = fs::read(file).expect("a file can be read");
            let entry = FileEntry {
                path: path.clone(),
                size: content.len() as u64,
                sha256: hexadecimal(&Sha256::digest(&content)),
            };
            files.insert(path, entry);
        });
        files
    }

    /// Whether a job's item store lies in the target folder.
    pub fn has_item_store(&self) -> bool {
        let entries = fs::read_dir(&self.target)
            .expect("the target folder is there")
            .flatten();
        entries
            .map(|entry| entry.file_name())
            .any(|name| name.to_string_lossy().starts_with(".taskmanager-"))
    }

    /// How many pages' text lies complete in the item store.
    pub fn pages_in_item_store(&self) -> usize {
        let mut texts = 0;
        walk(&self.target, &mut |file| {
            let path = file.to_string_lossy();
            if path.contains("/.taskmanager-") && !path.contains("/.new/") && path.ends_with(".txt") {
                texts += 1;
            }
        });
        texts
    }
}

/// The text that is printed on page 1 from its second column's second sentence on.
pub fn expected_text() -> String {
    fs::read_to_string(test_data().join("text.txt")).expect("tests/data/text.txt is there")
}

/// Bytes as manifests show them.
pub fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).expect("it is below 16");
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

fn test_data() -> PathBuf {
    workspace().join("tests/data")
}

/// Tells all files beneath a folder. What vanishes meanwhile is left out.
fn walk(folder: &Path, tell: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(&path, tell);
        } else {
            tell(&path);
        }
    }
}

/// The text of an ALTO file, as read by a tool that is not ours.
pub fn text_of_alto(file: &Path) -> String {
    let tool = crate::environment::python_tool("alto-tools");
    let output = std::process::Command::new(tool)
        .arg("--text")
        .arg(file)
        .output()
        .expect("alto-tools can be started");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "alto-tools: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    said
}
