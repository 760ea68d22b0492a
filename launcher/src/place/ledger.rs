//! The list of processes that were started in a place and may still run.
//!
//! One line a process: the machine's boot id, the process id, its start time, its name.
//! The three first name one process for ever, so a stranger that has got the same id later is never touched.
//! The file is replaced as a whole: a crash leaves the old list or the new one.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::Error;
use crate::process::tree::{self, Ident};

/// How long killed leftovers may take to be gone.
const KILL_LIMIT: Duration = Duration::from_secs(10);

/// The ledger of an open place.
#[derive(Debug)]
pub(crate) struct Ledger {
    path: PathBuf,
    boot: String,
    entries: Mutex<Vec<(Ident, String)>>,
}

impl Ledger {
    /// Ends what the last launcher of this folder left running, and starts an empty ledger. The folder must be locked.
    ///
    /// Gives the names of what was ended.
    pub(super) fn take_over(place: &Path) -> Result<(Self, Vec<String>), Error> {
        let boot_path = Path::new("/proc/sys/kernel/random/boot_id");
        let boot = fs::read_to_string(boot_path)
            .map_err(Error::file("read", boot_path))?
            .trim()
            .to_owned();
        let path = place.join("ledger");
        let ended = match fs::read_to_string(&path) {
            Ok(text) => end_leftovers(place, &text, &boot)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(source) => {
                return Err(Error::File {
                    action: "read",
                    path,
                    source,
                });
            }
        };
        let ledger = Self {
            path,
            boot,
            entries: Mutex::default(),
        };
        ledger.write(&[])?;
        Ok((ledger, ended))
    }

    /// Adds processes; those that stand in it already are passed over.
    pub(crate) fn add(&self, idents: &[Ident], name: &str) -> Result<(), Error> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        for ident in idents {
            if !entries.iter().any(|(known, _)| known == ident) {
                entries.push((*ident, name.to_owned()));
            }
        }
        self.write(&entries)
    }

    /// Takes processes out that are gone, or no longer need to be known.
    pub(crate) fn remove(&self, idents: &[Ident]) -> Result<(), Error> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let before = entries.len();
        entries.retain(|(known, _)| !idents.contains(known));
        if entries.len() == before {
            Ok(())
        } else {
            self.write(&entries)
        }
    }

    fn write(&self, entries: &[(Ident, String)]) -> Result<(), Error> {
        let line =
            |(ident, name): &(Ident, String)| format!("{} {} {} {name}\n", self.boot, ident.pid, ident.start);
        let text = entries.iter().map(line).collect::<Vec<_>>().concat();
        let new = self.path.with_added_extension("new");
        fs::write(&new, text)
            .and_then(|()| fs::rename(&new, &self.path))
            .map_err(Error::file("write", &self.path))
    }
}

/// Kills what stands in the ledger with all that descends from it, then whatever else carries the place's mark.
fn end_leftovers(place: &Path, text: &str, boot: &str) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    let mut killed = Vec::new();
    let listed = text.lines().filter_map(|line| parse(line, boot));
    for (ident, name) in listed.chain(marked(place).into_iter().map(|ident| (ident, ident.program()))) {
        // We may ourselves descend from a marked process, such as a test run whose launcher was killed.
        if tree::family(ident)
            .iter()
            .any(|member| member.pid.cast_unsigned() == std::process::id())
        {
            continue;
        }
        let family = tree::freeze(ident);
        if ident.runs() && !killed.contains(&ident) {
            names.push(format!("{name} (process {})", ident.pid));
        }
        tree::kill(&family);
        killed.extend(family);
    }
    if tree::wait_gone(&killed, KILL_LIMIT) {
        Ok(names)
    } else {
        Err(Error::StillRunning {
            name: names.join(", "),
            waited: KILL_LIMIT,
        })
    }
}

/// An entry of this boot; entries of earlier ones mean processes that are gone.
fn parse(line: &str, boot: &str) -> Option<(Ident, String)> {
    let mut fields = line.splitn(4, ' ');
    if fields.next()? != boot {
        return None;
    }
    let ident = Ident {
        pid: fields.next()?.parse().ok()?,
        start: fields.next()?.parse().ok()?,
    };
    Some((ident, fields.next()?.to_owned()))
}

/// The processes whose environment says that they were started in this place.
///
/// Those of other users, whose environment we may not read, are not ours either.
fn marked(place: &Path) -> Vec<Ident> {
    let mark = crate::process::mark_in_environment(place);
    let carries = |pid: &i32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment
            .split(|byte| *byte == 0)
            .any(|variable| variable == mark)
    };
    tree::processes()
        .into_iter()
        .filter(carries)
        .filter_map(Ident::of)
        .collect()
}
