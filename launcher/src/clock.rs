//! A wrong clock for one program: its calendar time is changed while it runs, its measuring of intervals is not.
//!
//! Done by libfaketime between the program and the C library; whatever the program starts sees the same time.
//! As after an administrator's mistake or a bad time server, the clock jumps at once.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Error, Place};

/// Where libfaketime leaves a piece of shared memory for each program that was killed.
const SHARED_MEMORY: &str = "/dev/shm";
const LEFT: [&str; 2] = ["faketime_shm_", "sem.faketime_sem_"];

/// A clock that can be put wrong.
#[derive(Debug)]
pub struct Clock {
    library: PathBuf,
    file: PathBuf,
}

impl Clock {
    /// A clock that is right, for the program of this name.
    ///
    /// # Errors
    /// [`Error::Missing`] when the package libfaketime is not installed, [`Error::File`].
    pub fn new(place: &Place, name: &str) -> Result<Self, Error> {
        let library = library().ok_or_else(|| Error::Missing {
            what: "libfaketime".into(),
            advice: "install the package libfaketime".into(),
        })?;
        let file = place.path().join(format!("clock-{name}"));
        let clock = Self { library, file };
        clock.set(0)?;
        Ok(clock)
    }

    /// Lets the program see this clock from its start on.
    pub fn give_to(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", &self.library)
            .env("FAKETIME_TIMESTAMP_FILE", &self.file)
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            // The file is read at every look at the clock.
            .env("FAKETIME_NO_CACHE", "1");
    }

    /// Puts it so many seconds ahead, or behind where that is negative.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn set(&self, seconds: i64) -> Result<(), Error> {
        // Renamed into place: a program that looks meanwhile sees one or the other.
        let new = self.file.with_extension("new");
        fs::write(&new, format!("{seconds:+}\n")).map_err(Error::file("write", &new))?;
        fs::rename(&new, &self.file).map_err(Error::file("rename", &new))
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        for entry in fs::read_dir(SHARED_MEMORY).into_iter().flatten().flatten() {
            if owner(&entry.file_name()).is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
                // Somebody else has seen the same.
                let _gone = fs::remove_file(entry.path());
            }
        }
    }
}

/// The process that a piece of shared memory was made for.
fn owner(name: &OsStr) -> Option<&str> {
    let name = name.to_str()?;
    LEFT.iter().find_map(|prefix| name.strip_prefix(prefix))
}

/// The library for programs with threads, wherever this architecture has it.
fn library() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").ok()?.flatten();
    folders
        .map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_programs_clock_is_wrong_by_what_was_set_and_right_again() {
        let place = Place::temporary("clock").unwrap();
        let clock = Clock::new(&place, "date").unwrap();
        let ahead = || {
            let seconds = |command: &mut Command| -> i64 {
                let output = command.arg("+%s").output().unwrap();
                String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
            };
            let mut wrong = Command::new("date");
            clock.give_to(&mut wrong);
            seconds(&mut wrong) - seconds(&mut Command::new("date"))
        };
        for hours in [5, -26, 0] {
            clock.set(hours * 3_600).unwrap();
            // To the hour, so that the test needs no clock of its own.
            assert_eq!((ahead() + 1_800).div_euclid(3_600), hours);
        }
        assert_eq!(owner(OsStr::new("sem.faketime_sem_42")), Some("42"));
    }
}
