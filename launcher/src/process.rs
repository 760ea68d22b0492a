//! One supervised process: started, watched, frozen, killed, ended.
//!
//! Every process runs in a process group of its own, writes its output to a log file, stands in the place's ledger from
//! its first moment on, and gets SIGKILL from the kernel when the launcher dies.
//! Dropping a [`Process`] kills it with everything that descends from it; [`Process::terminate`] asks it first.
//!
//! Waiting is done on pidfds with a deadline: no signal handlers, no polling of process ids that may be somebody else's.

mod foreground;
mod owner;
mod supervised;
pub(crate) mod tree;

use std::fs::{self, File, OpenOptions};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::process::Signal;

pub use foreground::{run_in_foreground, run_in_foreground_while};
pub(crate) use supervised::{Environment, clean, mark_in_environment};

use crate::account::Account;
use crate::{Error, Place};
use tree::Ident;

/// How long a killed process may take to be gone; only one that hangs in the kernel needs longer.
const KILL_LIMIT: Duration = Duration::from_secs(10);

/// How much of a log is quoted in an error message, in lines.
const TAIL_LINES: usize = 15;

/// A running (or ended) process that this launcher started.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    ident: Ident,
    pidfd: OwnedFd,
    log: PathBuf,
    status: Option<ExitStatus>,
    frozen: Vec<Ident>,
    place: Place,
}

/// How a process is started; [`Process::start`] covers the usual case.
pub(crate) struct Launch<'a> {
    pub(crate) name: &'a str,
    pub(crate) command: &'a Command,
    pub(crate) account: Option<&'a Account>,
    pub(crate) environment: Environment,
    /// Whether an existing log is continued (a restart) or moved aside to `<name>.log.1` (a new start).
    pub(crate) continue_log: bool,
}

impl Process {
    /// Starts the command as the caller, with its output in the place's `logs/<name>.log`.
    ///
    /// The command's program, arguments, environment changes and folder are used; its streams and process group are not:
    /// input is empty, both outputs go to the log. The environment is the caller's plus the command's changes.
    ///
    /// # Errors
    /// [`Error::Start`] when the program's path leads nowhere, [`Error::File`] when the log cannot be written. A program
    /// that is named without a path and not found in `PATH` is started, and ends at once with 127.
    pub fn start(place: &Place, name: &str, command: &Command) -> Result<Self, Error> {
        Self::launch(
            place,
            &Launch {
                name,
                command,
                account: None,
                environment: Environment::Inherited,
                continue_log: false,
            },
        )
    }

    /// Like [`Process::start`], for servers that run as a user of their own or continue a log.
    pub(crate) fn launch(place: &Place, launch: &Launch<'_>) -> Result<Self, Error> {
        supervised::check_program(launch.command)?;
        let log = place.log_path(launch.name);
        let command = supervised::command(place, launch, open_log(&log, launch.continue_log)?)?;
        let failed = |source| Error::Start {
            name: launch.name.to_owned(),
            source,
        };
        let mut child = owner::spawn(command).map_err(failed)?;
        let (ident, pidfd) = tree::adopt(&mut child).map_err(failed)?;
        let process = Self {
            name: launch.name.to_owned(),
            child,
            ident,
            pidfd,
            log,
            status: None,
            frozen: Vec::new(),
            place: place.clone(),
        };
        process.place.ledger().add(&[ident], launch.name)?;
        Ok(process)
    }

    /// The process id. It is not given to anybody else before this value is dropped.
    pub fn pid(&self) -> i32 {
        self.ident.pid
    }

    /// The name it was started under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The place that it was started in.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The file that holds everything it wrote to both its outputs.
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// The last lines of its log, for error messages; empty when there is none.
    pub fn log_tail(&self) -> String {
        tail(&self.log)
    }

    /// Whether it runs (a frozen process does).
    pub fn alive(&mut self) -> bool {
        matches!(self.wait(Duration::ZERO), Ok(None))
    }

    /// Waits until it has ended, at most for `limit`; `None` when it still runs then.
    ///
    /// # Errors
    /// [`Error::Control`] when the kernel refuses to wait.
    pub fn wait(&mut self, limit: Duration) -> Result<Option<ExitStatus>, Error> {
        if self.status.is_none()
            && tree::ended_within(&self.pidfd, limit).map_err(self.refused("wait for"))?
        {
            self.status = Some(self.child.wait().map_err(self.refused("wait for"))?);
        }
        Ok(self.status)
    }

