//! What can go wrong here, as one type that callers branch on.
//!
//! A message says what is wrong and where; the operating system's own words are the `source`, never part of the text.

use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;
use std::{fmt, io};

/// Why something could not be installed, started, controlled or ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder of a place could not be read, written or removed.
    File {
        /// What was tried, as a verb: `create`, `read`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// A program could not be started at all.
    Start {
        /// The program or server.
        name: String,
        /// The operating system's answer.
        source: io::Error,
    },
    /// A program that should do its work and end (such as `initdb`) ended with an error.
    Failed {
        /// The program.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// The last lines that it wrote.
        output: String,
    },
    /// A server ended although nobody had asked it to.
    Died {
        /// The server.
        name: String,
        /// How it ended.
        status: ExitStatus,
        /// Its log file.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// A server runs but does not answer.
    NotReady {
        /// The server.
        name: String,
        /// How long it was waited for.
        waited: Duration,
        /// Its log file.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// A process did not end in the time it was given.
    StillRunning {
        /// The process.
        name: String,
        /// The time that it was given.
        waited: Duration,
    },
    /// The operation needs a running process, and there is none.
    NotRunning {
        /// The process.
        name: String,
    },
    /// The kernel refused a signal or a wait.
    Control {
        /// The process.
        name: String,
        /// What was tried.
        action: &'static str,
        /// The operating system's answer.
        source: io::Error,
    },
    /// Something that has to be installed is not there.
    Missing {
        /// What is missing.
        what: String,
        /// What to do about it.
        advice: String,
    },
    /// Packages have to be installed, and this user may not do that.
    NeedsRoot {
        /// The packages.
        packages: Vec<String>,
        /// The one line to run.
        line: String,
    },
    /// Another launcher is using the place.
    InUse {
        /// The place.
        path: PathBuf,
        /// The other launcher's process id, where it is known.
        holder: Option<u32>,
    },
    /// A folder that others could tamper with; nothing is started in it.
    Unsafe {
        /// The folder.
        path: PathBuf,
        /// Why it is not trusted.
        reason: &'static str,
    },
    /// No free loopback port was found.
    NoPort,
    /// The place's interrupt flag was raised while something was being waited for.
    Interrupted,
}

impl Error {
    /// An [`Error::File`] around an I/O error, for `map_err`.
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { action, path, .. } => write!(f, "cannot {action} {}", path.display()),
            Self::Start { name, .. } => write!(f, "cannot start {name}"),
            Self::Failed {
                program,
                status,
                output,
            } => write!(f, "{program} failed ({status}){}", Tail(output)),
            Self::Died {
                name,
                status,
                log,
                tail,
            } => {
                write!(
                    f,
                    "{name} ended by itself ({status}); its log is {}{}",
                    log.display(),
                    Tail(tail)
                )
            }
            Self::NotReady {
                name,
                waited,
                log,
                tail,
            } => {
                let seconds = waited.as_secs();
                write!(
                    f,
                    "{name} does not answer after {seconds} s; its log is {}{}",
                    log.display(),
                    Tail(tail)
                )
            }
            Self::StillRunning { name, waited } => {
                write!(f, "{name} did not end within {} s", waited.as_secs())
            }
            Self::NotRunning { name } => write!(f, "{name} is not running"),
            Self::Control { name, action, .. } => write!(f, "cannot {action} {name}"),
            Self::Missing { what, advice } => write!(f, "{what} is missing: {advice}"),
            Self::NeedsRoot { packages, line } => {
                write!(
                    f,
                    "{} packages are missing; install them with: {line}",
                    packages.len()
                )
            }
            Self::InUse {
                path,
                holder: Some(pid),
            } => {
                write!(
                    f,
                    "{} is in use by process {pid}; end that one first",
                    path.display()
                )
            }
            Self::InUse { path, holder: None } => {
                write!(
                    f,
                    "{} is in use by another launcher; end that one first",
                    path.display()
                )
            }
            Self::Unsafe { path, reason } => {
                write!(f, "{} {reason}; remove it, it will be made anew", path.display())
            }
            Self::NoPort => f.write_str("there is no free port on 127.0.0.1"),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { source, .. } | Self::Start { source, .. } | Self::Control { source, .. } => {
                Some(source)
            }
            _ => None,
        }
    }
}

/// The end of a log below a message; nothing where the log is empty.
struct Tail<'a>(&'a str);

impl fmt::Display for Tail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        f.write_str(", which ends:")?;
        self.0.lines().try_for_each(|line| write!(f, "\n  | {line}"))
    }
}
