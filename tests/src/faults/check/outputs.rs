//! What lies in the target folders, against what was granted.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::super::load::{Kind, Submitted, title};
use super::super::site::{Site, target};
use super::Check;
use super::facts::{Ended, Facts};
use crate::volume::hexadecimal;

/// Every job that is DONE has what its manifest says, to the byte, each item by an attempt that wrote it.
pub(super) fn granted_and_whole(site: &Site, submitted: &Submitted, facts: &Facts) -> Check {
    let mut check = Check::new("what is published was granted, is whole, and is one attempt's manifest");
    let done: BTreeSet<String> = facts
        .told
        .iter()
        .filter(|told| told.what == "done")
        .map(|told| format!("{} {} {} {}", told.job, told.item, told.attempt, told.claim))
        .collect();
    for order in &submitted.orders {
        let title = title(order.number);
        let jobs = facts.ended.get(&title).into_iter().flatten();
        for job in jobs.filter(|job| job.state == "DONE" && order.kind == Kind::Writes) {
            let published = visible_files(&target(&site.data(), order.number));
            let granted = granted(job);
            check.look(granted.len() == order.items as usize, || {
                format!("{title}: {} of {} items were granted", granted.len(), order.items)
            });
            let sums: BTreeMap<String, String> = published
                .iter()
                .map(|(path, content)| (path.clone(), sha256(content)))
                .collect();
            check.look(sums == granted, || {
                format!("{title} ({}): published {sums:?}, granted {granted:?}", job.id)
            });
            for (path, content) in &published {
                let text = String::from_utf8_lossy(content);
                let written = text.strip_prefix("item ").map(str::trim_end).unwrap_or_default();
                check.look(done.contains(&format!("{} {written}", job.id)), || {
                    format!("{title}: nobody wrote {path}: {text:?}")
                });
            }
        }
    }
    check
}

/// A job that is not DONE has published nothing, or part of what was granted before its last worker died.
pub(super) fn nothing_else(site: &Site, submitted: &Submitted, facts: &Facts) -> Check {
    let mut check = Check::new("nothing is published of a job that failed or was cancelled");
    for order in &submitted.orders {
        let title = title(order.number);
        for job in facts.ended.get(&title).into_iter().flatten() {
            if job.state == "DONE" {
                continue;
            }
            let granted = granted(job);
            for (path, content) in visible_files(&target(&site.data(), order.number)) {
                let as_granted = granted.get(&path) == Some(&sha256(&content));
                check.look(as_granted && job.state != "CANCELLED", || {
                    format!("{title} ({}) is {}, and there is {path}", job.id, job.state)
                });
            }
            check.looked_at += 1;
        }
    }
    check
}

/// The item store goes with the job; after a failure it stays for a retry.
pub(super) fn stores_gone(site: &Site, submitted: &Submitted, facts: &Facts) -> Check {
    let mut check = Check::new("no item store outlives its job");
    for order in &submitted.orders {
        let title = title(order.number);
        for job in facts.ended.get(&title).into_iter().flatten() {
            if job.state != "ERROR" {
                let store = target(&site.data(), order.number).join(format!(".taskmanager-{}", job.id));
                check.look(!store.exists(), || {
                    let mut left = BTreeMap::new();
                    read(&store, "", &mut left);
                    format!("{title}: {} is there, with {:?}", store.display(), left.keys())
                });
            }
        }
    }
    check
}

fn granted(job: &Ended) -> BTreeMap<String, String> {
    let files = job.manifest.iter().flat_map(|manifest| &manifest.files);
    files
        .map(|file| (file.path.clone(), file.sha256.clone()))
        .collect()
}

/// Everything in the folder that a user sees.
fn visible_files(target: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    read(target, "", &mut files);
    files.retain(|path, _| !path.starts_with('.'));
    files
}

fn read(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            read(&entry.path(), &format!("{path}/"), files);
        } else {
            files.insert(path, fs::read(entry.path()).unwrap_or_default());
        }
    }
}

fn sha256(content: &[u8]) -> String {
    hexadecimal(&Sha256::digest(content))
}