    /// Asks it to end (SIGTERM) and waits for that.
    ///
    /// # Errors
    /// [`Error::StillRunning`] when `grace` was not enough; it has then been killed with all its descendants.
    pub fn terminate(&mut self, grace: Duration) -> Result<ExitStatus, Error> {
        self.end_with(Signal::TERM, grace)
    }

    /// Sends SIGTERM and returns at once; nothing happens when it has already ended.
    ///
    /// # Errors
    /// [`Error::Control`] when the kernel refuses the signal.
    pub fn ask_to_end(&mut self) -> Result<(), Error> {
        self.signal(Signal::TERM)
    }

    /// Sends the signal, waits, and kills what is left after `grace`. A frozen process is thawed first.
    pub(crate) fn end_with(&mut self, signal: Signal, grace: Duration) -> Result<ExitStatus, Error> {
        self.thaw()?;
        let family = tree::family(self.ident);
        self.signal(signal)?;
        let ended = self.wait(grace)?;
        // What the process left behind when it ended is nobody's any more.
        tree::kill(&family);
        if let Some(status) = ended {
            tree::wait_gone(&family, KILL_LIMIT);
            self.forget()?;
            return Ok(status);
        }
        self.kill9()?;
        Err(Error::StillRunning {
            name: self.name.clone(),
            waited: grace,
        })
    }

    /// SIGKILL to it and to everything that descends from it, and waits until all of them are gone.
    ///
    /// # Errors
    /// [`Error::StillRunning`] when it hangs in the kernel.
    pub fn kill9(&mut self) -> Result<(), Error> {
        if self.status.is_none() {
            // Frozen first, so that nobody forks while the list is made.
            let mut family = tree::freeze(self.ident);
            family.append(&mut self.frozen);
            tree::kill(&family);
            if self.wait(KILL_LIMIT)?.is_none() {
                return Err(Error::StillRunning {
                    name: self.name.clone(),
                    waited: KILL_LIMIT,
                });
            }
            tree::wait_gone(&family, KILL_LIMIT);
        }
        self.forget()
    }

    /// Stops it and all its descendants where they are (SIGSTOP): connections stay open, nothing answers.
    ///
    /// # Errors
    /// [`Error::NotRunning`] when it has ended, [`Error::File`] when the ledger cannot be written.
    pub fn freeze(&mut self) -> Result<(), Error> {
        if !self.alive() {
            return Err(Error::NotRunning {
                name: self.name.clone(),
            });
        }
        self.frozen = tree::freeze(self.ident);
        // A frozen descendant does not notice that its parent died, so the next launcher has to know of it.
        self.place.ledger().add(&self.frozen, &self.name)
    }

    /// Lets it go on after [`Process::freeze`]; nothing happens when it was not frozen.
    ///
    /// # Errors
    /// [`Error::File`] when the ledger cannot be written.
    pub fn thaw(&mut self) -> Result<(), Error> {
        let frozen = std::mem::take(&mut self.frozen);
        tree::thaw(&frozen);
        let descendants: Vec<Ident> = frozen.into_iter().filter(|ident| *ident != self.ident).collect();
        self.place.ledger().remove(&descendants)
    }

    fn signal(&mut self, signal: Signal) -> Result<(), Error> {
        if self.alive() {
            rustix::process::pidfd_send_signal(&self.pidfd, signal)
                .map_err(|errno| self.refused("signal")(errno.into()))?;
        }
        Ok(())
    }

    /// Takes it out of the ledger once it is gone.
    fn forget(&mut self) -> Result<(), Error> {
        let mut gone = std::mem::take(&mut self.frozen);
        gone.push(self.ident);
        self.place.ledger().remove(&gone)
    }

    fn refused(&self, action: &'static str) -> impl FnOnce(std::io::Error) -> Error + use<> {
        let name = self.name.clone();
        move |source| Error::Control { name, action, source }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nobody is left to tell; what survives stands in the ledger and is ended by the next start.
        let _ = self.kill9();
    }
}

/// The last lines of a log file; empty when it cannot be read.
pub(crate) fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

/// Opens a log for appending; a new start moves the last run's log aside.
fn open_log(path: &Path, continued: bool) -> Result<File, Error> {
    if !continued && path.exists() {
        fs::rename(path, path.with_added_extension("1")).map_err(Error::file("move aside", path))?;
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(Error::file("write", path))
}

/// The moment until which something may be waited for.
pub(crate) fn deadline(limit: Duration) -> Instant {
    Instant::now() + limit
}

#[cfg(test)]
mod tests;
