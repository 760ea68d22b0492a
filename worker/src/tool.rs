//! Running an external program for an attempt.
//!
//! Invariants: when [`Tool::run`] has returned, no process that the tool started is left, whatever the outcome;
//! when its future is dropped, or the worker dies, they are killed at once (see [`crate::wrapper`]). There is no
//! shell anywhere: arguments reach the program as they are. Output is always drained, so that no tool ever
//! blocks on a full pipe, and never kept without bounds.

mod error;
mod lines;

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::fs::{Access, access};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio_util::sync::CancellationToken;

use crate::wrapper;
pub use error::Error;
use lines::Lines;

/// How long a tool may take to end after SIGTERM, unless told otherwise.
pub const GRACE: Duration = Duration::from_secs(5);
/// How long killed processes may take to be gone; only a hanging file system takes longer.
const KILL_WAIT: Duration = Duration::from_secs(10);
/// How long output may go on coming when the wrapper has ended. It can only come from processes that escaped
/// because the wrapper itself was killed.
const DRAIN_WAIT: Duration = Duration::from_secs(1);
/// Bytes read at once.
const READ_BYTES: usize = 16 * 1024;
/// Where programs are looked for when the worker has no `PATH`.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The executable that is started as the wrapper around each tool: the worker's own.
#[derive(Debug, Clone)]
pub struct Wrapper {
    executable: PathBuf,
}

impl Default for Wrapper {
    /// This process's executable, also after an upgrade has replaced the file.
    fn default() -> Self {
        Self {
            executable: PathBuf::from("/proc/self/exe"),
        }
    }
}

impl Wrapper {
    /// Another executable that knows the wrapper's subcommand; for tests, whose process is not the worker.
    pub fn at(executable: impl Into<PathBuf>) -> Self {
        Self {
            executable: executable.into(),
        }
    }
}

/// Which output a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A program about to be run.
#[derive(Debug, Clone)]
pub struct Tool {
    wrapper: Wrapper,
    program: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    scratch: PathBuf,
    grace: Duration,
    limit: Option<Duration>,
    capture_bytes: Option<usize>,
}

/// How a tool ended by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code; 128 + the signal when one ended it.
    pub code: i32,
    /// Its standard output, when that was to be captured.
    pub stdout: Vec<u8>,
    /// The last line that it wrote to standard error.
    pub last_error: String,
}

impl Ended {
    /// Whether it ended with exit code 0.
    pub fn success(&self) -> bool {
        self.code == 0
    }

    /// How it ended, for messages: "exit code 1: no such file".
    pub fn describe(&self) -> String {
        let how = match self.code {
            137 => "signal 9 (killed from outside; was memory short?)".to_owned(),
            code @ 129..=192 => format!("signal {}", code - 128),
            code => format!("exit code {code}"),
        };
        if self.last_error.is_empty() {
            how
        } else {
            format!("{how}: {}", self.last_error)
        }
    }
}

impl Tool {
    /// The program, searched for in `PATH` unless it is a path. It works in `scratch`, which is also its home and
    /// its folder for temporary files. Of the worker's environment it sees only `PATH`.
    pub fn new(wrapper: &Wrapper, program: impl Into<OsString>, scratch: &Path) -> Self {
        Self {
            wrapper: wrapper.clone(),
            program: program.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            scratch: scratch.to_owned(),
            grace: GRACE,
            limit: None,
            capture_bytes: None,
        }
    }

    /// Adds arguments; each reaches the program as it is.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// How long it may take to end after SIGTERM ([`GRACE`] unless set).
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// How long it may run at all.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Keeps standard output, at most so many bytes, instead of telling its lines.
    #[must_use]
    pub fn capture(mut self, bytes_max: usize) -> Self {
        self.capture_bytes = Some(bytes_max);
        self
    }

    /// Runs it to its end, or until `stop` is cancelled: then SIGTERM to all its processes, and SIGKILL after the
    /// grace period. `on_line` is told every line of its output.
    ///
    /// # Errors
    /// [`Error`]: not installed, not startable, stopped, too slow. An exit code other than 0 is no error here.
    pub async fn run(
        &self,
        stop: &CancellationToken,
        on_line: impl Fn(Output, &str) + Send + Sync,
    ) -> Result<Ended, Error> {
        if stop.is_cancelled() {
            return Err(Error::Stopped);
        }
        let path = search_path();
        let program = find(&self.program, &path).ok_or_else(|| Error::NotFound(self.name()))?;
        let mut child = self
            .command(&program, &path)
            .spawn()
            .map_err(|source| self.not_started(source))?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(lifeline), Some(stdout), Some(stderr)) = pipes else {
            return Err(self.not_started(io::Error::other("its pipes are missing")));
        };
        let mut draining = pin!(async {
            tokio::join!(
                self.drain_stdout(stdout, &on_line),
                drain_stderr(stderr, &on_line)
            )
        });
        let mut waiting = pin!(self.wait(&mut child, lifeline, stop));
        let mut output = None;
        let code = loop {
            tokio::select! {
                drained = &mut draining, if output.is_none() => output = Some(drained),
                code = &mut waiting => break code?,
            }
        };
        if output.is_none() {
            output = tokio::time::timeout(DRAIN_WAIT, &mut draining).await.ok();
        }
        let lost = |source| Error::Lost {
            program: self.name(),
            source,
        };
        let (stdout, last_error) = output.ok_or_else(|| lost(io::Error::other("its wrapper was killed")))?;
        Ok(Ended {
            code,
            stdout: stdout.map_err(lost)?,
            last_error: last_error.map_err(lost)?,
        })
    }

    fn command(&self, program: &Path, path: &OsStr) -> Command {
        let mut command = Command::new(&self.wrapper.executable);
        command
            .arg(wrapper::SUBCOMMAND)
            .arg("--")
            .arg(program)
            .args(&self.arguments)
            .env_clear()
            .env("PATH", path)
            .env("LANG", "C.UTF-8")
            .env("HOME", &self.scratch)
            .env("TMPDIR", &self.scratch)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.scratch)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Waits for the wrapper, and so for all processes of the tool. The lifeline is closed at the latest when this
    /// future is dropped.
    async fn wait(
        &self,
        child: &mut Child,
        lifeline: ChildStdin,
        stop: &CancellationToken,
    ) -> Result<i32, Error> {
        let lost = |source| Error::Lost {
            program: self.name(),
            source,
        };
        let too_long = async {
            match self.limit {
                Some(limit) => tokio::time::sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        let end = tokio::select! {
            biased;
            status = child.wait() => return status.map(code_of).map_err(lost),
            () = stop.cancelled() => Error::Stopped,
            () = too_long => {
                Error::TimedOut { program: self.name(), limit: self.limit.unwrap_or_default() }
            }
        };
        // Not yet waited for, so the id is still the wrapper's; it can have ended, which is as well.
        if let Some(pid) = child.id().and_then(|pid| Pid::from_raw(pid.try_into().ok()?)) {
            let _ = kill_process(pid, Signal::TERM);
        }
        if let Ok(status) = tokio::time::timeout(self.grace, child.wait()).await {
            return status.map_err(lost).and(Err(end));
        }
        drop(lifeline);
        match tokio::time::timeout(KILL_WAIT, child.wait()).await {
            Ok(status) => status.map_err(lost).and(Err(end)),
            Err(_) => Err(Error::Unkillable(self.name())),
        }
    }

    async fn drain_stdout(
        &self,
        stdout: impl AsyncRead + Unpin,
        on_line: &(impl Fn(Output, &str) + Sync),
    ) -> io::Result<Vec<u8>> {
        let (mut captured, mut lines) = (Vec::new(), Lines::default());
        drain(stdout, |bytes| match self.capture_bytes {
            Some(most) => {
                let room = most.saturating_sub(captured.len());
                captured.extend_from_slice(&bytes[..bytes.len().min(room)]);
            }
            None => lines.push(bytes, |line| on_line(Output::Stdout, line)),
        })
        .await?;
        lines.end(|line| on_line(Output::Stdout, line));
        Ok(captured)
    }

    fn name(&self) -> String {
        self.program.display().to_string()
    }

    fn not_started(&self, source: io::Error) -> Error {
        Error::Start {
            program: self.name(),
            source,
        }
    }
}

async fn drain_stderr(
    stderr: impl AsyncRead + Unpin,
    on_line: &(impl Fn(Output, &str) + Sync),
) -> io::Result<String> {
    let (mut last, mut lines) = (String::new(), Lines::default());
    let mut tell = |line: &str| {
        line.clone_into(&mut last);
        on_line(Output::Stderr, line);
    };
    drain(stderr, |bytes| lines.push(bytes, &mut tell)).await?;
    lines.end(&mut tell);
    Ok(last)
}

async fn drain(mut pipe: impl AsyncRead + Unpin, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match pipe.read(&mut buffer).await? {
            0 => return Ok(()),
            count => take(&buffer[..count]),
        }
    }
}

/// The wrapper's exit code is the tool's; a signal can only have hit the wrapper itself.
fn code_of(status: ExitStatus) -> i32 {
    status
        .code()
        .or_else(|| Some(128 + status.signal()?))
        .unwrap_or(-1)
}

#[expect(
    clippy::disallowed_methods,
    reason = "no setting: tools are looked for where the worker itself is"
)]
fn search_path() -> OsString {
    std::env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into())
}

/// Whether there is such a program in the worker's `PATH`.
pub(crate) fn is_installed(program: &str) -> bool {
    find(OsStr::new(program), &search_path()).is_some()
}

/// The program's file: as it is when it is a path, else the first of that name in `path` that may be executed.
fn find(program: &OsStr, path: &OsStr) -> Option<PathBuf> {
    let executable = |file: &PathBuf| file.is_file() && access(file, Access::EXEC_OK).is_ok();
    if Path::new(program).components().count() > 1 || Path::new(program).is_absolute() {
        return Some(PathBuf::from(program)).filter(executable);
    }
    std::env::split_paths(path)
        .map(|folder| folder.join(program))
        .find(executable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_in_the_path_and_folders_are_no_programs() {
        let path = OsStr::new("/nowhere:/usr/bin:/bin");
        assert!(find(OsStr::new("sh"), path).is_some_and(|file| file.ends_with("bin/sh")));
        assert_eq!(find(OsStr::new("/bin/sh"), path), Some(PathBuf::from("/bin/sh")));
        for missing in ["no-such-program", "/usr", "", "/etc/passwd"] {
            assert_eq!(find(OsStr::new(missing), path), None, "{missing}");
        }
    }

    #[test]
    fn an_end_is_described_with_the_last_line() {
        let ended = |code, last: &str| Ended {
            code,
            stdout: Vec::new(),
            last_error: last.to_owned(),
        };
        assert_eq!(ended(1, "no such file").describe(), "exit code 1: no such file");
        assert_eq!(ended(139, "").describe(), "signal 11");
        assert!(ended(137, "").describe().contains("memory"));
    }
}
